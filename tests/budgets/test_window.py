"""The request window: at most 95 in any minute, 75 of them in the background, over any number of workers."""

import random
from datetime import timedelta

import pytest

from django_genlook import budgets
from django_genlook.budgets import Lane, Later
from django_genlook.models import Account, RequestSlot
from tests.conftest import Clock
from tests.services.steps import at_once, genlook

pytestmark = pytest.mark.django_db(transaction=True)


def take(lane: Lane, most: int = 1_000) -> int:
    """Take slots until there is none, or ``most``; return how many there were."""
    for count in range(most):
        try:
            budgets.take_slot(lane)
        except Later:
            return count
    return most


def test_background_work_gets_75_a_minute_and_shoppers_the_other_20(clock: Clock) -> None:
    assert take(Lane.BACKGROUND) == 75
    assert take(Lane.SHOPPER) == 20
    assert take(Lane.SHOPPER) == 0


def test_shoppers_alone_get_all_95(clock: Clock) -> None:
    assert take(Lane.SHOPPER) == 95
    assert take(Lane.BACKGROUND) == 0


def test_shoppers_use_does_not_shrink_the_share_of_the_background_before_the_window_is_full(clock: Clock) -> None:
    assert take(Lane.SHOPPER, 20) == 20
    assert take(Lane.BACKGROUND) == 75


def test_a_slot_is_free_again_after_61_seconds_and_not_before(clock: Clock) -> None:
    assert take(Lane.SHOPPER) == 95
    clock.advance(60)
    assert take(Lane.SHOPPER) == 0
    clock.advance(2)
    assert take(Lane.SHOPPER) == 95


def test_later_says_when_there_is_room(clock: Clock) -> None:
    take(Lane.BACKGROUND, 1)
    clock.advance(30)
    take(Lane.BACKGROUND)
    with pytest.raises(Later) as later:
        budgets.take_slot(Lane.BACKGROUND)
    assert 25 < later.value.seconds <= 31
    clock.advance(later.value.seconds + 0.1)
    assert take(Lane.BACKGROUND) == 1


def test_no_stretch_of_61_seconds_ever_holds_more_than_95(clock: Clock) -> None:
    chance = random.Random(7)
    for _ in range(60):
        clock.advance(chance.choice((0, 0.5, 3, 17)))
        take(chance.choice((Lane.SHOPPER, Lane.BACKGROUND)), chance.randrange(40))
    slots = list(RequestSlot.objects.order_by("at").values_list("at", "is_background"))
    assert len(slots) > 250
    for first, _ in slots:
        within = [is_background for at, is_background in slots if first <= at < first + timedelta(seconds=61)]
        assert len(within) <= 95
        assert sum(within) <= 75


@pytest.mark.parametrize(("lane", "most"), [(Lane.SHOPPER, 95), (Lane.BACKGROUND, 75)])
def test_workers_together_never_pass_the_limit(lane: Lane, most: int) -> None:
    taken = at_once(8, lambda: take(lane))
    assert sum(count for count in taken if isinstance(count, int)) == most
    assert RequestSlot.objects.count() == most


def test_the_limit_is_that_of_the_settings(clock: Clock) -> None:
    with genlook(RATE_LIMIT=10, RATE_HEADROOM=0.5, SHOPPER_RESERVE=2):
        assert take(Lane.BACKGROUND) == 3
        assert take(Lane.SHOPPER) == 2


def test_each_key_has_a_window_of_its_own(clock: Clock) -> None:
    assert take(Lane.SHOPPER) == 95
    with genlook(API_KEY="gk_other"):
        assert take(Lane.SHOPPER) == 95


@pytest.mark.parametrize(
    ("retry_after", "shortest", "longest"),
    [(0, 1, 2), (7, 7, 8), (7.5, 7.5, 8.5), (100_000, 900, 901)],
)
def test_a_429_pauses_as_long_as_it_asks_within_reason(
    clock: Clock, retry_after: float, shortest: float, longest: float
) -> None:
    budgets.pause_window(retry_after)
    clock.advance(shortest - 0.3)
    assert take(Lane.SHOPPER, 1) == 0
    clock.advance(longest - shortest + 0.4)
    assert take(Lane.SHOPPER, 1) == 1


def test_429s_in_a_row_pause_longer_each_time_until_one_goes_well(clock: Clock) -> None:
    waits = []
    for _ in range(3):
        budgets.pause_window(None)
        with pytest.raises(Later) as later:
            budgets.take_slot(Lane.SHOPPER)
        waits.append(later.value.seconds)
        clock.advance(later.value.seconds + 0.1)
    assert 60 < waits[0] < 63
    assert 121 < waits[1] < 124
    assert 243 < waits[2] < 246
    budgets.window_flows()
    assert Account.objects.get().pauses == 0


def test_a_pause_holds_back_both_lanes(clock: Clock) -> None:
    budgets.pause_window(30)
    assert take(Lane.SHOPPER) == 0
    assert take(Lane.BACKGROUND) == 0


def test_old_entries_of_the_log_are_dropped_and_young_ones_kept(clock: Clock) -> None:
    take(Lane.SHOPPER, 3)
    clock.advance(100)
    take(Lane.SHOPPER, 2)
    clock.advance(30)
    budgets.drop_old_slots()
    assert RequestSlot.objects.count() == 2
