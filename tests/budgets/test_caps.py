"""Quotas and credit budgets: exact at any concurrency, given back once, read in words people write."""

from datetime import UTC, datetime

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction

from django_genlook import budgets
from django_genlook.budgets import Cap, Full
from django_genlook.models import Usage
from tests.conftest import Clock
from tests.services.steps import at_once, now

pytestmark = pytest.mark.django_db(transaction=True)

DAY = 86_400


def reserve(*caps: Cap) -> list[list[str | int]]:
    periods = budgets.open_periods(caps)
    with transaction.atomic():
        return budgets.reserve(periods)


def used(scope: str) -> int:
    return sum(Usage.objects.filter(scope=scope).values_list("used", flat=True))


def test_a_cap_is_exact_when_64_ask_at_once() -> None:
    cap = Cap("credits:day", 10, DAY)
    outcomes = at_once(64, lambda: reserve(cap))
    assert sum(isinstance(outcome, list) for outcome in outcomes) == 10
    assert sum(isinstance(outcome, Full) for outcome in outcomes) == 54
    assert used("credits:day") == 10


def test_what_one_cap_refuses_takes_nothing_of_another() -> None:
    wide, narrow = Cap("credits:day", 10, DAY), Cap("shopper:1", 1, DAY)
    reserve(wide, narrow)
    with pytest.raises(Full) as full:
        reserve(wide, narrow)
    assert full.value.cap == narrow
    assert used("credits:day") == 1


def test_a_cap_of_nothing_lets_nothing_through() -> None:
    with pytest.raises(Full):
        reserve(Cap("credits:day", 0, DAY))


def test_what_is_released_can_be_taken_again_and_never_falls_below_zero() -> None:
    cap = Cap("shopper:1", 1, DAY)
    taken = reserve(cap)
    budgets.release(taken)
    assert used("shopper:1") == 0
    budgets.release(taken)
    assert used("shopper:1") == 0
    reserve(cap)


def test_a_new_period_begins_with_nothing_used(clock: Clock) -> None:
    cap = Cap("shopper:1", 1, DAY)
    reserve(cap)
    with pytest.raises(Full) as full:
        reserve(cap)
    assert 0 < full.value.seconds <= DAY
    clock.advance(full.value.seconds)
    reserve(cap)


def test_remaining_is_the_narrowest_and_none_without_a_cap() -> None:
    wide, narrow = Cap("credits:day", 10, DAY), Cap("shopper:1", 3, DAY)
    reserve(wide, narrow)
    assert budgets.remaining(budgets.read_periods([wide, narrow])) == 2
    assert budgets.remaining([]) is None


@pytest.mark.parametrize(
    ("now", "begins", "ends"),
    [
        ("2026-02-15T10:00:00", "2026-02-01T00:00:00", "2026-03-01T00:00:00"),
        ("2026-12-31T23:59:59", "2026-12-01T00:00:00", "2027-01-01T00:00:00"),
        ("2028-02-29T00:00:00", "2028-02-01T00:00:00", "2028-03-01T00:00:00"),
    ],
)
def test_a_month_is_a_calendar_month(now: str, begins: str, ends: str) -> None:
    def at(text: str) -> datetime:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)

    cap = Cap("credits:month", 1, None)
    assert cap.period(at(now)) == at(begins).timestamp()
    assert cap.end(cap.period(at(now))) == at(ends).timestamp()


def test_a_full_month_says_when_the_next_one_begins() -> None:
    cap = Cap("credits:month", 0, None)
    [(_, period)] = budgets.open_periods([cap])
    with pytest.raises(Full) as full:
        reserve(cap)
    left = cap.end(period) - now().timestamp()
    assert left <= full.value.seconds <= max(1, left + 5)


@pytest.mark.parametrize(
    ("rate", "parsed"),
    [
        ("5/d", (5, 86_400)), ("10/5m", (10, 300)), ("50/w", (50, 604_800)), ("0/h", (0, 3_600)), ("2/30s", (2, 30)),
        (" 5/d ", (5, 86_400)),
    ],
)  # fmt: skip
def test_rates_read_as_they_are_written(rate: str, parsed: tuple[int, int]) -> None:
    assert budgets.parse_rate(rate) == parsed


@pytest.mark.parametrize("rate", ["", "5", "5/", "/d", "5/x", "-5/d", "5/0d", "5/d/h", "five/d", "5 /d", "1.5/d"])
def test_what_is_no_rate_is_said_to_be_none(rate: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="not a rate"):
        budgets.parse_rate(rate)
