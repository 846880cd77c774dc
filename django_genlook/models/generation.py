"""A try-on from the press of the button to its picture."""

from typing import Any, ClassVar, Self
from uuid import UUID, uuid4

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from django_genlook.models.clock import db_now
from django_genlook.models.leases import FREE, Leased, LeasedQuerySet
from django_genlook.models.person import Photo, Shopper
from django_genlook.models.product import Product
from django_genlook.models.storage import PrivateStorage


class GenerationQuerySet(LeasedQuerySet["Generation"]):
    """Try-ons by what is to be done with them; their status moves by conditional UPDATE only."""

    def unsent(self) -> Self:
        """Try-ons to be sent now."""
        return self.filter(status=Generation.Status.QUEUED).ready()

    def unfinished(self) -> Self:
        """Try-ons that Genlook works on and that are to be looked at now."""
        return self.filter(status__in=(Generation.Status.PROCESSING, Generation.Status.DOWNLOADING)).ready()

    def due(self) -> Self:
        """Try-ons that a worker may take up now."""
        return self.filter(
            status__in=(Generation.Status.QUEUED, Generation.Status.PROCESSING, Generation.Status.DOWNLOADING)
        ).ready()

    def running(self) -> Self:
        """Try-ons that have not ended."""
        return self.exclude(status__in=Generation.TERMINAL)

    def move(
        self, pk: object, token: UUID, source: str, target: str, *, keep_lease: bool = False, **values: Any
    ) -> bool:
        """Take the row from ``source`` to ``target``, if ``token`` still holds it; return whether it did."""
        lease = {} if keep_lease else FREE
        return self.held(pk, token).filter(status=source).update(status=target, **{**lease, **values}) == 1


class Generation(Leased):
    """One try-on. ``reservations`` are the quotas and budgets it holds, given back once if it ends uncharged."""

    class Status(models.TextChoices):
        QUEUED = "QUEUED", _("queued")  # accepted, nothing sent yet
        SENDING = "SENDING", _("sending")  # committed before the first byte leaves
        PROCESSING = "PROCESSING", _("in progress")  # Genlook gave it an id
        DOWNLOADING = "DOWNLOADING", _("fetching the picture")  # Genlook finished, the picture is being copied
        UNKNOWN = "UNKNOWN", _("outcome unknown")  # it left and no usable answer came; never sent again
        COMPLETED = "COMPLETED", _("completed")
        FAILED = "FAILED", _("failed")
        CANCELLED = "CANCELLED", _("cancelled")

    TERMINAL = (Status.COMPLETED, Status.FAILED, Status.CANCELLED)

    class Origin(models.TextChoices):
        SHOPPER = "SHOPPER", _("shopper")
        STAFF = "STAFF", _("staff")

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    origin = models.CharField(_("started by"), max_length=10, choices=Origin, default=Origin.SHOPPER)
    shopper = models.ForeignKey(Shopper, on_delete=models.SET_NULL, null=True, related_name="generations")
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", verbose_name=_("staff member")
    )
    product = models.ForeignKey(
        Product, on_delete=models.SET_NULL, null=True, related_name="generations", verbose_name=_("product")
    )
    external_id = models.CharField(_("external id"), max_length=255)
    photo = models.ForeignKey(
        Photo, on_delete=models.SET_NULL, null=True, related_name="generations", verbose_name=_("photo")
    )
    status = models.CharField(_("status"), max_length=12, choices=Status, default=Status.QUEUED)
    active_key = models.CharField(max_length=64, null=True, unique=True)
    generation_id = models.CharField(max_length=255, blank=True)
    awaited_revision = models.PositiveBigIntegerField(default=0)
    is_product_resent = models.BooleanField(default=False)
    is_regenerated = models.BooleanField(default=False)
    looks = models.PositiveIntegerField(default=0)
    is_charged = models.BooleanField(_("charged"), null=True)
    reservations = models.JSONField(default=list, blank=True)
    result = models.FileField(storage=PrivateStorage(), upload_to="genlook/results/", max_length=255, blank=True)
    remote = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(_("created"), default=db_now, db_index=True)
    sent_at = models.DateTimeField(_("sent"), null=True)
    finished_at = models.DateTimeField(_("finished"), null=True)

    objects: ClassVar[GenerationQuerySet] = GenerationQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("try-on")
        verbose_name_plural = _("try-ons")
        indexes = [models.Index(fields=["status", "next_attempt_at"], name="genlook_generation_due")]

    def __str__(self) -> str:
        return str(self.id)

    @property
    def is_over(self) -> bool:
        """Whether it reached a state that it never leaves."""
        return self.status in self.TERMINAL
