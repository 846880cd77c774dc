"""Messages to the broker: only a nudge, after commit, and nothing that a save would ever wait for."""

import io
import logging
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from celery import current_app
from django.db import transaction

from django_genlook import budgets, dispatch, tasks
from django_genlook.dispatch import Messenger
from django_genlook.models import Generation, Photo, Product, Shopper
from django_genlook.services import photos, sweep
from django_genlook.testing import Sandbox
from tests.conftest import Clock
from tests.services.steps import Status, ask_for, genlook, in_step, mirror, ready_photo

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("quick_pictures")]

Make = Callable[..., Any]


@pytest.fixture
def celery() -> Iterator[None]:
    with genlook(QUEUE="celery"):
        yield


@pytest.fixture
def eager(celery: None) -> Iterator[None]:
    current_app.conf.task_always_eager = True
    yield
    current_app.conf.task_always_eager = False


class Broker:
    """A broker that remembers, blocks or fails."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, list[str], float | None]] = []
        self.arrived = threading.Semaphore(0)
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.error: Exception | None = None

    def send_task(self, name: str, args: list[str], countdown: float | None = None, **options: Any) -> None:
        assert options == {"ignore_result": True, "retry": False}
        self.messages.append((name, args, countdown))
        self.arrived.release()
        assert self.may_answer.wait(20)
        if self.error:
            raise self.error

    def wait_for(self, count: int) -> None:
        for _ in range(count):
            assert self.arrived.acquire(timeout=10)


@pytest.fixture
def broker(celery: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Broker]:
    stand_in = Broker()
    monkeypatch.setattr(current_app, "send_task", stand_in.send_task)
    monkeypatch.setattr(dispatch, "_messenger", Messenger())
    yield stand_in
    stand_in.may_answer.set()


def test_with_the_embedded_queue_no_broker_is_spoken_to(
    genlook_sandbox: Sandbox, make_product: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*args: Any, **kwargs: Any) -> None:
        raise AssertionError("a broker was spoken to")

    monkeypatch.setattr(Messenger, "hand_over", never)
    make_product()
    sweep.sweep()


def test_a_message_leaves_after_the_commit_and_not_before(broker: Broker, make_product: Make) -> None:
    with transaction.atomic():
        product = make_product(images=0)
        assert broker.messages == []
    broker.wait_for(1)
    assert broker.messages == [(dispatch.PUSH_PRODUCT, [mirror(product).source], None)]


def test_a_rolled_back_save_sends_no_message(broker: Broker, make_product: Make) -> None:
    with transaction.atomic():
        make_product(images=0)
        transaction.set_rollback(True)
    make_product(images=0)
    broker.wait_for(1)
    assert len(broker.messages) == 1


def test_a_broker_that_never_answers_holds_up_no_save(broker: Broker, make_product: Make) -> None:
    broker.may_answer.clear()
    with transaction.atomic():
        first = make_product(images=0)
    broker.wait_for(1)
    # The messenger hangs in the first message; the shop goes on saving.
    second = make_product(images=0)
    assert [row.source for row in Product.objects.order_by("pk")] == [mirror(first).source, mirror(second).source]
    assert len(broker.messages) == 1


def test_a_broker_that_fails_harms_no_save_and_is_left_in_peace_for_a_while(
    broker: Broker, make_product: Make, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(logging.getLogger("django_genlook"), "propagate", True)
    broker.error = ConnectionRefusedError("broker")
    make_product(images=0)
    broker.wait_for(1)
    messenger = dispatch._messenger
    for _ in range(1_000):
        if messenger._paused_until:
            break
        threading.Event().wait(0.01)
    assert messenger._paused_until
    make_product(images=0)
    assert messenger._messages.empty()
    assert len(broker.messages) == 1
    monkeypatch.setattr(messenger, "_paused_until", 0.0)
    broker.error = None
    make_product(images=0)
    broker.wait_for(1)
    assert "the sweep takes over" in caplog.text


def test_a_broker_that_is_too_slow_loses_messages_and_no_product(
    broker: Broker, make_product: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatch, "QUEUE_LENGTH", 2)
    broker.may_answer.clear()
    for _ in range(6):
        make_product(images=0)
    assert Product.objects.waiting().count() == 6
    broker.may_answer.set()
    broker.wait_for(2)


def test_a_forked_child_starts_a_messenger_of_its_own(broker: Broker) -> None:
    messenger = dispatch._messenger
    messenger._owner = -1
    dispatch.nudge("django_genlook.push_product", 1)
    broker.wait_for(1)


def test_a_late_message_carries_its_delay_and_a_very_late_one_is_left_to_the_sweep(broker: Broker) -> None:
    dispatch.nudge("x", 1, delay=7)
    dispatch.nudge("x", 2, delay=31)
    dispatch.nudge("x", 3)
    broker.wait_for(2)
    assert broker.messages == [("x", ["1"], 7), ("x", ["3"], None)]


def test_the_sweep_sends_a_message_for_each_due_row(
    genlook_sandbox: Sandbox, make_product: Make, portrait: bytes, broker: Broker, clock: Clock
) -> None:
    shopper, product = Shopper.objects.create(), make_product()
    in_step(product)
    row = ask_for(product, ready_photo(shopper, portrait), shopper)
    photo = photos.accept(io.BytesIO(portrait), len(portrait), shopper=shopper)
    other = make_product(images=0)
    running = Generation.objects.create(status=Status.PROCESSING, external_id="X", generation_id="g")
    Generation.objects.update(sent_at=row.created_at)
    broker.messages.clear()
    sweep.nudge_due()
    wanted = {
        (dispatch.SUBMIT_GENERATION, str(row.pk)),
        (dispatch.POLL_GENERATION, str(running.pk)),
        (dispatch.UPLOAD_PHOTO, str(photo.pk)),
        (dispatch.PUSH_PRODUCT, str(mirror(other).pk)),
    }
    for _ in range(1_000):
        if wanted <= {(name, args[0]) for name, args, _ in broker.messages}:
            break
        threading.Event().wait(0.01)
    assert wanted <= {(name, args[0]) for name, args, _ in broker.messages}


class TestEager:
    def test_a_save_is_in_step_when_it_returns_but_not_before_its_commit(
        self, genlook_sandbox: Sandbox, eager: None, make_product: Make
    ) -> None:
        with transaction.atomic():
            product = make_product()
            assert genlook_sandbox.journal() == []
        assert mirror(product).is_in_step
        product.delete()
        assert not Product.objects.exists()

    def test_a_try_on_goes_all_the_way_to_genlook(
        self, genlook_sandbox: Sandbox, eager: None, make_product: Make, portrait: bytes, clock: Clock
    ) -> None:
        product, shopper = make_product(), Shopper.objects.create()
        row = ask_for(product, ready_photo(shopper, portrait), shopper)
        row.refresh_from_db()
        assert row.status == Status.PROCESSING
        clock.advance(5)
        sweep.sweep()
        row.refresh_from_db()
        assert row.status == Status.COMPLETED

    def test_a_full_window_leaves_work_to_the_sweep_instead_of_asking_over_and_over(
        self,
        genlook_sandbox: Sandbox,
        eager: None,
        make_product: Make,
        portrait: bytes,
        clock: Clock,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        tries: list[Any] = []
        upload = photos.upload

        def counted(pk: Any) -> None:
            tries.append(pk)
            upload(pk)

        monkeypatch.setattr(photos, "upload", counted)
        budgets.pause_window(10)
        photo = photos.accept(io.BytesIO(portrait), len(portrait), shopper=Shopper.objects.create())
        product = make_product()
        assert genlook_sandbox.journal() == []
        assert len(tries) == 1
        clock.advance(12)
        sweep.sweep()
        photo.refresh_from_db()
        assert photo.status == Photo.Status.READY
        assert mirror(product).is_in_step


@pytest.mark.parametrize(
    ("task", "pk"),
    [
        (tasks.push_product, "999"),
        (tasks.push_product, "shop.product:999"),
        (tasks.upload_photo, "00000000-0000-0000-0000-000000000000"),
        (tasks.submit_generation, "00000000-0000-0000-0000-000000000000"),
        (tasks.poll_generation, "00000000-0000-0000-0000-000000000000"),
    ],
)
def test_a_message_about_a_row_that_is_gone_does_no_harm(genlook_sandbox: Sandbox, task: Any, pk: str) -> None:
    task(pk)
    assert genlook_sandbox.journal() == []


def test_a_message_that_comes_twice_does_no_harm(genlook_sandbox: Sandbox, make_product: Make) -> None:
    product = make_product()
    tasks.push_product(str(mirror(product).pk))
    tasks.push_product(str(mirror(product).pk))
    tasks.push_product(mirror(product).source)
    assert len(genlook_sandbox.journal()) == 1


def test_a_task_that_finds_no_slot_asks_to_be_woken_when_there_is_one(
    genlook_sandbox: Sandbox, make_product: Make, portrait: bytes, broker: Broker, clock: Clock
) -> None:
    product, shopper = make_product(), Shopper.objects.create()
    in_step(product)
    row = ask_for(product, ready_photo(shopper, portrait), shopper)
    budgets.pause_window(10)
    broker.wait_for(1)
    tasks.submit_generation(str(row.pk))
    for _ in range(1_000):
        if any(countdown for _, _, countdown in broker.messages):
            break
        threading.Event().wait(0.01)
    [late] = [message for message in broker.messages if message[2]]
    assert late[:2] == (dispatch.SUBMIT_GENERATION, [str(row.pk)])
    assert late[2] is not None
    assert 9 < late[2] <= 11
