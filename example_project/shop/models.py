"""The shop's own catalogue; it knows nothing of try-on."""

from django.db import models
from django.urls import reverse


class Category(models.TextChoices):
    """The shelves of the shop."""

    TOPS = "tops", "Tops"
    DRESSES = "dresses", "Dresses"
    JACKETS = "jackets", "Jackets"


class Product(models.Model):
    """A garment that the shop sells."""

    name = models.CharField(max_length=120)
    slug = models.SlugField(unique=True)
    sku = models.CharField("SKU", max_length=40, unique=True)
    category = models.CharField(max_length=10, choices=Category, default=Category.TOPS)
    description = models.TextField(blank=True, help_text="May contain HTML.")
    price = models.DecimalField(max_digits=8, decimal_places=2)
    is_public = models.BooleanField("on sale", default=True)
    position = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["position", "pk"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("shop:product", kwargs={"slug": self.slug})

    @property
    def cover(self) -> "ProductImage | None":
        """The first picture; reads what was prefetched."""
        return next(iter(self.images.all()), None)


class ProductImage(models.Model):
    """A picture of a product; the first is the one that is tried on."""

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="images")
    original = models.ImageField(upload_to="products/", width_field="width", height_field="height")
    alt = models.CharField("description for people who do not see it", max_length=200, blank=True)
    width = models.PositiveIntegerField(default=0, editable=False)
    height = models.PositiveIntegerField(default=0, editable=False)
    position = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["position", "pk"]

    def __str__(self) -> str:
        return self.alt or str(self.original)
