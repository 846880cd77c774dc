"""Rows that a worker takes on lease: one worker at a time, known by a token, until the database's clock ends it."""

from typing import Any, Self, TypeVar
from uuid import UUID, uuid4

from django.db import models
from django.db.models import F, Q

from django_genlook.models.clock import ahead, db_now

M = TypeVar("M", bound="Leased")

FREE: dict[str, Any] = {"lease_token": None, "lease_until": None}
CLEAN: dict[str, Any] = {
    "attempts": 0, "next_attempt_at": None, "error_code": "", "error_message": "", "error_details": [],
}  # fmt: skip


class LeasedQuerySet(models.QuerySet[M]):
    """Claims and settles rows by conditional UPDATE, each one statement, so that no lock outlives it."""

    def free(self) -> Self:
        """Rows that nobody holds."""
        return self.filter(Q(lease_until=None) | Q(lease_until__lt=db_now()))

    def ready(self) -> Self:
        """Rows that nobody holds and whose next attempt is not in the future."""
        return self.free().filter(Q(next_attempt_at=None) | Q(next_attempt_at__lte=db_now()))

    def oldest(self, limit: int) -> list[Any]:
        """Return the keys of at most ``limit`` of these rows, longest due first."""
        return list(
            self.order_by(F("next_attempt_at").asc(nulls_first=True), "pk").values_list("pk", flat=True)[:limit]
        )

    def claim(self, pk: object, seconds: float) -> UUID | None:
        """Take the row for ``seconds``, if it is among these and ready; return the token to settle it with."""
        token = uuid4()
        taken = self.ready().filter(pk=pk).update(lease_token=token, lease_until=ahead(seconds))
        return token if taken else None

    def held(self, pk: object, token: UUID) -> Self:
        """The row, if ``token`` still holds it."""
        return self.filter(pk=pk, lease_token=token)

    def settle(self, pk: object, token: UUID, **values: Any) -> bool:
        """Write ``values`` and give the lease back; return ``False`` when it had been lost to another worker."""
        return self.held(pk, token).update(**FREE, **values) == 1


class Leased(models.Model):
    """What a row needs so that several workers can share it, and its retry policy survives them all."""

    lease_token = models.UUIDField(null=True, editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)
    attempts = models.PositiveIntegerField(default=0, editable=False)
    next_attempt_at = models.DateTimeField(null=True, editable=False)
    error_code = models.CharField(max_length=64, blank=True, editable=False)
    error_message = models.TextField(blank=True, editable=False)
    error_details = models.JSONField(default=list, blank=True, editable=False)

    class Meta:
        abstract = True
