"""A real Chromium, and the example shop's own processes to point it at."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.browser.shop import CHROMIUM_ARGS, Demo, Shopper, complaints, running_demo, save_photograph


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with running_demo(tmp_path_factory.mktemp("demo")) as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    # Its event loop must be gone before other modules use the ORM in this process.
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=CHROMIUM_ARGS)
        # One machine runs the shop, its worker, the sandbox, the browser and the rest of the suite.
        expect.set_options(timeout=20_000)
        yield browser
        browser.close()


@pytest.fixture
def context_options() -> dict[str, Any]:
    """What kind of device the shopper holds; a module or a test overrides it."""
    return {"viewport": {"width": 1280, "height": 860}, "locale": "en-GB"}


@pytest.fixture
def context(browser: Browser, context_options: dict[str, Any]) -> Iterator[BrowserContext]:
    context = browser.new_context(**context_options)
    context.set_default_timeout(20_000)
    yield context
    context.close()


@pytest.fixture
def tolerated() -> list[str]:
    """What the browser may complain of; a test that brings trouble about adds to it."""
    return []


@pytest.fixture
def page(context: BrowserContext, tolerated: list[str]) -> Iterator[Page]:
    """A page on which every other complaint of the browser fails the test."""
    page = context.new_page()
    found = complaints(page, tolerated)
    yield page
    assert found == []


@pytest.fixture
def shopper(page: Page, demo: Demo) -> Shopper:
    return Shopper(page, demo)


@pytest.fixture(scope="session")
def photograph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real photograph of a person."""
    return save_photograph(tmp_path_factory.mktemp("photo") / "me.jpg")


@pytest.fixture(scope="session", autouse=True)
def _loopback_is_direct() -> None:
    os.environ["NO_PROXY"] = "127.0.0.1,localhost"
