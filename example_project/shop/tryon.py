"""Describes the shop's products to django-genlook, which finds this file by itself."""

from django.db.models import QuerySet

from django_genlook.adapters import ProductAdapter, register
from example_project.shop.models import Product


@register("shop.Product")
class ProductTryOn(ProductAdapter):
    """A garment on sale can be tried on, with its first picture."""

    external_id = "sku"
    title = "name"
    description = "description"
    images = "images.original"
    watch = ["images"]

    def is_enabled(self, obj: Product) -> bool:
        return obj.is_public

    def get_queryset(self) -> QuerySet[Product]:
        return Product.objects.prefetch_related("images")
