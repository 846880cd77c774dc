"""Where staff keep the catalogue."""

from typing import TYPE_CHECKING

from django.contrib import admin
from django.utils.html import format_html

from example_project.shop.models import Product, ProductImage

if TYPE_CHECKING:
    ImageInline = admin.TabularInline[ProductImage, Product]
    ProductAdminBase = admin.ModelAdmin[Product]
else:
    ImageInline = admin.TabularInline
    ProductAdminBase = admin.ModelAdmin


class ProductImageInline(ImageInline):
    """A product's pictures, the first of which is tried on."""

    model = ProductImage
    extra = 0
    fields = ["original", "alt", "position"]


@admin.register(Product)
class ProductAdmin(ProductAdminBase):
    """A change here reaches Genlook by itself."""

    list_display = ["picture", "name", "sku", "category", "price", "is_public"]
    list_display_links = ["picture", "name"]
    list_filter = ["category", "is_public"]
    search_fields = ["name", "sku"]
    prepopulated_fields = {"slug": ["name"]}
    inlines = [ProductImageInline]

    @admin.display(description="")
    def picture(self, obj: Product) -> str:
        cover = obj.cover
        return format_html('<img src="{}" alt="" height="56">', cover.original.url) if cover else ""
