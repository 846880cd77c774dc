"""The mirror of the shop's catalogue: what Genlook should hold, and how far that got."""

from collections.abc import Collection
from typing import Any, ClassVar, Self

from django.db import models, router, transaction
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from django_genlook.models.clock import db_now
from django_genlook.models.leases import Leased, LeasedQuerySet

EDITORIAL = ("external_id", "title", "description", "is_enabled")


class ProductQuerySet(LeasedQuerySet["Product"]):
    """Products by how they stand towards Genlook."""

    def out_of_step(self) -> Self:
        """Products whose newest revision Genlook has not confirmed."""
        return self.filter(revision__gt=F("synced_revision"))

    def parked(self) -> Self:
        """Products that wait for a person: their newest revision was refused."""
        return self.out_of_step().filter(revision=F("parked_revision"))

    def waiting(self) -> Self:
        """Products that will be sent without anybody's doing, now or later."""
        return self.out_of_step().filter(revision__gt=F("parked_revision"))

    def due(self) -> Self:
        """Products that a worker may take up now."""
        return self.waiting().ready()


class Product(Leased):
    """One product as Genlook should know it: the mirror of a shop's own row (``source``), or a product of its own.

    The row is its own outbox. ``revision`` grows with each change, ``synced_revision`` is the newest one that Genlook
    confirmed, ``parked_revision`` the newest one that was refused for good.
    """

    source = models.CharField(
        _("source"), max_length=255, null=True, unique=True, editable=False,
        help_text=_("The shop's own product: its model and key. Empty for a product that is kept here."),
    )  # fmt: skip
    external_id = models.CharField(
        _("external id"), max_length=255, null=True, unique=True,
        help_text=_("What Genlook knows the product by, such as its SKU."),
    )  # fmt: skip
    title = models.CharField(_("title"), max_length=500, blank=True)
    description = models.TextField(_("description"), blank=True)
    is_enabled = models.BooleanField(_("offered for try-on"), default=True)
    is_deleted = models.BooleanField(_("deleted"), default=False, editable=False)
    revision = models.PositiveBigIntegerField(default=1, editable=False)
    synced_revision = models.PositiveBigIntegerField(default=0, editable=False)
    parked_revision = models.PositiveBigIntegerField(default=0, editable=False)
    fingerprint = models.CharField(max_length=64, blank=True, editable=False)
    parked_fingerprint = models.CharField(max_length=64, blank=True, editable=False)
    is_remote = models.BooleanField(default=False, editable=False)
    is_sent_as_bytes = models.BooleanField(default=False, editable=False)
    is_shrunk = models.BooleanField(default=False, editable=False)
    remote = models.JSONField(default=dict, blank=True, editable=False)
    synced_at = models.DateTimeField(_("last in step"), null=True, editable=False)
    created_at = models.DateTimeField(_("created"), default=db_now, editable=False)

    objects: ClassVar[ProductQuerySet] = ProductQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("product")
        verbose_name_plural = _("products")
        indexes = [models.Index(fields=["next_attempt_at"], name="genlook_product_due")]

    def __str__(self) -> str:
        return self.title or self.external_id or self.source or str(self.pk)

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Write the row; on an existing one only what a person edits, since a worker may be moving the rest."""
        self.external_id = self.external_id or None
        fields: tuple[str, ...] = EDITORIAL
        tombstone = self._tombstones().first()
        if tombstone is not None:
            # A DELETE may be on its way; what is sent of this product must come after it.
            self.next_attempt_at = tombstone.lease_until
            fields = (*EDITORIAL, "next_attempt_at")
        if not self._state.adding and kwargs.get("update_fields") is None:
            kwargs["update_fields"] = fields
        with transaction.atomic(using=router.db_for_write(Product)):
            if tombstone is not None:
                self._tombstones().update(revision=0)  # a transaction begins with its write
                self._tombstones().delete()
            super().save(*args, **kwargs)

    def validate_unique(self, exclude: Collection[str] | None = None) -> None:
        """Check as Django does, but that a deleted product no longer occupies its external id."""
        if self._tombstones().exists():
            exclude = {*(exclude or ()), "external_id"}
        super().validate_unique(exclude)

    def _tombstones(self) -> ProductQuerySet:
        return Product.objects.filter(external_id=self.external_id or None, is_deleted=True).exclude(pk=self.pk)

    @property
    def is_in_step(self) -> bool:
        """Whether Genlook confirmed the newest revision."""
        return self.synced_revision >= self.revision

    @property
    def is_parked(self) -> bool:
        """Whether the newest revision was refused and waits for a person."""
        return not self.is_in_step and self.parked_revision >= self.revision


class ProductImage(models.Model):
    """A picture of a product that is kept here, in the order Genlook gets them; the first is the primary one."""

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="images", verbose_name=_("product"))
    file = models.ImageField(_("picture"), upload_to="genlook/products/")
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    class Meta:
        verbose_name = _("product picture")
        verbose_name_plural = _("product pictures")
        ordering = ["position", "pk"]

    def __str__(self) -> str:
        return self.file.name or ""
