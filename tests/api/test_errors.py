"""Each code of the table, through the handler that shops use and the one of our own views."""

import math

import pytest
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import Http404
from django.test import Client
from rest_framework import exceptions as drf

from django_genlook.api.errors import exception_handler, shopper_exception_handler
from django_genlook.exceptions import CODES, Detail, GenlookError, RateLimited, Rejected
from tests.api.urls import TO_RAISE

VENDOR = "VENDOR WORDS"


@pytest.mark.parametrize("code", CODES)
def test_each_code_is_told_in_the_tables_words_with_the_tables_status(code: str) -> None:
    problem = CODES[code]
    error = problem.error(VENDOR, code=code, http_status=418, details=[Detail("products.0", VENDOR)])
    for handler in (exception_handler, shopper_exception_handler):
        answer = handler(error, {})
        assert answer is not None
        assert answer.status_code == problem.status
        assert answer.data == {
            "code": problem.shopper_code, "message": str(problem.shopper), "status": problem.status,
        }  # fmt: skip
        assert VENDOR not in str(answer.data) + str(answer.headers)


def test_no_code_tells_a_shopper_of_the_shops_key_or_credits() -> None:
    assert not {problem.status for problem in CODES.values()} & {401, 402}
    for code in ("INVALID_API_KEY", "INSUFFICIENT_CREDITS", "QUOTA_EXCEEDED", "ACCOUNT_NOT_FOUND"):
        assert (CODES[code].status, CODES[code].shopper_code) == (503, "try_on_unavailable")


@pytest.mark.parametrize(
    ("http_status", "told"), [(401, 503), (402, 503), (429, 503), (404, 502), (500, 502), (None, 502), (302, 502)]
)
def test_a_code_that_nobody_knows_is_told_by_its_class(http_status: int | None, told: int) -> None:
    answer = exception_handler(GenlookError(VENDOR, code="BRAND_NEW", http_status=http_status), {})
    assert answer is not None
    assert answer.status_code == told
    assert "BRAND_NEW" not in str(answer.data)


@pytest.mark.parametrize("code", [code for code, problem in CODES.items() if problem.status in (429, 503)])
def test_a_429_and_a_503_say_when_to_come_back(code: str) -> None:
    answer = exception_handler(GenlookError(code=code), {})
    assert answer is not None
    assert int(answer.headers["Retry-After"]) >= 1


@pytest.mark.parametrize(
    ("asked", "told"),
    [(12, "12"), (0.2, "1"), (1.2, "2"), (0, "1"), (-5, "1"), (math.nan, "1"), (math.inf, "2678400"), (1e9, "2678400")],
)
def test_the_pause_is_told_in_whole_seconds_that_a_browser_can_wait(asked: float, told: str) -> None:
    answer = exception_handler(RateLimited(retry_after=asked), {})
    assert answer is not None
    assert answer.headers["Retry-After"] == told


def test_fields_that_we_refused_are_named_and_those_that_genlook_refused_are_not() -> None:
    details = [Detail("photo", "Send exactly one file.")]
    ours = exception_handler(Rejected(code="invalid_request", details=details), {})
    theirs = exception_handler(Rejected(code="VALIDATION_FAILED", http_status=400, details=details), {})
    assert ours is not None
    assert theirs is not None
    assert ours.data["details"] == [{"path": "photo", "message": "Send exactly one file."}]
    assert "details" not in theirs.data
    stored = exception_handler(Rejected(code="VALIDATION_FAILED", details=details), {})
    assert stored is not None
    assert "details" not in stored.data


@pytest.mark.django_db
def test_in_a_shops_own_view_everything_else_is_answered_as_ever() -> None:
    client = Client(raise_request_exception=False)
    for raised, status, body in (
        (drf.ValidationError({"size": ["Too small."]}), 400, {"size": ["Too small."]}),
        (drf.NotFound(), 404, {"detail": "Not found."}),
        (Http404(), 404, {"detail": "Not found."}),
        (GenlookError(code="limit_reached"), 429, None),
    ):
        TO_RAISE.append(raised)
        answer = client.get("/own/")
        assert answer.status_code == status
        if body is None:
            assert answer.json()["code"] == "limit_reached"
        else:
            assert answer.json() == body
    TO_RAISE.append(ZeroDivisionError())
    assert client.get("/own/").status_code == 500


@pytest.mark.parametrize(
    ("raised", "status", "code"),
    [
        (Http404("No Photo matches"), 404, "not_found"),
        (drf.NotFound(), 404, "not_found"),
        (PermissionDenied(), 403, "invalid_request"),
        (SuspiciousOperation("hm"), 400, "invalid_request"),
        (drf.ParseError(), 400, "invalid_request"),
        (drf.MethodNotAllowed("BREW"), 405, "invalid_request"),
        (drf.NotAcceptable(), 406, "invalid_request"),
        (drf.UnsupportedMediaType("text/x"), 415, "invalid_request"),
        (drf.ValidationError({"code": ["a field of that name"]}), 400, "invalid_request"),
        (drf.ValidationError(["a list"]), 400, "invalid_request"),
        (drf.Throttled(5), 429, "limit_reached"),
        (drf.AuthenticationFailed(), 401, "not_authenticated"),
        (drf.NotAuthenticated(), 401, "not_authenticated"),
        (drf.APIException("a broken backend"), 500, "try_on_unavailable"),
    ],
)
def test_in_our_own_views_what_django_and_drf_refuse_has_the_same_shape(
    raised: Exception, status: int, code: str
) -> None:
    answer = shopper_exception_handler(raised, {})
    assert answer is not None
    assert (answer.status_code, answer.data["code"], answer.data["status"]) == (status, code, status)
    assert set(answer.data) <= {"code", "message", "status", "details"}
    assert answer.data["message"]


def test_a_bug_stays_a_bug() -> None:
    assert shopper_exception_handler(ZeroDivisionError(), {}) is None
    assert exception_handler(ZeroDivisionError(), {}) is None
