"""``manage.py load_catalogue``: fills the example shop."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import Any

from django.core.files.base import ContentFile
from django.core.management.base import BaseCommand
from django.db import transaction

from example_project.shop.catalogue import CATALOGUE
from example_project.shop.models import Product, ProductImage
from example_project.shop.wardrobe import GARMENTS


class Command(BaseCommand):
    """Adds what is missing; a product that is there already is left as staff edited it."""

    help = "Loads ten garments with pictures that are drawn on the spot. May be run again: it adds what is missing."

    def handle(self, *args: Any, **options: Any) -> None:
        there = {
            product.slug: product.cover
            for product in Product.objects.prefetch_related("images").filter(slug__in=[e.slug for e in CATALOGUE])
        }
        undrawn = [entry.slug for entry in CATALOGUE if not _has_picture(there.get(entry.slug))]
        pictures = _draw(undrawn)
        for position, entry in enumerate(CATALOGUE):
            with transaction.atomic():
                product, _ = Product.objects.get_or_create(
                    slug=entry.slug,
                    defaults={
                        "sku": entry.sku, "name": entry.name, "category": entry.category, "price": entry.price,
                        "description": entry.description, "position": position,
                    },
                )  # fmt: skip
                if entry.slug in pictures:
                    image = there.get(entry.slug) or ProductImage(product=product, alt=entry.alt)
                    image.original = ContentFile(pictures[entry.slug], name=f"{entry.slug}.jpg")
                    image.save()
        if options["verbosity"]:
            new = len(CATALOGUE) - len(there)
            self.stdout.write(f"{len(CATALOGUE)} products, {new} of them new, {len(undrawn)} pictures drawn.")


def _has_picture(image: ProductImage | None) -> bool:
    name = str(image.original) if image else ""
    return image is not None and name != "" and image.original.storage.exists(name)


def _draw(slugs: list[str]) -> Mapping[str, bytes]:
    """Draw side by side, since it is most of a first start; Pillow works without the interpreter lock."""
    with ThreadPoolExecutor() as pool:
        return dict(zip(slugs, pool.map(_draw_jpeg, slugs), strict=True))


def _draw_jpeg(slug: str) -> bytes:
    out = BytesIO()
    GARMENTS[slug]().save(out, "JPEG", quality=90, optimize=True, progressive=True)
    return out.getvalue()
