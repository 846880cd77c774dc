"""Events promised to others: after commit, each once, and no listener can do harm."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from django.db import connection
from django.dispatch import Signal

from django_genlook.models import Generation, Product, Shopper
from django_genlook.services import try_ons
from django_genlook.signals import generation_completed, generation_failed, product_sync_failed, product_synced
from django_genlook.testing import Sandbox
from tests.conftest import Clock
from tests.services.steps import Status, ask_for, drain, in_step, mirror, ready_photo, see_through

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("quick_pictures")]

Make = Callable[..., Any]

SIGNALS = {
    "synced": product_synced,
    "sync_failed": product_sync_failed,
    "completed": generation_completed,
    "failed": generation_failed,
}


@contextmanager
def listening(*, broken: bool = False) -> Iterator[list[tuple[str, dict[str, Any]]]]:
    """Collect what is sent; with ``broken`` each listener raises afterwards."""
    heard: list[tuple[str, dict[str, Any]]] = []

    def connect(name: str, event: Signal) -> Callable[[], Any]:
        def listen(signal: Signal, sender: Any, **values: Any) -> None:
            assert not connection.in_atomic_block, "sent before the commit"
            assert sender in (Product, Generation)
            heard.append((name, values))
            if broken:
                raise ZeroDivisionError

        event.connect(listen, weak=False)
        return lambda: event.disconnect(listen)

    with ExitStack() as stack:
        for name, event in SIGNALS.items():
            stack.callback(connect(name, event))
        yield heard


@pytest.mark.parametrize("broken", [False, True])
def test_a_product_and_a_try_on_tell_their_story_once_whoever_listens(
    genlook_sandbox: Sandbox, make_product: Make, portrait: bytes, clock: Clock, broken: bool
) -> None:
    shopper = Shopper.objects.create()
    with listening(broken=broken) as heard:
        product, poor = make_product(), make_product(images=0)
        in_step(product)
        photo = ready_photo(shopper, portrait)
        row = see_through(ask_for(product, photo, shopper), clock)
        genlook_sandbox.fail({"path": "/try-on", "fault": "fail_generation", "error_code": "INVALID_IMAGE"})
        failed = see_through(ask_for(product, photo, shopper, is_again=True), clock)
        product.delete()
        drain()
    assert row.status == Status.COMPLETED
    assert [name for name, _ in heard] == ["synced", "sync_failed", "completed", "failed", "synced"]
    assert heard[1][1] == {"product": mirror(poor), "code": "PRODUCT_IMAGES_REQUIRED"}
    assert heard[2][1] == {"generation": row}
    assert heard[2][1]["generation"].result
    assert heard[3][1] == {"generation": failed, "code": "INVALID_IMAGE"}
    assert heard[4][1]["product"].is_deleted


def test_a_cancelled_try_on_is_no_failure(genlook_sandbox: Sandbox, make_product: Make, portrait: bytes) -> None:
    product, shopper = make_product(), Shopper.objects.create()
    in_step(product)
    row = ask_for(product, ready_photo(shopper, portrait), shopper)
    with listening() as heard:
        try_ons.cancel_or_leave(row)
        drain()
    assert heard == []
