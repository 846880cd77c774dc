"""No picture of a person outlives the row that names it, whenever a worker was killed."""

import io
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from django.conf import settings

from django_genlook.models import Account, Generation, Photo, Shopper
from django_genlook.models.storage import PrivateStorage
from django_genlook.services import endings, leftovers, photos
from django_genlook.services.sweep import sweep
from django_genlook.testing import Sandbox
from tests.services.test_main_path import start, work_once

pytestmark = pytest.mark.django_db(transaction=True)


class Killed(BaseException):
    """The process ends here, so nothing after it runs."""


def killed(*args: Any) -> None:
    raise Killed


def stored() -> set[Path]:
    return {path for path in private().rglob("*") if path.is_file()}


def private() -> Path:
    stores: Any = settings.STORAGES
    return Path(stores["genlook"]["OPTIONS"]["location"])


def let_them_age() -> None:
    for path in stored():
        os.utime(path, (time.time() - 3600, time.time() - 3600))
    Account.objects.update(tidied_at=None)


def take_in(portrait: bytes) -> Photo:
    return photos.accept(io.BytesIO(portrait), len(portrait), shopper=Shopper.objects.create())


@pytest.mark.parametrize("moment", ["the clean picture is stored", "the raw picture is to be deleted"])
def test_a_worker_killed_while_it_cleans_leaves_no_photo_behind(
    genlook_sandbox: Sandbox, portrait: bytes, moment: str
) -> None:
    photo = take_in(portrait)
    really_save = PrivateStorage.save

    def save(self: PrivateStorage, *args: Any) -> str:
        really_save(self, *args)
        raise Killed

    method, fatal = ("save", save) if moment == "the clean picture is stored" else ("delete", killed)
    killer = mock.patch.object(PrivateStorage, method, fatal)
    with killer, pytest.raises(Killed):
        photos.upload(photo.pk)
    Photo.objects.update(lease_until=None, lease_token=None)
    work_once()
    assert Photo.objects.get().status == Photo.Status.READY
    assert len(stored()) == 1
    let_them_age()
    sweep()
    assert stored() == set()


def test_a_worker_killed_before_its_row_names_the_result_leaves_one_picture(
    genlook_sandbox: Sandbox, make_product: Callable[..., Any], portrait: bytes
) -> None:
    product = make_product()
    work_once()
    generation = start(product.sku, portrait)
    with mock.patch.object(endings, "complete", side_effect=Killed), pytest.raises(Killed):
        work_once()
    Generation.objects.update(lease_until=None, lease_token=None, next_attempt_at=None)
    work_once()
    generation.refresh_from_db()
    assert generation.status == Generation.Status.COMPLETED
    assert len(stored()) == 2
    let_them_age()
    sweep()
    assert stored() == {private() / str(generation.result.name)}


def test_a_picture_whose_row_is_about_to_name_it_is_left_alone(portrait: bytes) -> None:
    PrivateStorage().save("genlook/raw/young", io.BytesIO(portrait))
    assert leftovers.drop_photos() == 0
    assert len(stored()) == 1


def test_a_storage_that_cannot_list_stops_nothing(portrait: bytes) -> None:
    take_in(portrait)
    let_them_age()
    with mock.patch("django.core.files.storage.FileSystemStorage.listdir", side_effect=NotImplementedError):
        assert leftovers.drop_photos() == 0
    assert len(stored()) == 1


def test_a_photo_that_another_account_has_is_not_offered_again(
    genlook_sandbox: Sandbox, portrait: bytes, settings: Any
) -> None:
    take_in(portrait)
    work_once()
    assert Photo.objects.get().status == Photo.Status.READY
    genlook_sandbox.reset(api_keys=["gk_sandbox", "gk_other"])
    settings.GENLOOK = {**settings.GENLOOK, "API_KEY": "gk_typing_error"}
    work_once()
    assert Photo.objects.get().status == Photo.Status.READY
    settings.GENLOOK = {**settings.GENLOOK, "API_KEY": "gk_other"}
    work_once()
    sweep()
    assert Photo.objects.get().status == Photo.Status.EXPIRED


def test_another_account_gets_the_whole_catalogue(
    genlook_sandbox: Sandbox, make_product: Callable[..., Any], settings: Any
) -> None:
    make_product()
    work_once()
    genlook_sandbox.reset(api_keys=["gk_sandbox", "gk_other"])
    settings.GENLOOK = {**settings.GENLOOK, "API_KEY": "gk_other"}
    work_once()
    assert [entry["status"] for entry in genlook_sandbox.journal("POST", "/products")] == [201]
