"""Walks the catalogue and marks what signals miss: bulk writes, fixtures, raw SQL, what was there before."""

import logging
from collections.abc import Iterator
from typing import Any

from django.db import DatabaseError, models
from django.db.models import F

from django_genlook import adapters, budgets
from django_genlook.adapters import ProductAdapter
from django_genlook.exceptions import GenlookError
from django_genlook.models import Account, Product
from django_genlook.models.clock import ahead, db_now
from django_genlook.services import catalogue, products

logger = logging.getLogger("django_genlook.services")

BATCH = 500
EVERY = 24 * 3600


def is_due() -> bool:
    """Return whether the last scan for this account is a day old."""
    return not Account.objects.filter(pk=budgets.account().pk, scanned_at__gt=ahead(-EVERY)).exists()


def scan() -> int:
    """Mark every product whose content differs from what Genlook holds, and what is gone; return how many were marked.

    Reads the shop's rows in batches by primary key; sends nothing.
    """
    marked = 0
    for model, adapter in adapters.registered().items():
        try:
            for batch in _batches(adapter.get_queryset()):
                marked += _mark_changed(adapter, batch)
            marked += _mark_gone(adapter)
        except DatabaseError:
            raise
        except Exception:  # the adapter is the shop's own code; a broken one must not hide the other catalogues
            logger.exception("the scan of %s failed", model._meta.label)
    marked += _mark_own_changed()
    Account.objects.filter(pk=budgets.account().pk).update(scanned_at=db_now())
    logger.info("scan marked=%s", marked)
    return marked


def _batches(rows: models.QuerySet[Any]) -> Iterator[list[Any]]:
    """Yield lists of rows in the order of their keys; each list is a query of its own, so nothing is held open."""
    ordered, last = rows.order_by("pk"), None
    while batch := list((ordered if last is None else ordered.filter(pk__gt=last))[:BATCH]):
        yield batch
        last = batch[-1].pk


def _mark_changed(adapter: ProductAdapter, batch: list[Any]) -> int:
    references = {adapters.source(adapter.model, obj.pk): obj for obj in batch}
    rows = {row.source: row for row in Product.objects.filter(source__in=list(references))}
    stale = [
        reference
        for reference, obj in references.items()
        if reference not in rows or _differs(rows[reference], adapter, obj)
    ]
    products.changed(stale)
    return len(stale)


def _mark_own_changed() -> int:
    marked = 0
    for batch in _batches(Product.objects.filter(source=None, is_deleted=False).prefetch_related("images")):
        for row in batch:
            if _differs(row, catalogue.OwnProducts(Product), row):
                products.changed_here(row.pk)
                marked += 1
    return marked


def _differs(row: Product, adapter: ProductAdapter, obj: Any) -> bool:
    """Return whether the product would be sent now although the outbox does not hold it."""
    if row.is_deleted:
        return True
    try:
        wanted = catalogue.wanted(adapter, obj)
    except GenlookError:
        # What cannot be read is for the worker to say, once; a person may have mended the rest of it since.
        return row.is_in_step
    fingerprint = "" if wanted is None else wanted.fingerprint
    if row.is_parked:
        return fingerprint != row.parked_fingerprint
    return row.is_in_step and fingerprint != row.fingerprint


def _mark_gone(adapter: ProductAdapter) -> int:
    label = f"{adapter.model._meta.label_lower}:"
    mirrored = Product.objects.filter(source__startswith=label, is_deleted=False)
    gone = 0
    for batch in _batches(mirrored):
        keys = {adapter.model._meta.pk.to_python(row.source.partition(":")[2]): row.source for row in batch}
        present = set(adapter.get_queryset().filter(pk__in=list(keys)).values_list("pk", flat=True))
        missing = [reference for key, reference in keys.items() if key not in present]
        products.deleted(missing)
        gone += len(missing)
    return gone


def resend_all() -> int:
    """Mark every product to be sent again, whatever its fingerprint says; return how many."""
    return Product.objects.filter(is_deleted=False).update(
        revision=F("revision") + 1, fingerprint="", attempts=0, next_attempt_at=None
    )


def retry_parked() -> int:
    """Mark every parked product to be sent again; return how many."""
    return Product.objects.parked().update(revision=F("revision") + 1, attempts=0, next_attempt_at=None)
