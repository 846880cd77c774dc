"""From a status, headers and a body to an exception: every code, every class of status, every kind of garbage."""

import json
import pickle
import unicodedata
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from django_genlook.client import error_from_answer
from django_genlook.exceptions import (
    CODES,
    CredentialsRejected,
    Detail,
    GenlookError,
    NotFound,
    NotSent,
    OutcomeUnknown,
    OutOfCredits,
    ProtocolError,
    RateLimited,
    Reaction,
    Rejected,
    ServerFault,
)

# The Errors page, by hand: it is the contract, so it is not read from our own table.
PAGE: list[tuple[str, int, type[GenlookError]]] = [
    ("MISSING_API_KEY", 401, CredentialsRejected),
    ("INVALID_API_KEY", 401, CredentialsRejected),
    ("FORBIDDEN", 403, Rejected),
    ("VALIDATION_FAILED", 400, Rejected),
    ("EXTERNAL_ID_REQUIRED", 400, Rejected),
    ("PRODUCT_IMAGES_REQUIRED", 400, Rejected),
    ("CUSTOMER_IMAGE_REQUIRED", 400, Rejected),
    ("PERSON_IMAGE_REQUIRED", 400, Rejected),
    ("FILE_REQUIRED", 400, Rejected),
    ("MULTIPART_FILE_NOT_FOUND", 400, Rejected),
    ("INVALID_IMAGE_INPUT", 400, Rejected),
    ("INVALID_IMAGE", 400, Rejected),
    ("UNSUPPORTED_IMAGE_TYPE", 400, Rejected),
    ("CUSTOMER_IMAGE_FETCH_FAILED", 400, Rejected),
    ("PERSON_IMAGE_FETCH_FAILED", 400, Rejected),
    ("PRODUCT_IMAGE_FETCH_FAILED", 400, Rejected),
    ("FILE_TOO_LARGE", 413, Rejected),
    ("INSUFFICIENT_CREDITS", 402, OutOfCredits),
    ("QUOTA_EXCEEDED", 402, OutOfCredits),
    ("RATE_LIMITED", 429, RateLimited),
    ("PRODUCT_NOT_FOUND", 404, NotFound),
    ("GENERATION_NOT_FOUND", 404, NotFound),
    ("ACCOUNT_NOT_FOUND", 404, CredentialsRejected),
    ("ROUTE_NOT_FOUND", 404, NotFound),
    ("RESERVED_EXTERNAL_ID", 409, Rejected),
    ("INTERNAL_ERROR", 500, ServerFault),
]

# What the HTTP status says by itself.
BARE: list[tuple[int, type[GenlookError], str]] = [
    (400, Rejected, "unknown_refusal"),
    (401, CredentialsRejected, "unknown_credentials"),
    (402, OutOfCredits, "unknown_billing"),
    (403, Rejected, "unknown_refusal"),
    (404, NotFound, "ROUTE_NOT_FOUND"),
    (405, Rejected, "unknown_refusal"),
    (408, OutcomeUnknown, "timed_out"),
    (409, Rejected, "unknown_refusal"),
    (413, Rejected, "unknown_refusal"),
    (425, RateLimited, "RATE_LIMITED"),
    (429, RateLimited, "RATE_LIMITED"),
    (499, Rejected, "unknown_refusal"),
    (500, ServerFault, "server_fault"),
    (502, ServerFault, "server_fault"),
    (503, ServerFault, "server_fault"),
    (504, ServerFault, "server_fault"),
    (529, ServerFault, "server_fault"),
    (100, ProtocolError, "protocol_error"),
    (103, ProtocolError, "protocol_error"),
    (200, ProtocolError, "protocol_error"),
    (204, ProtocolError, "protocol_error"),
    (301, ProtocolError, "protocol_error"),
    (302, ProtocolError, "protocol_error"),
    (308, ProtocolError, "protocol_error"),
    (399, ProtocolError, "protocol_error"),
    (600, ProtocolError, "protocol_error"),
    (999, ProtocolError, "protocol_error"),
]

GARBAGE = [
    b"",
    b" ",
    b"null",
    b"[]",
    b"3",
    b'"PRODUCT_NOT_FOUND"',
    b"{",
    b"{}",
    b'{"code": null}',
    b'{"code": 404}',
    b'{"code": ""}',
    b'{"code": ["RATE_LIMITED"]}',
    b'{"code": "two words"}',
    b'{"code": "RATE_LIMITED\\n"}',
    b'{"code": "' + b"X" * 65 + b'"}',
    b"<html><body>502 Bad Gateway</body></html>",
    b"\xff\xfe\x00\x01",
    b"\x1f\x8b\x08\x00",
    b"[" * 100_000,
    b'{"a":' * 100_000,
    b'{"code": ' + b"9" * 10_000 + b"}",
    '{"code": "RATE_LIMITED"}'.encode("utf-16"),
]


def answer(
    status: int, code: Any, message: Any = "m", headers: dict[str, str] | None = None, **more: Any
) -> GenlookError:
    return error_from_answer(status, headers or {}, json.dumps({"code": code, "message": message, **more}).encode())


@pytest.mark.parametrize(("code", "status", "expected"), PAGE, ids=[row[0] for row in PAGE])
def test_each_code_of_the_page_has_its_class(code: str, status: int, expected: type[GenlookError]) -> None:
    error = answer(status, code, "What happened")
    assert type(error) is expected
    assert (error.code, error.http_status, error.detail) == (code, status, "What happened")


def test_the_page_and_the_table_know_the_same_codes() -> None:
    ours = {code for code in CODES if code.isupper()}
    assert ours == {code for code, _, _ in PAGE if not code.startswith("PERSON_")}


@pytest.mark.parametrize(("code", "status", "expected"), PAGE, ids=[row[0] for row in PAGE])
def test_the_code_decides_under_any_error_status(code: str, status: int, expected: type[GenlookError]) -> None:
    for other in (400, 404, 429, 500, 503):
        body = json.dumps({"code": code, "message": "m", "status": status})
        error = error_from_answer(other, {}, body.encode())
        assert (type(error), error.code, error.http_status) == (expected, code, other)


@pytest.mark.parametrize(("status", "expected", "code"), BARE, ids=[str(row[0]) for row in BARE])
def test_without_a_usable_code_the_status_decides(status: int, expected: type[GenlookError], code: str) -> None:
    for body in GARBAGE:
        error = error_from_answer(status, {"Content-Type": "text/html"}, body)
        assert (type(error), error.code, error.http_status) == (expected, code, status), body[:50]
        assert error.detail == f"HTTP {status}"


@pytest.mark.parametrize("status", [row[0] for row in BARE if row[1] is ProtocolError])
def test_a_code_makes_no_error_of_what_is_none(status: int) -> None:
    error = answer(status, "INSUFFICIENT_CREDITS")
    assert (type(error), error.code) == (ProtocolError, "protocol_error")


@pytest.mark.parametrize(
    ("status", "expected", "code"),
    [*(row for row in BARE if 400 <= row[0] < 600 and row[0] != 404), (404, Rejected, "unknown_refusal")],
)
def test_an_unknown_code_is_kept_with_the_class_of_its_status(
    status: int, expected: type[GenlookError], code: str
) -> None:
    error = answer(status, "SOMETHING_NEW")
    assert (type(error), error.code) == (expected, "SOMETHING_NEW")
    assert error.problem is CODES[code]
    for spelling in ("somethingNew", "something.new-2", "E1"):
        assert answer(status, spelling).code == spelling


@pytest.mark.parametrize("code", [code for code in CODES if not code.isupper()])
def test_an_answer_cannot_speak_in_our_own_codes(code: str) -> None:
    for status in (400, 404, 408, 500, 502):
        error = answer(status, code)
        bare = error_from_answer(status, {}, b"")
        assert (type(error), error.code) == (type(bare), bare.code)
        assert not isinstance(error, NotSent)
        # The point of it: a proxy that says "not_sent" must not make the worker send a try-on twice.
        assert error.problem.try_on == bare.problem.try_on
        assert status < 500 or error.problem.try_on.reaction is Reaction.DOUBT


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("plain", "plain"),
        ("two\r\nlines\t\x00\x1b[31mred", "two lines [31mred"),
        ("a\u202eb\u2066c\u200fd\u200be\ufefff", "abcdef"),
        ("p\u2028q\u2029r\x85s", "p q r s"),
        ("<script>alert('é☃')</script>", "<script>alert('é☃')</script>"),
        ("x" * 5000, "x" * 500),
        ("\n" * 5000 + "x", "HTTP 400"),
        (None, "HTTP 400"),
        (["a"], "HTTP 400"),
        ({"a": 1}, "HTTP 400"),
        (7, "HTTP 400"),
    ],
)
def test_the_words_of_an_answer_are_made_fit_to_show(raw: Any, shown: str) -> None:
    error = error_from_answer(400, {}, json.dumps({"message": raw}).encode())
    assert error.detail == shown


def test_a_lone_surrogate_does_not_survive() -> None:
    error = error_from_answer(
        400, {}, rb'{"message": "a\ud800b", "details": [{"path": "\udfffp", "message": "m\ud900"}]}'
    )
    assert error.detail == "ab"
    assert error.details == (Detail("p", "m"),)


@pytest.mark.parametrize(
    ("details", "expected"),
    [
        ([{"path": "product.images.0.url", "message": "Required"}], [("product.images.0.url", "Required")]),
        ([{"path": ["product", "images", 0, "url"], "message": "Required"}], [("product.images.0.url", "Required")]),
        ([{"path": "a"}, {"message": "b"}], [("a", ""), ("", "b")]),
        ([{"path": 3, "message": None}, "x", None, 7, [], {}], []),
        ([{"path": "a\u202e\nb", "message": "<b>\x00"}], [("a b", "<b>")]),
        ([{"path": "p" * 999, "message": "m" * 999}], [("p" * 200, "m" * 500)]),
        ({"path": "a", "message": "b"}, []),
        ("Required", []),
        (None, []),
        (5, []),
    ],
)
def test_details_are_read_as_far_as_they_make_sense(details: Any, expected: list[tuple[str, str]]) -> None:
    error = answer(400, "VALIDATION_FAILED", details=details)
    assert list(error.details) == [Detail(*pair) for pair in expected]


def test_details_are_limited_in_number() -> None:
    many = [{"path": str(number), "message": "m"} for number in range(5000)]
    assert len(answer(400, "VALIDATION_FAILED", details=many).details) == 50


NOW = datetime(2026, 5, 13, 10, 0, 0, tzinfo=UTC)
DATE = "Wed, 13 May 2026 10:00:00 GMT"

SPELLINGS: list[tuple[str | None, float | None]] = [
    (None, None),
    ("0", 0),
    ("1", 1),
    ("30", 30),
    (" 30 ", 30),
    ("007", 7),
    ("1.5", 1.5),
    ("-1", 0),
    ("-0.5", 0),
    ("86400", 86400),
    ("999999999", 999999999),
    ("9" * 30, 1e9),
    ("9" * 400, 1e9),
    ("9" * 401, None),
    ("", None),
    ("soon", None),
    ("1 minute", None),
    ("30s", None),
    ("+30", None),
    ("1e3", None),
    ("inf", None),
    ("-inf", None),
    ("nan", None),
    ("0x10", None),
    ("1_000", None),
    ("٣٠", None),
    ("30, 60", None),
    ("30;60", None),
    (".5", None),
    ("1.", None),
    ("Wed, 13 May 2026 10:02:00 GMT", 120),
    ("Wed, 13 May 2026 12:02:00 +0200", 120),
    ("Wednesday, 13-May-26 10:02:00 GMT", 120),
    ("Wed May 13 10:02:00 2026", 120),
    ("Wed, 13 May 2026 09:00:00 GMT", 0),
    ("Thu, 13 May 2027 10:00:00 GMT", 365 * 86400),
    ("Fri, 31 Dec 9999 23:59:59 GMT", 1e9),
    ("Wed, 99 May 2026 10:02:00 GMT", None),
    ("Wed, 13 May 99999 10:02:00 GMT", None),
    ("2026-05-13T10:02:00Z", None),
]


@pytest.mark.parametrize(("text", "expected"), SPELLINGS, ids=[str(row[0])[:32] for row in SPELLINGS])
def test_every_spelling_of_retry_after(text: str | None, expected: float | None) -> None:
    headers = {"date": DATE} | ({} if text is None else {"retry-AFTER": text})
    for status in (429, 503, 400):
        assert answer(status, "RATE_LIMITED", headers=headers).retry_after == expected


@pytest.mark.parametrize("date", [{}, {"Date": "garbage"}, {"Date": ""}])
def test_a_moment_is_counted_from_our_clock_where_the_sender_shows_none(date: dict[str, str]) -> None:
    until = format_datetime(datetime.now(UTC) + timedelta(hours=10), usegmt=True)
    found = answer(429, "RATE_LIMITED", headers=date | {"Retry-After": until}).retry_after
    assert found is not None
    assert 9 * 3600 < found <= 10 * 3600


def test_a_wrong_clock_here_does_not_stretch_a_pause() -> None:
    there = datetime.now(UTC) + timedelta(days=100)
    headers = {
        "Date": format_datetime(there, usegmt=True),
        "Retry-After": format_datetime(there + timedelta(seconds=60), usegmt=True),
    }
    assert answer(429, "RATE_LIMITED", headers=headers).retry_after == 60


def test_it_survives_a_pickle() -> None:
    details = [{"path": "a", "message": "b"}]
    error = answer(429, "RATE_LIMITED", "Slow down", {"Retry-After": "7"}, details=details)
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is RateLimited
    assert vars(again) == vars(error)
    assert (again.code, again.retry_after, again.http_status, str(again)) == ("RATE_LIMITED", 7, 429, str(error))


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
documents = st.fixed_dictionaries(
    {}, optional={name: anything | st.sampled_from(sorted(CODES)) for name in ("code", "message", "status", "details")}
)


@settings(max_examples=300, deadline=None)
@given(
    status=st.integers(min_value=-5, max_value=1200),
    retry=st.none() | st.text(max_size=40),
    date=st.none() | st.text(max_size=40),
    body=st.binary(max_size=200) | documents.map(lambda value: json.dumps(value).encode()),
)
def test_nothing_that_may_come_makes_it_fail(status: int, retry: str | None, date: str | None, body: bytes) -> None:
    headers = {name: value for name, value in (("Retry-After", retry), ("Date", date)) if value is not None}
    error = error_from_answer(status, headers, body)
    assert isinstance(error, GenlookError)
    assert not isinstance(error, NotSent)
    assert error.__cause__ is None and error.__context__ is None
    assert error.problem
    assert len(error.detail) <= 500
    assert not {unicodedata.category(character) for character in error.detail} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert error.retry_after is None or 0 <= error.retry_after <= 1e9
    pickle.loads(pickle.dumps(error))
