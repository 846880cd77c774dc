"""The list of products, the page of one, and what may be done there."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from django_genlook.adapters import registered
from django_genlook.exceptions import CODES
from django_genlook.models import Photo, Product
from django_genlook.models.clock import ahead
from tests.admin.conftest import messages_of, set_columns, words_of

LIST = "/admin/genlook/product/"


def change(row: Product) -> str:
    return f"{LIST}{row.pk}/change/"


STATES: dict[str, tuple[dict[str, Any], str]] = {
    "in-step": ({}, "In step"),
    "waiting": ({"revision": 9, "error_code": "INTERNAL_ERROR"}, "Genlook had an internal error."),
    "parked": (
        {"revision": 9, "parked_revision": 9, "error_code": "PRODUCT_IMAGES_REQUIRED"},
        "The product has no picture.",
    ),
    "tombstone": ({"revision": 9, "is_deleted": True}, "Will be deleted at Genlook"),
    "disabled": ({"is_enabled": False}, "Not offered"),
}


@pytest.mark.parametrize("state", STATES)
def test_the_list_says_in_words_how_a_product_stands(
    state: str, own_product: Callable[..., Product], admin_client: Browser
) -> None:
    columns, words = STATES[state]
    own_product(**columns)

    page = words_of(admin_client.get(LIST))

    row = page[page.index("<tbody>") : page.index("</tbody>")]
    assert f"gl-state gl-{state}" in row
    assert words in row


@pytest.mark.parametrize("state", STATES)
def test_the_filter_shows_the_products_of_one_state_and_no_others(
    state: str, own_product: Callable[..., Product], admin_client: Browser
) -> None:
    rows = {name: own_product(**columns) for name, (columns, _) in STATES.items()}

    answer = admin_client.get(LIST, {"state": state})

    assert [row.pk for row in answer.context["cl"].result_list] == [rows[state].pk]


def test_the_filter_ignores_a_state_that_is_none(own_product: Callable[..., Product], admin_client: Browser) -> None:
    own_product()
    assert len(admin_client.get(LIST, {"state": "<b>"}).context["cl"].result_list) == 1


def test_a_waiting_product_says_when_it_is_tried_next(
    own_product: Callable[..., Product], admin_client: Browser
) -> None:
    own_product(revision=9, next_attempt_at=ahead(190))
    assert "Next try in 3\xa0minutes." in words_of(admin_client.get(LIST))


def test_a_waiting_product_says_what_holds_it_back(
    own_product: Callable[..., Product], admin_client: Browser, settings: Any
) -> None:
    settings.GENLOOK = {"API_KEY": ""}
    own_product(revision=9)
    assert "Held back: No API key is configured." in words_of(admin_client.get(LIST))


def test_a_product_that_a_worker_is_sending_says_so(own_product: Callable[..., Product], admin_client: Browser) -> None:
    own_product(revision=9, lease_until=ahead(30))
    assert "Being sent right now." in words_of(admin_client.get(LIST))


def test_a_deletion_that_genlook_refuses_needs_attention(
    own_product: Callable[..., Product], admin_client: Browser
) -> None:
    own_product(revision=9, parked_revision=9, is_deleted=True, error_code="FORBIDDEN")
    page = words_of(admin_client.get(LIST))
    assert "Cannot be deleted at Genlook" in page
    assert str(CODES["FORBIDDEN"].cause) in page


def test_pictures_are_shown_of_the_shops_products_and_of_those_kept_here(
    make_product: Callable[..., Any], own_product: Callable[..., Product], admin_client: Browser
) -> None:
    shops, own = make_product(), own_product(images=1)

    page = words_of(admin_client.get(LIST))

    assert f'src="{shops.images.first().original.url}"' in page
    assert f'src="{own.images.get().file.url}"' in page


def test_a_mirror_that_was_never_sent_shows_the_shops_title(
    make_product: Callable[..., Any], admin_client: Browser
) -> None:
    make_product(name="Linen shirt")
    assert "Linen shirt" in words_of(admin_client.get(LIST))


@pytest.mark.parametrize("method", ["get_queryset", "read"])
def test_a_broken_adapter_costs_the_preview_and_not_the_page(
    method: str, make_product: Callable[..., Any], admin_client: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: object) -> None:
        raise RuntimeError("the shop's own mistake")

    make_product()
    row = Product.objects.get()
    (adapter,) = registered().values()
    monkeypatch.setattr(adapter, method, broken)

    for address in (LIST, change(row), f"{LIST}try-on/?ids={row.pk}"):
        assert admin_client.get(address).status_code == 200


def test_a_storage_without_addresses_costs_the_preview_and_not_the_page(
    own_product: Callable[..., Product], admin_client: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: object) -> str:
        raise OSError("the storage is down")

    row = own_product(images=2)
    monkeypatch.setattr(storages["default"], "url", broken)

    for address in (LIST, change(row), f"{LIST}try-on/?ids={row.pk}"):
        assert admin_client.get(address).status_code == 200


def test_an_address_that_is_no_web_address_is_not_shown(
    make_product: Callable[..., Any], admin_client: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_product()
    (adapter,) = registered().values()
    monkeypatch.setattr(adapter, "images", lambda obj: ["javascript:alert(1)"])
    assert "javascript:alert" not in words_of(admin_client.get(LIST))


def test_the_queries_of_the_list_do_not_grow_with_it(
    make_product: Callable[..., Any],
    own_product: Callable[..., Product],
    admin_client: Browser,
    django_assert_num_queries: Any,
) -> None:
    def fill(count: int) -> None:
        for _ in range(count):
            make_product()
            own_product(images=2)

    fill(1)
    with CaptureQueriesContext(connection) as few:
        admin_client.get(LIST)
    fill(8)
    with django_assert_num_queries(len(few.captured_queries)):
        answer = admin_client.get(LIST)
    assert len(answer.context["cl"].result_list) == 18


def test_words_from_outside_are_text_and_never_markup(
    parked: Product, model_photo: Callable[..., Photo], admin_client: Browser
) -> None:
    model_photo("<script>alert('label')</script>")
    set_columns(parked, {"remote": {"title": "</pre><script>alert('remote')</script>"}})

    for address in (LIST, change(parked), f"{LIST}try-on/?ids={parked.pk}"):
        page = words_of(admin_client.get(address))
        assert "&lt;script&gt;alert(&#x27;title&#x27;)" in page
        for markup in ("<script>alert", "<img src=x", "<b>title"):
            assert markup not in page


def test_the_page_of_a_parked_product_says_cause_remedy_and_genlooks_own_words(
    parked: Product, admin_client: Browser
) -> None:
    page = words_of(admin_client.get(change(parked)))

    problem = CODES["VALIDATION_FAILED"]
    for words in (problem.cause, problem.remedy, "VALIDATION_FAILED", "alert(&#x27;vendor&#x27;)", "onerror=alert(1)"):
        assert str(words) in page


def test_the_page_of_a_waiting_product_says_how_often_it_was_tried(
    own_product: Callable[..., Product], admin_client: Browser
) -> None:
    row = own_product(revision=9, attempts=3, error_code="not_sent", next_attempt_at=ahead(130))
    page = words_of(admin_client.get(change(row)))
    assert "Tried 3 times." in page
    assert "Next try in 2\xa0minutes." in page


def test_the_page_shows_what_genlook_holds(own_product: Callable[..., Product], admin_client: Browser) -> None:
    row = own_product(remote={"externalId": "OWN-0", "title": "As sent"})
    assert "As sent" in words_of(admin_client.get(change(row)))


# --- mirrors ------------------------------------------------------------------------------------------------------


def test_a_mirror_is_read_only_and_leads_to_the_shops_own_page(
    make_product: Callable[..., Any], admin_client: Browser
) -> None:
    shops = make_product(name="Linen shirt", images=2)
    row = Product.objects.get()

    page = words_of(admin_client.get(change(row)))

    assert reverse("admin:shop_product_change", args=[shops.pk]) in page
    for picture in shops.images.all():
        assert picture.original.url in page
    assert 'name="title"' not in page
    assert 'type="file"' not in page
    assert admin_client.post(change(row), {"external_id": "X", "title": "Mine"}).status_code == 403


def test_staff_who_may_not_see_the_shops_products_get_no_link_to_them(
    make_product: Callable[..., Any], staff: Callable[..., Browser]
) -> None:
    shops = make_product(name="Linen shirt")

    page = words_of(staff("genlook.view_product").get(change(Product.objects.get())))

    assert reverse("admin:shop_product_change", args=[shops.pk]) not in page
    assert "Linen shirt" in page


def test_a_mirror_can_only_be_deleted_in_the_shop(make_product: Callable[..., Any], admin_client: Browser) -> None:
    make_product()
    row = Product.objects.get()

    assert admin_client.post(f"{LIST}{row.pk}/delete/", {"post": "yes"}).status_code == 403
    answer = admin_client.post(LIST, {"action": "delete_selected", "_selected_action": row.pk}, follow=True)

    assert "1 product cannot be deleted here: it mirrors the shop's own catalogue" in messages_of(answer)
    assert Product.objects.filter(pk=row.pk).exists()


def test_deleting_selected_products_takes_those_kept_here_and_leaves_mirrors(
    make_product: Callable[..., Any], own_product: Callable[..., Product], admin_client: Browser
) -> None:
    make_product()
    mirror, own = Product.objects.get(), own_product()
    form = {"action": "delete_selected", "_selected_action": [mirror.pk, own.pk], "post": "yes"}

    admin_client.post(LIST, form)

    assert Product.objects.filter(pk=mirror.pk).exists()
    assert not Product.objects.filter(pk=own.pk).exists()


def test_a_tombstone_can_be_neither_changed_nor_deleted(
    own_product: Callable[..., Product], admin_client: Browser
) -> None:
    row = own_product(is_deleted=True, revision=9)

    assert admin_client.post(f"{LIST}{row.pk}/delete/", {"post": "yes"}).status_code == 403
    assert admin_client.post(change(row), {"external_id": "X"}).status_code == 403
    assert "as soon as Genlook has deleted it too" in words_of(admin_client.get(change(row)))


# --- products that are kept here ----------------------------------------------------------------------------------


def form_of(row: Product | None = None, picture: bytes | None = None, **fields: str) -> dict[str, Any]:
    form: dict[str, Any] = {
        "external_id": row.external_id if row else "NEW-1",
        "title": row.title if row else "New",
        "description": "",
        "is_enabled": "on",
        "images-TOTAL_FORMS": "1" if picture else "0",
        "images-INITIAL_FORMS": "0",
        **fields,
    }
    if picture:
        form |= {"images-0-file": ContentFile(picture, name="new.png"), "images-0-position": "0"}
    if picture and row:
        form["images-0-product"] = row.pk
    return form


def test_a_product_with_its_picture_can_be_added_here_and_is_due(garment: bytes, admin_client: Browser) -> None:
    answer = admin_client.post(f"{LIST}add/", form_of(picture=garment))

    row = Product.objects.get(external_id="NEW-1")
    assert answer.status_code == 302
    assert row.images.count() == 1
    assert Product.objects.due().filter(pk=row.pk).exists()


def test_a_product_that_is_changed_here_is_due_again(
    garment: bytes, own_product: Callable[..., Product], admin_client: Browser
) -> None:
    row = own_product()

    admin_client.post(change(row), form_of(row, picture=garment, title="Another title"))

    row.refresh_from_db()
    assert (row.title, row.images.count()) == ("Another title", 1)
    assert Product.objects.due().filter(pk=row.pk).exists()


@pytest.mark.parametrize(
    ("external_id", "code"),
    [("_anon_1", "RESERVED_EXTERNAL_ID"), ("/slash", "external_id_invalid"), ("..", "external_id_invalid")],
)
def test_an_id_that_genlook_would_refuse_is_refused_in_the_form(
    external_id: str, code: str, admin_client: Browser
) -> None:
    answer = admin_client.post(f"{LIST}add/", form_of(external_id=external_id))

    assert answer.status_code == 200
    assert str(CODES[code].remedy) in words_of(answer)
    assert not Product.objects.exists()


def test_an_id_of_another_product_is_refused_in_the_form(
    own_product: Callable[..., Product], admin_client: Browser
) -> None:
    taken = own_product()
    answer = admin_client.post(f"{LIST}add/", form_of(external_id=taken.external_id or ""))
    assert "already exists" in words_of(answer)
    assert Product.objects.count() == 1


def test_a_product_that_is_deleted_here_leaves_a_tombstone(
    own_product: Callable[..., Product], admin_client: Browser
) -> None:
    row = own_product()

    admin_client.post(f"{LIST}{row.pk}/delete/", {"post": "yes"})

    assert Product.objects.get(external_id=row.external_id).is_deleted


# --- sending ------------------------------------------------------------------------------------------------------


def test_sending_now_marks_each_chosen_product_and_says_so(
    own_product: Callable[..., Product], parked: Product, admin_client: Browser
) -> None:
    rows = [own_product(), own_product(), parked]
    form = {"action": "send_now", "_selected_action": [row.pk for row in rows]}

    answer = admin_client.post(LIST, form, follow=True)

    assert "3 products will be sent to Genlook" in messages_of(answer)
    assert Product.objects.due().count() == 3


def test_sending_many_products_takes_no_more_queries_than_sending_two(
    own_product: Callable[..., Product], admin_client: Browser, django_assert_num_queries: Any
) -> None:
    def send() -> None:
        keys = list(Product.objects.values_list("pk", flat=True))
        admin_client.post(LIST, {"action": "send_now", "_selected_action": keys})

    for _ in range(2):
        own_product()
    with CaptureQueriesContext(connection) as few:
        send()
    for _ in range(20):
        own_product()
    with django_assert_num_queries(len(few.captured_queries)):
        send()


def test_sending_without_a_key_warns_that_nothing_leaves(
    own_product: Callable[..., Product], admin_client: Browser, settings: Any
) -> None:
    settings.GENLOOK = {"API_KEY": ""}
    row = own_product()

    answer = admin_client.post(LIST, {"action": "send_now", "_selected_action": row.pk}, follow=True)

    assert f"{CODES['MISSING_API_KEY'].cause} {CODES['MISSING_API_KEY'].remedy}" in messages_of(answer)
    assert Product.objects.due().filter(pk=row.pk).exists()


def test_one_product_can_be_sent_from_its_own_page(parked: Product, admin_client: Browser) -> None:
    address = f"{LIST}{parked.pk}/send/"
    assert f'action="{address}"' in words_of(admin_client.get(change(parked)))

    answer = admin_client.post(address, follow=True)

    assert answer.redirect_chain == [(change(parked), 302)]
    assert "1 product will be sent" in messages_of(answer)
    assert Product.objects.due().filter(pk=parked.pk).exists()


def test_sending_needs_a_post_and_a_product(own_product: Callable[..., Product], admin_client: Browser) -> None:
    row = own_product()
    assert admin_client.get(f"{LIST}{row.pk}/send/").status_code == 405
    for missing in ("9999", "9" * 25):
        assert admin_client.post(f"{LIST}{missing}/send/").status_code == 404
    assert not Product.objects.due().exists()


def test_sending_needs_its_permission(parked: Product, staff: Callable[..., Browser]) -> None:
    viewer = staff("genlook.view_product")

    assert "send_now" not in words_of(viewer.get(LIST))
    assert f"{parked.pk}/send/" not in words_of(viewer.get(change(parked)))
    assert viewer.post(f"{LIST}{parked.pk}/send/").status_code == 403
    viewer.post(LIST, {"action": "send_now", "_selected_action": parked.pk})
    assert not Product.objects.due().exists()


def test_staff_with_the_permission_to_change_may_send_a_mirror(
    make_product: Callable[..., Any], staff: Callable[..., Browser]
) -> None:
    make_product()
    row = Product.objects.get()
    set_columns(row, {"synced_revision": row.revision})

    staff("genlook.view_product", "genlook.change_product").post(f"{LIST}{row.pk}/send/")

    assert Product.objects.due().filter(pk=row.pk).exists()
