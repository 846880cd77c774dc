"""The control calls: faults, reset, clock, ledger, health."""

from __future__ import annotations

import time
from typing import Any

import pytest
import requests

from .conftest import Json, Talk, decoded, paths, photo, refusal, shirt, try_on

URL = "https://shop.example/front.jpg"


@pytest.fixture
def body(sandbox: Talk) -> Json:
    return try_on(shirt(URL), sandbox.upload())


def test_error_carries_what_it_is_told(sandbox: Talk) -> None:
    rule = {"method": "GET", "path": "/products", "fault": "error", "code": "RATE_LIMITED"}
    for sent, header in ((7, "7"), ("Wed, 21 Oct 2026 07:28:00 GMT", "Wed, 21 Oct 2026 07:28:00 GMT"), (None, None)):
        sandbox.faults({**rule, "retry_after": sent})
        answer = sandbox.get("/products")
        assert refusal(answer) == (429, "RATE_LIMITED")
        assert answer.headers.get("Retry-After") == header
    details = [{"path": "a.0", "message": "Required"}]
    sandbox.faults({**rule, "code": "PERSON_IMAGE_REQUIRED", "status": 422, "message": "Hm", "details": details})
    answer = sandbox.get("/products")
    assert refusal(answer) == (422, "PERSON_IMAGE_REQUIRED")
    assert (answer.json()["message"], paths(answer)) == ("Hm", {"a.0"})


def test_rules_choose_by_method_path_after_and_times(sandbox: Talk) -> None:
    sandbox.faults(
        {"method": "GET", "path": "/products/*", "after": 1, "times": 2, "fault": "error", "code": "INTERNAL_ERROR"},
        {"method": "GET", "path": "/products/*/stats", "fault": "error", "code": "QUOTA_EXCEEDED"},
    )
    assert [sandbox.get("/products/a%2Fb").status_code for _ in range(5)] == [404, 500, 500, 404, 404]
    assert sandbox.delete("/products/a").status_code == 404
    assert sandbox.get("/products").status_code == 200
    assert refusal(sandbox.get("/products/a/stats")) == (402, "QUOTA_EXCEEDED")
    sandbox.faults()
    assert refusal(sandbox.get("/products/a/stats")) == (404, "PRODUCT_NOT_FOUND")


def test_rule_without_method_and_path_takes_everything_but_strangers(sandbox: Talk) -> None:
    url = sandbox.call("POST", "/images/upload", files={"file": ("a", photo())}).json()["imageUrl"]
    sandbox.faults({"fault": "error", "code": "INTERNAL_ERROR", "times": 2})
    assert sandbox.get("/products", key="gk_wrong").status_code == 401
    assert requests.get(url, timeout=10).status_code == 200, "pictures are not part of the API"
    assert [sandbox.get("/unknown").status_code for _ in range(3)] == [500, 500, 404]


def test_html_garbage_and_empty_take_the_place_of_the_work(sandbox: Talk, body: Json) -> None:
    sandbox.faults(*({"path": "/try-on", "times": 1, "fault": fault} for fault in ("html", "garbage", "empty")))
    page, garbage, empty = (sandbox.post("/try-on", body) for _ in range(3))
    assert (page.status_code, page.headers["Content-Type"]) == (502, "text/html; charset=utf-8")
    assert page.text.startswith("<!DOCTYPE html>")
    assert (garbage.status_code, garbage.headers["Content-Type"]) == (200, "application/json; charset=utf-8")
    with pytest.raises(requests.JSONDecodeError):
        garbage.json()
    assert (empty.status_code, empty.content) == (200, b"")
    assert sandbox.ledger()["accepted"] == 0


@pytest.mark.parametrize("fault", ["error", "html", "garbage", "empty"])
def test_bad_answer_can_come_after_the_work(sandbox: Talk, body: Json, fault: str) -> None:
    code = {"code": "INTERNAL_ERROR"} if fault == "error" else {}
    sandbox.faults({"path": "/try-on", "times": 1, "fault": fault, "work": True, **code})
    sandbox.post("/try-on", body)
    assert sandbox.ledger()["accepted"] == 1


def test_status_of_a_success_can_be_changed(sandbox: Talk, body: Json) -> None:
    sandbox.faults({"method": "POST", "path": "/try-on", "fault": "status", "status": 200})
    answer = sandbox.post("/try-on", body)
    assert (answer.status_code, answer.json()["status"]) == (200, "PENDING")
    sandbox.faults({"method": "DELETE", "fault": "status", "status": 204})
    answer = sandbox.delete("/products/shirt-42")
    assert (answer.status_code, answer.content) == (204, b"")
    assert sandbox.get("/products/shirt-42").status_code == 404


def test_delay_answers_late_and_has_done_the_work(sandbox: Talk, body: Json) -> None:
    sandbox.faults({"path": "/try-on", "fault": "delay", "seconds": 0.4, "times": 1})
    with pytest.raises(requests.ReadTimeout):
        sandbox.post("/try-on", body, timeout=0.1)
    assert sandbox.ledger()["accepted"] == 1
    sandbox.faults({"path": "/account/credits", "fault": "delay", "seconds": 0.3, "times": 1})
    began = time.monotonic()
    assert sandbox.get("/account/credits").json() == {"creditBalance": 999}
    assert time.monotonic() - began >= 0.3


def test_drip_spreads_the_answer(sandbox: Talk) -> None:
    sandbox.faults({"path": "/account/credits", "fault": "drip", "seconds": 0.5, "times": 1})
    began = time.monotonic()
    answer = sandbox.get("/account/credits", timeout=0.2)
    assert answer.json() == {"creditBalance": 1000}
    assert time.monotonic() - began >= 0.4, "no single read was slow, the whole was"


def test_reset_before_does_nothing_and_drop_reply_does_it_all(sandbox: Talk, body: Json) -> None:
    sandbox.faults({"path": "/try-on", "fault": "reset_before", "times": 1})
    with pytest.raises(requests.ConnectionError, match="reset by peer"):
        sandbox.post("/try-on", body)
    assert sandbox.ledger()["accepted"] == 0
    sandbox.faults({"path": "/try-on", "fault": "drop_reply", "times": 1})
    with pytest.raises(requests.ConnectionError, match="without response"):
        sandbox.post("/try-on", body)
    assert sandbox.ledger()["accepted"] == 1
    statuses = [entry["status"] for entry in sandbox.control("journal") if entry["path"] == "/try-on"]
    assert statuses == [None, None], "nobody was told a status"
    assert sandbox.post("/try-on", body).status_code == 201


def test_fail_generation_counts_accepted_try_ons_only(sandbox: Talk) -> None:
    image_id = sandbox.upload()
    sandbox.faults({"fault": "fail_generation", "error_code": "NEW_CODE", "error_message": "Hm", "times": 1})
    assert sandbox.post("/try-on", try_on({"externalId": "unknown"}, image_id)).status_code == 404
    failing = sandbox.start(try_on(shirt(URL), image_id))
    assert sandbox.get(f"/generations/{failing}").json()["status"] == "PENDING"
    failed = sandbox.finish(failing)
    assert (failed["status"], failed["errorCode"], failed["errorMessage"]) == ("FAILED", "NEW_CODE", "Hm")
    assert sandbox.ledger()["charged"] == 0
    sandbox.faults({"fault": "fail_generation", "charged": True})
    untyped = sandbox.finish(sandbox.start(try_on(shirt(URL), image_id)))
    assert (untyped["status"], "errorCode" in untyped) == ("FAILED", False)
    ledger = sandbox.ledger()
    assert (ledger["charged"], ledger["credits"]) == (1, 999)


def test_stuck_generation_never_ends(sandbox: Talk, body: Json) -> None:
    sandbox.faults({"path": "/try-on", "fault": "stuck_generation", "times": 1})
    stuck = sandbox.start(body)
    sandbox.advance(30 * 86400)
    assert sandbox.get(f"/generations/{stuck}").json()["status"] == "PROCESSING"


def test_wire_and_generation_faults_work_together(sandbox: Talk, body: Json) -> None:
    sandbox.faults({"fault": "fail_generation"}, {"path": "/try-on", "fault": "status", "status": 202})
    answer = sandbox.post("/try-on", body)
    assert answer.status_code == 202
    assert sandbox.finish(answer.json()["generationId"])["status"] == "FAILED"


def test_served_pictures_have_faults_of_their_own(sandbox: Talk) -> None:
    sandbox.faults({"path": "/files/*", "times": 1, "fault": "error", "code": "INTERNAL_ERROR"})
    answer = sandbox.call("POST", "/images/upload", files={"file": ("a", photo())})
    url = answer.json()["imageUrl"]
    assert requests.get(url, timeout=10).status_code == 500
    assert decoded(requests.get(url, timeout=10).content).size == (400, 500)


@pytest.mark.parametrize(
    "rules",
    [
        {"fault": "html"},
        [1],
        [{"fault": "meteor"}],
        [{"path": "/try-on"}],
        [{"fault": "error"}],
        [{"fault": "status"}],
        [{"fault": "html", "code": "X"}],
        [{"fault": "html", "status": "502"}],
        [{"fault": "html", "times": -1}],
        [{"fault": "delay", "seconds": "1"}],
        [{"fault": "html", "path": 1}],
        [{"fault": "error", "code": "RATE_LIMITED", "retry_after": "1\r\nX: y"}],
        [{"fault": "fail_generation", "error_code": 1}],
    ],
)
def test_wrong_rule_is_refused_and_changes_nothing(sandbox: Talk, rules: Any) -> None:
    sandbox.faults({"path": "/account/credits", "fault": "html"})
    answer = requests.post(f"{sandbox.root}/_sandbox/faults", json=rules, timeout=10)
    assert answer.status_code == 400
    assert answer.json()["error"]
    assert sandbox.get("/account/credits").status_code == 502


@pytest.mark.parametrize(
    "options",
    [
        {"credit": 5},
        {"credits": -1},
        {"credits": 1.5},
        {"rate_limit": "100"},
        {"api_keys": "gk_a"},
        {"api_keys": [""]},
        {"generation_seconds": [1, 2]},
        {"generation_seconds": [3, 2, 1]},
        {"sync_hold_seconds": True},
        [],
    ],
)
def test_wrong_option_is_refused_and_resets_nothing(sandbox: Talk, options: Any) -> None:
    sandbox.post("/products", shirt(URL))
    assert requests.post(f"{sandbox.root}/_sandbox/reset", json=options, timeout=10).status_code == 400
    assert sandbox.get("/products/shirt-42").status_code == 200


@pytest.mark.parametrize("sent", [{}, {"advance_seconds": -1}, {"advance_seconds": "1"}, {"seconds": 1}, []])
def test_wrong_clock_is_refused(sandbox: Talk, sent: Any) -> None:
    assert requests.post(f"{sandbox.root}/_sandbox/clock", json=sent, timeout=10).status_code == 400


def test_reset_brings_everything_back(sandbox: Talk, body: Json) -> None:
    sandbox.reset(credits=5, api_keys=["gk_other"])
    sandbox.reset(rate_limit=0)
    upload = sandbox.call("POST", "/images/upload", files={"file": ("a", photo())}).json()
    generation = sandbox.start(try_on(shirt(URL), upload["imageId"]))
    sandbox.faults({"fault": "html"})
    sandbox.advance(1000)
    before = sandbox.control("clock", {"advance_seconds": 0})["now"]
    sandbox.reset()
    assert sandbox.control("journal") == []
    assert sandbox.ledger() == {"credits": 1000, "accepted": 0, "charged": 0, "by_product": {}, "by_user": {}}
    assert sandbox.get(f"/generations/{generation}").status_code == 404
    assert sandbox.get("/products").json()["count"] == 0
    assert requests.get(upload["imageUrl"], timeout=10).status_code == 404
    assert sandbox.get("/products", key="gk_other").status_code == 401
    assert sandbox.control("clock", {"advance_seconds": 0})["now"] < before - 900


def test_health_needs_no_key_and_unknown_calls_are_told(sandbox: Talk) -> None:
    assert sandbox.control("health") == {"status": "ok"}
    assert requests.get(f"{sandbox.root}/_sandbox/nothing", timeout=10).status_code == 404
    assert requests.get(f"{sandbox.root}/_sandbox/reset", timeout=10).status_code == 404
    assert refusal(requests.get(f"{sandbox.root}/elsewhere", timeout=10)) == (404, "ROUTE_NOT_FOUND")
