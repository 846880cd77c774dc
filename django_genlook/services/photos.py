"""Takes in photos of persons, cleans them, and lends them to Genlook for a few days."""

import io
import logging
from typing import Any, BinaryIO
from uuid import UUID, uuid4

from django.core.files.base import ContentFile, File

from django_genlook import budgets, dispatch, images
from django_genlook.budgets import Lane, Later
from django_genlook.conf import get_config
from django_genlook.exceptions import GenlookError, Reaction, Rejected
from django_genlook.models import Generation, Photo, Shopper
from django_genlook.models.clock import ahead, db_now
from django_genlook.models.leases import CLEAN
from django_genlook.models.storage import PrivateStorage
from django_genlook.services import calls

logger = logging.getLogger("django_genlook.services")

DAY = 86_400
# Our copy of Genlook's deadline ends earlier than Genlook's own, so that no try-on meets a photo that just went.
MARGIN = 3_600
SHRUNK_SIDE = 1_024


def accept(file: BinaryIO, size: int, *, shopper: Shopper | None = None, label: str = "") -> Photo:
    """Keep an uploaded picture until the worker cleans it, and return its row; nothing is decoded here.

    Without a ``shopper`` it is a model photo of staff. Raises ``Rejected`` when its first bytes already say that it is
    not a usable picture, and ``GenlookError`` with ``storage_unavailable`` when there is nowhere to keep it.
    """
    images.inspect(file, size)
    storage = PrivateStorage()
    name = storage.save(f"genlook/raw/{uuid4()}", File(file))
    try:
        photo = Photo.objects.create(
            shopper=shopper,
            is_model=shopper is None,
            label=label,
            raw=name,
            consent_at=None if shopper is None else db_now(),
        )
    except BaseException:
        storage.delete(name)
        raise
    photo.refresh_from_db()
    dispatch.nudge(dispatch.UPLOAD_PHOTO, photo.pk)
    return photo


def upload(pk: UUID | str) -> None:
    """Clean one photo and lend it to Genlook, if it is due and nobody else is at it.

    Raises ``Later`` when there is no request slot; the photo then stays due.
    """
    if calls.is_held_back():
        return
    token = Photo.objects.due().claim(pk, calls.CLEANING_LEASE)
    if token is None:
        return
    photo = Photo.objects.get(pk=pk)
    try:
        data = _cleaned(photo, token)
        if not Photo.objects.held(pk, token).update(lease_until=ahead(calls.UPLOAD_LEASE)):
            return
        config = get_config()
        answer = calls.ask(
            Lane.BACKGROUND if photo.is_model else Lane.SHOPPER,
            lambda client: client.upload_image(
                data,
                crop=config.CROP,
                external_user_id="" if photo.shopper_id is None else str(photo.shopper_id),
                keep_for_days=config.KEEP_DAYS,
            ),
        )
    except Later:
        Photo.objects.settle(pk, token)
        raise
    except GenlookError as error:
        _settle_failure(photo, token, error)
        return
    values: dict[str, Any] = {
        "status": Photo.Status.READY, "image_id": answer.image_id, "expires_at": ahead(lifetime()),
        "lent_to": budgets.key_digest(config),
    }  # fmt: skip
    if not photo.is_model:
        values["cleaned"] = ""
    if Photo.objects.settle(pk, token, **CLEAN, **values):
        logger.info("photo=%s state=READY", pk)
        if not photo.is_model:
            _delete_files(photo.cleaned.name or "")
        _wake_waiting(photo)


def forget(photo: Photo) -> None:
    """Delete a photo here: its row, its files, and the try-ons that still wait for it are cancelled by the worker."""
    names = (photo.raw.name or "", photo.cleaned.name or "")
    _wake_waiting(photo)
    photo.delete()
    _delete_files(*names)


def reject_overdue() -> None:
    """Reject photos that could not be uploaded within the deadline, so that no raw picture rests for long."""
    overdue = Photo.objects.filter(
        status=Photo.Status.QUEUED, is_model=False, created_at__lt=ahead(-get_config().TRY_ON_DEADLINE)
    )
    for photo in overdue:
        token = overdue.claim(photo.pk, calls.CLEANING_LEASE)
        if token is not None:
            _reject(photo, token, GenlookError("Not uploaded within TRY_ON_DEADLINE.", code="try_on_unavailable"))


def expire() -> None:
    """Mark the photos whose copy at Genlook is gone; model photos are queued to be lent again before that."""
    Photo.objects.past_lifetime().filter(is_model=False).update(status=Photo.Status.EXPIRED, image_id="")
    # In time for a retry or two, but not so early that a photo kept for a day is lent again at each look.
    soon = min(DAY, lifetime() / 2)
    Photo.objects.expiring(soon).exclude(cleaned="").update(status=Photo.Status.QUEUED, **CLEAN)
    if budgets.key_is_proven():
        elsewhere = Photo.objects.lent_elsewhere(budgets.key_digest(get_config()))
        elsewhere.filter(is_model=False).update(status=Photo.Status.EXPIRED, image_id="")
        elsewhere.filter(is_model=True).exclude(cleaned="").update(status=Photo.Status.QUEUED, **CLEAN)


def lifetime() -> float:
    """Return for how many seconds after its upload a photo may be used."""
    return float(get_config().KEEP_DAYS * DAY - MARGIN)


def _cleaned(photo: Photo, token: UUID) -> bytes:
    """Return the clean picture; made of the raw one the first time, which is deleted then."""
    storage = PrivateStorage()
    side = SHRUNK_SIDE if photo.is_shrunk else images.CLEAN_SIDE
    try:
        if photo.cleaned:
            data = storage.read(photo.cleaned.name)
            return images.clean(data, side=side).data if photo.is_shrunk else data
        picture = images.clean(storage.read(photo.raw.name), side=side)
    except FileNotFoundError as error:
        raise Rejected(str(error), code="INVALID_IMAGE") from error
    except OSError as error:
        raise GenlookError(f"No process to clean a picture in: {error}", code="not_sent") from error
    raw, name = photo.raw.name or "", storage.save(f"genlook/photos/{uuid4()}.jpg", ContentFile(picture.data))
    if not Photo.objects.held(photo.pk, token).update(cleaned=name, raw=""):
        storage.delete(name)
        raise Later(0)
    photo.cleaned, photo.raw = name, ""
    _delete_files(raw)
    return picture.data


def _settle_failure(photo: Photo, token: UUID, error: GenlookError) -> None:
    rule = error.problem.photo
    columns = calls.after(error, rule, photo.attempts)
    if rule.reaction is Reaction.SHRINK and not photo.is_shrunk and photo.cleaned:
        columns = {**calls.describe(error), "is_shrunk": True}
    if columns is None:
        _reject(photo, token, error)
        return
    Photo.objects.settle(photo.pk, token, **columns)
    logger.warning("photo=%s state=QUEUED code=%s", photo.pk, error.code)


def _reject(photo: Photo, token: UUID, error: GenlookError) -> None:
    names = (photo.raw.name or "", photo.cleaned.name or "")
    gone = {"status": Photo.Status.REJECTED, "raw": "", "cleaned": "", "image_id": ""}
    if Photo.objects.settle(photo.pk, token, **calls.describe(error), **gone):
        logger.warning("photo=%s state=REJECTED code=%s", photo.pk, error.code)
        _delete_files(*names)
        _wake_waiting(photo)


def _wake_waiting(photo: Photo) -> None:
    waiting = Generation.objects.filter(photo=photo, status=Generation.Status.QUEUED)
    for pk in list(waiting.values_list("pk", flat=True)):
        waiting.filter(pk=pk).update(next_attempt_at=None)
        dispatch.nudge(dispatch.SUBMIT_GENERATION, pk)


def _delete_files(*names: str) -> None:
    """Delete private files; one that resists is only a line in the log, since its row is already settled."""
    for name in names:
        if not name:
            continue
        try:
            PrivateStorage().delete(name)
        except (GenlookError, FileNotFoundError) as error:
            logger.error("file=%s could not be deleted: %s", name, error)


def model_preview(photo: Photo) -> io.BytesIO | None:
    """Return the clean picture of a model photo, or ``None`` when it is not there (yet)."""
    if not photo.is_model or not photo.cleaned:
        return None
    try:
        return io.BytesIO(PrivateStorage().read(photo.cleaned.name))
    except (GenlookError, FileNotFoundError):
        return None
