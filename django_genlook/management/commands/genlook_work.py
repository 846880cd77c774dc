"""The embedded worker, for shops without Celery."""

import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from django_genlook.services import work


class Command(BaseCommand):
    help = "Sends products, photos and try-ons to Genlook and brings the pictures home; runs until it is told to end."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="do all that is due, see running try-ons through, end")

    def handle(self, *args: Any, once: bool, **options: Any) -> None:
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: _end(stop))
        if once:
            work.run_once(stop)
            return
        self.stdout.write("genlook worker ready")
        self.stdout.flush()
        work.run(stop)


def _end(stop: threading.Event) -> None:
    """Finish the item in hand at the first signal; leave at once at the second."""
    if stop.is_set():
        raise SystemExit(1)
    stop.set()
