"""``genlook_sync``: the scan, then progress until all is in step or says why not."""

import json
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from django_genlook.management.commands import genlook_sync
from django_genlook.testing import Sandbox
from example_project.shop.models import Product as ShopProduct
from tests.conftest import Clock
from tests.services.steps import genlook, mirror, products_sent

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("quick_pictures")]

Make = Callable[..., Any]


def sync(*options: str) -> str:
    out = StringIO()
    call_command("genlook_sync", *options, stdout=out)
    return out.getvalue()


def held_back_sync() -> str:
    """What it says before it fails, so that a script sees that nothing more was sent."""
    out = StringIO()
    with pytest.raises(CommandError, match="takes nothing now"):
        call_command("genlook_sync", stdout=out)
    return out.getvalue()


def test_it_sends_what_is_not_in_step_and_says_so(genlook_sandbox: Sandbox, make_product: Make) -> None:
    make_product()
    ShopProduct.objects.bulk_create([ShopProduct(name="Bulk", slug="bulk", sku="BULK", price=1)])
    text = sync()
    assert "1 in step, 0 waiting, 1 need attention." in text
    assert "The product has no picture." in text
    assert "Add at least one picture" in text


def test_all_sends_every_product_again(genlook_sandbox: Sandbox, make_product: Make) -> None:
    make_product(), make_product()
    sync()
    sync()
    assert len(products_sent(genlook_sandbox)) == 2
    sync("--all")
    assert len(products_sent(genlook_sandbox)) == 4


def test_failed_tries_parked_products_again(genlook_sandbox: Sandbox, make_product: Make) -> None:
    genlook_sandbox.fail({"path": "/products", "fault": "error", "code": "VALIDATION_FAILED", "times": 1})
    make_product()
    assert "1 need attention" in sync()
    assert "1 need attention" in sync()
    assert "1 in step" in sync("--failed")


def test_limit_ends_it_early(genlook_sandbox: Sandbox, make_product: Make) -> None:
    for _ in range(3):
        make_product()
    assert "2 in step, 1 waiting" in sync("--limit", "2")


def test_json_is_for_programs(genlook_sandbox: Sandbox, make_product: Make) -> None:
    make_product()
    make_product(images=0, name="Poor")
    assert json.loads(sync("--json")) == {
        "marked": 0,
        "sent": 2,
        "in_step": 1,
        "waiting": 0,
        "parked": [{"product": mirror(ShopProduct.objects.get(name="Poor")).source, "code": "PRODUCT_IMAGES_REQUIRED"}],
        "held_back": {},
    }


def test_without_a_key_it_says_what_to_set(genlook_sandbox: Sandbox) -> None:
    with genlook(API_KEY=""), pytest.raises(CommandError, match="GENLOOK_API_KEY"):
        sync()


def test_a_refused_key_ends_it_with_the_remedy(genlook_sandbox: Sandbox, make_product: Make) -> None:
    make_product(), make_product()
    with genlook(API_KEY="gk_wrong"):
        text = held_back_sync()
    assert "0 in step, 2 waiting" in text
    assert "does not accept the API key" in text
    assert len(genlook_sandbox.journal("POST")) == 1


def test_the_kill_switch_ends_it(genlook_sandbox: Sandbox, make_product: Make) -> None:
    make_product()
    with genlook(ENABLED=False):
        text = held_back_sync()
    assert "ENABLED is off" in text
    assert "1 waiting" in text
    assert genlook_sandbox.journal() == []


def test_what_must_wait_is_left_waiting(genlook_sandbox: Sandbox, make_product: Make) -> None:
    genlook_sandbox.fail({"method": "POST", "path": "/products", "fault": "html", "times": 1})
    make_product(), make_product()
    assert "1 in step, 1 waiting" in sync()


def test_it_waits_for_request_slots(
    genlook_sandbox: Sandbox, make_product: Make, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(5):
        make_product()
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        assert seconds <= 1
        slept.append(seconds)
        clock.advance(20)

    monkeypatch.setattr(genlook_sync.time, "sleep", sleep)  # type: ignore[attr-defined]
    with genlook(RATE_LIMIT=4, RATE_HEADROOM=1, SHOPPER_RESERVE=2):
        assert "5 in step" in sync()
    assert slept
