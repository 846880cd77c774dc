"""Says "now", "later" or "no": the request window, the quotas and credit budgets, the circuit breakers.

All of it is in the database, so that every process of a deployment shares it, and every reservation is one conditional
UPDATE, so that no number of workers can pass a limit together.
"""

import hashlib
import hmac
import random
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum, StrEnum

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import router, transaction
from django.db.models import F, Max, Min

from django_genlook.conf import Config, get_config
from django_genlook.models import Account, Breaker, RequestSlot, Usage
from django_genlook.models.clock import ahead, db_now, read_clock

# The log looks back one second further than Genlook's minute: a slot is good for one second after it is granted.
LOOK_BACK = 61
SLOT_LIFE = 1.0

PERIODS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


class Lane(Enum):
    """Who asks: a shopper who waits, or work that nobody waits for."""

    SHOPPER = "shopper"
    BACKGROUND = "background"


class Later(Exception):
    """There is no room now; come back after ``seconds``. Not a failure: it uses up no attempt."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


def key_digest(config: Config) -> str:
    """Return what stands for the API key in the database: an HMAC with ``SECRET_KEY``."""
    message = f"{config.BASE_URL}\n{config.API_KEY.reveal()}".encode()
    return hmac.new(settings.SECRET_KEY.encode(), message, hashlib.sha256).hexdigest()


def key_is_proven() -> bool:
    """Return whether Genlook has accepted the key that is configured now, so that a typing error ends nothing."""
    return Account.objects.filter(key_digest=key_digest(get_config()), credit_balance__isnull=False).exists()


def account() -> Account:
    """Return the row of the account behind the key that is configured now."""
    digest = key_digest(get_config())
    found = Account.objects.filter(key_digest=digest).first()
    if found is None:
        Account.objects.bulk_create([Account(key_digest=digest)], ignore_conflicts=True)
        found = Account.objects.get(key_digest=digest)
    return found


def take_slot(lane: Lane) -> None:
    """Let one request through, good for a second. Raises ``Later`` when the window or its reserve is full."""
    config = get_config()
    most = int(config.RATE_LIMIT * config.RATE_HEADROOM)
    background = max(1, most - config.SHOPPER_RESERVE)
    owner = account()
    with transaction.atomic(using=router.db_for_write(Account)):
        # The write comes first: it makes whoever asks at the same time wait for this count and entry.
        Account.objects.filter(pk=owner.pk).update(asked=F("asked") + 1)
        paused = Account.objects.filter(pk=owner.pk, paused_until__gt=db_now()).exists()
        slots = RequestSlot.objects.filter(account=owner, at__gt=ahead(-LOOK_BACK))
        in_background = slots.filter(is_background=True)
        is_background = lane is Lane.BACKGROUND
        full = slots.count() >= most or (is_background and in_background.count() >= background)
        if not (paused or full):
            RequestSlot.objects.create(account=owner, is_background=is_background)
            return
        if paused:
            free_at = Account.objects.values_list("paused_until", flat=True).get(pk=owner.pk)
            wait = _seconds_until(free_at)
        else:
            crowded = in_background if is_background and slots.count() < most else slots
            wait = LOOK_BACK + _seconds_until(crowded.aggregate(first=Min("at"))["first"])
    raise Later(max(0.05, wait))


def pause_window(retry_after: float | None) -> None:
    """Let nothing through for a while, since Genlook answered 429; ``retry_after`` is what it asked for, in seconds.

    Without that the pause lasts until the window is empty again, longer each time in a row.
    """
    owner = account()
    reset = LOOK_BACK + _seconds_until(
        RequestSlot.objects.filter(account=owner, at__gt=ahead(-LOOK_BACK)).aggregate(first=Min("at"))["first"]
    )
    asked = reset * 2 ** min(owner.pauses, 4) if retry_after is None else min(max(retry_after, 1.0), 900.0)
    pause = max(asked, 1.0) + random.uniform(0, 1)  # noqa: S311 (spreads workers, guards nothing)
    Account.objects.filter(pk=owner.pk).update(paused_until=ahead(pause), pauses=F("pauses") + 1)


def window_flows() -> None:
    """Note that Genlook answered without a 429, so that the next pause begins short again."""
    Account.objects.filter(key_digest=key_digest(get_config()), pauses__gt=0, paused_until__lt=db_now()).update(
        pauses=0
    )


def drop_old_slots() -> None:
    """Forget the entries of the log that no decision looks at any more."""
    RequestSlot.objects.filter(at__lt=ahead(-2 * LOOK_BACK)).delete()


def _seconds_until(moment: datetime | None) -> float:
    if moment is None:
        return 0.0
    return (moment - read_clock(router.db_for_write(Account))).total_seconds()


class BreakerName(StrEnum):
    """What a breaker holds back: ``AUTH`` everything, ``CREDITS`` try-ons."""

    AUTH = "auth"
    CREDITS = "credits"


def open_breaker(name: BreakerName, code: str) -> bool:
    """Hold back what ``name`` says, because of ``code``; return whether it was closed before."""
    first_probe = 60 if name is BreakerName.AUTH else 300
    return Breaker.objects.get_or_create(
        name=name.value, account=account(), defaults={"code": code, "next_probe_at": ahead(first_probe)}
    )[1]


def close_breaker(name: BreakerName) -> bool:
    """Let through again what ``name`` held back; return whether it was open."""
    return Breaker.objects.filter(name=name.value, account=account()).delete()[0] > 0


def open_breakers() -> dict[BreakerName, str]:
    """Return the open breakers of the key that is configured now, each with the code that opened it.

    A breaker belongs to a key: when the key changes, it is closed.
    """
    rows = Breaker.objects.filter(account__key_digest=key_digest(get_config()))
    return {BreakerName(row.name): row.code for row in rows}


@dataclass(frozen=True, slots=True)
class Cap:
    """A limit: at most ``amount`` of ``scope`` in each period of ``seconds``; ``None`` is a calendar month (UTC)."""

    scope: str
    amount: int
    seconds: int | None

    def period(self, now: datetime) -> int:
        """Return the first second, since 1970, of the period that ``now`` lies in."""
        if self.seconds is None:
            return int(now.replace(day=1, hour=0, minute=0, second=0, microsecond=0).timestamp())
        return int(now.timestamp()) // self.seconds * self.seconds

    def end(self, period: int) -> int:
        """Return the first second, since 1970, after the period that begins with ``period``."""
        if self.seconds is None:
            # Every month is over 32 days after it began, and the next one then is not.
            return self.period(datetime.fromtimestamp(period + 32 * PERIODS["d"], UTC))
        return period + self.seconds


class Full(Exception):
    """A cap has no room left; ``seconds`` until its next period begins."""

    def __init__(self, cap: Cap, seconds: float) -> None:
        super().__init__(cap, seconds)
        self.cap = cap
        self.seconds = seconds


def parse_rate(rate: str) -> tuple[int, int]:
    """Return amount and seconds of a rate such as ``"5/d"`` or ``"10/5m"``. Raises ``ImproperlyConfigured``."""
    match = re.fullmatch(r"(\d+)/(\d*)([smhdw])", rate.strip())
    if match is None or match[2] == "0":
        raise ImproperlyConfigured(f"{rate!r} is not a rate; write amount/period, such as 5/d, 10/5m or 50/w.")
    return int(match[1]), int(match[2] or 1) * PERIODS[match[3]]


def read_periods(caps: Iterable[Cap]) -> list[tuple[Cap, int]]:
    """Return each cap with the period that is running now."""
    now = read_clock(router.db_for_write(Usage))
    return [(cap, cap.period(now)) for cap in caps]


def open_periods(caps: Iterable[Cap]) -> list[tuple[Cap, int]]:
    """Do as ``read_periods``, and see that each has its row; call it before the transaction that reserves.

    A row that is made inside the transaction would have MariaDB end most of those that meet there as a deadlock.
    """
    periods = sorted(read_periods(caps), key=lambda item: item[0].scope)
    missing = [
        Usage(scope=cap.scope, period=period)
        for cap, period in periods
        if not Usage.objects.filter(scope=cap.scope, period=period).exists()
    ]
    if missing:
        Usage.objects.bulk_create(missing, ignore_conflicts=True)
    return periods


def reserve(periods: Sequence[tuple[Cap, int]]) -> list[list[str | int]]:
    """Take one of each cap, inside the caller's transaction; return what ``release`` needs to give them back.

    ``periods`` come from ``open_periods``.

    Raises ``Full``; the caller's transaction must then be rolled back.
    """
    for cap, period in sorted(periods, key=lambda item: item[0].scope):
        rows = Usage.objects.filter(scope=cap.scope, period=period, used__lt=cap.amount)
        if not rows.update(used=F("used") + 1):
            now = read_clock(router.db_for_write(Usage)).timestamp()
            raise Full(cap, max(1.0, cap.end(period) - now))
    return [[cap.scope, period] for cap, period in periods]


def release(reservations: Iterable[Sequence[str | int]]) -> None:
    """Give back what ``reserve`` took; the caller sees to it that this happens once."""
    for scope, period in sorted((str(scope), int(period)) for scope, period in reservations):
        Usage.objects.filter(scope=scope, period=period, used__gt=0).update(used=F("used") - 1)


def remaining(periods: Sequence[tuple[Cap, int]]) -> int | None:
    """Return how many more the narrowest of the caps allows, or ``None`` when there is no cap."""
    left = []
    for cap, period in periods:
        used = Usage.objects.filter(scope=cap.scope, period=period).aggregate(used=Max("used"))["used"] or 0
        left.append(max(0, cap.amount - used))
    return min(left, default=None)
