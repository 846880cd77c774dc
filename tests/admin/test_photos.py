"""Model photos: taken in through the table, streamed to those who may see them; a shopper's never."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.test import Client as Browser

from django_genlook.exceptions import CODES
from django_genlook.models import Photo
from django_genlook.models.storage import PrivateStorage
from tests.admin.conftest import messages_of, words_of

LIST = "/admin/genlook/photo/"
ADD = f"{LIST}add/"


def upload(data: bytes, label: str = "Anna") -> dict[str, Any]:
    return {"label": label, "picture": ContentFile(data, name="photo.jpg")}


def stored() -> list[str]:
    names: list[str] = []
    for folder in ("raw", "photos"):
        try:
            names += storages["genlook"].listdir(f"genlook/{folder}")[1]
        except FileNotFoundError:
            continue
    return names


def test_a_picture_becomes_a_model_photo_that_waits_for_the_worker(portrait: bytes, admin_client: Browser) -> None:
    answer = admin_client.post(ADD, upload(portrait), follow=True)

    photo = Photo.objects.get()
    assert answer.redirect_chain == [(LIST, 302)]
    assert (photo.label, photo.is_model, photo.shopper, photo.status) == ("Anna", True, None, Photo.Status.QUEUED)
    assert PrivateStorage().read(photo.raw.name or "") == portrait
    assert "was added successfully" in messages_of(answer)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"just some text, no picture at all", "UNSUPPORTED_IMAGE_TYPE"),
        (b"\xff\xd8\xff\xe0" + b"\0" * 40, "INVALID_IMAGE"),
        (b"\xff\xd8\xff\xe0" + b"\0" * 11_000_000, "FILE_TOO_LARGE"),
    ],
)
def test_a_file_that_is_no_usable_picture_is_refused_in_the_words_of_the_table(
    data: bytes, code: str, admin_client: Browser
) -> None:
    answer = admin_client.post(ADD, upload(data))

    assert answer.status_code == 200
    assert f"{CODES[code].cause} {CODES[code].remedy}" in words_of(answer)
    assert 'value="Anna"' in words_of(answer)
    assert not Photo.objects.exists()
    assert stored() == []


@pytest.mark.parametrize("fields", [{}, {"label": "Anna"}, {"label": "Anna", "picture": "text"}])
def test_a_form_without_a_file_is_refused(fields: dict[str, str], admin_client: Browser) -> None:
    answer = admin_client.post(ADD, fields)
    assert answer.status_code == 200
    assert "This field is required." in words_of(answer)
    assert not Photo.objects.exists()


def test_an_empty_file_is_refused(admin_client: Browser) -> None:
    answer = admin_client.post(ADD, upload(b""))
    assert "The submitted file is empty." in words_of(answer)
    assert not Photo.objects.exists()


def test_without_a_storage_the_form_says_what_to_do(portrait: bytes, admin_client: Browser, settings: Any) -> None:
    settings.GENLOOK = {"API_KEY": "gk_sandbox", "STORAGE": "nowhere"}

    answer = admin_client.post(ADD, upload(portrait))

    assert answer.status_code == 200
    assert str(CODES["storage_unavailable"].remedy) in messages_of(answer)
    assert not Photo.objects.exists()


def test_a_shoppers_photo_is_nowhere_to_be_seen(shopper_photo: Photo, admin_client: Browser) -> None:
    assert str(shopper_photo.pk) not in words_of(admin_client.get(LIST))
    assert admin_client.get(f"{LIST}{shopper_photo.pk}/picture/").status_code == 404
    for page in ("change", "delete", "history"):
        answer = admin_client.get(f"{LIST}{shopper_photo.pk}/{page}/", follow=True)
        assert answer.redirect_chain == [("/admin/", 302)]
        assert "of a shopper" not in words_of(answer)
    admin_client.post(f"{LIST}{shopper_photo.pk}/delete/", {"post": "yes"})
    admin_client.post(LIST, {"action": "delete_selected", "_selected_action": str(shopper_photo.pk), "post": "yes"})
    assert Photo.objects.filter(pk=shopper_photo.pk).exists()


def test_a_photo_of_a_shopper_who_was_erased_is_no_model_photo(shopper_photo: Photo, admin_client: Browser) -> None:
    Photo.objects.filter(pk=shopper_photo.pk).update(shopper=None)
    assert admin_client.get(f"{LIST}{shopper_photo.pk}/picture/").status_code == 404


def test_the_preview_is_streamed_so_that_no_cache_keeps_it_and_nothing_in_it_runs(
    model_photo: Callable[..., Photo], portrait: bytes, staff: Callable[..., Browser]
) -> None:
    photo = model_photo()
    browser = staff("genlook.view_photo")
    address = f"{LIST}{photo.pk}/picture/"
    assert address in words_of(browser.get(LIST))

    answer = browser.get(address)

    assert b"".join(answer) == portrait
    assert answer.headers["Content-Type"] == "image/jpeg"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert answer.headers["Cache-Control"] == "private, no-store"
    answer.close()


def test_a_photo_that_is_not_cleaned_yet_is_served_to_nobody(portrait: bytes, admin_client: Browser) -> None:
    admin_client.post(ADD, upload(portrait))
    photo = Photo.objects.get()
    assert admin_client.get(f"{LIST}{photo.pk}/picture/").status_code == 404
    assert "/picture/" not in words_of(admin_client.get(LIST))


def test_a_rejected_photo_says_why_and_what_to_do(model_photo: Callable[..., Photo], admin_client: Browser) -> None:
    photo = model_photo(status=Photo.Status.REJECTED, cleaned="", error_code="INVALID_IMAGE")
    for address in (LIST, f"{LIST}{photo.pk}/change/"):
        page = words_of(admin_client.get(address))
        assert f"{CODES['INVALID_IMAGE'].cause} {CODES['INVALID_IMAGE'].remedy}" in page


def test_the_label_can_be_changed(model_photo: Callable[..., Photo], admin_client: Browser) -> None:
    photo = model_photo()
    admin_client.post(f"{LIST}{photo.pk}/change/", {"label": "Anna, size 38"})
    photo.refresh_from_db()
    assert photo.label == "Anna, size 38"


def test_a_label_is_text_and_never_markup(model_photo: Callable[..., Photo], admin_client: Browser) -> None:
    photo = model_photo("<script>alert('label')</script>")
    for address in (LIST, f"{LIST}{photo.pk}/change/"):
        assert "<script>alert(" not in words_of(admin_client.get(address))


def test_deleting_a_model_photo_deletes_its_files(model_photo: Callable[..., Photo], admin_client: Browser) -> None:
    one, two, three = model_photo("1"), model_photo("2"), model_photo("3")
    kept = (three.cleaned.name or "").rpartition("/")[2]

    admin_client.post(f"{LIST}{one.pk}/delete/", {"post": "yes"})
    admin_client.post(LIST, {"action": "delete_selected", "_selected_action": str(two.pk), "post": "yes"})

    assert [photo.pk for photo in Photo.objects.all()] == [three.pk]
    assert stored() == [kept]


def test_each_page_needs_its_permission(model_photo: Callable[..., Photo], staff: Callable[..., Browser]) -> None:
    photo = model_photo()
    nobody, viewer = staff(), staff("genlook.view_photo")

    for address in (LIST, ADD, f"{LIST}{photo.pk}/change/", f"{LIST}{photo.pk}/delete/", f"{LIST}{photo.pk}/picture/"):
        assert nobody.get(address).status_code == 403
    for address in (ADD, f"{LIST}{photo.pk}/delete/"):
        assert viewer.get(address).status_code == 403
    assert viewer.post(ADD, upload(b"x")).status_code == 403
    assert viewer.post(f"{LIST}{photo.pk}/change/", {"label": "Mine"}).status_code == 403
    photo.refresh_from_db()
    assert photo.label == "Anna"
