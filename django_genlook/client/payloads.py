"""What is sent: the arguments of a call, checked and put into the shapes that Genlook documents."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from typing import Any, TypeAlias

from django_genlook.client.addresses import check_public_url
from django_genlook.client.answers import ID_LIMIT, IMAGE_ID_LIMIT
from django_genlook.exceptions import Rejected

JSON: TypeAlias = "Mapping[str, JSON] | Sequence[JSON] | str | int | float | bool | None"

FILE_LIMIT = 10_000_000  # bytes; the page says "10 MB", so the smaller reading of it
RESERVED_PREFIX = "_anon_"

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


class Unset(Enum):
    """The type of ``UNSET``: an argument that was left out, where ``None`` means something."""

    UNSET = "unset"


UNSET = Unset.UNSET


@dataclass(frozen=True, slots=True)
class PictureUrl:
    """A product picture that Genlook fetches itself, some time after the call."""

    url: str


@dataclass(frozen=True, slots=True)
class PictureBytes:
    """A product picture that travels with the call: JPEG, PNG, WebP or HEIC, at most 10 MB."""

    data: bytes = field(repr=False)


Picture: TypeAlias = PictureUrl | PictureBytes


@dataclass(frozen=True, slots=True, kw_only=True)
class TryOnProduct:
    """A product described in the try-on itself: stored under ``external_id``, or for once if that is empty."""

    external_id: str = ""
    title: str | None = None
    description: str | None = None
    images: Sequence[Picture] | None = None


@dataclass(frozen=True, slots=True)
class Form:
    """A JSON document, and the files that its ``fileKey``s name."""

    document: dict[str, Any] = field(default_factory=dict)
    files: dict[str, tuple[str, bytes, str]] = field(default_factory=dict)


def external_id(value: str) -> str:
    """Return ``value``, or refuse it: what is not 1 to 255 characters or does not stay one segment of a path."""
    return _segment(value, "external_id_invalid", "external id")


def segment(value: str, what: str) -> str:
    """Return another id that goes into a path, or refuse it by the same rule."""
    return _segment(value, "invalid_request", what)


def _segment(value: str, code: str, what: str) -> str:
    if not 1 <= len(value) <= ID_LIMIT or value in (".", "..") or value != value.strip("/") or _CONTROL.search(value):
        raise Rejected(f"This {what} is not usable.", code=code)
    return value


def opaque(value: str, what: str, limit: int) -> str:
    """Return an id that goes into a body or a query, or refuse it."""
    if len(value) > limit or _CONTROL.search(value):
        raise Rejected(f"This {what} is not usable.", code="invalid_request")
    return value


def file_part(name: str, data: bytes) -> tuple[str, bytes, str]:
    """Return a file for a multipart form, or refuse one above 10 MB."""
    if len(data) > FILE_LIMIT:
        raise Rejected(f"A picture of {len(data)} bytes is above 10 MB.", code="FILE_TOO_LARGE")
    kind, suffix = _kind(data)
    return f"{name}{suffix}", data, kind


def _kind(data: bytes) -> tuple[str, str]:
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg", ".jpg"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png", ".png"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp", ".webp"
    if data[4:8] == b"ftyp":
        return "image/heic", ".heic"
    return "application/octet-stream", ""


def product(
    external_id: str,
    title: str | None,
    description: str | None,
    images: Sequence[Picture] | None,
    *,
    any_url: bool,
) -> Form:
    """Return a product to save; what is ``None`` stays as it is. ``any_url``: a sandbox may fetch from nearby."""
    form = Form({"externalId": external_id} if external_id else {})
    if title is not None:
        form.document["title"] = title
    if description is not None:
        form.document["description"] = description
    if images is not None:
        if not images:
            raise Rejected("The product has no picture.", code="PRODUCT_IMAGES_REQUIRED")
        form.document["images"] = [{"source": _source(picture, form, any_url)} for picture in images]
    return form


def _source(picture: Picture, form: Form, any_url: bool) -> dict[str, str]:
    if isinstance(picture, PictureUrl):
        if not any_url:
            check_public_url(picture.url)
        return {"url": picture.url}
    if not picture.data:
        raise Rejected("A picture is empty.", code="INVALID_IMAGE")
    key = f"image-{len(form.files)}"
    form.files[key] = file_part(key, picture.data)
    return {"fileKey": key}


def try_on(product_or_id: TryOnProduct | str, image_id: str, external_user_id: str, *, any_url: bool) -> Form:
    """Return a try-on of a product by reference, or of one described in place, by the person on an uploaded photo."""
    if not image_id:
        raise Rejected("There is no photo of a person.", code="CUSTOMER_IMAGE_REQUIRED")
    if isinstance(product_or_id, str):
        form = Form({"externalId": external_id(product_or_id)})
    else:
        described = product_or_id
        if described.external_id:
            external_id(described.external_id)
        elif not described.images:
            raise Rejected("The product has no picture.", code="PRODUCT_IMAGES_REQUIRED")
        form = product(described.external_id, described.title, described.description, described.images, any_url=any_url)
    document: dict[str, Any] = {
        "products": [form.document],
        "person": {"image": {"source": {"id": opaque(image_id, "image id", IMAGE_ID_LIMIT)}}},
    }
    if external_user_id:
        document["externalUserId"] = opaque(external_user_id, "external user id", ID_LIMIT)
    return Form(document, form.files)


def encode(document: Mapping[str, Any]) -> bytes:
    """Return the document as JSON, or refuse what is none, such as a date in the shop's own ``metadata``."""
    try:
        return json.dumps(document, allow_nan=False).encode("ascii")
    except (ValueError, TypeError, RecursionError) as error:
        kind = type(error).__name__
    raise Rejected(f"The content cannot be written as JSON ({kind}).", code="VALIDATION_FAILED")


def timestamp(moment: datetime) -> str:
    """Return an aware time as Genlook writes it: UTC, with milliseconds."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
