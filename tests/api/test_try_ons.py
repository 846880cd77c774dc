"""Try-ons: started, watched, listed, looked at, deleted."""

from typing import Any

import pytest
from django.conf import settings
from django.core.files.storage import storages

from django_genlook.models import Generation, Photo, Product, Shopper, Usage
from django_genlook.models.clock import ahead
from django_genlook.models.storage import PrivateStorage
from tests.api.conftest import DAY, SKU, Browser, nobodys, refused

pytestmark = pytest.mark.django_db

Status = Generation.Status


def ask(browser: Browser, photo: Any, **changed: Any) -> Any:
    return browser.post_json("try-ons/", {"product": SKU, "photo": str(photo), **changed})


def test_a_try_on_is_accepted_with_where_and_when_to_look(guest: Browser) -> None:
    answer = ask(guest, guest.has_photo().pk)
    row = Generation.objects.get()
    assert answer.status_code == 202
    path = f"/genlook/try-ons/{row.pk}/"
    assert answer.json() == {"id": str(row.pk), "status": "QUEUED", "url": path, "retry_after": 1}
    assert (row.shopper, row.external_id, row.origin) == (guest.shopper, SKU, "SHOPPER")


def test_a_plain_form_starts_one_too(guest: Browser) -> None:
    answer = guest.post("try-ons/", {"product": SKU, "photo": str(guest.has_photo().pk)})
    assert answer.status_code == 202
    encoded = f"product={SKU}&photo={guest.has_photo().pk}"
    assert guest.post("try-ons/", encoded, content_type="application/x-www-form-urlencoded").status_code == 202


def test_it_may_be_asked_for_while_its_photo_is_still_queued(guest: Browser) -> None:
    assert ask(guest, guest.has_photo(status="QUEUED", expires_at=None).pk).status_code == 202


def test_a_double_click_is_one_try_on(guest: Browser) -> None:
    photo = guest.has_photo().pk
    first, second = ask(guest, photo), ask(guest, photo)
    assert second.status_code == 202
    assert first.json() == second.json()
    assert Generation.objects.count() == 1
    assert set(Usage.objects.values_list("used", flat=True)) == {1}


def test_an_equal_one_that_is_done_is_handed_back_without_a_credit(guest: Browser) -> None:
    photo = guest.has_photo()
    done = guest.has_try_on(Status.COMPLETED, photo=photo, sent_at=ahead(-5), finished_at=ahead(-1))
    answer = ask(guest, photo.pk)
    assert answer.status_code == 200
    assert answer.json() == {"id": str(done.pk), "status": "COMPLETED", "url": f"/genlook/try-ons/{done.pk}/"}
    assert Generation.objects.count() == 1


@pytest.mark.parametrize(
    "why", ["asked again", "product changed", "product out of step", "picture gone", "deleted", "failed"]
)
def test_a_new_one_is_started_when(guest: Browser, product: Product, why: str) -> None:
    photo = guest.has_photo()
    done = guest.has_try_on(Status.COMPLETED, photo=photo, sent_at=ahead(-5), finished_at=ahead(-1))
    rows, products = Generation.objects.filter(pk=done.pk), Product.objects.filter(pk=product.pk)
    match why:
        case "product changed":
            products.update(synced_at=ahead(-2))
        case "product out of step":
            products.update(revision=2)
        case "picture gone":
            rows.update(result="")
        case "deleted":
            rows.update(shopper=None)
        case "failed":
            rows.update(status=Status.FAILED, result="")
    answer = ask(guest, photo.pk, again=why == "asked again")
    assert answer.status_code == 202
    assert answer.json()["id"] != str(done.pk)


def test_what_the_user_made_as_a_guest_counts_as_theirs(user: Browser) -> None:
    as_guest = Shopper.objects.create(user=user.user)
    photo = Photo.objects.create(shopper=as_guest, status="READY", expires_at=ahead(DAY))
    assert ask(user, photo.pk).status_code == 202


def test_an_unknown_product_and_somebody_elses_photo_get_the_same_answer(guest: Browser) -> None:
    own, foreign = guest.has_photo().pk, Browser().has_photo().pk
    model = Photo.objects.create(shopper=None, is_model=True, status="READY", expires_at=ahead(DAY)).pk
    answers = [
        ask(guest, own, product="nothing"),
        ask(guest, foreign),
        ask(guest, model),
        ask(guest, nobodys()),
        ask(Browser(), own),
    ]
    assert {answer.content for answer in answers} == {answers[0].content}
    for answer in answers:
        refused(answer, 404, "not_found")
    assert not Generation.objects.exists()


def test_a_visitor_without_a_photo_leaves_no_row(product: Product) -> None:
    ask(Browser(), nobodys())
    assert not Shopper.objects.exists()


@pytest.mark.parametrize(
    ("columns", "status", "code"),
    [
        ({"status": "REJECTED", "error_code": "INVALID_IMAGE"}, 422, "INVALID_IMAGE"),
        ({"status": "REJECTED", "error_code": "FILE_TOO_LARGE"}, 413, "FILE_TOO_LARGE"),
        ({"status": "REJECTED", "error_code": "UNSUPPORTED_IMAGE_TYPE"}, 415, "UNSUPPORTED_IMAGE_TYPE"),
        ({"status": "EXPIRED"}, 410, "photo_expired"),
        ({"expires_at": ahead(-1)}, 410, "photo_expired"),
    ],
)
def test_a_photo_that_cannot_be_used_is_named(guest: Browser, columns: Any, status: int, code: str) -> None:
    refused(ask(guest, guest.has_photo(**columns).pk), status, code)
    assert not Generation.objects.exists()


@pytest.mark.parametrize("gone", [{"is_deleted": True}, {"is_enabled": False}])
def test_a_product_that_is_not_offered_is_not_found(guest: Browser, product: Product, gone: Any) -> None:
    photo = guest.has_photo().pk
    guest.headers()
    Product.objects.filter(pk=product.pk).update(**gone)
    refused(ask(guest, photo), 404, "not_found")


def test_a_product_that_genlook_never_took_is_a_problem(guest: Browser, product: Product) -> None:
    Product.objects.filter(pk=product.pk).update(
        is_remote=False, revision=2, parked_revision=2, error_code="PRODUCT_IMAGES_REQUIRED"
    )
    refused(ask(guest, guest.has_photo().pk), 409, "product_problem")


def test_the_quota_ends_with_429_and_the_time_of_its_next_period(guest: Browser, settings: Any) -> None:
    settings.GENLOOK = {**settings.GENLOOK, "QUOTAS": {"guest": "1/d"}}
    assert ask(guest, guest.has_photo().pk).status_code == 202
    answer = ask(guest, guest.has_photo().pk)
    refused(answer, 429, "limit_reached")
    assert 1 <= int(answer["Retry-After"]) <= DAY
    assert Generation.objects.count() == 1


def test_the_shops_own_budget_ends_with_503(guest: Browser, settings: Any) -> None:
    settings.GENLOOK = {**settings.GENLOOK, "CREDITS_PER_DAY": 0}
    answer = ask(guest, guest.has_photo().pk)
    refused(answer, 503, "try_on_unavailable")
    assert int(answer["Retry-After"]) >= 1


@pytest.mark.parametrize("status", ["SENDING", "PROCESSING", "DOWNLOADING", "UNKNOWN"])
def test_how_it_stands_inside_is_processing_to_the_shopper(guest: Browser, status: str) -> None:
    row = guest.has_try_on(status, error_code="not_sent", error_message="VENDOR")
    told = guest.get(f"try-ons/{row.pk}/").json()
    assert told == {
        "id": str(row.pk),
        "status": "PROCESSING",
        "product": SKU,
        "created_at": row.created_at.isoformat().replace("+00:00", "Z"),
        "retry_after": 1,
    }


@pytest.mark.parametrize(("wait", "told"), [(-60, 1), (0.2, 1), (4.9, 5), (900, 10)])
def test_it_tells_to_ask_again_when_the_worker_will_have_looked(guest: Browser, wait: float, told: int) -> None:
    row = guest.has_try_on(Status.PROCESSING, next_attempt_at=ahead(wait))
    assert guest.get(f"try-ons/{row.pk}/").json()["retry_after"] == told


def test_a_completed_one_has_its_picture_at_an_address_of_ours(guest: Browser) -> None:
    row = guest.has_try_on(Status.COMPLETED, remote={"url": "https://vendor.example/bearer"})
    answer = guest.get(f"try-ons/{row.pk}/")
    assert answer.json()["image_url"] == f"/genlook/try-ons/{row.pk}/image/"
    assert not {"error", "retry_after"} & set(answer.json())
    assert b"vendor" not in answer.content


def test_one_whose_picture_is_past_its_days_has_none(guest: Browser) -> None:
    row = guest.has_try_on(Status.COMPLETED, result="")
    told = guest.get(f"try-ons/{row.pk}/").json()
    assert told["status"] == "COMPLETED"
    assert "image_url" not in told
    refused(guest.get(f"try-ons/{row.pk}/image/"), 404, "not_found")


def test_a_failed_one_says_why_in_the_tables_words(guest: Browser) -> None:
    row = guest.has_try_on(Status.FAILED, error_code="PRODUCT_IMAGE_FETCH_FAILED", error_message="VENDOR WORDS")
    answer = guest.get(f"try-ons/{row.pk}/")
    assert answer.status_code == 200
    assert answer.json()["status"] == "FAILED"
    assert answer.json()["error"] == {
        "code": "product_problem", "message": "This item cannot be tried on at the moment.", "status": 409,
    }  # fmt: skip
    assert b"VENDOR" not in answer.content


def test_a_cancelled_one_says_no_more_than_that(guest: Browser) -> None:
    row = guest.has_try_on(Status.CANCELLED)
    assert set(guest.get(f"try-ons/{row.pk}/").json()) == {"id", "status", "product", "created_at"}


def test_looking_costs_one_query_of_ours(
    guest: Browser, user: Browser, django_assert_max_num_queries: Any, django_assert_num_queries: Any
) -> None:
    row, theirs = guest.has_try_on(Status.PROCESSING), user.has_try_on(Status.PROCESSING)
    with django_assert_num_queries(2) as asked:  # the session, and the row
        guest.get(f"try-ons/{row.pk}/")
    assert sum("genlook" in query["sql"] for query in asked.captured_queries) == 1
    with django_assert_num_queries(3):  # the session, the user, and the row
        user.get(f"try-ons/{theirs.pk}/")


def test_the_picture_is_served_as_a_picture_and_nothing_else(guest: Browser) -> None:
    row = guest.has_try_on(Status.COMPLETED)
    answer = guest.get(f"try-ons/{row.pk}/image/", headers={"Accept": "image/avif,image/webp"})
    assert answer.status_code == 200
    assert answer.content == b"\xff\xd8picture"
    assert answer["Content-Type"] == "image/jpeg"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Disposition"] == f'inline; filename="try-on-{row.pk}.jpg"'
    assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert answer["Cache-Control"] == "private, no-store"
    assert "Cookie" in answer["Vary"]


@pytest.mark.parametrize("status", ["QUEUED", "PROCESSING", "FAILED", "CANCELLED"])
def test_an_unfinished_one_shows_no_picture_even_if_a_file_is_there(guest: Browser, status: str) -> None:
    name = guest.has_try_on(Status.COMPLETED).result.name
    row = guest.has_try_on(status, result=name)
    refused(guest.get(f"try-ons/{row.pk}/image/"), 404, "not_found")


def test_a_picture_whose_file_is_lost_is_not_found(guest: Browser) -> None:
    row = guest.has_try_on(Status.COMPLETED)
    PrivateStorage().delete(str(row.result.name))
    refused(guest.get(f"try-ons/{row.pk}/image/"), 404, "not_found")


def test_a_storage_that_fails_is_a_503_with_a_time_to_come_back(
    guest: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = guest.has_try_on(Status.COMPLETED)

    def fail(*args: Any) -> None:
        raise ConnectionError("the bucket is away")

    monkeypatch.setattr(storages[settings.GENLOOK.get("STORAGE", "genlook")], "_open", fail)
    answer = guest.get(f"try-ons/{row.pk}/image/")
    refused(answer, 503, "try_on_unavailable")
    assert int(answer["Retry-After"]) >= 1
    assert b"bucket" not in answer.content


def test_the_list_goes_through_all_pages_newest_first_and_back_by_paths(guest: Browser) -> None:
    rows = [guest.has_try_on(created_at=ahead(-60 - place // 2)) for place in range(45)]
    Browser().has_try_on()
    wanted = [str(row.pk) for row in sorted(rows, key=lambda row: (row.created_at, row.pk), reverse=True)]
    first = guest.get("try-ons/").json()
    assert first["previous"] is None
    pages, page = [first], first
    while page["next"]:
        assert page["next"].startswith("/genlook/try-ons/?cursor=")
        page = guest.client.get(page["next"]).json()
        pages.append(page)
    assert [len(page["results"]) for page in pages] == [20, 20, 5]
    assert [row["id"] for page in pages for row in page["results"]] == wanted
    back = guest.client.get(pages[1]["previous"]).json()
    assert back["results"] == first["results"]


def test_the_list_of_a_stranger_is_empty(product: Product) -> None:
    assert Browser().get("try-ons/").json() == {"next": None, "previous": None, "results": []}
    assert Browser().get("photos/").json() == []
    assert not Shopper.objects.exists()


def test_an_unsent_one_that_is_deleted_is_cancelled_and_gives_its_quota_back(guest: Browser) -> None:
    row = ask(guest, guest.has_photo().pk).json()["id"]
    assert guest.delete(f"try-ons/{row}/").status_code == 204
    refused(guest.get(f"try-ons/{row}/"), 404, "not_found")
    left = Generation.objects.get()
    assert (left.status, left.shopper, left.is_charged) == ("CANCELLED", None, False)
    assert set(Usage.objects.values_list("used", flat=True)) == {0}


def test_a_finished_one_that_is_deleted_leaves_a_row_without_a_name_or_picture(guest: Browser) -> None:
    row = guest.has_try_on(Status.COMPLETED)
    assert guest.delete(f"try-ons/{row.pk}/").status_code == 204
    for path in (f"try-ons/{row.pk}/", f"try-ons/{row.pk}/image/"):
        refused(guest.get(path), 404, "not_found")
    assert guest.get("try-ons/").json()["results"] == []
    assert not PrivateStorage().exists(str(row.result.name))
    left = Generation.objects.get()
    assert (left.status, left.shopper, left.result.name) == ("COMPLETED", None, "")
