"""Keys, routes, the rate limit, and bodies that are not what they should be."""

from __future__ import annotations

import json
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .conftest import Shop, Talk, garment, paths, photo, refusal, shirt, try_on

MEGABYTE = 1024 * 1024


def test_key_is_required_and_checked(sandbox: Talk) -> None:
    assert refusal(sandbox.get("/products", key=None)) == (401, "MISSING_API_KEY")
    assert refusal(sandbox.get("/products", key="")) == (401, "MISSING_API_KEY")
    assert refusal(sandbox.get("/products", key="gk_other")) == (401, "INVALID_API_KEY")
    bearer = {"Authorization": "Bearer gk_sandbox"}
    assert refusal(sandbox.get("/products", key=None, headers=bearer)) == (401, "MISSING_API_KEY")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/nothing"),
        ("GET", ""),
        ("GET", "/try-on"),
        ("PUT", "/products"),
        ("PATCH", "/products/a"),
        ("BREW", "/products"),
        ("GET", "/products/"),
        ("GET", "/products/a/b"),
        ("GET", "/products/a/stats/x"),
        ("DELETE", "/generations/x"),
    ],
)
def test_unknown_route_is_told_before_the_key(sandbox: Talk, method: str, path: str) -> None:
    assert refusal(sandbox.call(method, path, key=None)) == (404, "ROUTE_NOT_FOUND")


def test_rate_limit_slides_and_tells_when_there_is_room(sandbox: Talk) -> None:
    sandbox.reset(rate_limit=3, api_keys=["gk_a", "gk_b"])
    for _ in range(2):
        assert sandbox.get("/account/credits", key="gk_a").status_code == 200
    sandbox.advance(40)
    assert sandbox.get("/account/credits", key="gk_a").status_code == 200
    over = sandbox.get("/account/credits", key="gk_a")
    assert refusal(over) == (429, "RATE_LIMITED")
    assert 15 <= int(over.headers["Retry-After"]) <= 20
    assert sandbox.get("/account/credits", key="gk_b").status_code == 200, "each account has a window of its own"
    sandbox.advance(int(over.headers["Retry-After"]))
    for _ in range(2):
        assert sandbox.get("/account/credits", key="gk_a").status_code == 200
    assert sandbox.get("/account/credits", key="gk_a").status_code == 429, "the third of them is still in the window"


def test_rate_limit_counts_every_keyed_request_but_not_strangers(sandbox: Talk) -> None:
    sandbox.reset(rate_limit=2)
    for key in (None, "gk_wrong"):
        for _ in range(3):
            assert sandbox.get("/account/credits", key=key).status_code == 401
    assert sandbox.get("/nothing").status_code == 404
    assert sandbox.get("/products/unknown").status_code == 404
    assert sandbox.get("/account/credits").status_code == 429


def test_rate_limit_is_a_hundred_by_default(sandbox: Talk) -> None:
    sandbox.reset()
    answers = [sandbox.get("/account/credits").status_code for _ in range(101)]
    assert answers == [200] * 100 + [429]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"externalId": NaN}',
        b'{"metadata": {"x": Infinity}}',
        b'{"metadata": {"x": 1e999}}',
        b"[" * 100_000,
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a": {"a": ' * 200 + b"1" + b"}}" * 200,
        b'{"validForDays": ' + b"9" * 10_000 + b"}",
        b"[]",
        b"null",
        b'"text"',
        b"\xff\xfe\x00",
        b'{"title": "\xff"}',
    ],
    ids=lambda body: repr(body[:20]),
)
@pytest.mark.parametrize("path", ["/products", "/try-on", "/try-on/sync"])
def test_body_that_is_no_json_object_is_refused(sandbox: Talk, path: str, body: bytes) -> None:
    answer = sandbox.call("POST", path, data=body, headers={"Content-Type": "application/json"})
    assert refusal(answer) == (400, "VALIDATION_FAILED")
    assert paths(answer) == {""}


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "application/xml", ""])
def test_wrong_content_type_is_refused(sandbox: Talk, content_type: str) -> None:
    body = json.dumps(shirt("https://shop.example/a.png"))
    for path in ("/products", "/try-on"):
        answer = sandbox.call("POST", path, data=body, headers={"Content-Type": content_type})
        assert refusal(answer) == (400, "VALIDATION_FAILED")
    answer = sandbox.call("POST", "/images/upload", data=body, headers={"Content-Type": content_type})
    assert refusal(answer) == (400, "FILE_REQUIRED")


@pytest.mark.parametrize(
    ("boundary", "body"),
    [
        ("", b"--x\r\n"),
        ("x", b""),
        ("x", b"nothing of a form"),
        ("x", b'--x\r\nContent-Disposition: form-data; name="data"\r\n\r\n{}'),
        ("x", b"--x\r\nno headers\r\n--x--\r\n"),
        ("x", b"--x\r\nContent-Disposition: form-data\r\n\r\n{}\r\n--x--\r\n"),
        ("x", b'--x junk\r\nContent-Disposition: form-data; name="data"\r\n\r\n{}\r\n--x--\r\n'),
        ("x", b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n' * 300 + b"--x--\r\n"),
    ],
)
@pytest.mark.parametrize("path", ["/products", "/try-on", "/images/upload"])
def test_malformed_form_is_refused(sandbox: Talk, path: str, boundary: str, body: bytes) -> None:
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    assert refusal(sandbox.call("POST", path, data=body, headers=headers)) == (400, "VALIDATION_FAILED")


def test_malformed_data_part_is_named(sandbox: Talk) -> None:
    for sent in ("{", "[1]", "NaN"):
        answer = sandbox.call("POST", "/products", files={"data": (None, sent)})
        assert refusal(answer) == (400, "VALIDATION_FAILED")
        assert paths(answer) == {"data"}
    missing = sandbox.call("POST", "/products", files={"front": ("front.png", garment())})
    assert paths(missing) == {"data"}


@pytest.mark.parametrize("path", ["/products", "/try-on"])
def test_thirty_megabytes_are_answered(sandbox: Talk, path: str) -> None:
    big = b'{"title": "' + b"x" * 30 * MEGABYTE + b'"}'
    answer = sandbox.call("POST", path, data=big, headers={"Content-Type": "application/json"})
    assert refusal(answer) == (413, "FILE_TOO_LARGE")
    form = sandbox.call("POST", path, files={"data": (None, "{}"), "a": ("a.png", b"x" * 30 * MEGABYTE)})
    assert refusal(form) == (413, "FILE_TOO_LARGE")


def test_body_above_the_cap_is_answered_to_a_client_that_sends_it_all(sandbox: Talk) -> None:
    address = urlsplit(sandbox.base)
    with socket.create_connection((address.hostname, address.port), timeout=20) as peer:
        head = f"POST {address.path}/products HTTP/1.1\r\nHost: x\r\nContent-Length: {70 * MEGABYTE}\r\n\r\n"
        peer.sendall(head.encode())
        for _ in range(70):
            peer.sendall(bytes(MEGABYTE))
        assert peer.recv(65536).startswith(b"HTTP/1.1 401 "), "the key is looked at first"


def test_body_without_end_is_cut_off_with_an_answer(sandbox: Talk) -> None:
    address = urlsplit(sandbox.base)
    with socket.create_connection((address.hostname, address.port), timeout=20) as peer:
        head = f"POST {address.path}/products HTTP/1.1\r\nHost: x\r\nx-api-key: gk_sandbox\r\n"
        peer.sendall(f"{head}Content-Length: {10**15}\r\n\r\n".encode() + b"x" * MEGABYTE)
        answer = b""
        while chunk := peer.recv(65536):
            answer += chunk
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"Connection: close" in answer
    assert b"FILE_TOO_LARGE" in answer
    assert sandbox.get("/account/credits").status_code == 200


def test_chunked_body_is_read_and_its_framing_checked(sandbox: Talk) -> None:
    body = json.dumps(shirt("https://shop.example/a.png")).encode()
    pieces = (body[index : index + 7] for index in range(0, len(body), 7))
    answer = sandbox.call("POST", "/products", data=pieces, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["externalId"]) == (201, "shirt-42")
    address = urlsplit(sandbox.base)
    with socket.create_connection((address.hostname, address.port), timeout=20) as peer:
        head = f"POST {address.path}/products HTTP/1.1\r\nHost: x\r\nx-api-key: gk_sandbox\r\n"
        peer.sendall(f"{head}Transfer-Encoding: chunked\r\n\r\nzz\r\n".encode())
        assert peer.recv(65536).startswith(b"HTTP/1.1 400 ")


def test_one_connection_serves_many_requests(sandbox: Talk) -> None:
    address = urlsplit(sandbox.base)
    request = f"GET {address.path}/account/credits HTTP/1.1\r\nHost: x\r\nx-api-key: gk_sandbox\r\n\r\n".encode()
    with socket.create_connection((address.hostname, address.port), timeout=20) as peer:
        for _ in range(3):
            peer.sendall(request)
            answer = b""
            while b"}" not in answer:
                answer += peer.recv(65536)
            assert answer.startswith(b"HTTP/1.1 200 ")


def test_journal_lists_what_was_asked_without_keys_and_bytes(sandbox: Talk) -> None:
    sandbox.upload(externalUserId="u_1")
    sandbox.get("/products/a%2Fb?x=1")
    sandbox.post("/try-on", {"productId": "old"}, key="gk_stranger")
    sandbox.form("/products", shirt("https://shop.example/a.png"), front=garment())
    journal = sandbox.control("journal")
    seen = [(entry["method"], entry["path"], entry["status"]) for entry in journal]
    assert seen == [
        ("POST", "/images/upload", 201),
        ("GET", "/products/a%2Fb", 404),
        ("POST", "/try-on", 401),
        ("POST", "/products", 201),
    ]
    assert journal[0]["body"] == {"file": {"filename": "me.jpg", "bytes": len(photo())}, "externalUserId": "u_1"}
    assert journal[2]["body"] == {"productId": "old"}
    assert journal[3]["body"]["data"]["externalId"] == "shirt-42"
    assert journal[3]["body"]["front"] == {"filename": "front.png", "bytes": len(garment())}
    assert all(entry["at"].endswith("Z") for entry in journal)
    assert "gk_" not in json.dumps(journal)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
FIELDS = {
    "products", "product", "externalId", "title", "description", "metadata", "validForDays", "images", "imageUrls",
    "person", "customer", "image", "source", "url", "id", "fileKey", "classifications", "output", "watermark",
    "externalUserId", "customerId", "keepForDays", "useWatermark", "retentionDays",
}  # fmt: skip
BODIES = st.recursive(
    JSON_VALUES,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(sorted(FIELDS)), inner, max_size=6),
    max_leaves=12,
)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=BODIES, path=st.sampled_from(["/products", "/try-on", "/try-on/sync"]))
def test_no_body_breaks_the_server(sandbox: Talk, path: str, body: Any) -> None:
    answer = sandbox.post(path, body)
    assert answer.status_code < 500
    if answer.status_code >= 400:
        refusal(answer)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=300), start=st.sampled_from([b"", garment()[:60], garment(kind="JPEG")[:200], b"RIFF"]))
def test_no_upload_breaks_the_server(sandbox: Talk, start: bytes, data: bytes) -> None:
    answer = sandbox.call("POST", "/images/upload", files={"file": ("x", start + data)})
    assert refusal(answer)[1] in ("INVALID_IMAGE", "UNSUPPORTED_IMAGE_TYPE")


def test_credit_gone_during_the_download_is_not_spent_twice(sandbox: Talk, shop: Shop) -> None:
    sandbox.reset(rate_limit=0, credits=2)
    shop.meeting = threading.Barrier(6)
    shop.offer("/meeting", photo())
    body = {
        "products": [shirt(f"{shop.origin}/red.png")],
        "person": {"image": {"source": {"url": f"{shop.origin}/meeting"}}},
    }

    def start(_: int) -> int:
        headers = {"x-api-key": "gk_sandbox"}
        return requests.post(f"{sandbox.base}/try-on", json=body, headers=headers, timeout=20).status_code

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(start, range(6))) == [201, 201, 402, 402, 402, 402]
    assert sandbox.ledger()["credits"] == 0


def test_many_clients_at_once_lose_no_credit(sandbox: Talk, shop: Shop) -> None:
    sandbox.reset(rate_limit=0, credits=25)
    body = try_on(shirt(f"{shop.origin}/red.png"), sandbox.upload())

    def start(_: int) -> int:
        return requests.post(
            f"{sandbox.base}/try-on", json=body, headers={"x-api-key": "gk_sandbox"}, timeout=20
        ).status_code

    with ThreadPoolExecutor(16) as pool:
        answers = sorted(pool.map(start, range(40)))
    assert answers == [201] * 25 + [402] * 15
    ledger = sandbox.ledger()
    assert (ledger["accepted"], ledger["charged"], ledger["credits"]) == (25, 25, 0)
