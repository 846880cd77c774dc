"""Checks bodies as the API documents them; every offending field is named by its dotted path.

Both generations of the try-on body are read into the same values. Where a body has the new and the old name of a
thing, the new one counts. Unknown fields are ignored, except those of the alpha body, which is refused.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from .codes import Refusal
from .fields import KEEP_DAYS, Issues, Reader
from .wire import json_type

MAX_ID = 255
MAX_URL = 2048


@dataclass(frozen=True)
class ImageSource:
    """Where a picture is: ``kind`` is ``id``, ``url`` or ``fileKey``; ``path`` is where the body says so."""

    kind: str
    value: str
    path: str


@dataclass
class ProductInput:
    """A product as sent. ``changes`` holds only the fields that were sent, ``images`` is None when they were not."""

    external_id: str | None
    changes: dict[str, Any]
    images: list[ImageSource] | None
    path: str

    @property
    def is_reference(self) -> bool:
        return self.external_id is not None and not self.changes and self.images is None


@dataclass(frozen=True)
class TryOnInput:
    """A try-on as sent, whichever generation of the body it came in."""

    product: ProductInput
    person: ImageSource
    user: str | None
    watermark: bool
    keep_days: int


def read_product(body: Mapping[str, Any]) -> ProductInput:
    """Read the body of ``POST /products``."""
    issues = Issues()
    reader = Reader(body, "", issues)
    if body.get("externalId") in (None, ""):
        issues.add("externalId", "Required", "EXTERNAL_ID_REQUIRED")
        external_id = None
    else:
        external_id = reader.string("externalId", longest=MAX_ID)
    product = _read_product_fields(reader, external_id)
    issues.refuse_any()
    if (product.external_id or "").startswith("_anon_"):
        raise Refusal("RESERVED_EXTERNAL_ID")
    return product


def read_try_on(body: Mapping[str, Any]) -> TryOnInput:
    """Read the body of ``POST /try-on`` and ``/try-on/sync``, new or deprecated."""
    issues = Issues()
    reader = Reader(body, "", issues)
    for key in ("productId", "customerImageId"):
        if reader.has(key):
            issues.add(key, "No longer supported")
    product = _read_try_on_product(reader)
    person = _read_person(reader)
    user_key = "externalUserId" if reader.has("externalUserId") else "customerId"
    user = reader.string(user_key, longest=MAX_ID)
    watermark, keep_days = reader.boolean("useWatermark"), reader.keep_days("retentionDays")
    output = reader.object("output")
    if output is not None:
        output.boolean("aiLabel")
        watermark = output.boolean("watermark") if output.has("watermark") else watermark
        keep_days = output.keep_days("keepForDays") if output.has("keepForDays") else keep_days
    issues.refuse_any()
    if product is None or person is None:  # either has left an issue
        raise Refusal("VALIDATION_FAILED")
    return TryOnInput(product, person, user, watermark is not False, keep_days or KEEP_DAYS[-1])


def read_upload(fields: Mapping[str, str]) -> tuple[bool, str | None, int]:
    """Read the text fields of ``POST /images/upload``: crop, external user id, days to keep."""
    issues = Issues()
    crop = fields.get("crop", "true")
    if crop not in ("true", "false"):
        issues.add("crop", "Expected true or false")
    user_key = "externalUserId" if "externalUserId" in fields else "customerId"
    user = Reader(fields, "", issues).string(user_key, longest=MAX_ID)
    days_key = "keepForDays" if "keepForDays" in fields else "retentionDays"
    days = fields.get(days_key, "7")
    if days not in {str(allowed) for allowed in KEEP_DAYS}:
        issues.add(days_key, "Expected 1, 3 or 7")
    issues.refuse_any()
    return crop == "true", user, int(days)


def _read_try_on_product(reader: Reader) -> ProductInput | None:
    if not reader.has("products") and reader.has("product"):
        old = reader.object("product")
        return None if old is None else _read_inline_product(old)
    if not reader.has("products"):
        reader.issues.add("products", "Required")
        return None
    products = reader.array("products")
    if products is None:
        return None
    if len(products) != 1:
        reader.issues.add("products", f"Expected exactly 1 product, received {len(products)}")
    inputs = []
    for index, item in enumerate(products):
        if isinstance(item, dict):
            inputs.append(_read_inline_product(Reader(item, f"products.{index}", reader.issues)))
        else:
            reader.issues.add(f"products.{index}", f"Expected object, received {json_type(item)}")
    return inputs[0] if inputs else None


def _read_inline_product(reader: Reader) -> ProductInput:
    product = _read_product_fields(reader, reader.string("externalId", longest=MAX_ID))
    if not reader.has("externalId") and product.images is None and not reader.has("images"):
        reader.issues.add(reader.at("images"), "Required", "PRODUCT_IMAGES_REQUIRED")
    return product


def _read_product_fields(reader: Reader, external_id: str | None) -> ProductInput:
    changes: dict[str, Any] = {}
    for key in ("title", "description"):
        if (text := reader.string(key)) is not None:
            changes[key] = text
    if (metadata := reader.object("metadata")) is not None:
        changes["metadata"] = metadata.values
    if reader.has("validForDays") and reader.values["validForDays"] is None:
        changes["validForDays"] = None
    elif (days := reader.integer("validForDays")) is not None:
        changes["validForDays"] = days
        if not 1 <= days <= 365:
            reader.issues.add(reader.at("validForDays"), "Number must be between 1 and 365")
    return ProductInput(external_id, changes, _read_images(reader), reader.path)


def _read_images(reader: Reader) -> list[ImageSource] | None:
    key = "imageUrls" if reader.has("imageUrls") and not reader.has("images") else "images"
    items = reader.array(key)
    if items is None:
        return None
    if not items:
        reader.issues.add(reader.at(key), "At least one image is required", "PRODUCT_IMAGES_REQUIRED")
    sources = []
    for index, item in enumerate(items):
        path = f"{reader.at(key)}.{index}"
        if key == "imageUrls":
            holder = Reader({str(index): item}, reader.at(key), reader.issues)
            source = _url(holder, str(index))
        elif isinstance(item, dict):
            source = _read_product_image(Reader(item, path, reader.issues))
        else:
            reader.issues.add(path, f"Expected object, received {json_type(item)}")
            source = None
        if source is not None:
            sources.append(source)
    return sources


def _read_product_image(entry: Reader) -> ImageSource | None:
    entry.object("classifications")
    holder = entry.object("source") if entry.has("source") else entry
    if holder is None:
        return None
    return _one_source(holder, ("url", "fileKey"), "INVALID_IMAGE_INPUT")


def _read_person(reader: Reader) -> ImageSource | None:
    new = reader.values.get("person") is not None
    key = "person" if new or reader.values.get("customer") is None else "customer"
    if reader.values.get(key) is None:
        reader.issues.add("person", "Required", "CUSTOMER_IMAGE_REQUIRED")
        return None
    person = reader.object(key)
    if person is None:
        return None
    if new:
        image = _required_object(person, "image")
        source = None if image is None else _required_object(image, "source")
    else:
        source = person.object("source") if person.has("source") else person
    return None if source is None else _one_source(source, ("id", "url", "fileKey"), "CUSTOMER_IMAGE_REQUIRED")


def _required_object(reader: Reader, key: str) -> Reader | None:
    if not reader.has(key):
        reader.issues.add(reader.at(key), "Required", "CUSTOMER_IMAGE_REQUIRED")
    return reader.object(key)


def _one_source(reader: Reader, kinds: Collection[str], missing: str) -> ImageSource | None:
    present = [kind for kind in kinds if reader.has(kind)]
    if not present:
        reader.issues.add(reader.path, f"Provide one of {', '.join(kinds)}", missing)
        return None
    if len(present) > 1:
        reader.issues.add(reader.path, f"Provide exactly one of {', '.join(kinds)}")
        return None
    kind = present[0]
    if kind == "url":
        return _url(reader, kind)
    value = reader.string(kind, longest=MAX_URL)
    return None if value is None else ImageSource(kind, value, reader.at(kind))


def _url(reader: Reader, key: str) -> ImageSource | None:
    value = reader.string(key, longest=MAX_URL)
    if not value:
        return None
    try:
        parts = urlsplit(value)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        good = False
    if not good or any(char.isspace() or ord(char) < 32 for char in value):
        reader.issues.add(reader.at(key), "Invalid url")
        return None
    return ImageSource("url", value, reader.at(key))
