"""Looks after try-ons that Genlook works on, and brings their pictures home."""

import logging
from typing import Any
from uuid import UUID, uuid4

from django.core.files.base import ContentFile

from django_genlook import dispatch, images
from django_genlook.budgets import Lane, Later
from django_genlook.client import GenerationState, download_image
from django_genlook.conf import get_config, is_loopback
from django_genlook.exceptions import GenlookError, ProtocolError, Reaction
from django_genlook.models import Generation, Product
from django_genlook.models.clock import ahead
from django_genlook.models.storage import PrivateStorage
from django_genlook.services import calls, durations, endings, products

logger = logging.getLogger("django_genlook.services")

Status = Generation.Status

# A generation that Genlook does not know (yet) is looked for three times over a minute.
LOOKS_FOR_A_LOST_ONE = 3
PAUSE_FOR_A_LOST_ONE = 30.0


def poll(pk: UUID | str) -> None:
    """Look at one running try-on, if it is due and nobody else is at it; when it is finished, store its picture.

    Raises ``Later`` without a request slot.
    """
    if calls.is_held_back(is_look=True):
        return
    token = Generation.objects.unfinished().claim(pk, calls.LOOK_LEASE)
    if token is None:
        return
    row = Generation.objects.select_related("product").get(pk=pk)
    lane = Lane.BACKGROUND if row.origin == Generation.Origin.STAFF else Lane.SHOPPER
    try:
        state = calls.ask(lane, lambda client: client.get_generation(row.generation_id))
        match state.status:
            case "COMPLETED":
                _bring_home(row, token, state)
            case "FAILED":
                _failed_at_genlook(row, token, state)
            case _:
                _look_again(row, token)
    except Later:
        Generation.objects.settle(pk, token)
        raise
    except GenlookError as error:
        _settle_failure(row, token, error)


def _look_again(row: Generation, token: UUID, **columns: Any) -> None:
    pause = durations.next_look(row.looks)
    if Generation.objects.settle(row.pk, token, looks=row.looks + 1, next_attempt_at=ahead(pause), **columns):
        dispatch.nudge(dispatch.POLL_GENERATION, row.pk, delay=pause)


def _bring_home(row: Generation, token: UUID, state: GenerationState) -> None:
    if not state.result_url:
        raise ProtocolError("COMPLETED without a picture.")
    held = Generation.objects.held(row.pk, token)
    if not held.update(status=Status.DOWNLOADING, lease_until=ahead(calls.DOWNLOAD_LEASE)):
        return
    row.status = Status.DOWNLOADING
    logger.info("generation=%s state=DOWNLOADING", row.pk)
    if row.origin == Generation.Origin.SHOPPER and row.shopper_id is None:
        # The shopper deleted it while it ran: what is left is the row that says what was paid.
        endings.complete(row, token)
        return
    data = download_image(state.result_url.reveal(), allow_loopback=is_loopback(get_config().BASE_URL))
    held.update(lease_until=ahead(calls.CLEANING_LEASE))
    try:
        picture = images.clean(data)
    except OSError as error:
        raise GenlookError(f"No process to clean a picture in: {error}", code="not_sent") from error
    name = PrivateStorage().save(f"genlook/results/{uuid4()}.jpg", ContentFile(picture.data))
    if not endings.complete(row, token, result=name, error_code="", error_message="", error_details=[]):
        endings.delete_file(name)
    elif Generation.objects.filter(pk=row.pk, origin=Generation.Origin.SHOPPER, shopper=None).update(result=""):
        # Deleted by its shopper while the picture was on its way.
        endings.delete_file(name)


def _failed_at_genlook(row: Generation, token: UUID, state: GenerationState) -> None:
    error = GenlookError(state.error_message, code=state.error_code or "try_on_failed")
    if error.code == "PRODUCT_IMAGE_FETCH_FAILED" and not row.is_regenerated and row.product_id is not None:
        Product.objects.filter(pk=row.product_id).update(is_sent_as_bytes=True)
        awaited = products.send_again(row.product_id) or 0
        # Genlook itself reported the first one as failed, so a second one is no double charge; only once.
        if Generation.objects.move(
            row.pk, token, row.status, Status.QUEUED,
            is_regenerated=True, awaited_revision=awaited, generation_id="", next_attempt_at=None, sent_at=None,
            remote={"failed": row.generation_id}, **calls.describe(error),
        ):  # fmt: skip
            logger.warning("generation=%s state=QUEUED code=%s", row.pk, error.code)
            dispatch.nudge(dispatch.SUBMIT_GENERATION, row.pk)
        return
    endings.fail(row, token, row.status, error)


def _settle_failure(row: Generation, token: UUID, error: GenlookError) -> None:
    if error.code in ("GENERATION_NOT_FOUND", "FORBIDDEN"):
        if row.attempts + 1 >= LOOKS_FOR_A_LOST_ONE:
            endings.fail(row, token, row.status, error, is_charged=True)
        else:
            pause = ahead(PAUSE_FOR_A_LOST_ONE)
            Generation.objects.settle(
                row.pk, token, attempts=row.attempts + 1, next_attempt_at=pause, **calls.describe(error)
            )
        return
    if error.problem.product.reaction in (Reaction.HOLD, Reaction.WINDOW):
        columns = calls.after(error, error.problem.product, row.attempts)
        Generation.objects.settle(row.pk, token, **(columns or {}))
        return
    # A look, or a download, costs nothing: it is done again until the day is over.
    logger.warning("generation=%s state=%s code=%s", row.pk, row.status, error.code)
    _look_again(row, token, **calls.describe(error))
