"""Whatever is missing or down, each page of the admin answers; whoever is no staff gets none of them."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client as Browser

from django_genlook import budgets
from django_genlook.budgets import BreakerName
from django_genlook.models import Generation, Photo, Product

TROUBLES: dict[str, dict[str, Any]] = {
    "no key": {"API_KEY": ""},
    "no storage": {"API_KEY": "gk_sandbox", "STORAGE": "nowhere"},
    "a storage that cannot be made": {"API_KEY": "gk_sandbox", "STORAGE": "broken"},
    "a storage whose files are gone": {"API_KEY": "gk_sandbox", "STORAGE": "empty"},
    "switched off": {"API_KEY": "gk_sandbox", "ENABLED": False},
    "no settings at all": {},
}


@pytest.fixture
def pages(
    make_product: Callable[..., Any],
    own_product: Callable[..., Product],
    parked: Product,
    model_photo: Callable[..., Photo],
    generation: Callable[..., Generation],
) -> list[str]:
    """Every page that staff can open, with something on it."""
    make_product()
    rows = [*Product.objects.filter(source__isnull=False), own_product(images=1), parked]
    photo, made = model_photo(), generation()
    failed = generation(status=Generation.Status.FAILED, result="", error_code="INTERNAL_ERROR")
    return [
        "/admin/",
        "/admin/genlook/",
        "/admin/genlook/product/",
        "/admin/genlook/product/add/",
        *(f"/admin/genlook/product/{row.pk}/change/" for row in rows),
        *(f"/admin/genlook/product/{row.pk}/history/" for row in rows),
        f"/admin/genlook/product/{rows[1].pk}/delete/",
        "/admin/genlook/product/try-on/?" + "&".join(f"ids={row.pk}" for row in rows),
        "/admin/genlook/generation/",
        *(f"/admin/genlook/generation/{row.pk}/change/" for row in (made, failed)),
        "/admin/genlook/photo/",
        "/admin/genlook/photo/add/",
        f"/admin/genlook/photo/{photo.pk}/change/",
        f"/admin/genlook/photo/{photo.pk}/delete/",
    ]


@pytest.mark.parametrize("trouble", TROUBLES)
def test_each_page_answers_with(trouble: str, pages: list[str], admin_client: Browser, settings: Any) -> None:
    settings.STORAGES = {
        **settings.STORAGES,
        "broken": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"no_such_option": True}},
        "empty": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": "/nonexistent/genlook"},
        },
    }
    settings.GENLOOK = TROUBLES[trouble]
    assert {address: admin_client.get(address).status_code for address in pages} == dict.fromkeys(pages, 200)


def test_each_page_answers_while_genlook_refuses_the_key_and_the_credits_are_gone(
    pages: list[str], admin_client: Browser
) -> None:
    budgets.open_breaker(BreakerName.AUTH, "INVALID_API_KEY")
    budgets.open_breaker(BreakerName.CREDITS, "INSUFFICIENT_CREDITS")
    assert {address: admin_client.get(address).status_code for address in pages} == dict.fromkeys(pages, 200)


def test_a_picture_that_is_gone_is_a_404(
    generation: Callable[..., Generation], model_photo: Callable[..., Photo], admin_client: Browser, settings: Any
) -> None:
    made, photo = generation(), model_photo()
    settings.GENLOOK = TROUBLES["no storage"]
    assert admin_client.get(f"/admin/genlook/generation/{made.pk}/picture/").status_code == 404
    assert admin_client.get(f"/admin/genlook/photo/{photo.pk}/picture/").status_code == 404


def test_the_words_of_every_page_can_be_translated(pages: list[str], admin_client: Browser) -> None:
    for address in pages:
        assert admin_client.get(address, headers={"Accept-Language": "de"}).status_code == 200


def test_whoever_is_no_staff_is_sent_to_the_login(pages: list[str], staff: Callable[..., Browser]) -> None:
    made, photo = Generation.objects.first(), Photo.objects.first()
    assert made is not None
    assert photo is not None
    pictures = [f"/admin/genlook/generation/{made.pk}/picture/", f"/admin/genlook/photo/{photo.pk}/picture/"]
    shopper = staff("genlook.view_product", "genlook.view_generation", "genlook.view_photo", is_staff=False)
    for browser in (Browser(), shopper):
        for address in [*pages, *pictures]:
            answer = browser.get(address)
            assert answer.status_code == 302
            assert answer.headers["Location"].startswith("/admin/login/")
