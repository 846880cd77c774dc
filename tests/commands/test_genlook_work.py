"""``genlook_work``: the embedded worker, as a loop, once, and as a process that is told to end."""

import io
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

from django_genlook import budgets
from django_genlook.budgets import BreakerName
from django_genlook.client import Client
from django_genlook.models import Generation, Photo, Product, Shopper
from django_genlook.models.clock import ahead
from django_genlook.services import photos, products, results, sweep, try_ons, work
from django_genlook.testing import Sandbox
from tests.conftest import Clock
from tests.services.steps import Status, ask_for, genlook, in_step, mirror, ready_photo

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("quick_pictures")]

Make = Callable[..., Any]


@pytest.fixture
def in_time() -> Iterator[Callable[[Callable[[], Any]], None]]:
    """Run something that must come to an end by itself."""

    def run(act: Callable[[], Any]) -> None:
        too_long = threading.Timer(20, os.kill, (os.getpid(), signal.SIGALRM))
        before = signal.signal(signal.SIGALRM, _too_long)
        too_long.start()
        try:
            act()
        finally:
            too_long.cancel()
            signal.signal(signal.SIGALRM, before)

    yield run


def _too_long(*args: Any) -> None:
    raise AssertionError("it did not come to an end")


@pytest.fixture(autouse=True)
def _quick_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "LOOK_EVERY", 0.02)
    monkeypatch.setattr(work, "LONGEST_WAIT", 0.05)


def once() -> None:
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        call_command("genlook_work", "--once")
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@pytest.fixture
def running(
    genlook_sandbox: Sandbox, make_product: Make, portrait: bytes, monkeypatch: pytest.MonkeyPatch
) -> Generation:
    monkeypatch.setattr(try_ons.durations, "FIRST_LOOK", 0.05)  # type: ignore[attr-defined]
    product, shopper = make_product(), Shopper.objects.create()
    in_step(product)
    row = ask_for(product, ready_photo(shopper, portrait), shopper)
    try_ons.submit(row.pk)
    return row


def test_once_does_all_that_is_due_and_sees_running_try_ons_through(
    running: Generation, make_product: Make, in_time: Any
) -> None:
    product = make_product()
    in_time(once)
    running.refresh_from_db()
    assert running.status == Status.COMPLETED
    assert mirror(product).is_in_step


def test_once_leaves_what_must_wait_for_later(genlook_sandbox: Sandbox, make_product: Make, in_time: Any) -> None:
    genlook_sandbox.fail({"method": "POST", "path": "/products", "fault": "html", "times": 1})
    late, good = make_product(), make_product()
    in_time(once)
    assert mirror(late).next_attempt_at is not None
    assert not mirror(late).is_in_step
    assert mirror(good).is_in_step


def test_once_does_not_wait_for_a_breaker(running: Generation, make_product: Make, in_time: Any) -> None:
    budgets.open_breaker(BreakerName.AUTH, "INVALID_API_KEY")
    make_product()
    in_time(once)
    running.refresh_from_db()
    assert running.status == Status.PROCESSING


def test_once_does_not_wait_for_credits_or_for_an_unknown_outcome(
    genlook_sandbox: Sandbox, running: Generation, in_time: Any
) -> None:
    Generation.objects.update(status=Status.UNKNOWN, next_attempt_at=running.created_at.replace(year=2200))
    in_time(once)
    Generation.objects.update(status=Status.QUEUED, next_attempt_at=None)
    budgets.open_breaker(BreakerName.CREDITS, "INSUFFICIENT_CREDITS")
    in_time(once)
    running.refresh_from_db()
    assert running.status == Status.QUEUED
    assert genlook_sandbox.ledger()["accepted"] == 1


def test_once_ends_what_another_worker_left_in_mid_send(
    running: Generation, in_time: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    Generation.objects.update(status=Status.SENDING)
    assert Generation.objects.filter(status=Status.SENDING).update(lease_until=ahead(0.3))
    monkeypatch.setattr(work, "SWEEP_EVERY", 0.1)
    in_time(once)
    running.refresh_from_db()
    assert running.status == Status.UNKNOWN


def test_once_does_the_others_when_one_breaks_unexpectedly_and_ends(
    genlook_sandbox: Sandbox, make_product: Make, in_time: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, good = make_product(sku="BROKEN"), make_product(sku="GOOD")
    save = Client.save_product

    def breaking(self: Client, external_id: str, **kwargs: Any) -> Any:
        if external_id == "BROKEN":
            raise ZeroDivisionError
        return save(self, external_id, **kwargs)

    monkeypatch.setattr(Client, "save_product", breaking)
    in_time(once)
    assert mirror(good).is_in_step
    assert not mirror(broken).is_in_step


def test_once_waits_for_request_slots(genlook_sandbox: Sandbox, make_product: Make, clock: Clock, in_time: Any) -> None:
    for _ in range(5):
        make_product()

    class Stop(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            clock.advance(10)
            return False

    with genlook(RATE_LIMIT=4, RATE_HEADROOM=1, SHOPPER_RESERVE=2):
        in_time(lambda: work.run_once(Stop()))
    assert not Product.objects.out_of_step().exists()


def test_the_loop_goes_on_after_an_exception_and_ends_when_told(
    genlook_sandbox: Sandbox, make_product: Make, monkeypatch: pytest.MonkeyPatch, in_time: Any
) -> None:
    broken, good = make_product(sku="BROKEN"), make_product(sku="GOOD")
    arrived = threading.Event()
    save = Client.save_product

    def breaking(self: Client, external_id: str, **kwargs: Any) -> Any:
        if external_id == "BROKEN":
            raise ZeroDivisionError
        arrived.set()
        return save(self, external_id, **kwargs)

    monkeypatch.setattr(Client, "save_product", breaking)
    monkeypatch.setattr(work, "THREADS", {budgets.Lane.BACKGROUND: 1})
    stop = threading.Event()
    worker = threading.Thread(target=_close_after, args=(work.run, stop))
    worker.start()
    try:
        assert arrived.wait(15)
    finally:
        stop.set()
        worker.join(timeout=15)
    assert not worker.is_alive()
    assert mirror(good).is_in_step
    assert not mirror(broken).is_in_step


def _close_after(act: Callable[..., Any], *args: Any) -> None:
    try:
        act(*args)
    finally:
        connection.close()


def test_the_lanes_do_not_take_each_others_work(
    running: Generation, make_product: Make, portrait: bytes, clock: Clock
) -> None:
    make_product()
    model = photos.accept(io.BytesIO(portrait), len(portrait))
    own = photos.accept(io.BytesIO(portrait), len(portrait), shopper=Shopper.objects.create())
    clock.advance(10)
    assert sweep.due(budgets.Lane.SHOPPER) == [(results.poll, running.pk), (photos.upload, own.pk)]
    background = sweep.due(budgets.Lane.BACKGROUND)
    assert (photos.upload, model.pk) in background
    assert {function for function, _ in background} == {photos.upload, products.push}
    assert Photo.objects.count() == 3


# As processes of their own


@pytest.fixture
def shop(genlook_sandbox: Sandbox, tmp_path: Path) -> Callable[..., subprocess.Popen[str]]:
    """Start ``manage.py`` against a database file of its own."""
    environment = {
        **os.environ,
        "DATABASE_URL": f"sqlite:///{tmp_path / 'shop.sqlite3'}",
        "EXAMPLE_VAR": str(tmp_path),
        "GENLOOK_API_KEY": genlook_sandbox.api_key,
        "GENLOOK_BASE_URL": genlook_sandbox.base_url,
        "DJANGO_SETTINGS_MODULE": "example_project.settings",
        "PYTHONWARNINGS": "",
    }

    def manage(*command: str) -> subprocess.Popen[str]:
        root = Path(__file__).parents[2]
        return subprocess.Popen(
            [sys.executable, "manage.py", *command],
            cwd=root, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    assert manage("migrate", "--verbosity", "0").communicate(timeout=60)[0].strip() == ""
    return manage


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_worker_process_cleanly(
    shop: Callable[..., subprocess.Popen[str]], tmp_path: Path, number: signal.Signals
) -> None:
    worker = shop("genlook_work")
    try:
        assert worker.stdout is not None
        for line in worker.stdout:
            if "worker ready" in line:
                break
        # A mirror of a row that is not there: the worker sees that it is gone and drops it, without a call.
        code = "from django_genlook.models import Product; Product.objects.create(source='shop.product:1')"
        shop("shell", "-c", code).communicate(timeout=60)
        _until_in_step(tmp_path / "shop.sqlite3")
        worker.send_signal(number)
        rest = worker.communicate(timeout=20)[0]
    finally:
        worker.kill()
    assert worker.returncode == 0, rest
    assert "Traceback" not in rest


def _until_in_step(path: Path) -> None:
    give_up = time.monotonic() + 30
    database = sqlite3.connect(path, timeout=20)
    while database.execute("SELECT COUNT(*) FROM genlook_product").fetchone()[0]:
        assert time.monotonic() < give_up, "the worker took nothing up"
        threading.Event().wait(0.05)
    database.close()
