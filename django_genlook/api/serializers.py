"""What a shopper may send, and what is told in return."""

import math
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.urls import reverse
from rest_framework import serializers
from rest_framework.request import Request

from django_genlook.exceptions import NotFound, problem_for
from django_genlook.models import Generation, Photo

# Seconds between two questions of a browser. Asking costs one query here and nothing at Genlook.
SOON = 1
SELDOM = 10

Status = Generation.Status
TOLD = {Status.SENDING: "PROCESSING", Status.DOWNLOADING: "PROCESSING", Status.UNKNOWN: "PROCESSING"}


class TryOnRequest(serializers.Serializer[Any]):
    """The body of ``POST try-ons/``."""

    product = serializers.CharField(max_length=255)
    photo = serializers.UUIDField()
    again = serializers.BooleanField(default=False)


def has_consent(value: object) -> bool:
    """Return whether the shopper said yes: ``true``, or the ``on`` of a ticked box."""
    return isinstance(value, str) and value.lower() in ("true", "on", "1")


def external_id_in(path: str) -> str:
    """Return the product's id from an address. Raises ``NotFound`` for what no product can be called."""
    try:
        external_id: str = serializers.CharField(max_length=255).run_validation(path)
    except serializers.ValidationError:
        raise NotFound("Not an external id.") from None
    return external_id


def uuid_in(path: str) -> UUID:
    """Return the id from an address. Raises ``NotFound`` for what is none, as for one that is nobody's."""
    try:
        found = UUID(path)
    except ValueError:
        raise NotFound("Not an id.") from None
    if str(found) != path.lower():
        raise NotFound("Not an id as we write them.")
    return found


def present_photo(photo: Photo, now: datetime) -> dict[str, Any]:
    """Return what its owner is told of a photo; ``now`` is the database's clock."""
    is_past = photo.status == Photo.Status.READY and photo.expires_at is not None and photo.expires_at <= now
    status = Photo.Status.EXPIRED if is_past else photo.status
    told: dict[str, Any] = {"id": str(photo.pk), "status": str(status), "expires_at": _moment(photo.expires_at)}
    if status == Photo.Status.REJECTED:
        told["error"] = _error(photo.error_code)
    elif status == Photo.Status.EXPIRED:
        told["error"] = _error("photo_expired")
    elif status == Photo.Status.QUEUED:
        told["retry_after"] = SOON
    return told


def present_try_on(row: Generation, now: datetime, request: Request) -> dict[str, Any]:
    """Return what its owner is told of a try-on; ``now`` is the database's clock."""
    told: dict[str, Any] = {
        "id": str(row.pk),
        "status": _told_status(row),
        "product": row.external_id,
        "created_at": _moment(row.created_at),
    }
    if row.status == Status.COMPLETED and row.result:
        told["image_url"] = address_of("try-on-image", row.pk, request)
    elif row.status == Status.FAILED:
        told["error"] = _error(row.error_code)
    if not row.is_over:
        # The worker looks at next_attempt_at; before that nothing can be new.
        wait = 0.0 if row.next_attempt_at is None else (row.next_attempt_at - now).total_seconds()
        told["retry_after"] = min(max(SOON, math.ceil(wait)), SELDOM)
    return told


def present_start(row: Generation, request: Request) -> dict[str, Any]:
    """Return what the shopper is told who just pressed the button."""
    told = {"id": str(row.pk), "status": _told_status(row), "url": address_of("try-on", row.pk, request)}
    return told if row.is_over else {**told, "retry_after": SOON}


def address_of(name: str, pk: UUID, request: Request) -> str:
    """Return the path of one of our own addresses, in the namespace that the request came by."""
    match = request.resolver_match
    return reverse(f"genlook:{name}", args=[pk], current_app=None if match is None else match.namespace)


def _told_status(row: Generation) -> str:
    status = Status(row.status)
    return TOLD.get(status, status.value)


def _moment(moment: datetime | None) -> str | None:
    """Return a time as ISO 8601, in UTC where the shop's times know their zone."""
    if moment is None:
        return None
    if moment.tzinfo is None:
        return moment.isoformat()
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _error(code: str) -> dict[str, Any]:
    problem = problem_for(code)
    return {"code": problem.shopper_code, "message": str(problem.shopper), "status": problem.status}
