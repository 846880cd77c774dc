"""Brings Genlook in step with the catalogue, and says how far it got."""

import json
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from django_genlook.budgets import Later, open_breakers
from django_genlook.conf import get_config
from django_genlook.exceptions import problem_for
from django_genlook.models import Product
from django_genlook.services import calls, products, scan


class Command(BaseCommand):
    help = "Looks for products that are not in step with Genlook and sends them, until all are in step or say why not."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--all", action="store_true", help="send every product, changed or not")
        parser.add_argument("--failed", action="store_true", help="try again the products that need attention")
        parser.add_argument("--limit", type=int, default=None, help="send at most so many products")
        parser.add_argument("--json", action="store_true", help="print the outcome as JSON")

    def handle(self, *args: Any, failed: bool, limit: int | None, **options: Any) -> None:
        if not get_config().API_KEY:
            raise CommandError(str(problem_for("MISSING_API_KEY").remedy))
        marked = scan.scan()
        if options["all"]:
            marked += scan.resend_all()
        if failed:
            marked += scan.retry_parked()
        sent = self._send(limit, quiet=options["json"])
        self._report(marked, sent, options["json"])
        if calls.is_held_back():
            # Whoever starts this from a script must see that nothing more was sent.
            raise CommandError("Genlook takes nothing now; what waits goes out by itself when that is over.")

    def _send(self, limit: int | None, *, quiet: bool) -> int:
        """Send what is due, waiting for request slots but not for anything else; return how many were taken up."""
        sent = 0
        while limit is None or sent < limit:
            due = Product.objects.due().oldest(1)
            if not due or calls.is_held_back():
                break
            try:
                products.push(due[0])
            except Later as later:
                time.sleep(min(max(later.seconds, 0.1), 1.0))
                continue
            sent += 1
            if not quiet and sent % 25 == 0:
                self.stdout.write(f"{sent} sent, {Product.objects.due().count()} to go")
        return sent

    def _report(self, marked: int, sent: int, as_json: bool) -> None:
        parked = list(Product.objects.parked().order_by("pk"))
        outcome = {
            "marked": marked,
            "sent": sent,
            "in_step": Product.objects.exclude(pk__in=Product.objects.out_of_step()).count(),
            "waiting": Product.objects.waiting().count(),
            "parked": [{"product": str(row), "code": row.error_code} for row in parked],
            "held_back": {breaker.value: code for breaker, code in open_breakers().items()},
        }
        if as_json:
            self.stdout.write(json.dumps(outcome))
            return
        if not get_config().ENABLED:
            self.stdout.write("Held back: ENABLED is off in the GENLOOK setting.")
        self.stdout.write(f"{outcome['in_step']} in step, {outcome['waiting']} waiting, {len(parked)} need attention.")
        for code in outcome["held_back"].values():  # type: ignore[attr-defined]
            problem = problem_for(code)
            self.stdout.write(f"Held back: {problem.cause} {problem.remedy}")
        for row in parked[:50]:
            problem = problem_for(row.error_code)
            self.stdout.write(f"  {row}: {problem.cause} {problem.remedy} {row.error_message}".rstrip())
