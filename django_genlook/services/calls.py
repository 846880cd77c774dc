"""One request to Genlook inside the shared budget, and what a failure means for the row it was made for."""

import logging
import random
import time
from collections.abc import Callable
from typing import Any, TypeVar

from django.db import connections

from django_genlook import budgets
from django_genlook.budgets import BreakerName, Lane
from django_genlook.client import Client
from django_genlook.conf import get_config
from django_genlook.exceptions import CredentialsRejected, GenlookError, OutOfCredits, RateLimited, Reaction, Rule
from django_genlook.models import Account
from django_genlook.models.clock import ahead, db_now
from django_genlook.signals import credits_low

logger = logging.getLogger("django_genlook.services")

T = TypeVar("T")

# A lease outlives what it covers: the call's total deadline and 15 s, or the cleaning of one picture.
PRODUCT_LEASE = 60 + 15
TRY_ON_LEASE = 20 + 15
LOOK_LEASE = 15 + 15
UPLOAD_LEASE = 60 + 15
DOWNLOAD_LEASE = 60 + 15
CLEANING_LEASE = 45
# While a breaker is open nothing is sent; rows look again this often.
PAUSED_AGAIN = 5.0


def is_held_back(*, is_try_on: bool = False, is_look: bool = False) -> bool:
    """Return whether nothing may be sent now: without a key, with ``ENABLED`` off, or while a breaker is open.

    The credits breaker holds back new try-ons only; the kill switch everything but a look at what is already paid.
    """
    config = get_config()
    if not config.API_KEY or not (config.ENABLED or is_look):
        return True
    breakers = budgets.open_breakers()
    return BreakerName.AUTH in breakers or (is_try_on and BreakerName.CREDITS in breakers)


def ask(lane: Lane, request: Callable[[Client], T], *, before: Callable[[], None] | None = None) -> T:
    """Send one request when the window allows it, and return its answer.

    ``before`` runs once there is a slot, right before the request may leave. Raises ``Later`` when there is no slot,
    else what the client raises, after the breaker or the window that the failure concerns has been told.
    """
    refuse_in_transaction()
    config = get_config()
    if not config.API_KEY:
        raise CredentialsRejected(code="MISSING_API_KEY")
    budgets.take_slot(lane)
    taken_at = time.monotonic()
    with Client.from_config(config) as client:
        if before is not None:
            before()
        if time.monotonic() - taken_at > budgets.SLOT_LIFE:
            budgets.take_slot(lane)
        try:
            answer = request(client)
        except GenlookError as error:
            note_failure(error)
            raise
    budgets.window_flows()
    return answer


def note_failure(error: GenlookError) -> None:
    """Open the breaker, or pause the window, that ``error`` calls for."""
    logger.warning("genlook refused or failed code=%s status=%s", error.code, error.http_status)
    if isinstance(error, CredentialsRejected):
        budgets.open_breaker(BreakerName.AUTH, error.code)
    elif isinstance(error, OutOfCredits) and error.problem.try_on.reaction is Reaction.HOLD:
        if budgets.open_breaker(BreakerName.CREDITS, error.code):
            credits_low.send_robust(Account, balance=budgets.account().credit_balance)
    elif isinstance(error, RateLimited):
        budgets.pause_window(error.retry_after)


def read_balance(lane: Lane = Lane.BACKGROUND) -> int:
    """Ask Genlook for the credit balance, keep it with its time, and return it."""
    balance = ask(lane, lambda client: client.credit_balance())
    Account.objects.filter(pk=budgets.account().pk).update(credit_balance=balance, balance_at=db_now())
    return balance


def describe(error: GenlookError) -> dict[str, Any]:
    """Return the columns that tell staff what went wrong."""
    return {
        "error_code": error.code[:64],
        "error_message": error.detail[:1000],
        "error_details": [{"path": item.path, "message": item.message} for item in error.details],
    }


def after(error: GenlookError, rule: Rule, attempts: int) -> dict[str, Any] | None:
    """Return the columns of a row that tries again after ``error``, or ``None`` when ``rule`` allows no further try."""
    columns = describe(error)
    match rule.reaction:
        case Reaction.HOLD:
            return {**columns, "next_attempt_at": ahead(PAUSED_AGAIN)}
        case Reaction.WINDOW:
            return {**columns, "next_attempt_at": None}
        case Reaction.BACK_OFF:
            delay = rule.delay(attempts + 1, random.random())  # noqa: S311 (spreads retries, guards nothing)
            if delay is None:
                return None
            return {**columns, "attempts": attempts + 1, "next_attempt_at": ahead(delay)}
        case _:
            return None


def refuse_in_transaction() -> None:
    """Raise ``RuntimeError`` when a transaction is open, since a request to Genlook must not keep it waiting."""
    for connection in connections.all(initialized_only=True):
        if connection.in_atomic_block:
            raise RuntimeError("A request to Genlook was about to be made inside a database transaction.")
