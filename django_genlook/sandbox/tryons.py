"""Try-ons: accepting them, doing their work in the background, and reading how far they are."""

from __future__ import annotations

import secrets
import threading
import time
from typing import Any

from . import products
from .codes import Refusal
from .composite import compose
from .downloads import FetchFailed, fetch
from .faults import FATES
from .pictures import Picture, check_picture, picture_type
from .state import DAY, Account, Failure, Generation, ProductImage, World, iso
from .validation import ImageSource, TryOnInput, read_try_on
from .wire import MAX_IMAGE, Reply, Request

PENDING_SHARE = 0.2
#: A reader whose generation is due waits this long for the drawing, so that a moved clock shows at once.
DRAWING_GRACE = 2.0

_drawing = threading.Semaphore(3)


def start(world: World, account: Account, request: Request) -> Reply:
    """``POST /try-on``."""
    generation = accept(world, account, request)
    body = {"generationId": generation.id, "status": "PENDING", "productExternalId": generation.product_id}
    return Reply(201, body)


def start_and_hold(world: World, account: Account, request: Request) -> Reply:
    """``POST /try-on/sync``: 200 when it ends within the hold (also when it fails), else 202."""
    hold_until = time.monotonic() + world.options.sync_hold_seconds
    generation = accept(world, account, request)
    clock_until = world.now() + world.options.sync_hold_seconds
    with world.changed:
        while not world.closed and not world.settle(generation):
            left = min(hold_until - time.monotonic(), clock_until - world.now())
            if left <= 0:
                return Reply(202, {"generationId": generation.id, "status": generation.status(world.now())})
            due_in = generation.due_at - world.now()
            world.changed.wait(min(left, due_in) if due_in > 0 and not generation.stuck else left)
        if world.closed:
            raise Refusal("GENERATION_NOT_FOUND", "The sandbox was reset.")
        body = describe(world, generation, request.origin)
        kept = ("generationId", "status", "resultImageUrl", "errorMessage", "errorCode")
        return Reply(200, {key: body[key] for key in kept if key in body})


def read(world: World, account: Account, request: Request, generation_id: str) -> Reply:
    """``GET /generations/:id``; another account's is ``FORBIDDEN``."""
    with world.changed:
        generation = world.generations.get(generation_id)
        if generation is None:
            raise Refusal("GENERATION_NOT_FOUND")
        if generation.account is not account:
            raise Refusal("FORBIDDEN")
        give_up = time.monotonic() + DRAWING_GRACE
        while not world.settle(generation) and generation.is_due(world.now()):
            if not world.changed.wait(give_up - time.monotonic()):
                break
        return Reply(200, describe(world, generation, request.origin))


def describe(world: World, generation: Generation, origin: str) -> dict[str, Any]:
    """Give a generation as answers show it; a deleted result leaves ``resultImageUrl`` null."""
    now = world.now()
    status = generation.status(now)
    moved_at = generation.created_at if status == "PENDING" else generation.processing_at
    body: dict[str, Any] = {"generationId": generation.id, "status": status}
    if status == "COMPLETED" and generation.result is not None:
        there = generation.result.at(now) is not None
        body["resultImageUrl"] = world.link(generation.result, origin) if there else None
    if status == "FAILED" and isinstance(generation.outcome, Failure):
        body["errorMessage"] = generation.outcome.message
        if generation.outcome.code is not None:
            body["errorCode"] = generation.outcome.code
    return {**body, "createdAt": iso(generation.created_at), "updatedAt": iso(generation.finished_at or moved_at)}


def accept(world: World, account: Account, request: Request) -> Generation:
    """Check everything, take a credit, and set the work going; nothing is stored when it is refused."""
    wanted = read_try_on(request.json)
    images = products.take_images(wanted.product, request.files)
    products.refuse_missing_files([wanted.person], request.files)
    with world.lock:
        _check_credits(account)
        products.check_known(world, account, wanted.product)
    photo = _person_photo(world, account, wanted.person, request)
    with world.lock:
        _check_credits(account)
        product = products.use(world, account, wanted.product, images)
        account.credits -= 1
        is_mock = (product.title or "").strip().lower() == "mock"
        generation = _begin(world, account, wanted, product.external_id, is_mock=is_mock)
        primary = product.images[0]
        fate = world.faults.pick(FATES, request.method, request.path)
        if fate is not None and fate.fault == "stuck_generation":
            generation.stuck = True
            return generation
    if fate is not None:
        message = fate.options.get("error_message") or "The generation failed."
        failure = Failure(message, fate.options.get("error_code"), bool(fate.options.get("charged")))
        _finish(world, generation, failure)
    elif is_mock:
        _finish(world, generation, photo)
    else:
        work = (world, generation, photo, primary, wanted.watermark)
        threading.Thread(target=_work, args=work, daemon=True).start()
    return generation


def _begin(world: World, account: Account, wanted: TryOnInput, product_id: str, *, is_mock: bool) -> Generation:
    now = world.now()
    seconds = world.draw_mock_seconds() if is_mock else world.draw_seconds()
    generation = Generation(
        id=f"cm{secrets.token_hex(11)}",
        account=account,
        product_id=product_id,
        user=wanted.user,
        created_at=now,
        processing_at=now + seconds * PENDING_SHARE,
        due_at=now + seconds,
        keep_seconds=wanted.keep_days * DAY,
    )
    world.generations[generation.id] = generation
    return generation


def _check_credits(account: Account) -> None:
    if account.credits <= 0:
        raise Refusal("INSUFFICIENT_CREDITS")


def _person_photo(world: World, account: Account, source: ImageSource, request: Request) -> Picture:
    if source.kind == "id":
        with world.lock:
            upload = account.uploads.get(source.value)
            photo = upload.stored.at(world.now()) if upload else None
        if photo is None:
            details = [{"path": source.path, "message": "Unknown, expired or erased image"}]
            raise Refusal("VALIDATION_FAILED", details=details)
        return photo
    data = _download_person(source.value) if source.kind == "url" else request.files[source.value]
    check_picture(data)
    return Picture(data, picture_type(data))


def _download_person(url: str) -> bytes:
    try:
        data = fetch(url, max_bytes=MAX_IMAGE)
    except FetchFailed as error:
        raise Refusal("CUSTOMER_IMAGE_FETCH_FAILED") from error
    if len(data) > MAX_IMAGE:
        raise Refusal("FILE_TOO_LARGE")
    return data


def _work(world: World, generation: Generation, photo: Picture, image: ProductImage, watermark: bool) -> None:
    began = time.monotonic()
    try:
        data = fetch(image.source_url, max_bytes=MAX_IMAGE) if image.data is None else image.data
        if len(data) > MAX_IMAGE:
            raise FetchFailed(image.source_url)
        check_picture(data)
    except (FetchFailed, Refusal):
        message = "The product's image could not be downloaded."
        _finish(world, generation, Failure(message, "PRODUCT_IMAGE_FETCH_FAILED"))
        return
    outcome: Picture | Failure = Failure("The picture could not be drawn.")
    try:
        with _drawing:
            outcome = compose(photo.data, data, watermark)
    finally:
        generation.work_seconds = time.monotonic() - began
        _finish(world, generation, outcome)


def _finish(world: World, generation: Generation, outcome: Picture | Failure) -> None:
    with world.changed:
        if generation.outcome is None:
            generation.outcome = outcome
        world.settle(generation)
        world.changed.notify_all()
