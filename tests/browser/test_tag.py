"""``{% genlook_try_on product %}``, as the page that holds it sees it."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.template import Context, Template
from django.test import Client, override_settings
from django.utils import translation
from pytest_django import DjangoAssertNumQueries

from django_genlook.models import Product

pytestmark = pytest.mark.django_db

SOURCE = "{% load genlook %}{% genlook_try_on product title=title gallery_url='/mine/' %}"


def render(product: Any, title: str = "") -> str:
    return Template(SOURCE).render(Context({"product": product, "title": title}))


def settings_in(html: str) -> dict[str, Any]:
    """What the page hands to the element."""
    found = re.search(r'<script type="application/json">(.*?)</script>', html, re.DOTALL)
    assert found
    return dict(json.loads(found[1]))


def test_it_hands_the_element_all_it_needs(make_product: Callable[..., Any]) -> None:
    html = render(make_product(sku="A/1 ü"), "Shirt")
    given = settings_in(html)
    assert given["product"] == {"id": "A/1 ü", "title": "Shirt", "picture": ""}
    assert given["urls"] == {
        "product": "/genlook/products/A/1%20%C3%BC/",
        "photos": "/genlook/photos/",
        "try_ons": "/genlook/try-ons/",
        "gallery": "/mine/",
    }
    assert set(given["files"]) == {"styles", "api", "photo", "watch", "flow", "dialog"}
    assert '<script type="module" src="/static/genlook/try-on.js"></script>' in html
    assert "deleted after 7 days" in given["texts"]["kept"]


def test_every_text_that_the_scripts_use_is_handed_over_and_none_in_vain(make_product: Callable[..., Any]) -> None:
    folder = Path(__file__).resolve().parents[2] / "django_genlook/static/genlook"
    scripts = "".join((folder / f"{name}.js").read_text() for name in ("try-on", "api", "flow", "dialog"))
    used = set(re.findall(r"\b(?:t|texts)\??\.(\w+)", scripts)) | {"sending", "queued", "making"}
    assert used == set(settings_in(render(make_product()))["texts"])


def test_it_reads_no_cookie_no_session_and_no_row(
    make_product: Callable[..., Any], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    product = make_product()
    with django_assert_num_queries(0):
        render(product)


def test_a_product_page_can_be_cached_for_everybody(make_product: Callable[..., Any], client: Client) -> None:
    product = make_product()
    for url in ("/", product.get_absolute_url()):
        answer = client.get(url)
        assert b"<genlook-try-on" in answer.content
        assert not answer.cookies
        assert "Cookie" not in answer.get("Vary", "")


def test_it_needs_no_exception_from_a_strict_policy(make_product: Callable[..., Any]) -> None:
    html = render(make_product())
    assert " style=" not in html
    assert "<style" not in html
    assert not re.search(r"\son\w+=", html)
    for attributes in re.findall(r"<script([^>]*)>", html):
        assert "src=" in attributes or 'type="application/json"' in attributes


def test_what_a_shop_calls_its_products_is_never_markup(make_product: Callable[..., Any]) -> None:
    html = render(make_product(sku='"><script>alert(1)</script>'), "</script><script>alert(2)</script>")
    assert "<script>" not in html
    assert settings_in(html)["product"]["title"] == "</script><script>alert(2)</script>"


@pytest.mark.parametrize("fields", [{"is_public": False}, {"sku": ""}])
def test_what_cannot_be_tried_on_has_no_button(make_product: Callable[..., Any], fields: dict[str, Any]) -> None:
    assert render(make_product(**fields)).strip() == ""


def test_the_kill_switch_takes_the_button_away(make_product: Callable[..., Any], settings: Any) -> None:
    product = make_product()
    settings.GENLOOK = {**settings.GENLOOK, "ENABLED": False}
    assert render(product).strip() == ""


def test_the_text_follows_the_settings(make_product: Callable[..., Any], settings: Any) -> None:
    settings.GENLOOK = {**settings.GENLOOK, "KEEP_DAYS": 1}
    with translation.override("en"):
        assert "deleted after 1 day." in settings_in(render(make_product()))["texts"]["kept"]


def test_a_product_of_our_own_can_be_tried_on() -> None:
    assert settings_in(render(Product(external_id="OWN-1", title="Own")))["product"]["id"] == "OWN-1"
    assert render(Product(external_id="OWN-1", is_enabled=False)).strip() == ""


def test_a_model_without_an_adapter_is_a_mistake_that_is_told(django_user_model: Any) -> None:
    with pytest.raises(LookupError, match="adapter"):
        render(django_user_model(username="x"))


@override_settings(ROOT_URLCONF="tests.browser.no_urls")
def test_an_api_that_is_not_mounted_is_a_mistake_that_is_told(make_product: Callable[..., Any]) -> None:
    with pytest.raises(ImproperlyConfigured, match=r'include\("django_genlook.api.urls"\)'):
        render(make_product())


def test_hashed_file_names_reach_the_element(make_product: Callable[..., Any], settings: Any, tmp_path: Path) -> None:
    settings.STATIC_ROOT = tmp_path
    backend = "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": backend}}
    call_command("collectstatic", verbosity=0, interactive=False)
    for url in settings_in(render(make_product()))["files"].values():
        assert re.fullmatch(r"/static/genlook/\w+\.[0-9a-f]{12}\.(js|css)", url)
        assert (tmp_path / url.removeprefix("/static/")).is_file()
