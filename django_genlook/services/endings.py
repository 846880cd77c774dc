"""Ends try-ons: moves them to a terminal state, settles what they hold, and tells whoever listens."""

import logging
from typing import Any
from uuid import UUID

from django.db import router, transaction

from django_genlook import budgets
from django_genlook.exceptions import GenlookError, OutcomeUnknown
from django_genlook.models import Generation
from django_genlook.models.clock import ahead, db_now
from django_genlook.models.leases import FREE
from django_genlook.models.storage import PrivateStorage
from django_genlook.services import calls
from django_genlook.signals import generation_completed, generation_failed

logger = logging.getLogger("django_genlook.services")

Status = Generation.Status

LONGEST_RUN = 24 * 3600


def complete(row: Generation, token: UUID, **columns: Any) -> bool:
    """End a try-on with its picture; return ``False`` when another worker was faster."""
    if not _end(row, Generation.objects.held(row.pk, token), Status.DOWNLOADING, Status.COMPLETED, True, **columns):
        return False
    logger.info("generation=%s state=COMPLETED", row.pk)
    generation_completed.send_robust(Generation, generation=Generation.objects.get(pk=row.pk))
    return True


def fail(row: Generation, token: UUID, source: str, error: GenlookError, *, is_charged: bool = False) -> bool:
    """End a try-on without a picture; uncharged, it gives its quota and budget back, once."""
    held = Generation.objects.held(row.pk, token)
    return _fail(row, held, source, error, is_charged=is_charged)


def end_overdue(deadline: float) -> None:
    """End what can no longer succeed, also while everything is held back.

    That is unsent for more than ``deadline`` seconds, of unknown outcome for too long, or unfinished for a day.
    """
    unsent = Generation.objects.filter(status=Status.QUEUED, created_at__lt=ahead(-deadline)).free()
    for row in unsent:
        _fail(
            row, unsent.filter(pk=row.pk), Status.QUEUED, GenlookError("Not sent in time.", code="try_on_unavailable")
        )
    doubtful = Generation.objects.filter(status=Status.UNKNOWN, next_attempt_at__lte=db_now())
    for row in doubtful:
        # What may have cost a credit counts as charged: the budget must never be exceeded.
        _fail(row, doubtful.filter(pk=row.pk), Status.UNKNOWN, OutcomeUnknown(row.error_message), is_charged=True)
    running = (Status.PROCESSING, Status.DOWNLOADING)
    endless = Generation.objects.filter(status__in=running, sent_at__lt=ahead(-LONGEST_RUN)).free()
    for row in endless:
        error = OutcomeUnknown("Genlook never finished it.")
        _fail(row, endless.filter(pk=row.pk), row.status, error, is_charged=True)


def delete_file(name: str) -> None:
    """Delete a private file; one that resists is a line in the log, since its row is already settled."""
    if name:
        try:
            PrivateStorage().delete(name)
        except (GenlookError, FileNotFoundError) as error:
            logger.error("file=%s could not be deleted: %s", name, error)


def drop_old_results(days: int) -> None:
    """Delete the pictures of try-ons that ended more than ``days`` ago; their rows stay."""
    old = Generation.objects.filter(finished_at__lt=ahead(-days * 86_400)).exclude(result="")
    for pk, name in list(old.values_list("pk", "result")):
        if old.filter(pk=pk).update(result=""):
            delete_file(name)


def _fail(row: Generation, rows: Any, source: str, error: GenlookError, *, is_charged: bool = False) -> bool:
    if not _end(row, rows, source, Status.FAILED, is_charged, **calls.describe(error)):
        return False
    logger.warning("generation=%s state=FAILED code=%s charged=%s", row.pk, error.code, is_charged)
    generation_failed.send_robust(Generation, generation=Generation.objects.get(pk=row.pk), code=error.code)
    return True


def _end(row: Generation, rows: Any, source: str, target: str, is_charged: bool, **columns: Any) -> bool:
    with transaction.atomic(using=router.db_for_write(Generation)):
        ended = rows.filter(status=source).update(
            status=target, is_charged=is_charged, active_key=None, next_attempt_at=None, finished_at=db_now(),
            **{**FREE, **columns},
        )  # fmt: skip
        if ended and not is_charged:
            budgets.release(row.reservations)
    return bool(ended)
