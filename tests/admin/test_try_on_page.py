"""Trying products on with model photos: who may, what it costs, and that nobody pays a price they have not seen."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client as Browser

from django_genlook import budgets
from django_genlook.budgets import BreakerName
from django_genlook.exceptions import CODES
from django_genlook.models import Account, Generation, Photo, Product
from django_genlook.models.clock import ahead
from tests.admin.conftest import messages_of, words_of

LIST = "/admin/genlook/product/"
PAGE = f"{LIST}try-on/"
MAY_START = ("genlook.view_product", "genlook.add_generation", "genlook.view_generation", "genlook.view_photo")


def page_for(*rows: Product) -> str:
    return PAGE + "?" + "&".join(f"ids={row.pk}" for row in rows)


def form(products: list[Product], photos: list[Photo], price: int | None) -> dict[str, Any]:
    shown = {} if price is None else {"price": price}
    return {"products": [row.pk for row in products], "photos": [photo.pk for photo in photos], **shown}


def test_the_action_leads_to_the_page_with_the_chosen_products(
    own_product: Callable[..., Product], model_photo: Callable[..., Photo], admin_client: Browser
) -> None:
    rows = [own_product(), own_product()]
    model_photo()
    own_product(title="Not chosen")

    answer = admin_client.post(LIST, {"action": "try_on", "_selected_action": [row.pk for row in rows]}, follow=True)

    assert answer.redirect_chain[0][0].startswith(PAGE)
    page = words_of(answer)
    assert all(row.title in page for row in rows)
    assert "Not chosen" not in page


def test_more_products_than_fit_on_a_page_are_refused_in_words(
    own_product: Callable[..., Product], admin_client: Browser
) -> None:
    keys = [own_product().pk for _ in range(51)]
    answer = admin_client.post(LIST, {"action": "try_on", "_selected_action": keys}, follow=True)
    assert "Choose 50 products at most." in messages_of(answer)


def test_staff_who_may_not_start_try_ons_neither_see_nor_reach_it(
    own_product: Callable[..., Product], model_photo: Callable[..., Photo], staff: Callable[..., Browser]
) -> None:
    row, photo = own_product(), model_photo()
    browser = staff("genlook.view_product", "genlook.change_product", "genlook.view_generation", "genlook.view_photo")

    assert 'value="try_on"' not in words_of(browser.get(LIST))
    assert PAGE not in words_of(browser.get(f"{LIST}{row.pk}/change/"))
    assert browser.get(page_for(row)).status_code == 403
    assert browser.post(page_for(row), form([row], [photo], 1)).status_code == 403
    browser.post(LIST, {"action": "try_on", "_selected_action": row.pk})
    assert not Generation.objects.exists()


def test_the_permission_to_start_alone_does_not_show_products(
    own_product: Callable[..., Product], staff: Callable[..., Browser]
) -> None:
    assert staff("genlook.add_generation").get(page_for(own_product())).status_code == 403


def test_the_page_says_the_price_the_balance_with_its_age_and_what_the_budget_allows(
    own_product: Callable[..., Product], model_photo: Callable[..., Photo], admin_client: Browser, settings: Any
) -> None:
    settings.GENLOOK = {"API_KEY": "gk_sandbox", "CREDITS_PER_DAY": 64}
    Account.objects.filter(pk=budgets.account().pk).update(credit_balance=421, balance_at=ahead(-190))
    rows = [own_product(), own_product(), own_product()]
    model_photo()

    page = words_of(admin_client.get(page_for(*rows)))

    assert "<output data-price>3</output>" in page
    assert "421" in page
    assert "3\xa0minutes ago" in page
    assert "<dd>64</dd>" in page


def test_one_try_on_is_started_for_each_product_with_each_photo(
    own_product: Callable[..., Product], model_photo: Callable[..., Photo], admin_client: Browser
) -> None:
    rows, photos = [own_product(), own_product()], [model_photo("Anna"), model_photo("Bea")]

    answer = admin_client.post(page_for(*rows), form([*rows, rows[0]], photos, 4), follow=True)

    assert answer.redirect_chain == [("/admin/genlook/generation/", 302)]
    assert "4 try-ons were started." in messages_of(answer)
    started = Generation.objects.all()
    assert {(row.product, row.photo) for row in started} == {(row, photo) for row in rows for photo in photos}
    assert {(row.origin, row.status) for row in started} == {("STAFF", "QUEUED")}
    assert all(row.requested_by == answer.context["user"] for row in started)


@pytest.mark.parametrize("shown", [None, 0, 1, 3])
def test_nothing_starts_at_a_price_that_was_not_shown(
    shown: int | None, own_product: Callable[..., Product], model_photo: Callable[..., Photo], admin_client: Browser
) -> None:
    rows, photo = [own_product(), own_product()], model_photo()

    answer = admin_client.post(page_for(*rows), form(rows, [photo], shown))

    assert "This costs 2 credits. Press again to start." in messages_of(answer)
    assert 'name="price" value="2"' in words_of(answer)
    assert not Generation.objects.exists()


def test_more_than_the_budget_allows_is_refused_before_anything_starts(
    own_product: Callable[..., Product], model_photo: Callable[..., Photo], admin_client: Browser, settings: Any
) -> None:
    settings.GENLOOK = {"API_KEY": "gk_sandbox", "CREDITS_PER_DAY": 1}
    rows, photo = [own_product(), own_product()], model_photo()

    answer = admin_client.post(page_for(*rows), form(rows, [photo], 2))

    assert "This costs 2 credits, but the shop's budget allows only 1 more now." in messages_of(answer)
    assert not Generation.objects.exists()


NOT_FIT: list[tuple[dict[str, Any], str]] = [
    ({"revision": 9, "parked_revision": 9, "error_code": "PRODUCT_IMAGES_REQUIRED"}, "The product has no picture."),
    ({"revision": 9}, "It is not in step with Genlook yet."),
    ({"is_enabled": False}, "It is not offered for try-on."),
    ({"is_deleted": True, "revision": 9}, "It is deleted."),
]


@pytest.mark.parametrize(("columns", "reason"), NOT_FIT)
def test_a_product_that_is_not_fit_cannot_be_chosen_and_says_why(
    columns: dict[str, Any],
    reason: str,
    own_product: Callable[..., Product],
    model_photo: Callable[..., Photo],
    admin_client: Browser,
) -> None:
    row, photo = own_product(**columns), model_photo()

    page = words_of(admin_client.get(page_for(row)))

    assert f'value="{row.pk}" disabled' in page
    assert reason in page
    answer = admin_client.post(page_for(row), form([row], [photo], 1))
    assert answer.status_code == 200
    assert not Generation.objects.exists()


def test_a_product_that_was_not_on_the_page_cannot_be_slipped_in(
    own_product: Callable[..., Product], model_photo: Callable[..., Photo], admin_client: Browser
) -> None:
    row, other, photo = own_product(), own_product(), model_photo()
    admin_client.post(page_for(row), form([other], [photo], 1))
    assert not Generation.objects.exists()


def test_a_shoppers_photo_is_neither_offered_nor_taken(
    own_product: Callable[..., Product],
    model_photo: Callable[..., Photo],
    shopper_photo: Photo,
    admin_client: Browser,
) -> None:
    row = own_product()
    model_photo()

    assert str(shopper_photo.pk) not in words_of(admin_client.get(page_for(row)))
    admin_client.post(page_for(row), form([row], [shopper_photo], 1))
    assert not Generation.objects.exists()


def test_a_model_photo_that_cannot_be_used_is_not_offered(
    own_product: Callable[..., Product], model_photo: Callable[..., Photo], admin_client: Browser
) -> None:
    model_photo("Good")
    model_photo("Broken", status=Photo.Status.REJECTED)
    page = words_of(admin_client.get(page_for(own_product())))
    assert "Good" in page
    assert "Broken" not in page


def test_without_model_photos_the_page_leads_to_adding_one(
    own_product: Callable[..., Product], admin_client: Browser
) -> None:
    page = words_of(admin_client.get(page_for(own_product())))
    assert "There is no model photo yet" in page
    assert 'href="/admin/genlook/photo/add/"' in page


@pytest.mark.parametrize("ids", ["", "?ids=9999", "?ids=x&ids=-1", "?ids=99999999999999999999999"])
def test_the_page_stands_any_choice_of_products(
    ids: str, model_photo: Callable[..., Photo], admin_client: Browser
) -> None:
    model_photo()
    answer = admin_client.get(PAGE + ids)
    assert answer.status_code == 200
    assert "No product is chosen." in words_of(answer)


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"products": "x", "photos": "y"},
        {"products": "1", "photos": "not-a-uuid", "price": "many"},
        {"products": "9" * 25, "photos": ["", "1"]},
    ],
)
def test_the_page_stands_any_form(
    wrong: dict[str, Any], own_product: Callable[..., Product], model_photo: Callable[..., Photo], admin_client: Browser
) -> None:
    model_photo()
    answer = admin_client.post(page_for(own_product()), wrong)
    assert answer.status_code == 200
    assert "errorlist" in words_of(answer)


def test_what_makes_try_on_unavailable_is_named(
    own_product: Callable[..., Product], model_photo: Callable[..., Photo], admin_client: Browser
) -> None:
    row, photo = own_product(), model_photo()
    budgets.open_breaker(BreakerName.CREDITS, "INSUFFICIENT_CREDITS")

    answer = admin_client.post(page_for(row), form([row], [photo], 1), follow=True)

    problem = CODES["INSUFFICIENT_CREDITS"]
    assert f"{problem.cause} {problem.remedy}" in messages_of(answer)
    assert [message.level for message in answer.context["messages"]] == [problem.level]
    assert not Generation.objects.exists()


def test_previews_of_model_photos_need_the_permission_to_see_photos(
    own_product: Callable[..., Product], model_photo: Callable[..., Photo], staff: Callable[..., Browser]
) -> None:
    row, photo = own_product(), model_photo()
    address = f"/admin/genlook/photo/{photo.pk}/picture/"
    assert address in words_of(staff(*MAY_START).get(page_for(row)))
    page = words_of(staff("genlook.view_product", "genlook.add_generation").get(page_for(row)))
    assert address not in page
    assert "Anna" in page


def test_staff_who_may_not_see_try_ons_come_back_to_the_products(
    own_product: Callable[..., Product], model_photo: Callable[..., Photo], staff: Callable[..., Browser]
) -> None:
    row, photo = own_product(), model_photo()
    browser = staff("genlook.view_product", "genlook.add_generation")

    answer = browser.post(page_for(row), form([row], [photo], 1), follow=True)

    assert answer.redirect_chain == [(LIST, 302)]
    assert "1 try-on was started." in messages_of(answer)


def test_the_page_brings_no_script_or_style_of_its_own_but_files(
    own_product: Callable[..., Product], model_photo: Callable[..., Photo], admin_client: Browser
) -> None:
    model_photo()
    page = words_of(admin_client.get(page_for(own_product())))
    assert '<script type="module" src="/static/genlook/admin-try-on.js"></script>' in page
    assert " style=" not in page
    assert "onclick" not in page
