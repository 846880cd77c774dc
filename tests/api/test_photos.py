"""Photos: taken in, listed, read, forgotten."""

from collections.abc import Callable

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from django_genlook.models import Photo, Shopper
from django_genlook.models.clock import ahead
from django_genlook.models.storage import PrivateStorage
from tests.api.conftest import DAY, Browser, refused

pytestmark = pytest.mark.django_db


def test_an_upload_is_kept_privately_with_the_time_of_consent(guest: Browser, picture: Callable[..., bytes]) -> None:
    data = picture()
    answer = guest.upload(data)
    assert answer.status_code == 201
    photo = Photo.objects.get()
    assert answer.json() == {"id": str(photo.pk), "status": "QUEUED", "expires_at": None, "retry_after": 1}
    assert PrivateStorage().read(photo.raw.name) == data
    assert photo.consent_at is not None
    assert photo.shopper == guest.shopper
    assert not photo.is_model


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_each_usual_kind_of_picture_is_taken(guest: Browser, picture: Callable[..., bytes], kind: str) -> None:
    assert guest.upload(picture(kind=kind)).status_code == 201


def test_a_large_picture_goes_through_a_temporary_file_and_arrives_whole(
    guest: Browser, picture: Callable[..., bytes]
) -> None:
    data = picture() + b"\0" * (9 * 1024 * 1024)
    assert guest.upload(data).status_code == 201
    assert PrivateStorage().read(Photo.objects.get().raw.name) == data


def test_the_second_upload_belongs_to_the_same_shopper(guest: Browser, picture: Callable[..., bytes]) -> None:
    guest.upload(picture())
    guest.upload(picture())
    assert Photo.objects.count() == 2
    assert Shopper.objects.count() == 1


def test_what_a_user_uploads_belongs_to_the_account_and_not_to_the_session(
    user: Browser, picture: Callable[..., bytes]
) -> None:
    photo = user.upload(picture()).json()["id"]
    elsewhere = Browser(user.user)
    assert elsewhere.get(f"photos/{photo}/").status_code == 200
    assert "genlook_shopper" not in user.client.session


@pytest.mark.parametrize("consent", ["", "false", "0", "no", "null", "truely", None])
def test_without_a_clear_yes_nothing_is_kept(
    guest: Browser, picture: Callable[..., bytes], consent: str | None
) -> None:
    fields = {} if consent is None else {"consent": consent}
    answer = guest.post("photos/", {"photo": _file(picture()), **fields})
    refused(answer, 400, "consent_required")
    assert not Photo.objects.exists()
    assert not Shopper.objects.exists()


def test_the_box_of_a_plain_form_is_a_yes(guest: Browser, picture: Callable[..., bytes]) -> None:
    assert guest.upload(picture(), consent="on").status_code == 201


def test_the_list_holds_what_a_try_on_can_be_started_with_newest_first(guest: Browser) -> None:
    queued = guest.has_photo(status="QUEUED", expires_at=None, created_at=ahead(-20))
    ready = guest.has_photo(created_at=ahead(-10))
    guest.has_photo(expires_at=ahead(-1))
    guest.has_photo(status="EXPIRED")
    guest.has_photo(status="REJECTED", error_code="INVALID_IMAGE")
    answer = guest.get("photos/").json()
    assert [photo["id"] for photo in answer] == [str(ready.pk), str(queued.pk)]


def test_a_photo_that_is_ready_says_until_when(guest: Browser) -> None:
    photo = guest.has_photo()
    assert photo.expires_at is not None
    told = guest.get(f"photos/{photo.pk}/").json()
    assert told == {
        "id": str(photo.pk), "status": "READY", "expires_at": photo.expires_at.isoformat().replace("+00:00", "Z"),
    }  # fmt: skip


def test_a_rejected_photo_says_why_in_the_tables_words(guest: Browser) -> None:
    photo = guest.has_photo(
        status="REJECTED", error_code="UNSUPPORTED_IMAGE_TYPE", error_message="VENDOR WORDS", expires_at=None
    )
    told = guest.get(f"photos/{photo.pk}/")
    assert told.json()["error"]["code"] == "UNSUPPORTED_IMAGE_TYPE"
    assert told.json()["error"]["status"] == 415
    assert "JPEG" in told.json()["error"]["message"]
    assert b"VENDOR" not in told.content
    assert "retry_after" not in told.json()


def test_a_photo_past_its_time_is_expired_even_before_the_sweep_says_so(guest: Browser) -> None:
    told = guest.get(f"photos/{guest.has_photo(expires_at=ahead(-1)).pk}/").json()
    assert told["status"] == "EXPIRED"
    assert told["error"]["code"] == "photo_expired"
    assert guest.get(f"photos/{guest.has_photo(expires_at=ahead(DAY)).pk}/").json()["status"] == "READY"


def test_a_photo_that_waits_tells_when_to_ask_again_and_no_passing_trouble(guest: Browser) -> None:
    told = guest.get(f"photos/{guest.has_photo(status='QUEUED', error_code='not_sent').pk}/").json()
    assert told["retry_after"] >= 1
    assert "error" not in told


def test_a_forgotten_photo_is_gone_with_its_file(guest: Browser, picture: Callable[..., bytes]) -> None:
    photo = guest.upload(picture()).json()["id"]
    name = str(Photo.objects.get().raw.name)
    assert guest.delete(f"photos/{photo}/").status_code == 204
    refused(guest.get(f"photos/{photo}/"), 404, "not_found")
    refused(guest.delete(f"photos/{photo}/"), 404, "not_found")
    assert not PrivateStorage().exists(name)


def _file(data: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile("photo.jpg", data, "image/jpeg")
