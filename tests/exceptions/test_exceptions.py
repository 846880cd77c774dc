"""What can go wrong: every class survives a process boundary, every code has a row, and the delays are as promised."""

import copy
import inspect
import pickle
from typing import Any

import pytest
from django.contrib.messages import constants as levels
from django.utils import translation

from django_genlook import exceptions
from django_genlook.exceptions import (
    CODES,
    SYNONYMS,
    Detail,
    GenlookError,
    Reaction,
    Rule,
    fallback_code,
    problem_for,
)

CLASSES = [item for item in vars(exceptions).values() if inspect.isclass(item) and issubclass(item, GenlookError)]

GENLOOKS = {
    "MISSING_API_KEY": 401,
    "INVALID_API_KEY": 401,
    "FORBIDDEN": 403,
    "VALIDATION_FAILED": 400,
    "EXTERNAL_ID_REQUIRED": 400,
    "PRODUCT_IMAGES_REQUIRED": 400,
    "CUSTOMER_IMAGE_REQUIRED": 400,
    "FILE_REQUIRED": 400,
    "MULTIPART_FILE_NOT_FOUND": 400,
    "INVALID_IMAGE_INPUT": 400,
    "INVALID_IMAGE": 400,
    "UNSUPPORTED_IMAGE_TYPE": 400,
    "CUSTOMER_IMAGE_FETCH_FAILED": 400,
    "PRODUCT_IMAGE_FETCH_FAILED": 400,
    "FILE_TOO_LARGE": 413,
    "INSUFFICIENT_CREDITS": 402,
    "QUOTA_EXCEEDED": 402,
    "RATE_LIMITED": 429,
    "PRODUCT_NOT_FOUND": 404,
    "GENERATION_NOT_FOUND": 404,
    "ACCOUNT_NOT_FOUND": 404,
    "ROUTE_NOT_FOUND": 404,
    "RESERVED_EXTERNAL_ID": 409,
    "INTERNAL_ERROR": 500,
}


@pytest.mark.parametrize("kind", CLASSES)
def test_every_exception_survives_pickling_and_copying_whole(kind: type[GenlookError]) -> None:
    error = kind("why", code="X", http_status=418, retry_after=2.5, details=[Detail("a.b", "Required")])
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(twin) is kind
        assert vars(twin) == vars(error)
        assert str(twin) == "X: why"
    bare = pickle.loads(pickle.dumps(kind()))
    assert bare.code == kind.code


def test_the_constructor_takes_one_positional_argument() -> None:
    with pytest.raises(TypeError):
        GenlookError("detail", "CODE")  # type: ignore[call-arg]
    assert str(GenlookError(code="X")) == "X"


def test_all_24_codes_of_genlook_have_a_row() -> None:
    assert len(GENLOOKS) == 24
    assert {code for code in CODES if code.isupper()} == set(GENLOOKS)


@pytest.mark.parametrize(("synonym", "code"), SYNONYMS.items())
def test_a_synonym_means_the_same(synonym: str, code: str) -> None:
    assert synonym not in CODES
    assert problem_for(synonym) is CODES[code]


@pytest.mark.parametrize("code", CODES)
def test_each_row_has_words_for_everybody_and_a_status_a_shopper_may_see(code: str) -> None:
    problem = CODES[code]
    with translation.override("en"):
        assert all(str(text).strip() for text in (problem.shopper, problem.cause, problem.remedy))
        assert "enlook" not in str(problem.shopper)
        assert "credit" not in str(problem.shopper).lower()
    assert problem.status in {400, 404, 409, 410, 413, 415, 422, 429, 502, 503}
    assert problem.level in {levels.WARNING, levels.ERROR}
    assert issubclass(problem.error, GenlookError)
    told = problem_for(problem.shopper_code)
    assert told.shopper_code == problem.shopper_code, "what a shopper is told is a code of the table too"


@pytest.mark.parametrize("code", ["MISSING_API_KEY", "INVALID_API_KEY", "ACCOUNT_NOT_FOUND", "INSUFFICIENT_CREDITS"])
def test_trouble_with_the_key_or_the_credits_is_unavailable_and_no_more_to_a_shopper(code: str) -> None:
    assert (CODES[code].shopper_code, CODES[code].status) == ("try_on_unavailable", 503)


@pytest.mark.parametrize(
    ("status", "kind", "on_try_on"),
    [
        (400, exceptions.Rejected, Reaction.PARK),
        (401, exceptions.CredentialsRejected, Reaction.HOLD),
        (402, exceptions.OutOfCredits, Reaction.HOLD),
        (403, exceptions.Rejected, Reaction.PARK),
        (408, exceptions.OutcomeUnknown, Reaction.DOUBT),
        (418, exceptions.Rejected, Reaction.PARK),
        (425, exceptions.RateLimited, Reaction.WINDOW),
        (429, exceptions.RateLimited, Reaction.WINDOW),
        (500, exceptions.ServerFault, Reaction.DOUBT),
        (503, exceptions.ServerFault, Reaction.DOUBT),
        (599, exceptions.ServerFault, Reaction.DOUBT),
        (302, exceptions.ProtocolError, Reaction.DOUBT),
        (200, exceptions.ProtocolError, Reaction.DOUBT),
    ],
)
def test_an_unknown_code_is_judged_by_its_status(status: int, kind: type[GenlookError], on_try_on: Reaction) -> None:
    problem = problem_for("BRAND_NEW", status)
    assert problem.error is kind
    assert problem.try_on.reaction is on_try_on


def test_every_status_there_is_has_a_row() -> None:
    assert {fallback_code(status) for status in [None, *range(100, 1_000)]} <= set(CODES)


def test_no_outcome_that_is_unknown_is_ever_sent_again_as_a_try_on() -> None:
    for code, problem in CODES.items():
        ambiguous = issubclass(problem.error, exceptions.OutcomeUnknown | exceptions.ServerFault)
        assert ambiguous == (problem.try_on.reaction is Reaction.DOUBT), code


class TestDelays:
    def delays(self, rule: Rule, jitter: float, count: int) -> list[float | None]:
        return [rule.delay(attempt, jitter) for attempt in range(1, count + 1)]

    def test_they_double_up_to_the_cap_with_full_jitter(self) -> None:
        rule = Rule(Reaction.BACK_OFF, first=2, cap=30, floor=1)
        assert self.delays(rule, 1.0, 6) == [4, 8, 16, 30, 30, 30]
        assert self.delays(rule, 0.5, 6) == [2, 4, 8, 15, 15, 15]
        assert self.delays(rule, 0.0, 6) == [1, 1, 1, 1, 1, 1]

    def test_a_limit_ends_them(self) -> None:
        rule = Rule(Reaction.BACK_OFF, first=2, cap=30, limit=2)
        assert self.delays(rule, 1.0, 5) == [4, 8, None, None, None]

    def test_a_round_begins_again_after_its_rest(self) -> None:
        rule = Rule(Reaction.BACK_OFF, first=2, cap=30, limit=2, again=3_600)
        assert self.delays(rule, 1.0, 7) == [4, 8, 3_600, 4, 8, 3_600, 4]

    def test_a_row_that_failed_for_years_still_has_a_delay(self) -> None:
        assert Rule(Reaction.BACK_OFF, first=1, cap=300).delay(10**9, 0.999) == pytest.approx(299.7)

    @pytest.mark.parametrize(
        ("code", "what", "count", "low", "high"),
        [
            ("QUOTA_EXCEEDED", "try_on", 5, 1, 60),
            ("QUOTA_EXCEEDED", "photo", 5, 1, 60),
            ("INTERNAL_ERROR", "photo", 3, 1, 60),
            ("INTERNAL_ERROR", "product", 3, 1, 300),
            ("outcome_unknown", "product", 3, 45, 300),
            ("server_fault", "product", 3, 45, 300),
            ("CUSTOMER_IMAGE_FETCH_FAILED", "try_on", 1, 1, 10),
        ],
    )
    def test_the_promised_retries(self, code: str, what: str, count: int, low: float, high: float) -> None:
        rule: Rule = getattr(CODES[code], what)
        assert rule.limit == count
        for jitter in (0.0, 0.5, 0.999):
            for delay in self.delays(rule, jitter, count):
                assert delay is not None
                assert low <= delay <= high

    def test_the_table_is_not_to_be_written_to(self) -> None:
        table: Any = CODES
        with pytest.raises(TypeError):
            table["X"] = CODES["INTERNAL_ERROR"]
        with pytest.raises(AttributeError):
            CODES["INTERNAL_ERROR"].status = 200  # type: ignore[misc]
