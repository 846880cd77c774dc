"""Photos of persons: taken in undecoded, cleaned, lent to Genlook, and gone when their time is over."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import storages

from django_genlook import images
from django_genlook.exceptions import GenlookError, Rejected
from django_genlook.models import Photo, Shopper
from django_genlook.models.storage import PrivateStorage
from django_genlook.services import photos, sweep
from django_genlook.testing import Sandbox
from tests.conftest import Clock
from tests.services.steps import drain, genlook, ready_photo

pytestmark = [pytest.mark.django_db(transaction=True)]

DAY = 86_400


def accept(data: bytes, shopper: Shopper | None = None, **more: Any) -> Photo:
    return photos.accept(io.BytesIO(data), len(data), shopper=shopper, **more)


def files() -> list[Path]:
    root = Path(str(storages["genlook"].path("")))
    return [path for path in root.rglob("*") if path.is_file()]


@pytest.fixture
def shopper(db: None) -> Shopper:
    return Shopper.objects.create()


def test_taking_one_in_decodes_nothing_and_keeps_it_privately(
    portrait: bytes, shopper: Shopper, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*args: Any, **kwargs: Any) -> None:
        raise AssertionError("decoded in the request")

    monkeypatch.setattr(images, "clean", never)
    photo = accept(portrait, shopper)
    assert photo.status == Photo.Status.QUEUED
    assert photo.consent_at is not None
    assert PrivateStorage().read(photo.raw.name) == portrait
    assert "portrait" not in str(photo.raw.name)


@pytest.mark.parametrize(
    "data", [b"", b"just text", b"GIF89a" + b"\0" * 50, b"\xff\xd8"], ids=["empty", "text", "gif", "stump"]
)
def test_what_is_no_picture_leaves_no_row_and_no_file(shopper: Shopper, data: bytes) -> None:
    with pytest.raises(Rejected):
        accept(data, shopper)
    assert not Photo.objects.exists()
    assert files() == []


def test_a_row_that_cannot_be_written_leaves_no_file(portrait: bytes) -> None:
    with pytest.raises(ValueError, match="unsaved"):
        accept(portrait, Shopper(pk=None))
    assert files() == []


def test_without_a_storage_it_is_refused_in_words(portrait: bytes, shopper: Shopper) -> None:
    with genlook(STORAGE="nowhere"), pytest.raises(GenlookError) as refused:
        accept(portrait, shopper)
    assert refused.value.code == "storage_unavailable"
    assert not Photo.objects.exists()


def test_it_is_really_cleaned_before_it_leaves_and_nothing_stays_here(
    genlook_sandbox: Sandbox, portrait: bytes, shopper: Shopper
) -> None:
    photo = ready_photo(shopper, portrait + b"TRAILING GPS 12.34")
    [entry] = genlook_sandbox.journal("POST", "/images/upload")
    assert entry["body"]["externalUserId"] == str(shopper.pk)
    assert entry["body"]["keepForDays"] == "7"
    assert photo.image_id
    assert files() == []


def test_one_that_is_broken_inside_is_rejected_and_its_files_are_gone(
    genlook_sandbox: Sandbox, portrait: bytes, shopper: Shopper
) -> None:
    photo = accept(portrait[: len(portrait) // 2], shopper)
    drain()
    photo.refresh_from_db()
    assert photo.status == Photo.Status.REJECTED
    assert photo.error_code == "INVALID_IMAGE"
    assert files() == []
    assert genlook_sandbox.journal() == []


def test_one_whose_file_vanished_is_rejected(genlook_sandbox: Sandbox, portrait: bytes, shopper: Shopper) -> None:
    photo = accept(portrait, shopper)
    PrivateStorage().delete(str(photo.raw.name))
    drain()
    photo.refresh_from_db()
    assert photo.status == Photo.Status.REJECTED


@pytest.mark.usefixtures("quick_pictures")
class TestLifetimes:
    def test_a_shoppers_photo_expires_before_genlooks_copy_does(
        self, genlook_sandbox: Sandbox, portrait: bytes, shopper: Shopper, clock: Clock
    ) -> None:
        photo = ready_photo(shopper, portrait)
        clock.advance(7 * DAY - 3_700)
        sweep.sweep()
        photo.refresh_from_db()
        assert photo.status == Photo.Status.READY
        clock.advance(200)
        sweep.sweep()
        photo.refresh_from_db()
        assert photo.status == Photo.Status.EXPIRED
        assert photo.image_id == ""

    @pytest.mark.parametrize("days", [1, 3, 7])
    def test_a_model_photo_is_lent_again_before_it_expires_and_not_at_every_look(
        self, genlook_sandbox: Sandbox, portrait: bytes, clock: Clock, db: None, days: int
    ) -> None:
        with genlook(KEEP_DAYS=days):
            photo = ready_photo(None, portrait)
            assert photo.cleaned
            for _ in range(4 * days):
                clock.advance(DAY / 2)
                photos.expire()
                drain()
                photos.expire()
                drain()
                assert Photo.objects.usable().filter(pk=photo.pk, status=Photo.Status.READY).exists()
        uploads = len(genlook_sandbox.journal("POST", "/images/upload"))
        assert 2 <= uploads <= 6

    def test_a_raw_photo_that_cannot_be_uploaded_does_not_rest_for_long(
        self, genlook_sandbox: Sandbox, portrait: bytes, shopper: Shopper, clock: Clock
    ) -> None:
        photo = accept(portrait, shopper)
        with genlook(API_KEY=""):
            clock.advance(590)
            sweep.sweep()
            assert len(files()) == 1
            clock.advance(20)
            sweep.sweep()
        photo.refresh_from_db()
        assert photo.status == Photo.Status.REJECTED
        assert photo.error_code == "try_on_unavailable"
        assert files() == []

    def test_a_model_photo_waits_as_long_as_it_takes(
        self, genlook_sandbox: Sandbox, portrait: bytes, clock: Clock, db: None
    ) -> None:
        photo = accept(portrait, label="Ada")
        with genlook(API_KEY=""):
            clock.advance(DAY)
            sweep.sweep()
        drain()
        photo.refresh_from_db()
        assert photo.status == Photo.Status.READY
        assert str(photo) == "Ada"
        preview = photos.model_preview(photo)
        assert preview is not None
        assert preview.read(2) == b"\xff\xd8"

    def test_forgetting_one_takes_its_row_and_its_files(
        self, genlook_sandbox: Sandbox, portrait: bytes, shopper: Shopper
    ) -> None:
        photos.forget(accept(portrait, shopper))
        assert not Photo.objects.exists()
        assert files() == []

    def test_forgetting_one_that_is_being_cleaned_leaves_no_file(
        self, genlook_sandbox: Sandbox, portrait: bytes, shopper: Shopper, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        photo = accept(portrait, shopper)
        clean: Callable[..., Any] = images.clean

        def slow(data: bytes, **options: Any) -> Any:
            photos.forget(Photo.objects.get())
            return clean(data, **options)

        monkeypatch.setattr(images, "clean", slow)
        drain()
        assert not Photo.objects.filter(pk=photo.pk).exists()
        assert files() == []
        assert genlook_sandbox.journal() == []

    def test_one_that_genlook_finds_too_large_is_sent_smaller_once(
        self, genlook_sandbox: Sandbox, portrait: bytes, shopper: Shopper, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        sides: list[int] = []
        clean: Callable[..., Any] = images.clean

        def measuring(data: bytes, *, side: int) -> Any:
            sides.append(side)
            return clean(data, side=side)

        monkeypatch.setattr(images, "clean", measuring)
        genlook_sandbox.fail({"path": "/images/upload", "fault": "error", "code": "FILE_TOO_LARGE", "times": 1})
        photo = accept(portrait, shopper)
        drain()
        photo.refresh_from_db()
        assert photo.status == Photo.Status.READY
        assert sides == [images.CLEAN_SIDE, photos.SHRUNK_SIDE]

    def test_a_file_that_cannot_be_deleted_harms_nobody(
        self, genlook_sandbox: Sandbox, portrait: bytes, shopper: Shopper, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def resisting(self: PrivateStorage, name: str) -> None:
            raise GenlookError("no", code="storage_unavailable")

        monkeypatch.setattr(PrivateStorage, "delete", resisting)
        assert ready_photo(shopper, portrait).status == Photo.Status.READY
