"""Person photos, the account's balance, and erasure."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime

from .codes import Refusal
from .pictures import store_picture
from .state import DAY, Account, Failure, Stored, Upload, World
from .validation import read_upload
from .wire import Reply, Request


def upload(world: World, account: Account, request: Request) -> Reply:
    """``POST /images/upload``; the ``imageId`` is a storage path with slashes."""
    if request.media_type != "multipart/form-data":
        raise Refusal("FILE_REQUIRED")
    file = next((part for part in request.parts if part.name == "file" and part.filename is not None), None)
    crop, user, days = read_upload(request.fields)
    if file is None:
        raise Refusal("FILE_REQUIRED", details=[{"path": "file", "message": "Required"}])
    picture = store_picture(file.data, crop=crop)
    with world.lock:
        now = world.now()
        day = datetime.fromtimestamp(now, UTC).strftime("%Y%m%d")
        kind = picture.content_type.rpartition("/")[2]
        image_id = f"ephemeral/customer/ttl-{days}d/{account.id}/{day}-{secrets.token_hex(16)}.{kind}"
        stored = Stored(picture, now + days * DAY)
        account.uploads[image_id] = Upload(stored, user)
        return Reply(201, {"imageId": image_id, "imageUrl": world.link(stored, request.origin)})


def balance(world: World, account: Account, request: Request) -> Reply:
    """``GET /account/credits``."""
    with world.lock:
        world.settle_all()
        return Reply(200, {"creditBalance": account.credits})


def erase(world: World, account: Account, request: Request, user: str) -> Reply:
    """``DELETE /customers/:customerId``: photos and results go, generations lose their user.

    A generation of theirs that is still running ends FAILED, without a code and without a charge.
    """
    with world.changed:
        world.settle_all()
        for image_id in [key for key, item in account.uploads.items() if item.user == user]:
            account.uploads.pop(image_id).stored.picture = None
        for generation in world.generations.values():
            if generation.account is not account or generation.user != user:
                continue
            generation.user = None
            if generation.result is not None:
                generation.result.picture = None
            if generation.finished_at is None:
                generation.outcome = Failure("The person's data was erased.")
                generation.due_at = world.now()
                generation.stuck = False
                world.settle(generation)
        world.changed.notify_all()
    return Reply(204)
