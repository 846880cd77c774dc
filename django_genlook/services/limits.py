"""Says whether a try-on may be started now, and which quotas and budgets it would use up."""

import hashlib
from collections.abc import Sequence
from typing import Any

from django.core.files.storage import storages

from django_genlook import budgets
from django_genlook.budgets import Cap
from django_genlook.conf import Config, get_config
from django_genlook.exceptions import GenlookError
from django_genlook.models import Shopper

DAY = 86_400


def check_available(user: Any = None) -> None:
    """Raise ``GenlookError`` with ``try_on_unavailable`` while the shop cannot take photos and try-ons at all.

    That is without a key or a storage, with ``ENABLED`` or (for a guest) ``GUESTS`` off, and while Genlook rejects
    the key or the account has no credits.
    """
    config = get_config()
    if not config.ENABLED:
        raise _unavailable("ENABLED is off.")
    if not config.GUESTS and not getattr(user, "is_authenticated", False):
        raise _unavailable("GUESTS is off.")
    if not config.API_KEY:
        raise _unavailable("No API key.")
    if not has_storage(config):
        raise _unavailable(f"STORAGES has no alias {config.STORAGE!r}.")
    for breaker, code in budgets.open_breakers().items():
        raise _unavailable(f"The {breaker.value} breaker is open: {code}.")


def has_storage(config: Config) -> bool:
    """Return whether the private storage is configured, and can be made."""
    try:
        storages[config.STORAGE]
    except Exception:  # no such alias; or each backend has exceptions of its own, about its own options
        return False
    return True


def caps_for_shopper(shopper: Shopper | None, user: Any, address: str = "") -> list[Cap]:
    """Return the caps that one more try-on of this shopper counts against.

    ``shopper`` is ``None`` for someone who has none yet. ``address`` is the client's network address as the trusted
    proxies report it; it is kept as a hash only.
    """
    config = get_config()
    caps = []
    if getattr(user, "is_authenticated", False):
        rate = config.QUOTAS.get("staff" if user.is_staff else "user")
        scope = f"user:{user.pk}"
    else:
        rate = config.QUOTAS.get("guest")
        scope = f"shopper:{shopper.pk}" if shopper is not None else "shopper:new"
    if rate:
        caps.append(Cap(scope, *budgets.parse_rate(rate)))
    network = config.QUOTAS.get("network")
    if network and config.TRUSTED_PROXIES and address:
        hashed = hashlib.sha256(address.encode()).hexdigest()[:32]
        caps.append(Cap(f"network:{hashed}", *budgets.parse_rate(network)))
    return caps


def caps_for_credits() -> list[Cap]:
    """Return the caps on what the whole shop may spend."""
    config = get_config()
    caps = []
    if config.CREDITS_PER_DAY is not None:
        caps.append(Cap("credits:day", config.CREDITS_PER_DAY, DAY))
    if config.CREDITS_PER_MONTH is not None:
        caps.append(Cap("credits:month", config.CREDITS_PER_MONTH, None))
    return caps


def remaining(caps: Sequence[Cap]) -> int | None:
    """Return how many more try-ons the caps allow now, ``None`` when they set no limit."""
    return budgets.remaining(budgets.read_periods(caps))


def refusal(full: budgets.Full) -> GenlookError:
    """Return what a person is told about a cap that is full: their own limit, or that the shop's budget is used up."""
    code = "try_on_unavailable" if full.cap.scope.startswith("credits:") else "limit_reached"
    return GenlookError(f"{full.cap.scope} allows {full.cap.amount}.", code=code, retry_after=full.seconds)


def _unavailable(detail: str) -> GenlookError:
    return GenlookError(detail, code="try_on_unavailable", retry_after=300)
