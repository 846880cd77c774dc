"""Breakers and pauses: what is held back, what goes on, and that all of it starts again by itself."""

from collections.abc import Callable
from typing import Any

import pytest

from django_genlook import budgets
from django_genlook.budgets import BreakerName, Lane
from django_genlook.exceptions import GenlookError
from django_genlook.models import Account, Breaker, Generation, Product, Shopper, Usage
from django_genlook.services import limits, sweep, try_ons
from django_genlook.signals import credits_low
from django_genlook.testing import Sandbox
from tests.conftest import Clock
from tests.services.steps import Status, ask_for, drain, genlook, in_step, mirror, ready_photo, see_through

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("quick_pictures")]

Make = Callable[..., Any]


def used() -> int:
    return max((row.used for row in Usage.objects.all()), default=0)


def probes(sandbox: Sandbox) -> int:
    return len(sandbox.journal("GET", "/account/credits"))


def test_a_wrong_key_loses_nothing_shows_the_cause_and_stops_asking(
    genlook_sandbox: Sandbox, make_product: Make, clock: Clock
) -> None:
    with genlook(API_KEY="gk_wrong"):
        shop_products = [make_product() for _ in range(3)]
        drain()
        clock.advance(50)
        drain()
        assert len(genlook_sandbox.journal()) == 1
        rows = [mirror(product) for product in shop_products]
        assert [row.error_code for row in rows] == ["INVALID_API_KEY", "", ""]
        assert Product.objects.waiting().count() == 3
        assert budgets.open_breakers() == {BreakerName.AUTH: "INVALID_API_KEY"}
    # The right key is another one, so nothing is held back from the first moment.
    drain()
    assert {row.is_in_step for row in Product.objects.all()} == {True}
    assert mirror(shop_products[0]).error_code == ""


def test_the_same_key_goes_on_by_itself_once_genlook_accepts_it_again(
    genlook_sandbox: Sandbox, make_product: Make, clock: Clock
) -> None:
    genlook_sandbox.reset(api_keys=["gk_another"])
    product = make_product()
    drain()
    genlook_sandbox.reset()
    sweep.sweep()
    assert drain() == 0
    assert genlook_sandbox.journal() == []
    clock.advance(61)
    sweep.sweep()
    assert probes(genlook_sandbox) == 1
    assert budgets.open_breakers() == {}
    in_step(product)


def test_while_the_key_is_refused_it_is_tried_ever_more_rarely(
    genlook_sandbox: Sandbox, make_product: Make, clock: Clock
) -> None:
    genlook_sandbox.reset(api_keys=["gk_another"])
    make_product()
    drain()
    gaps: list[int] = []
    last = 0
    for minute in range(1, 60):
        clock.advance(60)
        sweep.sweep()
        if probes(genlook_sandbox) > len(gaps):
            gaps.append(minute - last)
            last = minute
    assert gaps == [1, 2, 4, 8, 15, 15]


def test_a_probe_is_made_by_one_worker_only(
    genlook_sandbox: Sandbox, make_product: Make, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    genlook_sandbox.reset(api_keys=["gk_another"])
    make_product()
    drain()
    clock.advance(61)
    ahead = sweep.ahead  # type: ignore[attr-defined]

    def another_worker_first(seconds: float) -> Any:
        monkeypatch.setattr(sweep, "ahead", ahead)
        sweep.probe()
        return ahead(seconds)

    monkeypatch.setattr(sweep, "ahead", another_worker_first)
    sweep.probe()
    assert probes(genlook_sandbox) == 1


def test_a_probe_that_finds_no_slot_comes_again_at_the_next_sweep(
    genlook_sandbox: Sandbox, make_product: Make, clock: Clock
) -> None:
    genlook_sandbox.reset(api_keys=["gk_another"])
    make_product()
    drain()
    clock.advance(61)
    budgets.pause_window(30)
    sweep.probe()
    assert probes(genlook_sandbox) == 0
    genlook_sandbox.reset()
    clock.advance(32)
    sweep.probe()
    assert budgets.open_breakers() == {}


@pytest.fixture
def queued(genlook_sandbox: Sandbox, make_product: Make, portrait: bytes) -> Generation:
    """A try-on whose product and photo are ready, so that it could be sent."""
    product, shopper = make_product(), Shopper.objects.create()
    in_step(product)
    return ask_for(product, ready_photo(shopper, portrait), shopper)


OUT_OF_CREDITS = {"method": "POST", "path": "/try-on", "fault": "error", "code": "INSUFFICIENT_CREDITS"}


def test_without_credits_try_ons_wait_and_products_go_on(
    genlook_sandbox: Sandbox, queued: Generation, make_product: Make, clock: Clock
) -> None:
    heard: list[Any] = []

    def listen(balance: int | None, **kwargs: Any) -> None:
        heard.append(balance)

    credits_low.connect(listen)
    genlook_sandbox.fail(OUT_OF_CREDITS)
    product = make_product()
    drain()
    clock.advance(100)
    drain()
    credits_low.disconnect(listen)
    queued.refresh_from_db()
    assert queued.status == Status.QUEUED
    assert queued.error_code == "INSUFFICIENT_CREDITS"
    assert len(genlook_sandbox.journal("POST", "/try-on")) == 1
    assert len(heard) == 1
    assert used() == 1
    in_step(product)
    with pytest.raises(GenlookError) as refused:
        limits.check_available()
    assert refused.value.code == "try_on_unavailable"


def test_a_top_up_is_noticed_within_five_minutes_and_the_try_on_goes_out(
    genlook_sandbox: Sandbox, queued: Generation, clock: Clock
) -> None:
    genlook_sandbox.fail(OUT_OF_CREDITS)
    drain()
    genlook_sandbox.fail()
    clock.advance(240)
    sweep.probe()
    assert drain() == 0
    clock.advance(61)
    sweep.probe()
    assert see_through(queued, clock).status == Status.COMPLETED
    assert genlook_sandbox.ledger()["charged"] == 1


def test_the_pause_lasts_as_long_as_the_balance_is_zero(
    genlook_sandbox: Sandbox, queued: Generation, clock: Clock
) -> None:
    genlook_sandbox.reset(credits=0)
    genlook_sandbox.fail(OUT_OF_CREDITS)
    drain()
    for _ in range(4):
        clock.advance(301)
        sweep.probe()
    assert probes(genlook_sandbox) == 4
    assert BreakerName.CREDITS in budgets.open_breakers()
    owner = Account.objects.get(pk=budgets.account().pk)
    assert owner.credit_balance == 0


def test_a_try_on_that_waited_too_long_for_credits_ends_uncharged_and_gives_its_quota_back(
    genlook_sandbox: Sandbox, queued: Generation, clock: Clock
) -> None:
    genlook_sandbox.reset(credits=0)
    genlook_sandbox.fail(OUT_OF_CREDITS)
    drain()
    assert used() == 1
    clock.advance(590)
    sweep.sweep()
    queued.refresh_from_db()
    assert queued.status == Status.QUEUED
    clock.advance(11)
    sweep.sweep()
    queued.refresh_from_db()
    assert queued.status == Status.FAILED
    assert queued.error_code == "try_on_unavailable"
    assert queued.is_charged is False
    assert used() == 0


def test_a_429_pauses_everything_for_as_long_as_genlook_asks(
    genlook_sandbox: Sandbox, make_product: Make, clock: Clock
) -> None:
    fault = {"method": "POST", "path": "/products", "fault": "error", "code": "RATE_LIMITED", "times": 1}
    genlook_sandbox.fail({**fault, "retry_after": 120})
    shop_products = [make_product() for _ in range(3)]
    drain()
    assert len(genlook_sandbox.journal()) == 1
    clock.advance(119)
    drain()
    assert len(genlook_sandbox.journal()) == 1
    clock.advance(3)
    drain()
    assert {mirror(product).is_in_step for product in shop_products} == {True}
    assert mirror(shop_products[0]).attempts == 0


def test_a_real_limit_below_ours_is_met_once_and_nothing_is_lost(
    genlook_sandbox: Sandbox, make_product: Make, clock: Clock
) -> None:
    genlook_sandbox.reset(rate_limit=4)
    for _ in range(7):
        make_product()
    for _ in range(20):
        drain()
        clock.advance(10)
    assert {row.is_in_step for row in Product.objects.all()} == {True}
    answers = [entry["status"] for entry in genlook_sandbox.journal()]
    assert answers.count(429) == 1


def test_without_a_key_everything_waits_and_nothing_raises(
    genlook_sandbox: Sandbox, make_product: Make, portrait: bytes
) -> None:
    with genlook(API_KEY=""):
        product = make_product()
        product.save()
        sweep.sweep()
        assert drain() == 0
        with pytest.raises(GenlookError) as refused:
            limits.check_available()
        assert refused.value.code == "try_on_unavailable"
        assert Product.objects.waiting().count() == 1
        product.delete()
        make_product()
    assert genlook_sandbox.journal() == []
    drain()
    assert [row.is_in_step for row in Product.objects.all()] == [True]


def test_the_kill_switch_sends_nothing_new_but_brings_home_what_is_paid(
    genlook_sandbox: Sandbox, queued: Generation, make_product: Make, clock: Clock
) -> None:
    drain(Lane.SHOPPER)
    queued.refresh_from_db()
    assert queued.status == Status.PROCESSING
    with genlook(ENABLED=False):
        product = make_product()
        assert see_through(queued, clock).status == Status.COMPLETED
        assert not mirror(product).is_in_step
        with pytest.raises(GenlookError):
            limits.check_available()
    in_step(product)


def test_a_breaker_belongs_to_one_key(genlook_sandbox: Sandbox) -> None:
    budgets.open_breaker(BreakerName.AUTH, "INVALID_API_KEY")
    with genlook(API_KEY="gk_other"):
        assert budgets.open_breakers() == {}
    assert budgets.open_breakers() == {BreakerName.AUTH: "INVALID_API_KEY"}
    assert not budgets.open_breaker(BreakerName.AUTH, "INVALID_API_KEY")
    assert budgets.close_breaker(BreakerName.AUTH)
    assert not budgets.close_breaker(BreakerName.AUTH)


def test_the_database_holds_no_key(genlook_sandbox: Sandbox) -> None:
    with genlook(API_KEY="gk_canary_in_the_coal_mine"):
        budgets.open_breaker(BreakerName.AUTH, "INVALID_API_KEY")
    assert "canary" not in str(list(Account.objects.values())) + str(list(Breaker.objects.values()))


def test_the_balance_is_asked_for_every_quarter_of_an_hour(genlook_sandbox: Sandbox, clock: Clock) -> None:
    for _ in range(64):
        sweep.sweep()
        clock.advance(30)
    assert probes(genlook_sandbox) == 3
    assert Account.objects.get().credit_balance == 1_000


def test_a_broken_adapter_does_not_keep_the_breakers_from_closing(
    genlook_sandbox: Sandbox, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    from example_project.shop.tryon import ProductTryOn

    def broken(self: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(ProductTryOn, "get_queryset", broken)
    monkeypatch.setattr(sweep.scan, "is_due", broken.__get__(None, object))  # type: ignore[attr-defined]
    budgets.open_breaker(BreakerName.AUTH, "INVALID_API_KEY")
    clock.advance(61)
    sweep.sweep()
    assert budgets.open_breakers() == {}


def test_staff_may_not_start_try_ons_while_a_breaker_is_open(genlook_sandbox: Sandbox) -> None:
    budgets.open_breaker(BreakerName.CREDITS, "INSUFFICIENT_CREDITS")
    with pytest.raises(GenlookError) as refused:
        try_ons.start_for_staff([], None)
    assert refused.value.code == "try_on_unavailable"
