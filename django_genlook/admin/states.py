"""Puts into words how a product stands towards Genlook."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import F, Q, QuerySet, TextChoices
from django.utils import formats, timezone
from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.timesince import timesince
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from django_genlook.exceptions import problem_for
from django_genlook.models import Product


class Kind(TextChoices):
    """The states that staff tell apart; the value is also the style sheet's word for it."""

    IN_STEP = "in-step", _("In step")
    WAITING = "waiting", _("Waiting")
    PARKED = "parked", _("Needs attention")
    TOMBSTONE = "tombstone", _("Will be deleted at Genlook")
    DISABLED = "disabled", _("Not offered")


@dataclass(frozen=True, slots=True)
class State:
    """A state, and a sentence that says since when, until when, or why."""

    kind: Kind
    words: str | Promise
    more: str | Promise = ""


def of_kind(products: QuerySet[Product], kind: Kind) -> QuerySet[Product]:
    """Return those of ``products`` that are in this state; each product is in exactly one."""
    is_parked = Q(revision__gt=F("synced_revision"), parked_revision__gte=F("revision"))
    if kind is Kind.PARKED:
        return products.filter(is_parked)
    products = products.exclude(is_parked)
    if kind is Kind.TOMBSTONE:
        return products.filter(is_deleted=True)
    products = products.filter(is_deleted=False)
    if kind is Kind.WAITING:
        return products.filter(revision__gt=F("synced_revision"))
    return products.filter(revision__lte=F("synced_revision"), is_enabled=kind is Kind.IN_STEP)


def state_of(row: Product, now: datetime, held_by: str | Promise = "") -> State:
    """Return how ``row`` stands; ``held_by`` is what keeps all products from being sent, if anything does."""
    if row.is_parked:
        words = _("Cannot be deleted at Genlook") if row.is_deleted else Kind.PARKED.label
        return State(Kind.PARKED, words, problem_for(row.error_code).cause)
    if row.is_deleted:
        return State(Kind.TOMBSTONE, Kind.TOMBSTONE.label, _next_step(row, now, held_by))
    if not row.is_in_step:
        return State(Kind.WAITING, Kind.WAITING.label, _next_step(row, now, held_by))
    if not row.is_enabled:
        return State(Kind.DISABLED, Kind.DISABLED.label)
    return State(Kind.IN_STEP, Kind.IN_STEP.label, format_lazy(_("since {moment}"), moment=moment(row.synced_at)))


def obstacle(row: Product) -> str | Promise:
    """Return why ``row`` cannot be tried on now; empty when it can."""
    if row.is_deleted:
        return _("It is deleted.")
    if row.is_parked:
        return problem_for(row.error_code).cause
    if not row.is_in_step:
        return _("It is not in step with Genlook yet.")
    if not row.is_enabled:
        return _("It is not offered for try-on.")
    return ""


def moment(value: datetime | None) -> str:
    """Return a stored time as staff read it: in their language and time zone."""
    if value is None:
        return "-"
    local = timezone.localtime(value) if timezone.is_aware(value) else value
    return formats.date_format(local, "SHORT_DATETIME_FORMAT")


def span(earlier: datetime, later: datetime) -> str:
    """Return how far apart two moments are, such as “5 minutes”."""
    if (later - earlier).total_seconds() < 60:
        return gettext("less than a minute")
    return timesince(earlier, later, depth=1)


def _next_step(row: Product, now: datetime, held_by: str | Promise) -> str | Promise:
    if held_by:
        return format_lazy(_("Held back: {cause}"), cause=held_by)
    if row.lease_until is not None and row.lease_until > now:
        return _("Being sent right now.")
    step: str | Promise = _("Its turn comes within a moment.")
    if row.next_attempt_at is not None and row.next_attempt_at > now:
        step = format_lazy(_("Next try in {span}."), span=span(now, row.next_attempt_at))
    if not row.error_code:
        return step
    return format_lazy("{step} {cause}", step=step, cause=problem_for(row.error_code).cause)
