"""What staff do, in a real browser: see the products in step, change a title, see it arrive."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.shop import Demo, until

pytestmark = pytest.mark.needs("chromium")


def _log_in(page: Page, demo: Demo) -> None:
    page.goto(f"{demo.url}/admin/")
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill("admin")
    page.get_by_role("button", name="Log in").click()


def test_a_title_that_staff_change_arrives_at_genlook(page: Page, demo: Demo) -> None:
    until(lambda: demo.product("AL-TOP-104"), "the catalogue's arrival")
    _log_in(page, demo)
    page.goto(f"{demo.url}/admin/shop/product/")
    page.get_by_role("link", name="Honey cable jumper", exact=True).click()
    page.get_by_label("Name:").fill("Amber cable jumper")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("was changed successfully")).to_be_visible()
    until(lambda: (demo.product("AL-TOP-104") or {}).get("title") == "Amber cable jumper", "the title's arrival")


def test_staff_see_the_products_in_step(page: Page, demo: Demo) -> None:
    until(lambda: demo.product("AL-JAC-303"), "the catalogue's arrival")
    _log_in(page, demo)
    page.goto(f"{demo.url}/admin/genlook/product/")
    expect(page.locator("#result_list tbody tr")).to_have_count(10)
    expect(page.locator("#result_list")).to_contain_text("Camel blazer")
