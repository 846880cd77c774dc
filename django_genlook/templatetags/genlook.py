"""``{% load genlook %}{% genlook_try_on product %}``: the button that lets a shopper try a product on."""

from typing import Any

from django import template
from django.core.exceptions import ImproperlyConfigured
from django.db.models import Model
from django.templatetags.static import static
from django.urls import NoReverseMatch, reverse

from django_genlook import adapters
from django_genlook.conf import get_config
from django_genlook.templatetags.texts import texts

register = template.Library()

MODULES = ("api", "photo", "watch", "flow", "dialog")


@register.inclusion_tag("genlook/try_on.html")
def genlook_try_on(product: Model, *, title: str = "", picture: str = "", gallery_url: str = "") -> dict[str, Any]:
    """Render the try-on button of ``product``: a row of the shop's own model, or a ``django_genlook.models.Product``.

    It renders nothing for a product that cannot be tried on: without an id, or switched off by its adapter or by
    ``ENABLED``. It reads neither cookie nor session, so the page around it may be cached for everybody.

    ``title`` (the product's name) and ``picture`` (the address of a small picture of it) make the window nicer;
    ``gallery_url`` is the address of the shop's page "my try-ons". Raises ``LookupError`` when the model has no
    adapter, ``ImproperlyConfigured`` when the API's addresses are not mounted.
    """
    config = get_config()
    external_id = adapters.external_id_of(product)
    if not (config.ENABLED and external_id and _is_offered(product)):
        return {"settings": None}
    return {
        "external_id": external_id,
        "stylesheet": static("genlook/try-on.css"),
        "module": static("genlook/try-on.js"),
        "settings": {
            "product": {"id": external_id, "title": title, "picture": picture},
            "urls": {**_addresses(external_id), "gallery": gallery_url},
            # By name, since a manifest storage renames files and rewrites no dynamic import.
            "files": {"styles": static("genlook/element.css")}
            | {name: static(f"genlook/{name}.js") for name in MODULES},
            "texts": texts(config.KEEP_DAYS),
        },
    }


def _is_offered(product: Model) -> bool:
    adapter = adapters.adapter_for(type(product))
    return adapter.is_enabled(product) if adapter else bool(getattr(product, "is_enabled", True))


def _addresses(external_id: str) -> dict[str, str]:
    try:
        return {
            "product": reverse("genlook:product", kwargs={"external_id": external_id}),
            "photos": reverse("genlook:photos"),
            "try_ons": reverse("genlook:try-ons"),
        }
    except NoReverseMatch as problem:
        raise ImproperlyConfigured(
            'The try-on button needs the API: add path("genlook/", include("django_genlook.api.urls")) to your urls.py.'
        ) from problem
