"""From a saved product to a stored picture, over real HTTP to the sandbox."""

import io
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from PIL import Image

from django_genlook.models import Generation, Photo, Product, Shopper
from django_genlook.models.storage import PrivateStorage
from django_genlook.services import photos, try_ons, work
from django_genlook.testing import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


def work_once() -> None:
    work.run_once(threading.Event())


def start(external_id: str, portrait: bytes) -> Generation:
    shopper = Shopper.objects.create()
    photo = photos.accept(io.BytesIO(portrait), len(portrait), shopper=shopper)
    generation, is_new = try_ons.request(
        external_id=external_id, photo_id=photo.pk, shoppers=[shopper], shopper=shopper, user=AnonymousUser()
    )
    assert is_new
    return generation


def test_a_saved_product_arrives_with_its_title_and_picture(
    genlook_sandbox: Sandbox, make_product: Callable[..., Any]
) -> None:
    make_product(name="Blue shirt", sku="BLUE-1")
    work_once()
    row = Product.objects.get()
    assert row.is_in_step
    assert row.external_id == "BLUE-1"
    assert row.remote["title"] == "Blue shirt"
    assert len(row.remote["images"]) == 1


def test_a_try_on_ends_with_a_picture_in_private_storage_for_one_credit(
    genlook_sandbox: Sandbox, make_product: Callable[..., Any], portrait: bytes
) -> None:
    product = make_product()
    work_once()
    generation = start(product.sku, portrait)
    work_once()
    generation.refresh_from_db()
    assert generation.status == Generation.Status.COMPLETED
    assert generation.is_charged
    with Image.open(io.BytesIO(PrivateStorage().read(generation.result.name))) as picture:
        assert picture.format == "JPEG"
    assert genlook_sandbox.ledger()["charged"] == 1
    photo = Photo.objects.get()
    assert photo.status == Photo.Status.READY
    assert not photo.raw
    assert not photo.cleaned


def test_a_deleted_product_is_deleted_at_genlook_and_leaves_no_row(
    genlook_sandbox: Sandbox, make_product: Callable[..., Any]
) -> None:
    product = make_product()
    work_once()
    product.delete()
    work_once()
    assert not Product.objects.exists()
    assert [entry["status"] for entry in genlook_sandbox.journal("DELETE", "/products/")] == [200]
