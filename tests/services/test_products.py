"""The catalogue and its mirror: every change arrives, once, and nothing is sent that need not be."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from django_genlook.client import Client
from django_genlook.conf import get_config
from django_genlook.exceptions import GenlookError
from django_genlook.models import Product
from django_genlook.services import calls, catalogue, products
from django_genlook.testing import Sandbox
from example_project.shop.models import Product as ShopProduct
from example_project.shop.models import ProductImage
from tests.conftest import Clock
from tests.services.steps import drain, genlook, in_step, mirror, now, products_sent

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("quick_pictures")]

Make = Callable[..., Any]


def test_an_edit_arrives_with_its_new_words_as_plain_text(genlook_sandbox: Sandbox, make_product: Make) -> None:
    product = make_product(name="Shirt")
    in_step(product)
    product.name = "Blue &amp; white <b>shirt</b>"
    product.save()
    row = in_step(product)
    assert row.remote["title"] == "Blue & white shirt"
    assert row.title == "Blue & white shirt"


def test_a_thousand_saves_in_a_row_are_at_most_three_calls(genlook_sandbox: Sandbox, make_product: Make) -> None:
    product = make_product()
    for number in range(1_000):
        product.name = f"Shirt, version {number}"
        product.save()
        if number in (300, 700):
            drain()
    row = in_step(product)
    assert row.revision >= 1_000
    sent = products_sent(genlook_sandbox)
    assert len(sent) <= 3
    assert sent[-1] == "Shirt, version 999"


def test_saving_a_product_costs_at_most_two_more_queries(
    make_product: Make,
) -> None:
    product = make_product()

    def count(act: Callable[[], Any]) -> int:
        with CaptureQueriesContext(connection) as queries:
            act()
        return sum(not query["sql"].startswith(("BEGIN", "COMMIT")) for query in queries.captured_queries)

    assert count(product.save) <= 1 + 2
    assert count(lambda: ShopProduct.objects.create(name="New", slug="new", sku="NEW", price=1)) <= 1 + 2
    with transaction.atomic():
        assert count(product.save) <= 1 + 2


def test_a_rolled_back_save_sends_nothing(genlook_sandbox: Sandbox, make_product: Make, garment: bytes) -> None:
    product = make_product(name="Kept")
    before = in_step(product).revision
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        product.name = "Never"
        product.save()
        ProductImage.objects.create(product=product, original=ContentFile(garment, name="x.png"))
        raise ZeroDivisionError
    assert mirror(product).revision == before
    assert drain() == 0
    assert products_sent(genlook_sandbox) == ["Kept"]


def test_a_product_saved_again_while_its_push_is_in_flight_is_pushed_again(
    genlook_sandbox: Sandbox, make_product: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    product = make_product(name="First")
    save = Client.save_product

    def slow(self: Client, *args: Any, **kwargs: Any) -> Any:
        monkeypatch.setattr(Client, "save_product", save)
        answer = save(self, *args, **kwargs)
        ShopProduct.objects.get(pk=product.pk).save()
        ShopProduct.objects.filter(pk=product.pk).update(name="Second")
        return answer

    monkeypatch.setattr(Client, "save_product", slow)
    products.push(mirror(product).pk)
    row = mirror(product)
    assert not row.is_in_step
    assert row.synced_revision == row.revision - 1
    assert in_step(product).remote["title"] == "Second"


def test_the_answer_of_a_worker_that_lost_its_lease_is_not_taken_for_the_newest(
    genlook_sandbox: Sandbox, make_product: Make, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    product = make_product(name="Old")
    save = Client.save_product

    def slow(self: Client, *args: Any, **kwargs: Any) -> Any:
        monkeypatch.setattr(Client, "save_product", save)
        answer = save(self, *args, **kwargs)
        # Meanwhile the lease runs out and another worker brings the product in step with what it is now.
        clock.advance(calls.PRODUCT_LEASE + 1)
        product.name = "New"
        product.save()
        drain()
        return answer

    monkeypatch.setattr(Client, "save_product", slow)
    products.push(mirror(product).pk)
    row = mirror(product)
    assert row.is_in_step
    assert row.remote["title"] == "New"
    assert row.fingerprint == catalogue_fingerprint(product)


def catalogue_fingerprint(product: ShopProduct) -> str:
    wanted = catalogue.read(mirror(product))
    assert wanted is not None
    return wanted.fingerprint


def test_two_workers_never_hold_one_product(genlook_sandbox: Sandbox, make_product: Make, clock: Clock) -> None:
    pk = mirror(make_product()).pk
    first = Product.objects.due().claim(pk, 30)
    assert first is not None
    assert Product.objects.due().claim(pk, 30) is None
    products.push(pk)
    assert genlook_sandbox.journal() == []
    clock.advance(31)
    assert Product.objects.due().claim(pk, 30) is not None
    assert not Product.objects.settle(pk, first, synced_revision=99)


def test_what_genlook_has_already_is_not_sent_again(genlook_sandbox: Sandbox, make_product: Make) -> None:
    product = make_product()
    in_step(product)
    product.price = "21.00"
    product.save()
    row = in_step(product)
    assert row.synced_revision == row.revision
    assert len(genlook_sandbox.journal("POST", "/products")) == 1


def test_adding_changing_and_deleting_a_picture_arrives(
    genlook_sandbox: Sandbox, make_product: Make, garment: bytes, portrait: bytes
) -> None:
    product = make_product()
    assert len(in_step(product).remote["images"]) == 1
    second = ProductImage.objects.create(product=product, original=ContentFile(garment, name="second.png"))
    assert len(in_step(product).remote["images"]) == 2
    second.original = ContentFile(portrait, name="third.jpg")
    second.save()
    in_step(product)
    assert len(genlook_sandbox.journal("POST", "/products")) == 3
    second.delete()
    assert len(in_step(product).remote["images"]) == 1


def test_watched_rows_of_one_transaction_are_one_mark_after_commit(make_product: Make, garment: bytes) -> None:
    product, other = make_product(), make_product(images=0)
    before = mirror(product).revision, mirror(other).revision
    with transaction.atomic():
        for _ in range(3):
            ProductImage.objects.create(product=product, original=ContentFile(garment, name="a.png"))
        ProductImage.objects.create(product=other, original=ContentFile(garment, name="b.png"))
        assert (mirror(product).revision, mirror(other).revision) == before
    assert (mirror(product).revision, mirror(other).revision) == (before[0] + 1, before[1] + 1)


def test_a_rolled_back_savepoint_does_not_take_the_pictures_outside_it_along(
    make_product: Make, garment: bytes
) -> None:
    product = make_product(images=0)
    before = mirror(product).revision
    with transaction.atomic():
        with pytest.raises(DatabaseError), transaction.atomic():
            ProductImage.objects.create(product=product, original=ContentFile(garment, name="lost.png"))
            raise DatabaseError
        ProductImage.objects.create(product=product, original=ContentFile(garment, name="kept.png"))
    assert mirror(product).revision == before + 1


def test_a_deleted_product_is_gone_at_genlook_and_here(genlook_sandbox: Sandbox, make_product: Make) -> None:
    product = make_product(sku="GONE")
    row = in_step(product)
    product.delete()
    drain()
    assert not Product.objects.filter(pk=row.pk).exists()
    with pytest.raises(GenlookError, match="PRODUCT_NOT_FOUND"), Client.from_config(get_config()) as client:
        client.get_product("GONE")


def test_a_product_deleted_before_it_was_ever_sent_needs_no_call(genlook_sandbox: Sandbox, make_product: Make) -> None:
    make_product().delete()
    drain()
    assert not Product.objects.exists()
    assert genlook_sandbox.journal() == []


def test_a_product_deleted_while_its_push_is_in_flight_is_gone_in_the_end(
    genlook_sandbox: Sandbox, make_product: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    product = make_product(sku="BRIEF")
    save = Client.save_product

    def slow(self: Client, *args: Any, **kwargs: Any) -> Any:
        answer = save(self, *args, **kwargs)
        product.delete()
        return answer

    monkeypatch.setattr(Client, "save_product", slow)
    drain()
    assert not Product.objects.exists()
    assert [entry["path"] for entry in genlook_sandbox.journal("DELETE")] == ["/products/BRIEF"]


def test_a_sku_deleted_and_made_anew_ends_as_the_new_product(genlook_sandbox: Sandbox, make_product: Make) -> None:
    old = make_product(sku="AGAIN", name="Old")
    in_step(old)
    old.delete()
    new = make_product(sku="AGAIN", name="New", slug="new")
    row = in_step(new)
    assert row.external_id == "AGAIN"
    assert row.remote["title"] == "New"
    assert Product.objects.count() == 1
    with Client.from_config(get_config()) as client:
        assert client.get_product("AGAIN").document["title"] == "New"


def test_a_new_product_waits_for_the_delete_of_the_old_one_that_is_on_its_way(
    genlook_sandbox: Sandbox, make_product: Make, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = make_product(sku="BUSY", name="Old")
    in_step(old)
    old.delete()
    remove = Client.delete_product

    def slow(self: Client, *args: Any, **kwargs: Any) -> Any:
        new = make_product(sku="BUSY", name="New", slug="new")
        other = make_product(sku="OTHER")
        drain()
        assert not mirror(new).is_in_step
        assert mirror(other).is_in_step, "the one that waits must not keep the others waiting"
        remove(self, *args, **kwargs)

    monkeypatch.setattr(Client, "delete_product", slow)
    drain()
    clock.advance(products.TOMBSTONE_BUSY + 1)
    row = in_step(ShopProduct.objects.get(sku="BUSY"))
    assert row.remote["title"] == "New"
    with Client.from_config(get_config()) as client:
        assert client.get_product("BUSY").document["title"] == "New"


def test_genlook_not_knowing_a_product_is_as_good_as_having_deleted_it(
    genlook_sandbox: Sandbox, make_product: Make
) -> None:
    product = make_product()
    in_step(product)
    genlook_sandbox.reset(generation_seconds=0)
    product.delete()
    drain()
    assert not Product.objects.exists()
    assert [entry["status"] for entry in genlook_sandbox.journal("DELETE")] == [404]


@pytest.mark.parametrize(
    "fault",
    [
        {"fault": "html", "status": 404},
        {"fault": "error", "code": "ROUTE_NOT_FOUND", "status": 404},
        {"fault": "empty", "status": 404},
    ],
    ids=["html", "route", "empty"],
)
def test_a_404_without_the_right_code_does_not_eat_the_tombstone(
    genlook_sandbox: Sandbox, make_product: Make, clock: Clock, fault: dict[str, Any]
) -> None:
    product = make_product()
    pk = in_step(product).pk
    product.delete()
    genlook_sandbox.fail({"method": "DELETE", "path": "/products/*", "times": 1, **fault})
    drain()
    row = Product.objects.get(pk=pk)
    assert row.is_deleted
    assert row.error_code == "ROUTE_NOT_FOUND"
    clock.advance(300)
    drain()
    assert not Product.objects.exists()
    assert [entry["status"] for entry in genlook_sandbox.journal("DELETE")] == [404, 200]


def test_a_product_that_is_no_longer_offered_goes_and_comes_back(genlook_sandbox: Sandbox, make_product: Make) -> None:
    product = make_product(sku="HIDDEN")
    in_step(product)
    product.is_public = False
    product.save()
    row = in_step(product)
    assert not row.is_enabled
    assert not row.is_remote
    assert [entry["path"] for entry in genlook_sandbox.journal("DELETE")] == ["/products/HIDDEN"]
    product.is_public = True
    product.save()
    row = in_step(product)
    assert row.is_enabled
    assert row.is_remote
    with Client.from_config(get_config()) as client:
        assert client.get_product("HIDDEN").external_id == "HIDDEN"


def test_a_prefix_is_added_on_the_wire_only(genlook_sandbox: Sandbox, make_product: Make) -> None:
    with genlook(EXTERNAL_ID_PREFIX="demo-"):
        product = make_product(sku="P")
        assert in_step(product).external_id == "P"
        with Client.from_config(get_config()) as client:
            assert client.get_product("demo-P").external_id == "demo-P"
        product.delete()
        drain()
    assert [entry["path"] for entry in genlook_sandbox.journal("DELETE")] == ["/products/demo-P"]


def test_a_product_titled_mock_is_renamed_on_the_wire_unless_genlook_is_a_sandbox(
    genlook_sandbox: Sandbox, make_product: Make
) -> None:
    with genlook(SANDBOX=False):
        product = make_product(name=" Mock ")
        in_step(product)
    make_product(name="mock")
    drain()
    assert products_sent(genlook_sandbox) == ["Mock (product)", "mock"]


def test_every_product_lives_for_ever_at_genlook(genlook_sandbox: Sandbox, make_product: Make) -> None:
    assert in_step(make_product()).remote["validForDays"] is None


def test_nothing_of_the_pictures_addresses_is_kept(genlook_sandbox: Sandbox, make_product: Make) -> None:
    assert "sourceUrl" not in str(in_step(make_product()).remote)


def test_a_save_succeeds_and_arrives_later_when_genlook_is_down(
    genlook_sandbox: Sandbox, make_product: Make, clock: Clock
) -> None:
    with genlook(BASE_URL="http://127.0.0.1:9/tryon/v1"):
        product = make_product()
        drain()
        row = mirror(product)
        assert row.error_code == "not_sent"
        assert row.next_attempt_at is not None
        assert row.next_attempt_at > now()
    clock.advance(301)
    row = in_step(product)
    assert row.error_code == ""
    assert row.attempts == 0


def test_no_lock_and_no_transaction_is_held_while_genlook_is_asked(
    genlook_sandbox: Sandbox, make_product: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    product = make_product()
    save = Client.save_product
    seen = []

    def watching(self: Client, *args: Any, **kwargs: Any) -> Any:
        seen.append(connection.in_atomic_block)
        # A shop's own process may write the very same row meanwhile.
        other = threading.Thread(target=_touch, args=(mirror(product).pk, seen))
        other.start()
        other.join(timeout=10)
        return save(self, *args, **kwargs)

    monkeypatch.setattr(Client, "save_product", watching)
    products.push(mirror(product).pk)
    assert seen == [False, 1]


def _touch(pk: int, seen: list[Any]) -> None:
    try:
        seen.append(Product.objects.filter(pk=pk).update(title="touched"))
    finally:
        connection.close()


def test_asking_genlook_inside_a_transaction_is_refused(genlook_sandbox: Sandbox, make_product: Make) -> None:
    pk = mirror(make_product()).pk
    with pytest.raises(RuntimeError, match="transaction"), transaction.atomic():
        products.push(pk)
    assert genlook_sandbox.journal() == []
