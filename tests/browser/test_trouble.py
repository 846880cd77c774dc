"""What a shopper meets when something is wrong: a sentence, and a way on."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.shop import Shopper

pytestmark = pytest.mark.needs("chromium")

FAILED_LOAD = "Failed to load resource"


def test_a_file_that_is_no_photo_does_not_leave_the_device(shopper: Shopper, page: Page, tmp_path: Path) -> None:
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    text = tmp_path / "letter.txt"
    text.write_text("Dear shop")
    shopper.open("hoodie")
    shopper.agree()
    shopper.choose(text)
    expect(shopper.dialog.get_by_role("alert")).to_contain_text("This file is not a photo")
    shopper.expect_view("photo")
    assert sent == []


def test_a_file_that_lies_is_refused_with_a_sentence(shopper: Shopper, photograph: Path, tolerated: list[str]) -> None:
    tolerated += [FAILED_LOAD]
    shopper.open("hoodie")
    shopper.agree()
    shopper.choose({"name": "me.jpg", "mimeType": "image/jpeg", "buffer": b"Dear shop"})
    expect(shopper.dialog.get_by_role("alert")).to_contain_text("Please choose another photo")
    shopper.choose(photograph)
    shopper.start.click()
    shopper.picture()


def test_a_photo_that_is_broken_inside_is_refused_with_a_sentence(shopper: Shopper, photograph: Path) -> None:
    whole = photograph.read_bytes()
    # The header stays, so that it is taken in; no browser decodes the rest, so that it is sent as it is.
    shopper.open("hoodie")
    shopper.agree()
    start_of_scan = whole.index(b"\xff\xda")
    shopper.choose({"name": "me.jpg", "mimeType": "image/jpeg", "buffer": whole[:start_of_scan]})
    expect(shopper.dialog.get_by_role("alert")).to_contain_text("Please choose another photo")
    shopper.expect_view("photo")


def test_a_lost_connection_loses_nothing(shopper: Shopper, page: Page, photograph: Path, tolerated: list[str]) -> None:
    tolerated += [FAILED_LOAD]
    lost: list[str] = []

    def lose_first(route: Route) -> None:
        if route.request.method == "POST" and not lost:
            lost.append(route.request.url)
            route.abort("connectionreset")
        else:
            route.continue_()

    page.route("**/genlook/try-ons/", lose_first)
    shopper.open("hoodie")
    shopper.agree()
    shopper.choose(photograph)
    shopper.start.click()
    expect(shopper.dialog.get_by_role("alert")).to_contain_text("connection was interrupted")
    shopper.dialog.get_by_role("button", name="Try again").click()
    shopper.picture()
    assert len(lost) == 1
    assert len(shopper.try_ons()) == 1


def test_an_upload_that_breaks_off_is_sent_again(
    shopper: Shopper, page: Page, photograph: Path, tolerated: list[str]
) -> None:
    tolerated += [FAILED_LOAD]
    lost: list[str] = []

    def lose_first(route: Route) -> None:
        if route.request.method == "POST" and not lost:
            lost.append(route.request.url)
            route.abort("internetdisconnected")
        else:
            route.continue_()

    page.route("**/genlook/photos/", lose_first)
    shopper.open("hoodie")
    shopper.agree()
    shopper.choose(photograph)
    shopper.expect_view("problem")
    shopper.dialog.get_by_role("button", name="Try again").click()
    shopper.expect_view("ready")
    shopper.start.click()
    shopper.picture()
    assert len(page.request.get(f"{shopper.demo.url}/genlook/photos/").json()) == 1


def test_a_time_to_wait_is_kept(shopper: Shopper, page: Page, photograph: Path, tolerated: list[str]) -> None:
    tolerated += [FAILED_LOAD]
    refused: list[str] = []

    def refuse_first(route: Route) -> None:
        if route.request.method == "POST" and not refused:
            refused.append(route.request.url)
            body = {"code": "try_on_unavailable", "message": "Please come back a little later.", "status": 503}
            route.fulfill(status=503, json=body, headers={"Retry-After": "2"})
        else:
            route.continue_()

    page.route("**/genlook/try-ons/", refuse_first)
    shopper.open("hoodie")
    shopper.agree()
    shopper.choose(photograph)
    shopper.start.click()
    expect(shopper.dialog.get_by_role("alert")).to_have_text("Please come back a little later.")
    expect(shopper.dialog.get_by_role("button", name="Try again in")).to_be_disabled()
    again = shopper.dialog.get_by_role("button", name="Try again", exact=True)
    expect(again).to_be_enabled(timeout=10_000)
    again.click()
    shopper.picture()


def test_waiting_outlasts_a_lost_connection(
    shopper: Shopper, page: Page, photograph: Path, tolerated: list[str]
) -> None:
    tolerated += [FAILED_LOAD]
    lost: list[str] = []

    def lose_two(route: Route) -> None:
        if len(lost) < 2:
            lost.append(route.request.url)
            route.abort("internetdisconnected")
        else:
            route.continue_()

    page.route("**/genlook/try-ons/*/", lose_two)
    shopper.open("hoodie")
    shopper.agree()
    shopper.choose(photograph)
    shopper.start.click()
    expect(shopper.dialog).to_contain_text("No connection. We go on by ourselves")
    shopper.picture()


def test_a_product_that_cannot_be_tried_on_says_so(shopper: Shopper, page: Page) -> None:
    told = {"available": False, "code": "limit_reached", "message": "You have used them all.", "csrf_token": "x"}
    page.route("**/genlook/products/**", lambda route: route.fulfill(json=told))
    shopper.visit("hoodie")
    shopper.opener.click()
    expect(shopper.dialog.get_by_role("alert")).to_have_text("You have used them all.")
    expect(shopper.dialog.get_by_role("button", name="Try again")).to_be_hidden()
    expect(shopper.dialog.get_by_role("link", name="My try-ons")).to_be_visible()


def test_a_window_that_does_not_load_is_tried_again(shopper: Shopper, page: Page, tolerated: list[str]) -> None:
    tolerated += [FAILED_LOAD, "Failed to fetch dynamically imported module"]
    page.route("**/genlook/dialog.js", lambda route: route.abort("internetdisconnected"))
    shopper.visit("hoodie")
    shopper.opener.click()
    expect(page.get_by_text("Try-on could not be loaded")).to_be_visible()
    page.unroute("**/genlook/dialog.js")
    shopper.opener.click()
    shopper.expect_view("photo")


def test_a_token_that_a_login_in_another_tab_renewed_is_fetched_anew(
    shopper: Shopper, page: Page, photograph: Path, tolerated: list[str]
) -> None:
    tolerated += [FAILED_LOAD]
    shopper.open("hoodie")
    page.context.clear_cookies()
    shopper.agree()
    shopper.choose(photograph)
    shopper.start.click()
    shopper.picture()


def test_without_scripts_the_page_says_what_is_missing(shopper: Shopper, page: Page) -> None:
    assert page.context.browser is not None
    context = page.context.browser.new_context(java_script_enabled=False)
    plain = context.new_page()
    plain.goto(f"{shopper.demo.url}/p/hoodie/")
    said = plain.locator(".about genlook-try-on noscript")
    assert "Switch JavaScript on" in str(said.text_content())
    expect(said).to_be_visible()
    context.close()
