"""Reads what Genlook should hold for a product now, and turns its pictures into what travels."""

from __future__ import annotations  # django.core.files.File cannot be subscripted at run time

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.core.files.base import File
from django.db import OperationalError

from django_genlook import adapters, budgets, images
from django_genlook.adapters import Content, ProductAdapter
from django_genlook.client import Picture, PictureBytes, PictureUrl, check_public_url, download_image
from django_genlook.conf import Config, get_config, is_loopback
from django_genlook.exceptions import GenlookError, NotFound, Rejected
from django_genlook.models import Product

# A smaller picture after a FILE_TOO_LARGE.
SHRUNK_SIDE = 1_024


@dataclass(frozen=True, slots=True)
class Wanted:
    """What Genlook should hold for one product: its content and the fingerprint of that."""

    content: Content
    fingerprint: str


def read(row: Product) -> Wanted | None:
    """Return what Genlook should hold for ``row`` now, or ``None`` when it should hold nothing.

    ``row.is_deleted`` is set when the shop no longer lists the product.

    Raises ``GenlookError`` with a code that tells staff why the product cannot be sent.
    """
    if row.is_deleted:
        return None
    if row.source is None:
        return wanted(OwnProducts(Product), row)
    adapter, key = adapters.resolve(row.source)
    if adapter is None:
        raise Rejected(f"No adapter is registered for {row.source}.", code="adapter_failed")
    obj = _guarded(lambda: adapter.get_queryset().filter(pk=key).first())
    row.is_deleted = obj is None
    return None if obj is None else wanted(adapter, obj)


def wanted(adapter: ProductAdapter, obj: Any) -> Wanted | None:
    """Return what ``adapter`` says of ``obj``, or ``None`` when it is not offered for try-on."""
    if not _guarded(lambda: adapter.is_enabled(obj)):
        return None
    content = _guarded(lambda: adapter.read(obj))
    check_external_id(content.external_id)
    if not content.images:
        raise Rejected(code="PRODUCT_IMAGES_REQUIRED")
    config = get_config()
    return Wanted(content, fingerprint(adapter, content, config))


def fingerprint(adapter: ProductAdapter, content: Content, config: Config) -> str:
    """Return a text that differs when anything that Genlook would be sent differs."""
    versions = []
    for image in content.images:
        try:
            versions.append(adapter.image_version(image))
        except FileNotFoundError as error:
            raise Rejected(str(error), code="image_missing") from error
        except Exception as error:  # each storage backend has exceptions of its own
            raise GenlookError(f"{type(error).__name__}: {error}", code="storage_unavailable") from error
    return adapters.digest(
        budgets.key_digest(config),
        config.EXTERNAL_ID_PREFIX,
        content.external_id,
        content.title,
        content.description,
        *versions,
    )


def check_external_id(external_id: str) -> None:
    """Raise ``Rejected`` when Genlook, or an address, could not carry ``external_id``."""
    if not external_id:
        raise Rejected(code="EXTERNAL_ID_REQUIRED")
    if external_id.startswith("_anon_"):
        raise Rejected(external_id, code="RESERVED_EXTERNAL_ID")
    if (
        len(get_config().EXTERNAL_ID_PREFIX + external_id) > 255
        or external_id in {".", ".."}
        or external_id != external_id.strip("/")
        or any(not character.isprintable() for character in external_id)
    ):
        raise Rejected(external_id[:300], code="external_id_invalid")


def wire_title(title: str) -> str:
    """Return the title to send: never the bare word that makes Genlook answer with the shopper's own photo."""
    if title.strip().lower() == "mock" and not get_config().SANDBOX:
        return f"{title.strip()} (product)"
    return title


def picture(image: File[Any] | str, *, as_bytes: bool, side: int) -> Picture:
    """Return how a picture travels: a public address as it is, everything else as bytes re-encoded here.

    ``as_bytes`` fetches even the public ones; ``side`` is the longest side in px of what is sent as bytes.
    """
    local = is_loopback(get_config().BASE_URL)
    url = image if isinstance(image, str) else _public_url(image)
    if url is not None:
        if not local:
            check_public_url(url)
        if not as_bytes:
            return PictureUrl(url)
        return PictureBytes(_clean(_fetch(url, local), side))
    if isinstance(image, str):
        raise Rejected(image[:300], code="image_url_refused")
    try:
        with image.open("rb") as file:
            data = file.read(images.MAX_UPLOAD_BYTES * 4)
    except FileNotFoundError as error:
        raise Rejected(str(image.name), code="image_missing") from error
    except Exception as error:  # each storage backend has exceptions of its own
        raise GenlookError(f"{type(error).__name__}: {error}", code="storage_unavailable") from error
    return PictureBytes(_clean(data, side))


def _public_url(image: File[Any]) -> str | None:
    """Return the address of a stored file that anybody may fetch: absolute https without a signature."""
    try:
        url: str = getattr(image, "url", "") or ""
    except Exception:  # a storage without addresses raises whatever it likes; then the bytes travel
        return None
    parts = urlsplit(url)
    return url if parts.scheme == "https" and not parts.query else None


def _fetch(url: str, local: bool) -> bytes:
    try:
        return download_image(url, allow_loopback=local)
    except NotFound as error:
        raise Rejected(url[:300], code="image_missing") from error


def _clean(data: bytes, side: int) -> bytes:
    try:
        return images.clean(data, side=side).data
    except OSError as error:
        raise GenlookError(f"No process to clean a picture in: {error}", code="not_sent") from error


def _guarded(told: Any) -> Any:
    try:
        return told()
    except (GenlookError, OperationalError):
        raise
    except Exception as error:  # the adapter is the shop's own code; its failure is shown to staff
        raise Rejected(f"{type(error).__name__}: {error}", code="adapter_failed") from error


class OwnProducts(ProductAdapter):
    """Describes the products that are kept in the admin of this app."""

    external_id = "external_id"
    title = "title"

    def is_enabled(self, obj: Product) -> bool:
        return obj.is_enabled

    def images(self, obj: Product) -> Sequence[File[Any]]:
        return [picture.file for picture in obj.images.all()]
