"""Products that are not fit to be sent: parked with the reason, never lost, sent when they are mended."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from django_genlook.adapters import ProductAdapter
from django_genlook.client import Client
from django_genlook.conf import get_config
from django_genlook.models import Product
from django_genlook.services import products, scan
from django_genlook.signals import product_sync_failed
from django_genlook.testing import Sandbox
from example_project.shop.models import Product as ShopProduct
from example_project.shop.tryon import ProductTryOn
from tests.conftest import Clock
from tests.services.steps import drain, genlook, in_step, mirror

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("quick_pictures")]

Make = Callable[..., Any]


def parked(product: Any, code: str) -> Product:
    """Work, and return the mirror, which must be parked for this reason."""
    drain()
    row = mirror(product)
    assert row.is_parked
    assert row.error_code == code
    return row


@pytest.mark.parametrize(
    ("sku", "code"),
    [
        ("", "EXTERNAL_ID_REQUIRED"),
        ("   ", "EXTERNAL_ID_REQUIRED"),
        ("_anon_1", "RESERVED_EXTERNAL_ID"),
        (".", "external_id_invalid"),
        ("..", "external_id_invalid"),
        ("/a", "external_id_invalid"),
        ("a/", "external_id_invalid"),
        ("a\nb", "external_id_invalid"),
    ],
)
def test_a_bad_external_id_parks_the_product_without_a_call(
    genlook_sandbox: Sandbox, make_product: Make, sku: str, code: str
) -> None:
    parked(make_product(sku=sku), code)
    assert genlook_sandbox.journal() == []


def test_the_prefix_counts_towards_the_longest_id(genlook_sandbox: Sandbox, make_product: Make) -> None:
    with genlook(EXTERNAL_ID_PREFIX="p" * 254 + "-"):
        parked(make_product(sku="A"), "external_id_invalid")


def test_an_id_with_a_slash_inside_travels_whole(genlook_sandbox: Sandbox, make_product: Make) -> None:
    product = make_product(sku="a/b c%2F?#é")
    in_step(product)
    product.delete()
    drain()
    assert not Product.objects.exists()
    assert [entry["status"] for entry in genlook_sandbox.journal("DELETE")] == [200]


def test_a_product_without_pictures_is_parked_until_it_has_one(
    genlook_sandbox: Sandbox, make_product: Make, garment: bytes
) -> None:
    product = make_product(images=0)
    parked(product, "PRODUCT_IMAGES_REQUIRED")
    assert genlook_sandbox.journal() == []
    _add_picture(product, garment)
    in_step(product)


def test_a_missing_picture_file_parks_the_product_until_it_is_back(
    genlook_sandbox: Sandbox, make_product: Make
) -> None:
    product = make_product()
    path = Path(settings.MEDIA_ROOT) / product.images.get().original.name
    content = path.read_bytes()
    path.unlink()
    row = parked(product, "image_missing")
    path.write_bytes(content)
    assert scan.scan() == 1
    in_step(product)
    assert row.pk == mirror(product).pk


def test_a_product_that_genlook_refuses_is_parked_with_the_fields_for_staff(
    genlook_sandbox: Sandbox, make_product: Make, clock: Clock
) -> None:
    details = [{"path": "title", "message": "Too rude"}]
    genlook_sandbox.fail({"path": "/products", "fault": "error", "code": "VALIDATION_FAILED", "details": details})
    product = make_product()
    row = parked(product, "VALIDATION_FAILED")
    assert row.error_details == details
    clock.advance(90_000)
    assert scan.scan() == 0
    assert drain() == 0
    genlook_sandbox.fail()
    product.save()
    assert in_step(product).error_details == []


def test_an_adapter_that_raises_parks_its_product_and_harms_no_other(
    genlook_sandbox: Sandbox, make_product: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    poison, good = make_product(sku="POISON"), make_product(sku="GOOD")

    def title(self: ProductAdapter, obj: ShopProduct) -> str:
        return str(1 / (obj.sku != "POISON"))

    monkeypatch.setattr(ProductTryOn, "title", title)
    row = parked(poison, "adapter_failed")
    assert "ZeroDivisionError" in row.error_message
    assert in_step(good)
    assert scan.scan() == 0


def test_a_model_that_is_no_longer_registered_parks_what_it_had(genlook_sandbox: Sandbox) -> None:
    row = Product.objects.create(source="gone.model:1")
    drain()
    row.refresh_from_db()
    assert row.is_parked
    assert row.error_code == "adapter_failed"


def test_a_parked_product_tells_whoever_listens_with_the_code(genlook_sandbox: Sandbox, make_product: Make) -> None:
    heard: list[tuple[Any, str]] = []

    def listen(sender: Any, product: Product, code: str, **kwargs: Any) -> None:
        heard.append((product.source, code))

    product_sync_failed.connect(listen)
    try:
        product = make_product(images=0)
        drain()
    finally:
        product_sync_failed.disconnect(listen)
    assert heard == [(mirror(product).source, "PRODUCT_IMAGES_REQUIRED")]


def test_a_changed_external_id_takes_the_old_one_away_from_genlook(
    genlook_sandbox: Sandbox, make_product: Make
) -> None:
    product = make_product(sku="BEFORE")
    in_step(product)
    product.sku = "AFTER"
    product.save()
    assert in_step(product).external_id == "AFTER"
    assert at_genlook() == {"AFTER"}
    assert Product.objects.count() == 1


@pytest.fixture
def same_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    """An adapter that gives products whose descriptions are equal one external id, which the SKU would not."""

    def external_id(self: ProductAdapter, obj: ShopProduct) -> str:
        return obj.description

    monkeypatch.setattr(ProductTryOn, "external_id", external_id)


@pytest.mark.usefixtures("same_ids")
@pytest.mark.parametrize("how", ["renamed", "deleted", "hidden"])
def test_a_duplicate_id_is_parked_and_sent_by_itself_when_the_id_is_free(
    genlook_sandbox: Sandbox, make_product: Make, how: str
) -> None:
    first = make_product(description="SAME", name="First")
    in_step(first)
    second = make_product(description="SAME", name="Second")
    parked(second, "external_id_duplicate")
    if how == "renamed":
        first.description = "OTHER"
        first.save()
    elif how == "hidden":
        first.is_public = False
        first.save()
    else:
        first.delete()
    row = in_step(second)
    assert row.external_id == "SAME"
    assert row.remote["title"] == "Second"
    assert at_genlook() == ({"SAME", "OTHER"} if how == "renamed" else {"SAME"})


@pytest.mark.usefixtures("same_ids")
def test_two_products_may_exchange_their_ids(genlook_sandbox: Sandbox, make_product: Make) -> None:
    first, second = make_product(description="A", name="First"), make_product(description="B", name="Second")
    in_step(first), in_step(second)
    first.description, second.description = "B", "A"
    first.save(), second.save()
    drain()
    assert in_step(first).external_id == "B"
    assert in_step(second).external_id == "A"
    with Client.from_config(get_config()) as client:
        assert client.get_product("A").document["title"] == "Second"
        assert client.get_product("B").document["title"] == "First"


def test_staff_may_have_a_parked_product_tried_again(genlook_sandbox: Sandbox, make_product: Make) -> None:
    genlook_sandbox.fail({"path": "/products", "fault": "error", "code": "VALIDATION_FAILED", "times": 2})
    product = make_product()
    parked(product, "VALIDATION_FAILED")
    assert scan.retry_parked() == 1
    pk = parked(product, "VALIDATION_FAILED").pk
    assert products.send_again(pk) == mirror(product).revision
    in_step(product)


def _add_picture(product: ShopProduct, content: bytes) -> None:
    from django.core.files.base import ContentFile

    product.images.create(original=ContentFile(content, name="late.png"))


def at_genlook() -> set[str]:
    """The external ids of all products that Genlook has."""
    with Client.from_config(get_config()) as client:
        return {item.external_id for item in client.iter_products()}
