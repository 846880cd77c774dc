"""What the shop says of its products now, as far as it can be read; a page never breaks over a picture."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.db.models import Model
from django.utils.html import format_html

from django_genlook import adapters
from django_genlook.adapters import ProductAdapter
from django_genlook.models import Product

logger = logging.getLogger("django_genlook.admin")


@dataclass(frozen=True, slots=True)
class Glimpse:
    """The title and the addresses of the pictures of one product, and the shop's own row if it has one."""

    title: str = ""
    pictures: tuple[str, ...] = ()
    source: Model | None = None

    @property
    def picture(self) -> str:
        """The address of the first picture, or nothing."""
        return self.pictures[0] if self.pictures else ""


def glimpses(rows: Iterable[Product]) -> dict[int, Glimpse]:
    """Return a glimpse of each product, by key; one query a shop model, and what its adapter prefetches."""
    found: dict[int, Glimpse] = {}
    by_adapter: dict[ProductAdapter, dict[str, Product]] = {}
    for row in rows:
        found[row.pk] = Glimpse(row.title)
        if row.source is None:
            found[row.pk] = Glimpse(row.title, _addresses(picture.file for picture in row.images.all()))
            continue
        adapter, key = adapters.resolve(row.source)
        if adapter is not None:
            by_adapter.setdefault(adapter, {})[key] = row
    for adapter, by_key in by_adapter.items():
        for key, obj in _read(adapter, by_key):
            if key in by_key:
                row = by_key[key]
                found[row.pk] = _glimpse(adapter, obj, row)
    return found


def thumbnail(address: str) -> str:
    """Return a small picture, or an empty frame where there is none."""
    if not address:
        return format_html('<span class="{}"></span>', "gl-thumb gl-thumb-empty")
    return format_html('<img class="gl-thumb" src="{}" alt="" loading="lazy" referrerpolicy="no-referrer">', address)


def address_of(image: Any) -> str:
    """Return the address of a stored file, or of a picture elsewhere; empty when it has none that a page may show."""
    try:
        address = str(image if isinstance(image, str) else image.url)
        return address if urlsplit(address).scheme in {"", "http", "https"} else ""
    except Exception:  # a storage raises whatever it likes
        return ""


def _read(adapter: ProductAdapter, by_key: dict[str, Product]) -> list[tuple[str, Any]]:
    try:
        return [(str(obj.pk), obj) for obj in adapter.get_queryset().filter(pk__in=list(by_key))]
    except Exception as error:  # the adapter is the shop's own code
        logger.warning("no previews of %s: %s", adapter.model._meta.label, type(error).__name__)
        return []


def _glimpse(adapter: ProductAdapter, obj: Any, row: Product) -> Glimpse:
    try:
        content = adapter.read(obj)
    except Exception as error:  # the adapter is the shop's own code
        logger.warning("no preview of product=%s: %s", row.pk, type(error).__name__)
        return Glimpse(row.title, source=obj)
    return Glimpse(content.title or row.title, _addresses(content.images), obj)


def _addresses(images: Iterable[Any]) -> tuple[str, ...]:
    return tuple(filter(None, map(address_of, images)))
