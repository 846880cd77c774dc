"""How the shop stands towards Genlook, read from the database and the settings only."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.contrib import messages
from django.contrib.messages import constants as levels
from django.db import router
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from django_genlook import budgets
from django_genlook.admin import states
from django_genlook.admin.states import Kind
from django_genlook.budgets import BreakerName, Cap
from django_genlook.conf import Config, get_config
from django_genlook.exceptions import GenlookError, Problem, problem_for
from django_genlook.models import Account, Product, Usage
from django_genlook.models.clock import read_clock
from django_genlook.services import limits

SPENT: Mapping[str, Promise] = {"credits:day": _("Credits used today"), "credits:month": _("Credits used this month")}
COUNTED = (Kind.IN_STEP, Kind.WAITING, Kind.PARKED)


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that holds work back, in words for staff; ``holds_products`` when products wait for it too."""

    cause: str | Promise
    remedy: str | Promise
    level: int = levels.ERROR
    holds_products: bool = True

    @property
    def tag(self) -> str:
        """The word that the style sheet knows the level by."""
        return "error" if self.level >= levels.ERROR else "warning"


@dataclass(frozen=True, slots=True)
class Spending:
    """What is used of one cap on credits."""

    words: Promise
    used: int
    amount: int


@dataclass(frozen=True, slots=True)
class Count:
    """How many products are in a state."""

    kind: Kind
    number: int


@dataclass(frozen=True, slots=True)
class Standing:
    """What the banner says. ``now`` is the database's time; ``balance`` is ``None`` until Genlook has told it."""

    now: datetime
    troubles: list[Trouble]
    balance: int | None
    balance_at: datetime | None
    spending: list[Spending]
    counts: list[Count]
    is_sandbox: bool

    @property
    def balance_age(self) -> str:
        """How long ago Genlook told the balance, in words."""
        return states.span(self.balance_at, self.now) if self.balance_at else ""

    @property
    def left(self) -> int | None:
        """How many credits the caps of the shop still allow; ``None`` when it has none."""
        return min((max(0, cap.amount - cap.used) for cap in self.spending), default=None)

    @property
    def held_by(self) -> Trouble | None:
        """What keeps products from being sent."""
        return next((trouble for trouble in self.troubles if trouble.holds_products), None)


def standing_of(request: HttpRequest) -> Standing:
    """Return how the shop stands, read once a request."""
    kept = vars(request)
    if "_genlook_standing" not in kept:
        kept["_genlook_standing"] = read()
    standing: Standing = kept["_genlook_standing"]
    return standing


def read() -> Standing:
    """Return how the shop stands now."""
    config = get_config()
    now = read_clock(router.db_for_read(Product))
    # Not budgets.account(): a page that is only looked at writes nothing.
    account = Account.objects.filter(key_digest=budgets.key_digest(config)).first()
    return Standing(
        now=now,
        troubles=_troubles(config, account, now),
        balance=None if account is None else account.credit_balance,
        balance_at=None if account is None else account.balance_at,
        spending=_spending(limits.caps_for_credits(), now),
        counts=[Count(kind, states.of_kind(Product.objects.all(), kind).count()) for kind in COUNTED],
        is_sandbox=config.SANDBOX,
    )


def tell(request: HttpRequest, error: GenlookError) -> None:
    """Show a failure to staff in the words of the table, at its level.

    When try-on is unavailable as a whole, what makes it so is named.
    """
    troubles = standing_of(request).troubles if error.code == "try_on_unavailable" else []
    for trouble in troubles:
        messages.add_message(request, trouble.level, f"{trouble.cause} {trouble.remedy}", fail_silently=True)
    if not troubles:
        problem = error.problem
        vendor = f" ({error.detail})" if error.detail else ""
        messages.add_message(request, problem.level, f"{problem.cause} {problem.remedy}{vendor}", fail_silently=True)


def _troubles(config: Config, account: Account | None, now: datetime) -> list[Trouble]:
    found = []
    if not config.ENABLED:
        found.append(
            Trouble(
                _("Try-on is switched off."),
                _("Nothing is sent to Genlook until ENABLED in the GENLOOK setting is on again."),
                levels.WARNING,
            )
        )
    if not config.API_KEY:
        found.append(_from_table(problem_for("MISSING_API_KEY")))
    if not limits.has_storage(config):
        found.append(_from_table(problem_for("storage_unavailable"), holds_products=False))
    for name, code in budgets.open_breakers().items():
        found.append(_from_table(problem_for(code), holds_products=name is BreakerName.AUTH))
    if account is not None and account.paused_until is not None and account.paused_until > now:
        found.append(_from_table(problem_for("RATE_LIMITED")))
    return found


def _from_table(problem: Problem, *, holds_products: bool = True) -> Trouble:
    return Trouble(problem.cause, problem.remedy, problem.level, holds_products)


def _spending(caps: list[Cap], now: datetime) -> list[Spending]:
    periods = {cap.scope: cap.period(now) for cap in caps}
    rows = Usage.objects.filter(scope__in=periods, period__in=set(periods.values()))
    used = {row.scope: row.used for row in rows if row.period == periods[row.scope]}
    return [Spending(SPENT[cap.scope], used.get(cap.scope, 0), cap.amount) for cap in caps]
