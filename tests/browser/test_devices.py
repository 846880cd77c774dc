"""The same on a small phone, in the dark, and where nothing may move."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.shop import Shopper

pytestmark = pytest.mark.needs("chromium")

TOO_SMALL = """root => [...root.querySelectorAll("button, a.button, label")]
  .filter((element) => element.checkVisibility())
  .map((element) => [element.textContent, element.getBoundingClientRect()])
  .filter(([, box]) => box.width < 44 || box.height < 44)
  .map(([text]) => text)"""


@pytest.fixture
def context_options() -> dict[str, Any]:
    return {
        "viewport": {"width": 360, "height": 640}, "has_touch": True, "is_mobile": True, "color_scheme": "dark",
        "reduced_motion": "reduce", "device_scale_factor": 2, "locale": "en-GB",
    }  # fmt: skip


def test_every_step_fits_a_small_phone(shopper: Shopper, page: Page, photograph: Path) -> None:
    for address in ("/", "/my-try-ons/"):
        page.goto(shopper.demo.url + address)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, address

    def fits() -> None:
        assert shopper.dialog.evaluate("dialog => dialog.scrollWidth <= 360 && dialog.clientHeight <= 640")
        assert shopper.dialog.evaluate(TOO_SMALL) == []
        for button in shopper.dialog.locator(".button.main:visible").all():
            expect(button).to_be_in_viewport(ratio=1)

    shopper.open("wrap-dress")
    fits()
    expect(shopper.dialog.get_by_role("button", name="Take a photo")).to_be_visible()
    assert shopper.dialog.locator("input[capture]").get_attribute("capture") == "user"
    shopper.agree()
    shopper.choose(photograph)
    expect(shopper.start).to_be_visible()
    fits()
    shopper.start.click()
    shopper.expect_view("waiting", "result")
    fits()
    shopper.picture()
    fits()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_the_page_behind_does_not_scroll_while_the_window_is_open(shopper: Shopper, page: Page) -> None:
    shopper.open("wrap-dress")
    assert page.evaluate("getComputedStyle(document.documentElement).overflow") == "hidden"
    page.keyboard.press("Escape")
    expect(shopper.dialog).to_be_hidden()
    assert page.evaluate("getComputedStyle(document.documentElement).overflow") == "visible"


def test_dark_and_light_follow_the_page(shopper: Shopper, page: Page) -> None:
    shopper.open("wrap-dress")
    light_of = """element => {
      const [red, green, blue] = getComputedStyle(element).backgroundColor.match(/[\\d.]+/g).map(Number);
      return red + green + blue;
    }"""
    assert shopper.dialog.evaluate(light_of) < 200
    page.emulate_media(color_scheme="light")
    assert shopper.dialog.evaluate(light_of) > 600


def test_nothing_moves_for_those_who_ask_for_that(shopper: Shopper) -> None:
    shopper.open("wrap-dress")
    assert shopper.dialog.evaluate("dialog => dialog.getAnimations({ subtree: true }).length") == 0
