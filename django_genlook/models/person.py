"""Shoppers and the photos of persons that try-ons are made with."""

from typing import ClassVar, Self
from uuid import uuid4

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from django_genlook.models.clock import ahead, db_now
from django_genlook.models.leases import Leased, LeasedQuerySet
from django_genlook.models.storage import PrivateStorage


class Shopper(models.Model):
    """A random subject that a session refers to; its id is all that Genlook learns about the person."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="genlook_shoppers",
        verbose_name=_("user"),
    )
    created_at = models.DateTimeField(_("created"), default=db_now, editable=False)

    class Meta:
        verbose_name = _("shopper")
        verbose_name_plural = _("shoppers")

    def __str__(self) -> str:
        return str(self.id)


class PhotoQuerySet(LeasedQuerySet["Photo"]):
    """Photos by whom they belong to and what can be done with them."""

    def due(self) -> Self:
        """Photos that a worker may clean and upload now."""
        return self.filter(status=Photo.Status.QUEUED).ready()

    def usable(self) -> Self:
        """Photos that a try-on may be started with: uploaded, or about to be."""
        return self.filter(
            Q(status=Photo.Status.QUEUED) | Q(status=Photo.Status.READY, expires_at__gt=db_now()),
        )

    def past_lifetime(self) -> Self:
        """Uploaded photos whose copy at Genlook is gone."""
        return self.filter(status=Photo.Status.READY, expires_at__lte=db_now())

    def lent_elsewhere(self, key_digest: str) -> Self:
        """Uploaded photos that are with another account than the one with this key."""
        return self.filter(status=Photo.Status.READY).exclude(lent_to=key_digest)

    def of_staff(self) -> Self:
        """Model photos, which staff try products on with."""
        return self.filter(shopper=None, is_model=True)

    def expiring(self, seconds: float) -> Self:
        """Model photos that Genlook will drop within ``seconds``."""
        return self.of_staff().filter(status=Photo.Status.READY, expires_at__lte=ahead(seconds))


class Photo(Leased):
    """A picture of a person: a shopper's own, or a model photo of staff (``is_model``)."""

    class Status(models.TextChoices):
        QUEUED = "QUEUED", _("queued")
        READY = "READY", _("ready")
        REJECTED = "REJECTED", _("rejected")
        EXPIRED = "EXPIRED", _("expired")

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    shopper = models.ForeignKey(Shopper, on_delete=models.CASCADE, null=True, editable=False, related_name="photos")
    is_model = models.BooleanField(_("model photo"), default=False, editable=False)
    label = models.CharField(_("label"), max_length=100, blank=True)
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.QUEUED, editable=False)
    raw = models.FileField(storage=PrivateStorage(), upload_to="genlook/raw/", max_length=255, blank=True)
    cleaned = models.FileField(storage=PrivateStorage(), upload_to="genlook/photos/", max_length=255, blank=True)
    is_shrunk = models.BooleanField(default=False, editable=False)
    image_id = models.TextField(blank=True, editable=False)
    lent_to = models.CharField(max_length=64, blank=True, editable=False)
    consent_at = models.DateTimeField(_("consent given"), null=True, editable=False)
    expires_at = models.DateTimeField(_("expires"), null=True, editable=False)
    created_at = models.DateTimeField(_("created"), default=db_now, editable=False)

    objects: ClassVar[PhotoQuerySet] = PhotoQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("photo")
        verbose_name_plural = _("photos")
        indexes = [models.Index(fields=["status", "next_attempt_at"], name="genlook_photo_due")]

    def __str__(self) -> str:
        return self.label or str(self.id)
