"""The example shop as a person meets it: ``manage.py demo`` in processes of its own, and what a shopper does."""

import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests
from PIL import Image
from playwright.sync_api import ConsoleMessage, Locator, Page, expect
from skimage import data

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 90.0
CHROMIUM_ARGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1 , EXCLUDE localhost",
]  # fmt: skip
# A suite that is killed takes its demo along (PR_SET_PDEATHSIG); elsewhere than on Linux it does not.
ENDS_WITH_US = """
import ctypes, os, signal, sys
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""
OURS = re.compile(r"^(GENLOOK_|CELERY_|DJANGO_|EXAMPLE_)|^(DATABASE_URL|SECRET_KEY|DEBUG|ALLOWED_HOSTS)$")


class Demo:
    """A running ``manage.py demo``."""

    def __init__(self, var: Path, port: int = 0) -> None:
        environment = {name: value for name, value in os.environ.items() if not OURS.match(name)}
        environment |= {
            "DJANGO_SETTINGS_MODULE": "example_project.settings",
            "EXAMPLE_VAR": str(var),
            # Said to be empty, so that a developer's .env does not bring the real Genlook in.
            "GENLOOK_API_KEY": "",
            "GENLOOK_BASE_URL": "",
        }
        self.lines: list[str] = []
        self._queue: queue.Queue[str | None] = queue.Queue()
        self.process = subprocess.Popen(
            [sys.executable, "-c", ENDS_WITH_US, "manage.py", "demo", "--port", str(port)],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        threading.Thread(target=self._read, daemon=True).start()

    def wait_until_ready(self) -> "Demo":
        self.url = self._find(r"Shop +(http://\S+?)/?$")
        self.control = self._find(r"Genlook +a local sandbox: (http://\S+/_sandbox)/ledger")
        self.api = self.control.replace("/_sandbox", "/tryon/v1")
        return self

    def ledger(self) -> dict[str, Any]:
        """What the sandbox has taken in and charged."""
        answer = requests.get(f"{self.control}/ledger", timeout=10)
        answer.raise_for_status()
        return dict(answer.json())

    def product(self, sku: str) -> dict[str, Any] | None:
        """The product as the sandbox knows it."""
        answer = requests.get(f"{self.api}/products/{sku}", headers={"x-api-key": "gk_sandbox"}, timeout=10)
        return dict(answer.json()) if answer.ok else None

    def ends(self, number: int) -> int:
        """Send the demo a signal and return its exit code."""
        self.process.send_signal(number)
        return self.process.wait(30)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(10)
        assert self.process.stdout is not None
        self.process.stdout.close()

    def _find(self, pattern: str) -> str:
        for line in self.lines:
            if found := re.search(pattern, line):
                return found[1]
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                newest = self._queue.get(timeout=max(0.01, deadline - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"{pattern!r} did not come in time:\n{self.output}") from None
            if newest is None:
                raise AssertionError(f"The demo ended before {pattern!r} came:\n{self.output}")
            self.lines.append(newest)
            if found := re.search(pattern, newest):
                return found[1]

    @property
    def output(self) -> str:
        return "\n".join(self.lines)

    def _read(self) -> None:
        assert self.process.stdout is not None
        try:
            for line in self.process.stdout:
                self._queue.put(line.rstrip())
        except ValueError:
            pass  # closed by close()
        self._queue.put(None)


@contextmanager
def running_demo(var: Path) -> Iterator[Demo]:
    demo = Demo(var)
    try:
        yield demo.wait_until_ready()
    finally:
        demo.close()


def until(condition: Callable[[], Any], what: str, seconds: float = 30) -> Any:
    """Return the first true value of ``condition``, asked again and again for a bounded time."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not happen within {seconds:.0f} s")
        time.sleep(0.05)
    return value


def save_photograph(path: Path) -> Path:
    """Write a real photograph of a person."""
    Image.fromarray(data.astronaut()).resize((1536, 1536)).save(path, quality=92)  # type: ignore[no-untyped-call]
    return path


class Shopper:
    """What a shopper does on a page, in the shopper's words."""

    def __init__(self, page: Page, demo: Demo) -> None:
        self.page = page
        self.demo = demo
        self.dialog = page.locator("dialog[open]")

    @property
    def opener(self) -> Locator:
        return self.page.locator(".about genlook-try-on button.opener")

    @property
    def start(self) -> Locator:
        return self.dialog.get_by_role("button", name="Try it on", exact=True)

    def visit(self, slug: str) -> None:
        self.page.goto(f"{self.demo.url}/p/{slug}/")

    def open(self, slug: str) -> None:
        self.visit(slug)
        self.opener.click()
        self.expect_view("photo", "ready")

    def agree(self) -> None:
        self.dialog.get_by_role("checkbox").check()

    def choose(self, photo: Path | dict[str, Any]) -> None:
        with self.page.expect_file_chooser() as chooser:
            self.dialog.get_by_role("button", name="Choose a photo").click()
        chooser.value.set_files(photo)  # type: ignore[arg-type]

    def try_on(self, slug: str, photo: Path) -> Locator:
        """All of it; returns the picture."""
        self.open(slug)
        self.agree()
        self.choose(photo)
        self.start.click()
        return self.picture()

    def picture(self) -> Locator:
        """The picture, when it is there to be seen."""
        picture = self.dialog.locator("img.result")
        expect(self.dialog.locator(".stage.is-shown")).to_be_visible(timeout=PATIENCE * 1000)
        expect(picture).to_be_visible()
        return picture

    def expect_view(self, *views: str) -> None:
        any_of = ", ".join(f'dialog[open][data-view="{view}"]' for view in views)
        expect(self.page.locator(any_of)).to_be_visible(timeout=PATIENCE * 1000)

    def try_ons(self) -> list[dict[str, Any]]:
        """This shopper's own, as the API tells them."""
        answer = self.page.request.get(f"{self.demo.url}/genlook/try-ons/")
        assert answer.ok
        return list(answer.json()["results"])


def complaints(page: Page, tolerated: Collection[str]) -> list[str]:
    """Collect what the browser complains of on this page: script errors, refused content, failed requests."""
    found: list[str] = []

    def note(text: str) -> None:
        if not any(words in text for words in tolerated):
            found.append(text)

    def hear(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            note(f"{message.text} ({message.location['url']})")

    page.on("console", hear)
    page.on("pageerror", lambda error: note(str(error)))
    return found
