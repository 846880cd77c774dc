"""May this shopper try it on now? And the token that a POST needs."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from django.contrib.sessions.models import Session
from django.test import Client

from django_genlook.budgets import BreakerName, open_breaker
from django_genlook.models import Product, Shopper
from tests.api.conftest import SKU, Browser, refused

pytestmark = pytest.mark.django_db


def test_a_visitor_may_and_leaves_nothing_behind(guest: Browser) -> None:
    answer = guest.get(f"products/{SKU}/")
    assert answer.status_code == 200
    told = answer.json()
    assert told.pop("csrf_token")
    assert told == {"available": True, "remaining": 5}
    assert set(answer.cookies) == {"csrftoken"}
    assert not Shopper.objects.exists()
    assert not Session.objects.exists()


def test_the_token_it_returns_is_the_one_a_post_needs(guest: Browser, picture: Callable[..., bytes]) -> None:
    guest._token = "x" * 64
    refused(guest.upload(picture()), 403, "csrf_failed")
    guest._token = ""
    assert guest.upload(picture()).status_code == 201


def test_it_sets_the_cookie_even_where_the_shop_has_no_csrf_middleware(
    guest: Browser, picture: Callable[..., bytes], settings: Any
) -> None:
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "csrf" not in name]
    assert guest.upload(picture()).status_code == 201
    refused(Browser().client.post("/genlook/photos/"), 403, "csrf_failed")


def test_what_is_left_goes_down_with_each_try_on_to_a_clear_no(guest: Browser, settings: Any) -> None:
    settings.GENLOOK = {**settings.GENLOOK, "QUOTAS": {"guest": "2/d"}}
    for left in (1, 0):
        answer = guest.post_json("try-ons/", {"product": SKU, "photo": str(guest.has_photo().pk)})
        assert answer.status_code == 202
        told = guest.get(f"products/{SKU}/").json()
        assert told["remaining"] == left
    assert told["available"] is False
    assert told["code"] == "limit_reached"
    assert told["message"]


def test_each_kind_of_shopper_has_its_own_limit(guest: Browser, user: Browser, settings: Any) -> None:
    settings.GENLOOK = {**settings.GENLOOK, "QUOTAS": {"guest": "3/d", "user": "7/d", "staff": None}}
    assert guest.get(f"products/{SKU}/").json()["remaining"] == 3
    assert user.get(f"products/{SKU}/").json()["remaining"] == 7
    assert user.user is not None
    user.user.is_staff = True
    user.user.save()
    told = user.get(f"products/{SKU}/").json()
    assert told["available"]
    assert "remaining" not in told


def test_the_shops_budget_is_never_shown(guest: Browser, settings: Any) -> None:
    settings.GENLOOK = {**settings.GENLOOK, "CREDITS_PER_DAY": 3}
    assert guest.get(f"products/{SKU}/").json()["remaining"] == 5
    settings.GENLOOK = {**settings.GENLOOK, "CREDITS_PER_DAY": 0}
    told = guest.get(f"products/{SKU}/").json()
    assert (told["available"], told["code"]) == (False, "try_on_unavailable")
    assert "remaining" not in told


@pytest.mark.parametrize("why", ["no key", "switched off", "guests off", "no storage", "auth breaker", "no credits"])
def test_while_nothing_can_be_taken_in_it_says_so_and_both_posts_are_503(
    guest: Browser, picture: Callable[..., bytes], settings: Any, why: str
) -> None:
    photo = guest.has_photo()
    guest.headers()
    match why:
        case "no key":
            settings.GENLOOK = {**settings.GENLOOK, "API_KEY": ""}
        case "switched off":
            settings.GENLOOK = {**settings.GENLOOK, "ENABLED": False}
        case "guests off":
            settings.GENLOOK = {**settings.GENLOOK, "GUESTS": False}
        case "no storage":
            settings.GENLOOK = {**settings.GENLOOK, "STORAGE": "nowhere"}
        case "auth breaker":
            open_breaker(BreakerName.AUTH, "INVALID_API_KEY")
        case "no credits":
            open_breaker(BreakerName.CREDITS, "INSUFFICIENT_CREDITS")
    told = guest.get(f"products/{SKU}/")
    assert told.status_code == 200
    assert (told.json()["available"], told.json()["code"]) == (False, "try_on_unavailable")
    assert "remaining" not in told.json()
    stranger = Browser()
    for answer in (
        guest.upload(picture()),
        guest.post_json("try-ons/", {"product": SKU, "photo": str(photo.pk)}),
        stranger.upload(b"x"),
        stranger.post_json("try-ons/", {}),
    ):
        refused(answer, 503, "try_on_unavailable")
        assert int(answer["Retry-After"]) >= 1
    assert guest.get(f"photos/{photo.pk}/").status_code == 200
    assert Shopper.objects.count() == 1


def test_where_guests_may_not_a_user_may(user: Browser, settings: Any) -> None:
    settings.GENLOOK = {**settings.GENLOOK, "GUESTS": False}
    assert user.get(f"products/{SKU}/").json()["available"]


def test_a_product_that_genlook_never_took_cannot_be_tried_on(guest: Browser, product: Product) -> None:
    Product.objects.filter(pk=product.pk).update(is_remote=False, revision=2, parked_revision=2)
    told = guest.get(f"products/{SKU}/").json()
    assert (told["available"], told["code"]) == (False, "product_problem")


@pytest.mark.parametrize("gone", [{"is_deleted": True}, {"is_enabled": False}, {"external_id": None}])
def test_a_product_that_is_not_offered_is_not_found(guest: Browser, product: Product, gone: Any) -> None:
    Product.objects.filter(pk=product.pk).update(**gone)
    refused(guest.get(f"products/{SKU}/"), 404, "not_found")


@pytest.mark.parametrize("external_id", ["a/b", "Größe 42", "a?b#c", "50%", "x" * 255, "a+b", "“quoted” \\ back"])
def test_any_id_that_a_shop_may_use_finds_its_product(product: Product, external_id: str) -> None:
    Product.objects.create(external_id=external_id)
    answer = Client().get(f"/genlook/products/{quote(external_id)}/")
    assert answer.status_code == 200, answer.content
