"""Remembers what was promised and how far it got."""

from django_genlook.models.counters import Account, Breaker, RequestSlot, Usage
from django_genlook.models.generation import Generation
from django_genlook.models.person import Photo, Shopper
from django_genlook.models.product import Product, ProductImage

__all__ = [
    "Account",
    "Breaker",
    "Generation",
    "Photo",
    "Product",
    "ProductImage",
    "RequestSlot",
    "Shopper",
    "Usage",
]
