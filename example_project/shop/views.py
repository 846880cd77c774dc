"""The pages of the shop."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe

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
    return render(request, "shop/home.html", {"products": products, "shelves": Category.choices, "shelf": shelf})


@require_safe
def product(request: HttpRequest, slug: str) -> HttpResponse:
    """One garment, to be tried on."""
    on_sale = Product.objects.filter(is_public=True).prefetch_related("images")
    garment = get_object_or_404(on_sale, slug=slug)
    others = on_sale.filter(category=garment.category).exclude(pk=garment.pk)[:4]
    return render(request, "shop/product.html", {"product": garment, "others": others})


@require_safe
@ensure_csrf_cookie
def my_try_ons(request: HttpRequest) -> HttpResponse:
    """The shopper's own pictures, which the page asks the app for by itself."""
    titles = {sku: [name, slug] for sku, name, slug in Product.objects.values_list("sku", "name", "slug")}
    return render(request, "shop/my_try_ons.html", {"titles": titles})
