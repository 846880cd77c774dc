"""The net under everything: takes up what is due, ends what is overdue, asks whether a pause is over."""

import logging
from collections.abc import Callable
from typing import Any

from django.db.models import F, Q

from django_genlook import budgets, dispatch
from django_genlook.budgets import BreakerName, Lane, Later
from django_genlook.conf import get_config
from django_genlook.exceptions import GenlookError
from django_genlook.models import Account, Breaker, Generation, Photo, Product
from django_genlook.models.clock import ahead, db_now
from django_genlook.services import calls, endings, leftovers, photos, products, results, scan, try_ons

logger = logging.getLogger("django_genlook.services")

# The balance shown to staff is asked for again when it is older than this.
BALANCE_AGE = 15 * 60
LONGEST_PROBE_PAUSE = 15 * 60
# More than a minute's worth of messages in one sweep would only wait in the queue.
PRODUCTS_A_SWEEP = 100

Work = tuple[Callable[[Any], None], Any]


def sweep() -> None:
    """Do the housekeeping that is due now, then wake a worker for each row that is due; safe to run anywhere, often."""
    config = get_config()
    steps: list[Callable[[], object]] = [
        budgets.drop_old_slots,
        try_ons.lease_ran_out,
        lambda: endings.end_overdue(config.TRY_ON_DEADLINE),
        photos.reject_overdue,
        photos.expire,
        lambda: endings.drop_old_results(config.KEEP_DAYS),
        leftovers.drop_photos,
        leftovers.drop_results,
        lambda: scan.scan() if scan.is_due() else None,
        probe,
        refresh_balance,
        nudge_due,
    ]
    for step in steps:
        try:
            step()
        except Exception:  # a broken adapter, say, must not keep the breakers from being closed
            logger.exception("a step of the sweep failed; the others go on")


def probe() -> None:
    """Ask Genlook, for each open breaker whose time has come, whether it may close."""
    if not get_config().API_KEY:
        return
    for row in Breaker.objects.filter(account=budgets.account(), next_probe_at__lte=db_now()):
        pause = 300 if row.name == BreakerName.CREDITS else min(60 * 2 ** (row.probes + 1), LONGEST_PROBE_PAUSE)
        # The first worker to move the time is the one that asks.
        taken = Breaker.objects.filter(pk=row.pk, probes=row.probes).update(
            probes=F("probes") + 1, next_probe_at=ahead(pause)
        )
        if not taken:
            continue
        try:
            balance = calls.read_balance()
        except Later:
            Breaker.objects.filter(pk=row.pk).update(next_probe_at=db_now())
            continue
        except GenlookError as error:
            logger.info("breaker=%s state=open code=%s", row.name, error.code)
            continue
        budgets.close_breaker(BreakerName.AUTH)
        if balance > 0:
            budgets.close_breaker(BreakerName.CREDITS)
        logger.info("breaker=%s probe answered balance=%s", row.name, balance)


def refresh_balance() -> None:
    """Read the credit balance when the one we know is old; staff see it with its age."""
    owner = budgets.account()
    if calls.is_held_back():
        return
    # Who moves the time first is the one that asks; a failure is tried again when it is old again.
    stale = Q(balance_at=None) | Q(balance_at__lt=ahead(-BALANCE_AGE))
    if Account.objects.filter(stale, pk=owner.pk).update(balance_at=db_now()):
        try:
            calls.read_balance()
        except (Later, GenlookError) as error:
            logger.info("balance not read: %s", error)
            Account.objects.filter(pk=owner.pk, credit_balance=None).update(balance_at=None)


def due(lane: Lane, limit: int = 10) -> list[Work]:
    """Return what a worker of this lane may take up now, most urgent first: nothing while everything is held back."""
    for_staff = lane is Lane.BACKGROUND
    origin = Generation.Origin.STAFF if for_staff else Generation.Origin.SHOPPER
    generations = Generation.objects.filter(origin=origin)
    work: list[Work] = []
    if not calls.is_held_back(is_try_on=True):
        work += [(try_ons.submit, pk) for pk in generations.unsent().oldest(limit)]
    if not calls.is_held_back(is_look=True):
        work += [(results.poll, pk) for pk in generations.unfinished().oldest(limit)]
    if calls.is_held_back():
        return work
    work += [(photos.upload, pk) for pk in Photo.objects.due().filter(is_model=for_staff).oldest(limit)]
    if for_staff:
        work += [(products.push, pk) for pk in Product.objects.due().oldest(limit)]
    return work


def nudge_due() -> None:
    """Send a message for each due row; with the embedded worker there is nobody to send it to."""
    if get_config().QUEUE != "celery":
        return
    tasks: dict[Callable[[Any], None], str] = {
        try_ons.submit: dispatch.SUBMIT_GENERATION,
        results.poll: dispatch.POLL_GENERATION,
        photos.upload: dispatch.UPLOAD_PHOTO,
        products.push: dispatch.PUSH_PRODUCT,
    }
    for lane in Lane:
        for function, pk in due(lane, PRODUCTS_A_SWEEP):
            dispatch.nudge(tasks[function], pk)
