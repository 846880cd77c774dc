"""What stands above the lists: how the shop stands with Genlook, and what holds work back."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client as Browser

from django_genlook import budgets
from django_genlook.budgets import BreakerName
from django_genlook.conf import get_config
from django_genlook.exceptions import CODES
from django_genlook.models import Account, Product, RequestSlot, Usage
from django_genlook.models.clock import ahead
from django_genlook.services import limits
from tests.admin.conftest import words_of

LISTS = [f"/admin/genlook/{name}/" for name in ("product", "generation", "photo")]
KEYLESS = {"API_KEY": ""}


def banner(browser: Browser, address: str = LISTS[0]) -> str:
    page = words_of(browser.get(address))
    return page[page.index('class="gl-banner"') : page.index("</section>")]


def broken(code: str) -> str:
    return f"<strong>{CODES[code].cause}</strong> {CODES[code].remedy}"


@pytest.mark.parametrize("address", LISTS)
def test_every_list_says_what_holds_work_back(address: str, admin_client: Browser, settings: Any) -> None:
    settings.GENLOOK = KEYLESS
    assert broken("MISSING_API_KEY") in banner(admin_client, address).replace("&#x27;", "'")


@pytest.mark.parametrize(
    ("name", "code"), [(BreakerName.AUTH, "INVALID_API_KEY"), (BreakerName.CREDITS, "INSUFFICIENT_CREDITS")]
)
def test_an_open_breaker_is_named_with_its_remedy(name: BreakerName, code: str, admin_client: Browser) -> None:
    budgets.open_breaker(name, code)
    assert broken(code) in banner(admin_client).replace("&#x27;", "'")


def test_only_what_stops_products_is_said_to_hold_them_back(
    own_product: Callable[..., Product], admin_client: Browser
) -> None:
    own_product(revision=9)
    budgets.open_breaker(BreakerName.CREDITS, "INSUFFICIENT_CREDITS")
    assert "Held back" not in words_of(admin_client.get(LISTS[0]))


def test_a_missing_storage_is_named(admin_client: Browser, settings: Any) -> None:
    settings.GENLOOK = {"API_KEY": "gk_sandbox", "STORAGE": "nowhere"}
    assert str(CODES["storage_unavailable"].cause) in banner(admin_client)


def test_the_kill_switch_is_named(admin_client: Browser, settings: Any) -> None:
    settings.GENLOOK = {"API_KEY": "gk_sandbox", "ENABLED": False}
    assert "Try-on is switched off." in banner(admin_client)


def test_a_paused_window_is_named_until_it_opens(admin_client: Browser) -> None:
    account = budgets.account()
    Account.objects.filter(pk=account.pk).update(paused_until=ahead(60))
    assert str(CODES["RATE_LIMITED"].cause) in banner(admin_client)
    Account.objects.filter(pk=account.pk).update(paused_until=ahead(-1))
    assert str(CODES["RATE_LIMITED"].cause) not in banner(admin_client)


def test_without_trouble_there_is_no_word_of_it(admin_client: Browser) -> None:
    assert "gl-trouble" not in banner(admin_client)


def test_the_balance_is_shown_with_its_age(admin_client: Browser) -> None:
    Account.objects.filter(pk=budgets.account().pk).update(credit_balance=421, balance_at=ahead(-7_300))
    words = banner(admin_client)
    assert "421" in words
    assert "2\xa0hours ago" in words


def test_a_balance_of_another_key_is_not_shown(admin_client: Browser, settings: Any) -> None:
    Account.objects.filter(pk=budgets.account().pk).update(credit_balance=421, balance_at=ahead(-5))
    settings.GENLOOK = {"API_KEY": "another"}
    assert "421" not in banner(admin_client)
    assert "not known yet" in banner(admin_client)


def test_looking_at_a_list_writes_nothing_about_the_account(admin_client: Browser) -> None:
    banner(admin_client)
    assert not Account.objects.exists()
    assert not RequestSlot.objects.exists()


def test_what_is_spent_is_shown_against_the_caps(admin_client: Browser, settings: Any) -> None:
    settings.GENLOOK = {"API_KEY": "gk_sandbox", "CREDITS_PER_DAY": 40, "CREDITS_PER_MONTH": 500}
    for (cap, period), used in zip(budgets.read_periods(limits.caps_for_credits()), (7, 333), strict=True):
        Usage.objects.create(scope=cap.scope, period=period, used=used)
        Usage.objects.create(scope=cap.scope, period=period - int(timedelta(days=40).total_seconds()), used=99)

    words = banner(admin_client)

    assert "7 of 40" in words
    assert "333 of 500" in words
    assert "99 of" not in words


def test_without_caps_no_spending_is_claimed(admin_client: Browser, settings: Any) -> None:
    settings.GENLOOK = {"API_KEY": "gk_sandbox", "CREDITS_PER_DAY": None}
    assert "Credits used" not in banner(admin_client)


def test_the_numbers_lead_to_the_products_they_count(
    own_product: Callable[..., Product], parked: Product, admin_client: Browser
) -> None:
    own_product(), own_product(), own_product(revision=9)
    words = banner(admin_client)
    for state, number in (("in-step", 2), ("waiting", 1), ("parked", 1)):
        assert f'<a href="/admin/genlook/product/?state={state}">{number}</a>' in words


def test_staff_who_may_not_see_products_get_no_link_to_them(staff: Callable[..., Browser]) -> None:
    assert "?state=" not in banner(staff("genlook.view_generation"), LISTS[1])


def test_the_key_is_on_no_page(admin_client: Browser, settings: Any) -> None:
    settings.GENLOOK = {"API_KEY": "gk_canary_4711"}
    assert get_config().API_KEY.reveal() == "gk_canary_4711"
    budgets.open_breaker(BreakerName.AUTH, "INVALID_API_KEY")
    for address in LISTS:
        assert "gk_canary_4711" not in words_of(admin_client.get(address))
