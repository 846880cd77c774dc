"""Keeps Genlook in step with the catalogue: marks what changed, sends what is due."""

import logging
from collections.abc import Collection
from uuid import UUID

from django.db import IntegrityError, router, transaction
from django.db.models import F, QuerySet

from django_genlook import dispatch
from django_genlook.budgets import Lane, Later
from django_genlook.conf import get_config
from django_genlook.exceptions import GenlookError, NotFound, Reaction, Rejected
from django_genlook.images import CLEAN_SIDE
from django_genlook.models import Product
from django_genlook.models.clock import ahead, db_now
from django_genlook.models.leases import CLEAN
from django_genlook.services import calls, catalogue
from django_genlook.services.catalogue import Wanted
from django_genlook.signals import product_sync_failed, product_synced

logger = logging.getLogger("django_genlook.services")

BATCH = 500
# A tombstone whose DELETE is on its way keeps its external id for at most this long.
TOMBSTONE_BUSY = 5.0


def changed(references: Collection[str]) -> None:
    """Mark the mirrors of these shop rows (``adapters.source``) as changed, inside the caller's transaction."""
    ordered = sorted(set(references))
    for start in range(0, len(ordered), BATCH):
        batch = ordered[start : start + BATCH]
        rows = Product.objects.filter(source__in=batch)
        if rows.update(revision=F("revision") + 1, is_deleted=False) < len(batch):
            Product.objects.bulk_create([Product(source=reference) for reference in batch], ignore_conflicts=True)
        for reference in batch:
            dispatch.nudge(dispatch.PUSH_PRODUCT, reference)


def related_changed(references: Collection[str]) -> None:
    """Mark the mirrors of these shop rows as changed, because a row that belongs to them did; make and revive none."""
    ordered = sorted(references)
    for start in range(0, len(ordered), BATCH):
        batch = ordered[start : start + BATCH]
        Product.objects.filter(source__in=batch, is_deleted=False).update(revision=F("revision") + 1)
        for reference in batch:
            dispatch.nudge(dispatch.PUSH_PRODUCT, reference)


def changed_here(pk: int) -> None:
    """Mark a product that is kept in this app as changed."""
    if Product.objects.filter(pk=pk, source=None).update(revision=F("revision") + 1):
        dispatch.nudge(dispatch.PUSH_PRODUCT, pk)


def deleted(references: Collection[str]) -> None:
    """Mark these shop rows as gone; each leaves a tombstone until Genlook has deleted it too."""
    ordered = sorted(references)
    for start in range(0, len(ordered), BATCH):
        batch = ordered[start : start + BATCH]
        Product.objects.filter(source__in=batch).update(revision=F("revision") + 1, is_deleted=True)
        for reference in batch:
            dispatch.nudge(dispatch.PUSH_PRODUCT, reference)


def deleted_here(row: Product) -> None:
    """Leave tombstones for a row of ours that was deleted: for its id, and for another that Genlook has it by.

    What ``row`` says of its state may be old, so Genlook is asked to delete what it may never have had.
    """
    former = _wire_id(row).removeprefix(get_config().EXTERNAL_ID_PREFIX)
    for external_id in sorted({row.external_id or "", former} - {""}):
        bury(external_id)


def bury(external_id: str) -> None:
    """Leave a tombstone for an external id that no product of ours uses any more; who waits for the id may have it."""
    Product.objects.bulk_create(
        [Product(external_id=external_id, is_deleted=True, is_remote=True)], ignore_conflicts=True
    )
    _free(external_id)


def send_again(pk: int) -> int | None:
    """Have the product sent although nothing seems to have changed; return the revision to wait for."""
    if not send_each_again([pk]):
        return None
    return Product.objects.values_list("revision", flat=True).get(pk=pk)


def send_each_again(keys: Collection[int]) -> int:
    """Have these products sent although nothing seems to have changed, and return how many there are."""
    ordered, touched = sorted(set(keys)), 0
    for start in range(0, len(ordered), BATCH):
        batch = ordered[start : start + BATCH]
        touched += Product.objects.filter(pk__in=batch).update(revision=F("revision") + 1, fingerprint="", **CLEAN)
        for pk in batch:
            dispatch.nudge(dispatch.PUSH_PRODUCT, pk)
    return touched


def push_mirror_of(reference: str, lane: Lane = Lane.BACKGROUND) -> None:
    """Do as ``push`` for the mirror of a shop row (``adapters.source``), if there is one."""
    pk = Product.objects.filter(source=reference).values_list("pk", flat=True).first()
    if pk is not None:
        push(pk, lane)


def push(pk: int, lane: Lane = Lane.BACKGROUND) -> None:
    """Bring Genlook in step with one product, if it is due and nobody else is at it.

    Raises ``Later`` when there is no request slot; the product then stays due.
    """
    if calls.is_held_back():
        return
    token = Product.objects.due().claim(pk, calls.CLEANING_LEASE)
    if token is None:
        return
    row = Product.objects.get(pk=pk)
    attempted = ""
    try:
        wanted = catalogue.read(row)
        if wanted is None:
            _remove(row, token, lane)
        else:
            attempted = wanted.fingerprint
            _send(row, token, wanted, lane)
    except Later:
        Product.objects.settle(pk, token)
        raise
    except TombstoneBusy:
        Product.objects.settle(pk, token, next_attempt_at=ahead(TOMBSTONE_BUSY))
    except GenlookError as error:
        _settle_failure(row, token, error, attempted)


def _send(row: Product, token: UUID, wanted: Wanted, lane: Lane) -> None:
    content = wanted.content
    wire_id = get_config().EXTERNAL_ID_PREFIX + content.external_id
    _take_external_id(row, token, content.external_id)
    if row.source is None and row.is_remote and _wire_id(row) != wire_id:
        # The id of a product that is kept here is edited in place; Genlook has it by the one before.
        bury(_wire_id(row).removeprefix(get_config().EXTERNAL_ID_PREFIX))
        row.is_remote = False
    read = {"title": content.title[:500], "is_enabled": True} if row.source else {}
    if row.is_remote and row.fingerprint == wanted.fingerprint:
        _settle_in_step(row, token, **read)
        return
    side = catalogue.SHRUNK_SIDE if row.is_shrunk else CLEAN_SIDE
    pictures = []
    for image in content.images:
        _renew(row, token, calls.CLEANING_LEASE + calls.DOWNLOAD_LEASE)
        pictures.append(catalogue.picture(image, as_bytes=row.is_sent_as_bytes, side=side))
    # Once a byte may have left, Genlook may hold the product, whatever we hear of it.
    _renew(row, token, calls.PRODUCT_LEASE, is_remote=True, remote={**row.remote, "externalId": wire_id})
    answer = calls.ask(
        lane,
        lambda client: client.save_product(
            wire_id,
            title=catalogue.wire_title(content.title),
            description=content.description,
            images=pictures,
            valid_for_days=None,
        ),
    )
    _settle_in_step(row, token, fingerprint=wanted.fingerprint, remote=dict(answer.document), **read)
    if row.source is None and not Product.objects.filter(pk=row.pk).exists():
        # Deleted while it was on its way: its tombstone may have been dealt with before it arrived.
        bury(content.external_id)


def _remove(row: Product, token: UUID, lane: Lane) -> None:
    if row.is_remote and _wire_id(row):
        _renew(row, token, calls.PRODUCT_LEASE)
        try:
            calls.ask(lane, lambda client: client.delete_product(_wire_id(row)))
        except NotFound as error:
            # Only this code says that it is gone: a wrong BASE_URL answers 404 too, and must not eat tombstones.
            if error.code != "PRODUCT_NOT_FOUND":
                raise
    if row.is_deleted and _drop(Product.objects.held(row.pk, token).filter(revision=row.revision)):
        logger.info("product=%s state=gone", row.pk)
        product_synced.send_robust(Product, product=row)
        _free(row.external_id or "")
        return
    read = {"is_enabled": False, "external_id": None} if row.source else {}
    _settle_in_step(row, token, fingerprint="", is_remote=False, remote={}, **read)
    if row.source:
        _free(row.external_id or "")


def _settle_in_step(row: Product, token: UUID, **values: object) -> None:
    columns = {"synced_revision": row.revision, "synced_at": db_now(), **CLEAN, **values}
    if Product.objects.settle(row.pk, token, **columns):
        logger.info("product=%s state=in_step revision=%s", row.pk, row.revision)
        product_synced.send_robust(Product, product=Product.objects.filter(pk=row.pk).first())


def _settle_failure(row: Product, token: UUID, error: GenlookError, attempted: str) -> None:
    rule = error.problem.product
    columns = calls.after(error, rule, row.attempts)
    if rule.reaction is Reaction.SHRINK and not row.is_shrunk:
        columns = {**calls.describe(error), "is_shrunk": True}
    elif rule.reaction is Reaction.PUSH:
        columns = {**calls.describe(error), "fingerprint": "", "next_attempt_at": ahead(calls.PAUSED_AGAIN)}
    is_parked = columns is None
    if columns is None:
        columns = {
            **calls.describe(error),
            "attempts": 0,
            "parked_revision": row.revision,
            "parked_fingerprint": attempted,
        }
    if Product.objects.settle(row.pk, token, **columns):
        logger.warning("product=%s state=%s code=%s", row.pk, "parked" if is_parked else "waiting", error.code)
        if is_parked:
            product_sync_failed.send_robust(Product, product=Product.objects.get(pk=row.pk), code=error.code)


def _renew(row: Product, token: UUID, seconds: float, **values: object) -> None:
    if not Product.objects.held(row.pk, token).update(lease_until=ahead(seconds), **values):
        raise Later(0)


class TombstoneBusy(Exception):
    """The external id belongs to a deleted product whose DELETE is on its way; the row looks again a little later."""


def _wire_id(row: Product) -> str:
    """Return the id that Genlook knows the product by, or would: the one it was last sent with, else its own."""
    sent = row.remote.get("externalId")
    return str(sent) if sent else get_config().EXTERNAL_ID_PREFIX + row.external_id if row.external_id else ""


def _take_external_id(row: Product, token: UUID, external_id: str) -> None:
    """Give the row its external id; the one it had before, if Genlook may hold it, gets a tombstone."""
    if row.external_id == external_id:
        return
    using = router.db_for_write(Product)
    held = Product.objects.held(row.pk, token)
    previous = row.external_id
    if previous:
        # Given up before the new one is taken: two products that exchange their ids would wait for each other for ever.
        with transaction.atomic(using=using):
            if not held.update(external_id=None, is_remote=False, fingerprint="", remote={}):
                raise Later(0)
            if row.is_remote:
                bury(previous)
        _free(previous)
    tombstone = Product.objects.filter(external_id=external_id, is_deleted=True).first()
    try:
        with transaction.atomic(using=using):
            is_remote = tombstone is not None and _take_over(tombstone)
            held.update(external_id=external_id, is_remote=is_remote)
    except IntegrityError as error:
        raise Rejected(external_id, code="external_id_duplicate") from error
    row.external_id, row.is_remote, row.fingerprint, row.remote = external_id, is_remote, "", {}


def _take_over(tombstone: Product) -> bool:
    """Drop a tombstone, if it is still there; return whether Genlook may still hold that product."""
    rows = Product.objects.filter(pk=tombstone.pk, is_deleted=True)
    free = rows.filter(lease_until=None) | rows.filter(lease_until__lt=db_now())
    if not _drop(free) and rows.exists():
        raise TombstoneBusy
    return True


def _free(external_id: str) -> None:
    """Let the products that were parked because another had this external id try again."""
    parked = Product.objects.parked().filter(error_code="external_id_duplicate", error_message=external_id)
    for pk in list(parked.values_list("pk", flat=True)) if external_id else ():
        if parked.filter(pk=pk).update(revision=F("revision") + 1):
            dispatch.nudge(dispatch.PUSH_PRODUCT, pk)


def _drop(rows: QuerySet[Product]) -> bool:
    """Delete the row if it still is as ``rows`` says; the write before it keeps others out until it is gone."""
    with transaction.atomic(using=router.db_for_write(Product)):
        return bool(rows.update(is_deleted=True)) and bool(rows.delete()[0])
