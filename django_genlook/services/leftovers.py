"""Deletes private pictures that no row names: what a killed worker, or a storage that was down, left behind."""

import logging
from datetime import datetime, timedelta

from django.db import router
from django.db.models import Q, QuerySet

from django_genlook import budgets
from django_genlook.conf import get_config
from django_genlook.exceptions import GenlookError
from django_genlook.models import Account, Generation, Photo
from django_genlook.models.clock import ahead, db_now, read_clock
from django_genlook.models.storage import PrivateStorage

logger = logging.getLogger("django_genlook.services")

BATCH = 500
EVERY = 3600


def drop_photos() -> int:
    """Delete the photos of persons that no row names any more; return how many."""
    return _drop("genlook/raw", Photo.objects.all(), "raw") + _drop("genlook/photos", Photo.objects.all(), "cleaned")


def drop_results() -> int:
    """Delete the result pictures that no row names any more, once an hour since there are many; return how many."""
    stale = Q(tidied_at=None) | Q(tidied_at__lt=ahead(-EVERY))
    if not Account.objects.filter(stale, pk=budgets.account().pk).update(tidied_at=db_now()):
        return 0
    return _drop("genlook/results", Generation.objects.all(), "result")


def _drop(folder: str, rows: QuerySet[Photo] | QuerySet[Generation], column: str) -> int:
    storage = PrivateStorage()
    # A file is stored a moment before its row names it; who is at it has given up after so long.
    young = timedelta(seconds=get_config().TRY_ON_DEADLINE)
    now = read_clock(router.db_for_write(Photo))
    dropped = 0
    try:
        names = [f"{folder}/{name}" for name in storage.listdir(folder)[1]]
        for start in range(0, len(names), BATCH):
            batch = names[start : start + BATCH]
            named = set(rows.filter(**{f"{column}__in": batch}).values_list(column, flat=True))
            for name in batch:
                if name not in named and _age(storage, name, now) > young:
                    storage.delete(name)
                    dropped += 1
    except FileNotFoundError:
        return dropped  # the folder is made with its first picture
    except GenlookError as error:
        # Down, or one of the storages that cannot list.
        logger.info("%s was not searched for leftovers: %s", folder, error)
        return dropped
    if dropped:
        logger.warning("%s: %s pictures that no row named are deleted", folder, dropped)
    return dropped


def _age(storage: PrivateStorage, name: str, now: datetime) -> timedelta:
    """Return how old a file is at least."""
    changed = storage.get_modified_time(name)
    if changed.tzinfo is not None and now.tzinfo is not None:
        return now - changed
    # Without USE_TZ the storage and the database may each mean another zone; no two are more than 26 hours apart.
    return now.replace(tzinfo=None) - changed.replace(tzinfo=None) - timedelta(hours=26)
