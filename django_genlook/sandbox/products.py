"""The product endpoints, and how a try-on finds or makes its product."""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from .codes import Refusal
from .fields import Issues
from .pictures import Picture, check_picture
from .state import Account, Product, ProductImage, World, iso
from .validation import ImageSource, ProductInput, read_product
from .wire import Reply, Request

INLINE_DAYS = 15
ONE_SHOT_DAYS = 7
MAX_PAGE = 200


def create(world: World, account: Account, request: Request) -> Reply:
    """``POST /products``: create, or change what is sent of an existing one."""
    wanted = read_product(request.json)
    images = take_images(wanted, request.files)
    with world.lock:
        now = world.now()
        product = account.product(wanted.external_id or "", now)
        if product is None and images is None:
            raise _images_required(wanted)
        product = store(account, wanted, images, now, product)
        return Reply(201, describe(product))


def page(world: World, account: Account, request: Request) -> Reply:
    """``GET /products``: the listed products in the order of their creation."""
    issues = Issues()
    limit, after = 50, 0
    text = request.query.get("limit", "50")
    if text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= MAX_PAGE:
        limit = int(text)
    else:
        issues.add("limit", f"Expected an integer between 1 and {MAX_PAGE}")
    if cursor := request.query.get("cursor", ""):
        try:
            after = int(base64.urlsafe_b64decode(cursor).decode())
        except (binascii.Error, ValueError):
            issues.add("cursor", "Invalid cursor")
    issues.refuse_any()
    with world.lock:
        now = world.now()
        rest = [item for item in account.products.values() if item.listed and item.number > after and item.is_live(now)]
        rest.sort(key=lambda item: item.number)
        items, more = rest[:limit], len(rest) > limit
        following = base64.urlsafe_b64encode(str(items[-1].number).encode()).decode() if more else None
        body = {"items": [describe(item) for item in items], "nextCursor": following}
        return Reply(200, {**body, "hasMore": more, "count": len(items)})


def read(world: World, account: Account, request: Request, external_id: str) -> Reply:
    """``GET /products/:externalId``."""
    with world.lock:
        return Reply(200, describe(find(world, account, external_id)))


def delete(world: World, account: Account, request: Request, external_id: str) -> Reply:
    """``DELETE /products/:externalId``; generations keep what they took from it."""
    with world.lock:
        find(world, account, external_id)
        del account.products[external_id]
        return Reply(200, {"externalId": external_id, "deleted": True})


def stats(world: World, account: Account, request: Request, external_id: str) -> Reply:
    """``GET /products/:externalId/stats``, some seconds behind."""
    issues = Issues()
    since = _moment(request.query, "from", issues)
    until = _moment(request.query, "to", issues)
    issues.refuse_any()
    with world.lock:
        find(world, account, external_id)
        known_at = world.now() - world.options.stats_delay_seconds
        world.settle_all()
        begun = [
            item
            for item in world.generations.values()
            if item.account is account and item.product_id == external_id and item.created_at <= known_at
            and (since is None or item.created_at >= since) and (until is None or item.created_at <= until)
        ]  # fmt: skip
        ended = [item for item in begun if item.finished_at is not None and item.finished_at <= known_at]
        times = [
            item.finished_at - item.created_at
            for item in ended
            if item.finished_at is not None and isinstance(item.outcome, Picture)
        ]
        body = {
            "totalGenerations": len(begun),
            "completedGenerations": len(times),
            "failedGenerations": len(ended) - len(times),
            "avgGenerationTimeMs": round(1000 * sum(times) / len(times)) if times else 0,
        }
        return Reply(200, body)


def find(world: World, account: Account, external_id: str) -> Product:
    """Give the account's live product. An ``_anon_`` id of another account is ``FORBIDDEN``: those ids are unique,
    while two shops may use the same ``externalId`` of their own."""
    now = world.now()
    product = account.product(external_id, now)
    if product is not None:
        return product
    others = (other for other in world.accounts.values() if other is not account)
    if external_id.startswith("_anon_") and any(other.product(external_id, now) for other in others):
        raise Refusal("FORBIDDEN")
    raise Refusal("PRODUCT_NOT_FOUND")


def check_known(world: World, account: Account, wanted: ProductInput) -> None:
    """Refuse a try-on whose product is unknown and cannot be made from what was sent."""
    if wanted.external_id is None:
        return
    if wanted.is_reference or wanted.external_id.startswith("_anon_"):
        find(world, account, wanted.external_id)
    elif wanted.images is None and account.product(wanted.external_id, world.now()) is None:
        raise _images_required(wanted)


def use(world: World, account: Account, wanted: ProductInput, images: list[ProductImage] | None) -> Product:
    """Give the product a try-on asks for, made or changed first if need be, its clock started again."""
    check_known(world, account, wanted)
    now = world.now()
    if wanted.external_id is None:
        wanted.external_id = f"_anon_{secrets.token_hex(8)}"
        wanted.changes.setdefault("validForDays", ONE_SHOT_DAYS)
        product = store(account, wanted, images, now, None, listed=False)
    else:
        known = account.product(wanted.external_id, now)
        if known is None:
            wanted.changes.setdefault("validForDays", INLINE_DAYS)
        product = known if known and wanted.is_reference else store(account, wanted, images, now, known)
    product.last_used_at = now
    return product


def store(
    account: Account,
    wanted: ProductInput,
    images: list[ProductImage] | None,
    now: float,
    known: Product | None,
    *,
    listed: bool = True,
) -> Product:
    """Write what was sent over what is known; fields that were not sent stay."""
    external_id = wanted.external_id or ""
    product = known or Product(external_id, account.next_number(), listed, created_at=now, updated_at=now)
    product.updated_at = now
    product.title = wanted.changes.get("title", product.title)
    product.description = wanted.changes.get("description", product.description)
    product.metadata = wanted.changes.get("metadata", product.metadata)
    product.valid_for_days = wanted.changes.get("validForDays", product.valid_for_days)
    product.images = product.images if images is None else images
    account.products[external_id] = product
    return product


def take_images(wanted: ProductInput, files: Mapping[str, bytes]) -> list[ProductImage] | None:
    """Give the product's pictures, those sent as bytes checked; URLs are only fetched for a generation."""
    if wanted.images is None:
        return None
    refuse_missing_files(wanted.images, files)
    images = []
    for source in wanted.images:
        if source.kind == "url":
            images.append(ProductImage(source.value))
            continue
        check_picture(files[source.value])
        images.append(ProductImage(f"upload://{secrets.token_hex(12)}", files[source.value]))
    return images


def refuse_missing_files(sources: list[ImageSource], files: Mapping[str, bytes]) -> None:
    """Refuse a body that names file parts the form does not have."""
    issues = Issues()
    for source in sources:
        if source.kind == "fileKey" and source.value not in files:
            issues.add(source.path, "No file part of that name", "MULTIPART_FILE_NOT_FOUND")
    issues.refuse_any()


def describe(product: Product) -> dict[str, Any]:
    """Give a product as answers show it."""
    return {
        "externalId": product.external_id,
        "title": product.title,
        "description": product.description,
        "images": [{"sourceUrl": image.source_url, "order": order} for order, image in enumerate(product.images)],
        "metadata": product.metadata,
        "validForDays": product.valid_for_days,
        "lastUsedAt": iso(product.last_used_at),
        "expiresAt": iso(product.expires_at),
        "createdAt": iso(product.created_at),
        "updatedAt": iso(product.updated_at),
    }


def _images_required(wanted: ProductInput) -> Refusal:
    path = f"{wanted.path}.images" if wanted.path else "images"
    return Refusal("PRODUCT_IMAGES_REQUIRED", details=[{"path": path, "message": "Required"}])


def _moment(query: Mapping[str, str], key: str, issues: Issues) -> float | None:
    text = query.get(key)
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
        if len(text) == 10 and key == "to":  # a day includes its end
            moment += timedelta(days=1, milliseconds=-1)
        return moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()
    except (ValueError, OverflowError):
        issues.add(key, "Invalid ISO 8601 date")
        return None
