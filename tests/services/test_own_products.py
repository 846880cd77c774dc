"""Products that are kept in this app's admin, without a product model of the shop's."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile

from django_genlook.client import Client
from django_genlook.conf import get_config
from django_genlook.exceptions import GenlookError
from django_genlook.models import Product, ProductImage
from django_genlook.services import calls
from django_genlook.testing import Sandbox
from tests.conftest import Clock
from tests.services.steps import drain, genlook, products_sent

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("quick_pictures")]


def make(garment: bytes, **fields: Any) -> Product:
    product = Product.objects.create(**{"external_id": "OWN", "title": "Own shirt", **fields})
    ProductImage.objects.create(product=product, file=ContentFile(garment, name="own.png"))
    return product


def in_step(pk: int) -> Product:
    drain()
    row = Product.objects.get(pk=pk)
    assert row.is_in_step, row.error_code
    return row


def is_at_genlook(external_id: str) -> bool:
    with Client.from_config(get_config()) as client:
        try:
            client.get_product(external_id)
        except GenlookError as error:
            assert error.code == "PRODUCT_NOT_FOUND"
            return False
        return True


def test_it_is_sent_and_edits_arrive(genlook_sandbox: Sandbox, garment: bytes) -> None:
    product = make(garment)
    row = in_step(product.pk)
    assert row.remote["title"] == "Own shirt"
    row.title = "Own blue shirt"
    row.save()
    row = in_step(product.pk)
    assert row.remote["title"] == "Own blue shirt"
    assert products_sent(genlook_sandbox) == ["Own shirt", "Own blue shirt"]


def test_its_pictures_are_sent_in_their_order_and_a_deleted_one_goes(genlook_sandbox: Sandbox, garment: bytes) -> None:
    product = make(garment)
    second = ProductImage.objects.create(product=product, file=ContentFile(garment, name="second.png"), position=1)
    assert len(in_step(product.pk).remote["images"]) == 2
    second.delete()
    assert len(in_step(product.pk).remote["images"]) == 1


def test_saving_it_does_not_undo_what_a_worker_wrote_meanwhile(genlook_sandbox: Sandbox, garment: bytes) -> None:
    product = make(garment)
    in_step(product.pk)
    product.title = "Saved from an old copy of the row"
    product.save()
    row = Product.objects.get(pk=product.pk)
    assert row.synced_revision > 0
    assert row.is_remote
    assert row.fingerprint


def test_deleting_it_deletes_it_at_genlook(genlook_sandbox: Sandbox, garment: bytes) -> None:
    pk = make(garment).pk
    in_step(pk).delete()
    drain()
    assert not is_at_genlook("OWN")
    assert not Product.objects.exists()


def test_deleting_an_old_copy_of_its_row_deletes_it_at_genlook_too(genlook_sandbox: Sandbox, garment: bytes) -> None:
    product = make(garment)
    in_step(product.pk)
    assert not product.is_remote
    product.delete()
    drain()
    assert not is_at_genlook("OWN")
    assert not Product.objects.exists()


def test_deleting_it_while_it_is_on_its_way_deletes_it_at_genlook(
    genlook_sandbox: Sandbox, garment: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    product = make(garment)
    save = Client.save_product

    def slow(self: Client, *args: Any, **kwargs: Any) -> Any:
        product.delete()
        drain()  # another worker deals with the tombstone before the product arrives
        return save(self, *args, **kwargs)

    monkeypatch.setattr(Client, "save_product", slow)
    drain()
    assert not is_at_genlook("OWN")
    assert not Product.objects.exists()


def test_giving_it_another_id_takes_the_old_one_away_from_genlook(genlook_sandbox: Sandbox, garment: bytes) -> None:
    with genlook(EXTERNAL_ID_PREFIX="demo-"):
        pk = make(garment).pk
        row = in_step(pk)
        row.external_id = "RENAMED"
        row.save()
        in_step(pk)
        assert is_at_genlook("demo-RENAMED")
        assert not is_at_genlook("demo-OWN")
    assert Product.objects.count() == 1


def test_giving_it_another_id_and_deleting_it_leaves_nothing_at_genlook(
    genlook_sandbox: Sandbox, garment: bytes
) -> None:
    row = in_step(make(garment).pk)
    row.external_id = "RENAMED"
    row.save()
    row.delete()
    drain()
    assert not is_at_genlook("OWN")
    assert not Product.objects.exists()


def test_disabling_it_takes_it_away_from_genlook_and_keeps_its_id_here(
    genlook_sandbox: Sandbox, garment: bytes
) -> None:
    row = in_step(make(garment).pk)
    row.is_enabled = False
    row.save()
    row = in_step(row.pk)
    assert not is_at_genlook("OWN")
    assert row.external_id == "OWN"


def test_a_deleted_one_may_be_made_anew_before_genlook_has_deleted_it(genlook_sandbox: Sandbox, garment: bytes) -> None:
    in_step(make(garment).pk).delete()
    assert Product.objects.get().is_deleted
    Product(external_id="OWN", title="New").validate_unique()
    new = make(garment, title="New")
    assert in_step(new.pk).remote["title"] == "New"
    assert is_at_genlook("OWN")
    assert Product.objects.count() == 1


def test_one_made_anew_waits_for_the_delete_that_is_on_its_way(
    genlook_sandbox: Sandbox, garment: bytes, clock: Clock
) -> None:
    in_step(make(garment).pk).delete()
    assert Product.objects.due().claim(Product.objects.get().pk, calls.PRODUCT_LEASE) is not None
    new = make(garment, title="New")
    assert drain() == 0
    clock.advance(calls.PRODUCT_LEASE + 1)
    assert in_step(new.pk).remote["title"] == "New"


def test_two_live_ones_may_not_have_one_id(garment: bytes) -> None:
    make(garment)
    with pytest.raises(ValidationError):
        Product(external_id="OWN", title="Second").validate_unique()


def test_an_empty_id_is_none_so_that_several_may_wait_for_theirs(garment: bytes) -> None:
    make(garment, external_id="")
    make(garment, external_id="")
    drain()
    assert {row.external_id for row in Product.objects.all()} == {None}
    assert {row.error_code for row in Product.objects.all()} == {"EXTERNAL_ID_REQUIRED"}
