"""Answers that are a success by their status and not by their body: a ``ProtocolError`` each, never a foreign one."""

import json
import random
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from django_genlook.client import Client, answers
from django_genlook.exceptions import GenlookError, OutcomeUnknown, ProtocolError

from .servers import Server, document, http

Serve = Callable[..., Server]
Connect = Callable[..., Client]

GENERATION = {"generationId": "g", "status": "COMPLETED", "resultImageUrl": "https://s/r"}
STATS = {"totalGenerations": 1, "completedGenerations": 1, "failedGenerations": 0, "avgGenerationTimeMs": 5}

CALLS: dict[str, tuple[Callable[[Client], Any], dict[str, Any]]] = {
    "upload": (lambda c: c.upload_image(b"\xff\xd8\xff"), {"imageId": "i", "imageUrl": "https://s/i"}),
    "save": (lambda c: c.save_product("a"), {"externalId": "a"}),
    "get": (lambda c: c.get_product("a"), {"externalId": "a"}),
    "list": (lambda c: c.list_products(), {"items": [{"externalId": "a"}], "nextCursor": "n", "hasMore": True}),
    "stats": (lambda c: c.product_stats("a"), STATS),
    "try-on": (lambda c: c.create_try_on(product="a", image_id="i"), GENERATION | {"productExternalId": "a"}),
    "sync": (lambda c: c.create_try_on_sync(product="a", image_id="i"), GENERATION),
    "generation": (lambda c: c.get_generation("g"), GENERATION),
    "credits": (lambda c: c.credit_balance(), {"creditBalance": 3}),
}

NOT_JSON = [
    b"",
    b"null",
    b"[]",
    b"1",
    b'"text"',
    b"{",
    b"{}{}",
    b"<html></html>",
    b"\xff",
    b"[" * 100_000,
    b'{"a":' * 100_000,
    b'{"creditBalance": ' + b"9" * 5000 + b"}",
]


class Talk:
    """A client, and a server that answers each of its calls with what ``answer`` was set to."""

    def __init__(self, serve: Serve, connect: Connect) -> None:
        self.answer = b""
        self.client = connect(serve(lambda request: self.answer))

    def __call__(self, name: str, answer: bytes) -> Any:
        self.answer = answer
        return CALLS[name][0](self.client)


@pytest.fixture
def talk(serve: Serve, connect: Connect) -> Talk:
    return Talk(serve, connect)


@pytest.mark.parametrize("name", CALLS)
def test_a_success_whose_body_is_no_document_is_a_protocol_error(talk: Talk, name: str) -> None:
    for body in NOT_JSON:
        with pytest.raises(ProtocolError) as caught:
            talk(name, http(200, body))
        assert isinstance(caught.value, OutcomeUnknown)
        assert caught.value.__context__ is None and caught.value.__cause__ is None


@pytest.mark.parametrize("name", CALLS)
def test_a_name_that_occurs_twice_is_a_protocol_error(talk: Talk, name: str) -> None:
    good = CALLS[name][1]
    text = json.dumps(good)
    talk(name, http(200, text.encode()))  # without the repetition it is fine
    first = next(iter(good))
    repeated = text[:-1] + f', "{first}": {json.dumps(good[first])}}}'
    with pytest.raises(ProtocolError):
        talk(name, http(200, repeated.encode()))


@pytest.mark.parametrize("name", CALLS)
def test_a_number_that_is_none_is_a_protocol_error(talk: Talk, name: str) -> None:
    for number in ("NaN", "Infinity", "-Infinity", "1e999"):
        body = json.dumps(CALLS[name][1])[:-1] + f', "other": {number}}}'
        with pytest.raises(ProtocolError):
            talk(name, http(200, body.encode()))


WRONG: list[tuple[str, str, Any]] = [
    ("upload", "imageId", None),
    ("upload", "imageId", ""),
    ("upload", "imageId", 5),
    ("upload", "imageId", "a\nb"),
    ("upload", "imageId", "x" * 2049),
    ("save", "externalId", None),
    ("save", "externalId", ["a"]),
    ("get", "externalId", "x" * 256),
    ("get", "metadata", json.loads("[" * 60 + "]" * 60)),
    ("list", "items", None),
    ("list", "items", {}),
    ("list", "items", [None]),
    ("list", "items", [{"externalId": ""}]),
    ("list", "nextCursor", 5),
    ("list", "nextCursor", "a\x00b"),
    ("list", "nextCursor", "x" * 4097),
    ("list", "hasMore", "yes"),
    ("stats", "totalGenerations", None),
    ("stats", "totalGenerations", "1"),
    ("stats", "totalGenerations", True),
    ("stats", "totalGenerations", -1),
    ("stats", "completedGenerations", 1.5),
    ("stats", "failedGenerations", 2**60),
    ("stats", "avgGenerationTimeMs", "fast"),
    ("stats", "avgGenerationTimeMs", -3),
    ("stats", "avgGenerationTimeMs", True),
    ("try-on", "generationId", None),
    ("try-on", "generationId", "a\u0000"),
    ("try-on", "generationId", "x" * 256),
    ("try-on", "status", 5),
    ("try-on", "productExternalId", 5),
    ("try-on", "productExternalId", ""),
    ("sync", "generationId", None),
    ("sync", "resultImageUrl", 5),
    ("sync", "status", []),
    ("generation", "generationId", "other"),
    ("generation", "status", None),
    ("generation", "status", ""),
    ("generation", "status", "\u200b"),
    ("generation", "resultImageUrl", ["https://s/r"]),
    ("generation", "resultImageUrl", "https://s/r\r\nX: y"),
    ("generation", "resultImageUrl", "x" * 8193),
    ("generation", "errorCode", 5),
    ("generation", "errorMessage", {}),
    ("generation", "createdAt", 1234567890),
    ("credits", "creditBalance", None),
    ("credits", "creditBalance", "3"),
    ("credits", "creditBalance", 3.0),
    ("credits", "creditBalance", True),
    ("credits", "creditBalance", 2**60),
]


@pytest.mark.parametrize(("name", "field", "value"), WRONG, ids=[f"{n}-{f}-{str(v)[:20]!r}" for n, f, v in WRONG])
def test_a_field_of_the_wrong_kind_is_a_protocol_error(talk: Talk, name: str, field: str, value: Any) -> None:
    with pytest.raises(ProtocolError):
        talk(name, document(CALLS[name][1] | {field: value}))


@pytest.mark.parametrize("name", CALLS)
def test_a_byte_order_mark_and_unknown_fields_do_no_harm(talk: Talk, name: str) -> None:
    body = json.dumps(CALLS[name][1] | {"brandNew": [1, {"x": None}]})
    talk(name, http(200, b"\xef\xbb\xbf" + body.encode()))


def test_a_thousand_damaged_answers_raise_nothing_but_our_own(talk: Talk) -> None:
    seed = random.randrange(2**32)
    rng = random.Random(seed)
    names = list(CALLS)
    raised = 0
    for number in range(1000):
        name = names[number % len(names)]
        body = _damaged(rng, json.dumps(CALLS[name][1]).encode())
        try:
            talk(name, http(rng.choice((200, 200, 200, 201, 202, 301, 400, 404, 429, 500, 503)), body))
        except GenlookError:
            raised += 1
        except Exception as error:
            raise AssertionError(f"SEED={seed} number={number} body={body!r}") from error
    assert raised > 500, f"SEED={seed}"


def _damaged(rng: random.Random, body: bytes) -> bytes:
    match rng.randrange(6):
        case 0:
            return rng.randbytes(rng.randrange(200))
        case 1:
            return body[: rng.randrange(len(body))]
        case 2:
            spot = rng.randrange(len(body))
            return body[:spot] + rng.randbytes(rng.randrange(1, 4)) + body[spot + 1 :]
        case 3:
            value: Any = json.loads(body)
            value[rng.choice(list(value))] = rng.choice((None, True, -1, 1e300, "", "\x00", [], {}, [[]], "x" * 9000))
            return json.dumps(value).encode()
        case 4:
            return body.replace(b'"', rng.choice((b"'", b"", b'"\\u0000')), rng.randrange(1, 5))
        case _:
            return rng.choice((b"", b"[]", b"null", b"{}", b"NaN", b"<!doctype html>", b'{"code": "RATE_LIMITED"}'))


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)
fields = sorted(
    {name for _, good in CALLS.values() for name in good} | {"errorCode", "createdAt", "metadata", "images"}
)


@settings(max_examples=200, deadline=None)
@given(value=st.dictionaries(st.sampled_from(fields), anything), status=st.sampled_from([200, 201, 202]))
def test_no_document_makes_a_reader_fail(value: dict[str, Any], status: int) -> None:
    body = json.dumps(value).encode()
    readers: list[Callable[[], Any]] = [
        lambda: answers.parse_image(body),
        lambda: answers.parse_product(body),
        lambda: answers.parse_page(body),
        lambda: answers.parse_stats(body),
        lambda: answers.parse_started(body, "a"),
        lambda: answers.parse_generation(body, "g"),
        lambda: answers.parse_sync(body, status),
        lambda: answers.parse_credits(body),
    ]
    for reader in readers:
        with suppress(ProtocolError):
            reader()
