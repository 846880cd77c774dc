"""The scan: finds what no signal told, sends nothing itself, and is not stopped by one bad product."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core import serializers
from django.core.files.base import ContentFile
from django.core.management import call_command
from django.db import connection

from django_genlook import receivers
from django_genlook.models import Product
from django_genlook.services import scan, sweep
from django_genlook.testing import Sandbox
from example_project.shop.models import Product as ShopProduct
from example_project.shop.models import ProductImage
from example_project.shop.tryon import ProductTryOn
from tests.conftest import Clock
from tests.services.steps import drain, genlook, in_step, mirror, products_sent

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("quick_pictures")]

Make = Callable[..., Any]


def test_an_update_that_sends_no_signal_is_found(genlook_sandbox: Sandbox, make_product: Make) -> None:
    product, other = make_product(), make_product()
    in_step(product), in_step(other)
    ShopProduct.objects.filter(pk=product.pk).update(name="Updated")
    assert scan.scan() == 1
    assert in_step(product).remote["title"] == "Updated"
    assert len(genlook_sandbox.journal("POST")) == 3


def test_raw_sql_is_found(genlook_sandbox: Sandbox, make_product: Make) -> None:
    product = make_product()
    in_step(product)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE shop_product SET name = 'Raw' WHERE id = %s", [product.pk])
    assert scan.scan() == 1
    assert in_step(product).remote["title"] == "Raw"


def test_rows_made_in_bulk_are_found(genlook_sandbox: Sandbox, make_product: Make) -> None:
    picture = make_product().images.get().original
    rows = ShopProduct.objects.bulk_create(
        [ShopProduct(name=f"Bulk {n}", slug=f"bulk-{n}", sku=f"BULK-{n}", price=1) for n in range(3)]
    )
    ProductImage.objects.bulk_create([ProductImage(product=row, original=picture.name) for row in rows])
    drain()
    assert Product.objects.count() == 1
    assert scan.scan() == 3
    drain()
    assert {row.title for row in Product.objects.all() if row.is_in_step} >= {"Bulk 0", "Bulk 1", "Bulk 2"}


def test_a_fixture_is_not_read_while_it_is_loaded_and_found_afterwards(
    genlook_sandbox: Sandbox, make_product: Make, tmp_path: Path
) -> None:
    product = make_product(sku="FIXTURE")
    fixture = tmp_path / "catalogue.json"
    rows = [product, *product.images.all()]
    fixture.write_text(serializers.serialize("json", rows))
    ProductImage.objects.all()._raw_delete("default")
    ShopProduct.objects.all()._raw_delete("default")
    Product.objects.all()._raw_delete("default")
    call_command("loaddata", fixture, verbosity=0)
    assert not Product.objects.exists()
    assert scan.scan() == 1
    assert in_step(product).external_id == "FIXTURE"


def test_what_is_imported_in_bulk_may_be_left_to_the_scan(genlook_sandbox: Sandbox, make_product: Make) -> None:
    with receivers.paused():
        product = make_product()
        gone = make_product()
        gone.delete()
    assert not Product.objects.exists()
    assert scan.scan() == 1
    in_step(product)


def test_a_row_deleted_without_a_signal_is_found(genlook_sandbox: Sandbox, make_product: Make) -> None:
    product = make_product(sku="RAW-GONE")
    in_step(product)
    ProductImage.objects.all()._raw_delete("default")
    ShopProduct.objects.all()._raw_delete("default")
    assert scan.scan() == 1
    drain()
    assert not Product.objects.exists()
    assert [entry["path"] for entry in genlook_sandbox.journal("DELETE")] == ["/products/RAW-GONE"]


def test_a_row_that_the_catalogue_no_longer_lists_is_removed(
    genlook_sandbox: Sandbox, make_product: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, dropped = make_product(), make_product()
    in_step(kept), in_step(dropped)
    monkeypatch.setattr(ProductTryOn, "get_queryset", lambda self: ShopProduct.objects.exclude(pk=dropped.pk))
    assert scan.scan() == 1
    drain()
    assert [row.pk for row in Product.objects.all()] == [mirror(kept).pk]
    assert len(genlook_sandbox.journal("DELETE")) == 1


def test_a_second_scan_marks_nothing_and_sends_nothing(genlook_sandbox: Sandbox, make_product: Make) -> None:
    hidden, poor = make_product(is_public=False), make_product(images=0)
    product = make_product()
    drain()
    calls = len(genlook_sandbox.journal())
    assert scan.scan() == 0
    assert drain() == 0
    assert len(genlook_sandbox.journal()) == calls
    assert {mirror(item).is_in_step for item in (hidden, product)} == {True}
    assert mirror(poor).is_parked


def test_another_genlook_gets_everything(genlook_sandbox: Sandbox, make_product: Make) -> None:
    for _ in range(2):
        make_product()
    drain()
    with genlook(BASE_URL=genlook_sandbox.base_url.replace("127.0.0.1", "localhost")):
        sweep.sweep()
        drain()
    assert len(products_sent(genlook_sandbox)) == 4


def test_a_product_kept_here_that_changed_without_a_signal_is_found(genlook_sandbox: Sandbox, garment: bytes) -> None:
    own = Product.objects.create(external_id="OWN", title="Own")
    own.images.create(file=ContentFile(garment, name="own.png"))
    drain()
    Product.objects.filter(pk=own.pk).update(title="Changed")
    assert scan.scan() == 1
    drain()
    assert products_sent(genlook_sandbox) == ["Own", "Changed"]


def test_a_broken_catalogue_does_not_hide_the_others(
    genlook_sandbox: Sandbox, make_product: Make, garment: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = Product.objects.create(external_id="OWN", title="Own")
    own.images.create(file=ContentFile(garment, name="own.png"))
    drain()
    Product.objects.filter(pk=own.pk).update(title="Changed")
    monkeypatch.setattr(ProductTryOn, "get_queryset", lambda self: 1 / 0)
    assert scan.scan() == 1


def test_it_reads_in_batches_by_key_and_not_row_by_row(
    genlook_sandbox: Sandbox, make_product: Make, monkeypatch: pytest.MonkeyPatch, django_assert_max_num_queries: Any
) -> None:
    for _ in range(7):
        make_product()
    drain()
    monkeypatch.setattr(scan, "BATCH", 3)
    ShopProduct.objects.filter(pk__gt=3).update(position=1)
    with django_assert_max_num_queries(30):
        assert scan.scan() == 0


def test_the_sweep_scans_once_a_day(
    genlook_sandbox: Sandbox, make_product: Make, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    product = make_product()
    drain()
    sweep.sweep()
    ShopProduct.objects.update(name="Quiet")
    clock.advance(86_300)
    sweep.sweep()
    assert mirror(product).is_in_step
    clock.advance(200)
    sweep.sweep()
    assert not mirror(product).is_in_step
