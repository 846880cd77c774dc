"""``POST /try-on/sync``: the connection is held until the generation ends or the hold is over."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
import requests

from .conftest import Json, Shop, Talk, garment, photo, refusal, shirt, try_on


class Held:
    """A sync request on its way in a thread of its own."""

    def __init__(self, sandbox: Talk, body: Json) -> None:
        self.answer: requests.Response | None = None
        self._sandbox, self._body = sandbox, body
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        until = time.monotonic() + 10
        while not sandbox.ledger()["accepted"]:
            assert time.monotonic() < until
            time.sleep(0.01)

    def _run(self) -> None:
        headers = {"x-api-key": "gk_sandbox"}
        self.answer = requests.post(f"{self._sandbox.base}/try-on/sync", json=self._body, headers=headers, timeout=20)

    def end(self) -> requests.Response:
        self._thread.join(10)
        assert self.answer is not None, "the hold was not released"
        return self.answer


@pytest.fixture
def body(sandbox: Talk, shop: Shop) -> Json:
    sandbox.reset(rate_limit=0, generation_seconds=50)
    return try_on(shirt(f"{shop.origin}/red.png"), sandbox.upload())


def test_finished_generation_is_answered_at_once(sandbox: Talk, body: Json) -> None:
    held = Held(sandbox, body)
    sandbox.advance(50)
    answer = held.end()
    assert answer.status_code == 200
    finished: Any = answer.json()
    assert set(finished) == {"generationId", "status", "resultImageUrl"}
    assert finished["status"] == "COMPLETED"
    assert requests.get(finished["resultImageUrl"], timeout=10).status_code == 200
    assert sandbox.get(f"/generations/{finished['generationId']}").json()["status"] == "COMPLETED"


def test_real_time_alone_ends_the_hold(sandbox: Talk, shop: Shop) -> None:
    sandbox.reset(generation_seconds=0.1)
    answer = sandbox.post("/try-on/sync", try_on(shirt(f"{shop.origin}/red.png"), sandbox.upload()))
    assert (answer.status_code, answer.json()["status"]) == (200, "COMPLETED")
    sandbox.reset(generation_seconds=30, sync_hold_seconds=0.2)
    answer = sandbox.post("/try-on/sync", try_on(shirt(f"{shop.origin}/red.png"), sandbox.upload()))
    assert (answer.status_code, answer.json()["status"]) == (202, "PENDING")


def test_hold_ends_after_its_time_and_polling_goes_on(sandbox: Talk, shop: Shop) -> None:
    sandbox.reset(generation_seconds=120)
    held = Held(sandbox, try_on(shirt(f"{shop.origin}/red.png"), sandbox.upload()))
    sandbox.advance(90)
    answer = held.end()
    assert answer.status_code == 202
    assert set(answer.json()) == {"generationId", "status"}
    assert answer.json()["status"] == "PROCESSING"
    assert sandbox.finish(answer.json()["generationId"])["status"] == "COMPLETED"


def test_failure_within_the_hold_is_a_200(sandbox: Talk, body: Json) -> None:
    sandbox.faults({"fault": "fail_generation", "error_code": "PRODUCT_IMAGE_FETCH_FAILED"})
    held = Held(sandbox, body)
    sandbox.advance(50)
    answer = held.end()
    assert answer.status_code == 200
    assert answer.json()["status"] == "FAILED"
    assert answer.json()["errorCode"] == "PRODUCT_IMAGE_FETCH_FAILED"
    assert sandbox.ledger()["charged"] == 0


def test_reset_releases_a_held_request(sandbox: Talk, body: Json) -> None:
    held = Held(sandbox, body)
    sandbox.reset()
    assert refusal(held.end()) == (404, "GENERATION_NOT_FOUND")


def test_other_requests_are_answered_meanwhile(sandbox: Talk, body: Json) -> None:
    held = Held(sandbox, body)
    assert sandbox.get("/account/credits").json() == {"creditBalance": 999}
    sandbox.advance(50)
    assert held.end().status_code == 200


def test_multipart_and_the_deprecated_body_work(sandbox: Talk) -> None:
    sandbox.reset(generation_seconds=0)
    old = {"product": {"images": [{"fileKey": "front"}]}, "customer": {"fileKey": "me"}}
    answer = sandbox.form("/try-on/sync", old, front=garment(), me=photo())
    assert (answer.status_code, answer.json()["status"]) == (200, "COMPLETED")
