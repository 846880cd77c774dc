"""The pages of the shop."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.templatetags.static import static
from django.views.decorators.http import require_safe

from django_genlook.conf import get_config
from example_project.shop.models import Category, Product


@require_safe
def product_list(request: HttpRequest) -> HttpResponse:
    """All garments on sale, or one shelf of them."""
    shelf = request.GET.get("shelf", "")
    products = Product.objects.filter(is_public=True).prefetch_related("images")
    if shelf in Category.values:
        products = products.filter(category=shelf)
    else:
        shelf = ""
    heading = Category(shelf).label if shelf else "Clothes for ordinary days"
    return render(request, "shop/home.html", {"products": products, "heading": heading, "shelf": shelf})


@require_safe
def product(request: HttpRequest, slug: str) -> HttpResponse:
    """One garment, to be tried on."""
    on_sale = Product.objects.filter(is_public=True).prefetch_related("images")
    garment = get_object_or_404(on_sale, slug=slug)
    others = on_sale.filter(category=garment.category).exclude(pk=garment.pk)[:4]
    return render(request, "shop/product.html", {"product": garment, "others": others})


@require_safe
def my_try_ons(request: HttpRequest) -> HttpResponse:
    """The shopper's own pictures, which the page asks the app for by itself."""
    products = {item.sku: {"name": item.name, "url": item.get_absolute_url()} for item in Product.objects.all()}
    return render(request, "shop/my_try_ons.html", {"products": products, "keep_days": get_config().KEEP_DAYS})


@require_safe
def icon(request: HttpRequest) -> HttpResponse:
    """Where the shop's icon is."""
    return redirect(static("shop/leaf.svg"))
