"""A worker that dies at any step: what it held goes on in another's hands, and nothing is charged twice."""

import io
from collections.abc import Callable
from typing import Any
from unittest import mock

import pytest

from django_genlook.client import Client
from django_genlook.conf import get_config
from django_genlook.models import Generation, Photo, Product, Shopper, Usage
from django_genlook.models.leases import LeasedQuerySet
from django_genlook.models.storage import PrivateStorage
from django_genlook.services import calls, catalogue, endings, photos, products, results, sweep, try_ons
from django_genlook.signals import generation_failed
from django_genlook.testing import Sandbox
from tests.conftest import Clock
from tests.services.steps import Status, ask_for, drain, in_step, mirror, ready_photo, see_through

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("quick_pictures")]

Make = Callable[..., Any]


class Killed(BaseException):
    """What no ``except`` of ours catches: as good as SIGKILL, as far as the rows are concerned."""


def dying(original: Callable[..., Any], *, after: bool) -> Callable[..., Any]:
    """Return ``original`` with the worker's death before or after it."""

    def die(*args: Any, **kwargs: Any) -> Any:
        if after:
            original(*args, **kwargs)
        raise Killed

    return die


def kill(owner: Any, name: str, act: Callable[[], Any], *, after: bool = False) -> None:
    """Do something, and die where it comes to ``owner.name``."""
    with mock.patch.object(owner, name, dying(getattr(owner, name), after=after)), pytest.raises(Killed):
        act()


def go_on(clock: Clock, seconds: float = 3_700) -> None:
    """Start another worker and let it work for so long."""
    passed = 0.0
    while passed < seconds:
        sweep.sweep()
        drain()
        clock.advance(20)
        passed += 20
        if not Generation.objects.running().exists() and not Product.objects.waiting().exists():
            return


@pytest.fixture
def queued(genlook_sandbox: Sandbox, make_product: Make, portrait: bytes) -> Generation:
    product, shopper = make_product(), Shopper.objects.create()
    in_step(product)
    return ask_for(product, ready_photo(shopper, portrait), shopper)


PRODUCT_STEPS = [
    (catalogue, "read", False),
    (products, "_take_external_id", False),
    (products, "_take_external_id", True),
    (catalogue, "picture", True),
    (products, "_renew", True),
    (calls.budgets, "take_slot", True),  # type: ignore[attr-defined]
    (Client, "save_product", False),
    (Client, "save_product", True),
    (products, "_settle_in_step", False),
    (products, "_settle_in_step", True),
]


def names(steps: list[Any]) -> list[str]:
    return [f"{'after' if after else 'before'} {name}" for _, name, after in steps]


@pytest.mark.parametrize(("owner", "name", "after"), PRODUCT_STEPS, ids=names(PRODUCT_STEPS))
def test_a_product_whose_worker_died_arrives_all_the_same(
    genlook_sandbox: Sandbox, make_product: Make, clock: Clock, owner: Any, name: str, after: bool
) -> None:
    product = make_product(sku="SURVIVOR", name="Shirt")
    kill(owner, name, lambda: products.push(mirror(product).pk), after=after)
    go_on(clock)
    row = mirror(product)
    assert row.is_in_step
    assert row.lease_token is None
    with Client.from_config(get_config()) as client:
        assert client.get_product("SURVIVOR").document["title"] == "Shirt"


@pytest.mark.parametrize(("name", "after"), [("delete_product", False), ("delete_product", True)])
def test_a_deleted_product_whose_worker_died_is_gone_all_the_same(
    genlook_sandbox: Sandbox, make_product: Make, clock: Clock, name: str, after: bool
) -> None:
    product = make_product()
    row = in_step(product)
    product.delete()
    kill(Client, name, lambda: products.push(row.pk), after=after)
    go_on(clock)
    assert not Product.objects.exists()
    assert genlook_sandbox.journal("DELETE")[-1]["status"] == (404 if after else 200)


def test_a_product_deleted_after_its_worker_died_in_mid_send_is_deleted_at_genlook(
    genlook_sandbox: Sandbox, make_product: Make, clock: Clock
) -> None:
    product = make_product(sku="LOST")
    kill(Client, "save_product", lambda: products.push(mirror(product).pk), after=True)
    product.delete()
    go_on(clock)
    assert not Product.objects.exists()
    assert [entry["path"] for entry in genlook_sandbox.journal("DELETE")] == ["/products/LOST"]


def test_an_external_id_changed_before_the_first_answer_leaves_nothing_behind(
    genlook_sandbox: Sandbox, make_product: Make, clock: Clock
) -> None:
    product = make_product(sku="EARLY")
    kill(Client, "save_product", lambda: products.push(mirror(product).pk), after=True)
    product.sku = "LATE"
    product.save()
    go_on(clock)
    assert mirror(product).external_id == "LATE"
    assert [entry["path"] for entry in genlook_sandbox.journal("DELETE")] == ["/products/EARLY"]


BEFORE_SENDING = [
    (try_ons, "_is_ready", False),
    (try_ons, "_is_ready", True),
    (calls.budgets, "take_slot", False),  # type: ignore[attr-defined]
    (calls.budgets, "take_slot", True),  # type: ignore[attr-defined]
    (try_ons, "_begin", False),
]


@pytest.mark.parametrize(("owner", "name", "after"), BEFORE_SENDING, ids=names(BEFORE_SENDING))
def test_a_try_on_whose_worker_died_before_sending_is_sent_by_another(
    genlook_sandbox: Sandbox, queued: Generation, clock: Clock, owner: Any, name: str, after: bool
) -> None:
    kill(owner, name, lambda: try_ons.submit(queued.pk), after=after)
    go_on(clock)
    queued.refresh_from_db()
    assert queued.status == Status.COMPLETED
    assert genlook_sandbox.ledger()["accepted"] == 1


IN_MID_SEND = [
    (try_ons, "_begin", True),
    (try_ons, "_send", False),
    (Client, "create_try_on", False),
    (Client, "create_try_on", True),
    (calls.budgets, "window_flows", False),  # type: ignore[attr-defined]
    (try_ons.durations, "first_look", False),  # type: ignore[attr-defined]
]


@pytest.mark.parametrize(("owner", "name", "after"), IN_MID_SEND, ids=names(IN_MID_SEND))
def test_a_try_on_whose_worker_died_in_mid_send_is_never_sent_again_and_ends_with_please_try_again(
    genlook_sandbox: Sandbox, queued: Generation, clock: Clock, owner: Any, name: str, after: bool
) -> None:
    heard: list[str] = []

    def listen(code: str, **kwargs: Any) -> None:
        heard.append(code)

    generation_failed.connect(listen)
    kill(owner, name, lambda: try_ons.submit(queued.pk), after=after)
    queued.refresh_from_db()
    assert queued.status == Status.SENDING
    sweep.sweep()
    queued.refresh_from_db()
    assert queued.status == Status.SENDING, "its lease is still good"
    clock.advance(calls.TRY_ON_LEASE + 1)
    sweep.sweep()
    queued.refresh_from_db()
    assert queued.status == Status.UNKNOWN
    sent = len(genlook_sandbox.journal("POST", "/try-on"))
    clock.advance(try_ons.UNKNOWN_FOR - 10)
    sweep.sweep()
    drain()
    queued.refresh_from_db()
    assert queued.status == Status.UNKNOWN
    clock.advance(20)
    go_on(clock)
    generation_failed.disconnect(listen)
    queued.refresh_from_db()
    assert (queued.status, queued.error_code, queued.is_charged) == (Status.FAILED, "outcome_unknown", True)
    assert heard == ["outcome_unknown"]
    assert set(Usage.objects.values_list("used", flat=True)) == {1}
    assert len(genlook_sandbox.journal("POST", "/try-on")) == sent
    assert genlook_sandbox.ledger()["accepted"] <= 1


def test_an_answer_that_comes_after_the_lease_ran_out_is_not_wasted(
    genlook_sandbox: Sandbox, queued: Generation, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = Client.create_try_on

    def slow(self: Client, **kwargs: Any) -> Any:
        answer = create(self, **kwargs)
        clock.advance(calls.TRY_ON_LEASE + 1)
        sweep.sweep()
        assert Generation.objects.get().status == Status.UNKNOWN
        return answer

    monkeypatch.setattr(Client, "create_try_on", slow)
    try_ons.submit(queued.pk)
    assert see_through(queued, clock).status == Status.COMPLETED
    assert genlook_sandbox.ledger()["charged"] == 1


def test_an_answer_that_comes_after_the_end_changes_nothing(
    genlook_sandbox: Sandbox, queued: Generation, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = Client.create_try_on

    def slow(self: Client, **kwargs: Any) -> Any:
        answer = create(self, **kwargs)
        clock.advance(calls.TRY_ON_LEASE + 1)
        sweep.sweep()
        clock.advance(try_ons.UNKNOWN_FOR + 1)
        sweep.sweep()
        return answer

    monkeypatch.setattr(Client, "create_try_on", slow)
    try_ons.submit(queued.pk)
    queued.refresh_from_db()
    assert queued.status == Status.FAILED
    assert queued.generation_id == ""


WHILE_RUNNING = [
    (Client, "get_generation", False),
    (Client, "get_generation", True),
    (results, "_bring_home", False),
    (results, "download_image", False),
    (results, "download_image", True),
    (PrivateStorage, "save", False),
    (PrivateStorage, "save", True),
    (endings, "complete", False),
    (endings, "complete", True),
]


@pytest.mark.parametrize(("owner", "name", "after"), WHILE_RUNNING, ids=names(WHILE_RUNNING))
def test_a_running_try_on_whose_worker_died_gets_its_picture_from_another(
    genlook_sandbox: Sandbox, queued: Generation, clock: Clock, owner: Any, name: str, after: bool
) -> None:
    try_ons.submit(queued.pk)
    clock.advance(5)
    kill(owner, name, lambda: results.poll(queued.pk), after=after)
    go_on(clock)
    queued.refresh_from_db()
    assert queued.status == Status.COMPLETED
    assert PrivateStorage().read(queued.result.name)
    assert genlook_sandbox.ledger()["accepted"] == 1


def test_a_worker_that_died_between_the_failed_picture_and_the_second_try_still_makes_only_one(
    genlook_sandbox: Sandbox, queued: Generation, clock: Clock
) -> None:
    fault = {"path": "/try-on", "fault": "fail_generation", "error_code": "PRODUCT_IMAGE_FETCH_FAILED"}
    genlook_sandbox.fail({**fault, "times": 1})
    try_ons.submit(queued.pk)
    clock.advance(5)
    kill(products, "send_again", lambda: results.poll(queued.pk), after=True)
    go_on(clock)
    queued.refresh_from_db()
    assert queued.status == Status.COMPLETED
    assert genlook_sandbox.ledger()["accepted"] == 2


PHOTO_STEPS = [
    (photos, "_cleaned", False),
    (photos, "_cleaned", True),
    (PrivateStorage, "save", True),
    (Client, "upload_image", False),
    (Client, "upload_image", True),
    (LeasedQuerySet, "settle", False),
    (photos, "_wake_waiting", False),
]


@pytest.mark.parametrize(("owner", "name", "after"), PHOTO_STEPS, ids=names(PHOTO_STEPS))
def test_a_photo_whose_worker_died_is_ready_all_the_same(
    genlook_sandbox: Sandbox, portrait: bytes, clock: Clock, db: None, owner: Any, name: str, after: bool
) -> None:
    photo = photos.accept(io.BytesIO(portrait), len(portrait), shopper=Shopper.objects.create())
    kill(owner, name, lambda: photos.upload(photo.pk), after=after)
    clock.advance(calls.UPLOAD_LEASE + 1)
    drain()
    photo.refresh_from_db()
    assert photo.status == Photo.Status.READY
    assert not photo.raw
    assert not photo.cleaned


def test_a_worker_that_finishes_late_does_not_end_what_another_ended(
    genlook_sandbox: Sandbox, queued: Generation, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    try_ons.submit(queued.pk)
    clock.advance(5)
    download = results.download_image  # type: ignore[attr-defined]

    def slow(url: str, **options: Any) -> bytes:
        data = bytes(download(url, **options))
        monkeypatch.setattr(results, "download_image", download)
        clock.advance(calls.DOWNLOAD_LEASE + 1)
        drain()
        return data

    monkeypatch.setattr(results, "download_image", slow)
    results.poll(queued.pk)
    queued.refresh_from_db()
    assert queued.status == Status.COMPLETED
    name = str(queued.result.name).rpartition("/")[2]
    from django.core.files.storage import storages

    assert storages["genlook"].listdir("genlook/results")[1] == [name]
