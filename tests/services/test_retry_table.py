"""The retry table, cell by cell: what a row does after each failure, on its first try and on its last.

``EXPECTED`` is written down here from the promises (``guarantees.md``, section 2), not read from ``exceptions.CODES``.
"""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import pytest

from django_genlook import budgets
from django_genlook.budgets import BreakerName
from django_genlook.client import api
from django_genlook.exceptions import CODES, SYNONYMS
from django_genlook.models import Account, Generation, Photo, Product, Shopper, Usage
from django_genlook.services import photos, products, try_ons
from django_genlook.testing import Sandbox
from tests.conftest import Clock
from tests.services.steps import Status, ask_for, genlook, in_step, now, ready_photo

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("quick_pictures")]


class Cell(NamedTuple):
    """What is left of a row: on the first try, and when its retries are used up (the same, where they never are)."""

    first: str
    last: str


def cell(first: str, last: str | None = None) -> Cell:
    return Cell(first, last or first)


class Row(NamedTuple):
    product: Cell
    delete: Cell
    photo: Cell
    try_on: Cell
    breaker: BreakerName | None = None


# waits: comes back by itself, at a growing distance. held: looks again after a few seconds, while a breaker is open.
# window: due at once, as soon as the window lets it through. hour: a new round begins in an hour.
WAITS, HELD, WINDOW = cell("waits"), cell("held"), cell("window")
PARKED, REJECTED, FAILED = cell("parked"), cell("rejected"), cell("failed")
THREE_PHOTOS = cell("waits", "rejected")
ROUNDS, LATE_ROUNDS = cell("waits", "hour"), cell("waits 45", "hour")

REFUSED = Row(PARKED, PARKED, REJECTED, FAILED)
CREDENTIALS = Row(HELD, HELD, HELD, HELD, BreakerName.AUTH)
THROTTLED = Row(WINDOW, WINDOW, WINDOW, WINDOW)
AMBIGUOUS = Row(LATE_ROUNDS, LATE_ROUNDS, THREE_PHOTOS, cell("unknown"))

EXPECTED: dict[str, Row] = {
    "MISSING_API_KEY": CREDENTIALS,
    "INVALID_API_KEY": CREDENTIALS,
    "ACCOUNT_NOT_FOUND": CREDENTIALS,
    "FORBIDDEN": REFUSED,
    "VALIDATION_FAILED": REFUSED,
    "EXTERNAL_ID_REQUIRED": REFUSED,
    "PRODUCT_IMAGES_REQUIRED": REFUSED,
    "CUSTOMER_IMAGE_REQUIRED": REFUSED,
    "PERSON_IMAGE_REQUIRED": REFUSED,
    "FILE_REQUIRED": REFUSED,
    "MULTIPART_FILE_NOT_FOUND": REFUSED,
    "INVALID_IMAGE_INPUT": REFUSED,
    "INVALID_IMAGE": REFUSED,
    "UNSUPPORTED_IMAGE_TYPE": REFUSED,
    "CUSTOMER_IMAGE_FETCH_FAILED": Row(PARKED, PARKED, REJECTED, cell("waits", "failed")),
    "PERSON_IMAGE_FETCH_FAILED": Row(PARKED, PARKED, REJECTED, cell("waits", "failed")),
    "PRODUCT_IMAGE_FETCH_FAILED": REFUSED,
    "FILE_TOO_LARGE": Row(cell("shrunk", "parked"), cell("shrunk", "parked"), cell("shrunk", "rejected"), FAILED),
    "INSUFFICIENT_CREDITS": Row(HELD, HELD, HELD, HELD, BreakerName.CREDITS),
    "QUOTA_EXCEEDED": Row(WAITS, WAITS, cell("waits", "rejected"), cell("waits", "failed")),
    "RATE_LIMITED": THROTTLED,
    "PRODUCT_NOT_FOUND": Row(HELD, cell("gone"), REJECTED, cell("pushed", "failed")),
    "GENERATION_NOT_FOUND": REFUSED,
    "ROUTE_NOT_FOUND": Row(WAITS, WAITS, WAITS, WAITS),
    "RESERVED_EXTERNAL_ID": REFUSED,
    "INTERNAL_ERROR": Row(ROUNDS, ROUNDS, THREE_PHOTOS, cell("unknown")),
}


@dataclass(frozen=True)
class Wire:
    """A failure without a code of Genlook's: a fault of the sandbox, and the code that stands for it here."""

    fault: dict[str, Any]
    code: str
    row: Row
    is_accepted: bool = False


def unknown(status: int) -> dict[str, Any]:
    return {"fault": "error", "code": "BRAND_NEW", "status": status}


WIRE: dict[str, Wire] = {
    "html 502": Wire({"fault": "html", "status": 502}, "server_fault", AMBIGUOUS),
    "html 500 after the work": Wire({"fault": "html", "status": 500, "work": True}, "server_fault", AMBIGUOUS, True),
    "html 200": Wire({"fault": "html", "status": 200}, "protocol_error", AMBIGUOUS),
    "garbage": Wire({"fault": "garbage"}, "protocol_error", AMBIGUOUS),
    "empty": Wire({"fault": "empty", "work": True}, "protocol_error", AMBIGUOUS, True),
    "redirect": Wire({"fault": "empty", "status": 302}, "protocol_error", AMBIGUOUS),
    "answer lost": Wire({"fault": "drop_reply"}, "outcome_unknown", AMBIGUOUS, True),
    "reset": Wire({"fault": "reset_before"}, "outcome_unknown", AMBIGUOUS),
    "time-out": Wire({"fault": "delay", "seconds": 2}, "outcome_unknown", AMBIGUOUS, True),
    "drip": Wire({"fault": "drip", "seconds": 20}, "outcome_unknown", AMBIGUOUS, True),
    "html 401": Wire({"fault": "html", "status": 401}, "unknown_credentials", CREDENTIALS),
    "html 402": Wire(
        {"fault": "html", "status": 402},
        "unknown_billing",
        Row(WAITS, WAITS, cell("waits", "rejected"), HELD),
    ),
    "html 403": Wire({"fault": "html", "status": 403}, "unknown_refusal", REFUSED),
    "html 404": Wire({"fault": "html", "status": 404}, "ROUTE_NOT_FOUND", Row(WAITS, WAITS, WAITS, WAITS)),
    "html 408": Wire({"fault": "html", "status": 408}, "timed_out", AMBIGUOUS),
    "html 425": Wire({"fault": "html", "status": 425}, "RATE_LIMITED", THROTTLED),
    "html 429": Wire({"fault": "html", "status": 429}, "RATE_LIMITED", THROTTLED),
    "code 401": Wire(unknown(401), "BRAND_NEW", CREDENTIALS),
    "code 403": Wire(unknown(403), "BRAND_NEW", REFUSED),
    "code 409": Wire(unknown(409), "BRAND_NEW", REFUSED),
    "code 408": Wire(unknown(408), "BRAND_NEW", AMBIGUOUS),
    "code 503": Wire(unknown(503), "BRAND_NEW", AMBIGUOUS),
}

#: How often a row has failed before its last try.
USED_UP = {
    "QUOTA_EXCEEDED": 5,
    "unknown_billing": 5,
    "CUSTOMER_IMAGE_FETCH_FAILED": 1,
    "PERSON_IMAGE_FETCH_FAILED": 1,
}


def test_the_table_has_a_row_for_each_code_of_genlooks() -> None:
    genlooks = {code for code in CODES if code.isupper()}
    assert len(genlooks) == 24
    assert set(EXPECTED) == genlooks | set(SYNONYMS)


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Little patience, so that a server that does not answer is given up soon."""
    for name in ("CALL_DEADLINE", "TRY_ON_DEADLINE", "UPLOAD_DEADLINE"):
        monkeypatch.setattr(api, name, 0.8)
    with genlook(RATE_LIMIT=10_000):
        yield


def cases() -> list[Any]:
    coded = [
        pytest.param({"fault": "error", "code": code}, code, row, False, id=code) for code, row in EXPECTED.items()
    ]
    wired = [pytest.param(case.fault, case.code, case.row, case.is_accepted, id=name) for name, case in WIRE.items()]
    return coded + wired


def attempts_before(code: str, which: str) -> int:
    return 0 if which == "first" else USED_UP.get(code, 3)


def check_wait(row: Product | Photo | Generation, outcome: str) -> None:
    """Check when a row that is still due comes back."""
    if outcome in ("window", "shrunk", "pushed"):
        assert row.next_attempt_at is None
        return
    assert row.next_attempt_at is not None
    seconds = (row.next_attempt_at - now()).total_seconds()
    low, high = {"waits": (0.0, 300), "waits 45": (40, 300), "held": (3, 5), "hour": (3_590, 3_600)}[outcome]
    assert low <= seconds <= high


def check_breakers(expected: Row, is_try_on: bool) -> None:
    is_open = expected.breaker
    if is_open is None and expected.try_on is HELD and is_try_on:
        is_open = BreakerName.CREDITS
    found = set(budgets.open_breakers())
    # What only looks like trouble with credits pauses try-ons wherever it is met.
    assert found == {is_open} if is_open else found <= {BreakerName.CREDITS}
    is_paused = Account.objects.exclude(paused_until=None).exists()
    assert is_paused == (expected.try_on is WINDOW)


@pytest.mark.parametrize("which", ["first", "last"])
@pytest.mark.parametrize(("fault", "code", "expected", "is_accepted"), cases())
class TestRetries:
    def test_a_product_that_is_sent(
        self,
        genlook_sandbox: Sandbox,
        make_product: Callable[..., Any],
        fault: dict[str, Any],
        code: str,
        expected: Row,
        is_accepted: bool,
        which: str,
    ) -> None:
        make_product()
        Product.objects.update(attempts=attempts_before(code, which), is_shrunk=which == "last")
        genlook_sandbox.fail({"method": "POST", "path": "/products", **fault})
        products.push(Product.objects.get().pk)
        self.check_product(code, getattr(expected.product, which))
        check_breakers(expected, is_try_on=False)
        assert len(genlook_sandbox.journal("POST")) == 1

    def test_a_product_that_is_deleted(
        self,
        genlook_sandbox: Sandbox,
        make_product: Callable[..., Any],
        fault: dict[str, Any],
        code: str,
        expected: Row,
        is_accepted: bool,
        which: str,
    ) -> None:
        product = make_product()
        in_step(product)
        product.delete()
        Product.objects.update(attempts=attempts_before(code, which), is_shrunk=which == "last")
        genlook_sandbox.fail({"method": "DELETE", "path": "/products/*", **fault})
        products.push(Product.objects.get().pk)
        outcome = getattr(expected.delete, which)
        if fault["fault"] in ("html", "garbage", "empty") and fault.get("status", 200) == 200:
            # A DELETE says nothing but that it is done; any 2xx will do.
            outcome = "gone"
        if outcome == "gone":
            assert not Product.objects.exists()
        else:
            self.check_product(code, outcome)
            assert Product.objects.get().is_deleted
            assert Product.objects.get().is_remote

    def check_product(self, code: str, outcome: str) -> None:
        row = Product.objects.get()
        assert row.error_code == code
        assert row.lease_token is None
        assert not row.is_in_step
        assert row.is_parked == (outcome == "parked")
        assert row.is_shrunk or outcome != "shrunk"
        if outcome != "parked":
            check_wait(row, outcome)

    def test_a_photo(
        self,
        genlook_sandbox: Sandbox,
        portrait: bytes,
        db: None,
        fault: dict[str, Any],
        code: str,
        expected: Row,
        is_accepted: bool,
        which: str,
    ) -> None:
        genlook_sandbox.fail({"method": "POST", "path": "/images/upload", "times": 1, "fault": "html", "status": 503})
        row = accept(portrait)
        photos.upload(row.pk)
        Photo.objects.update(
            attempts=attempts_before(code, which), is_shrunk=which == "last", next_attempt_at=None, error_code=""
        )
        genlook_sandbox.fail({"method": "POST", "path": "/images/upload", **fault})
        photos.upload(row.pk)
        row.refresh_from_db()
        outcome = getattr(expected.photo, which)
        assert row.error_code == code
        assert row.lease_token is None
        if outcome == "rejected":
            assert row.status == Photo.Status.REJECTED
            assert not row.raw
            assert not row.cleaned
        else:
            assert row.status == Photo.Status.QUEUED
            assert row.cleaned
            assert row.is_shrunk or outcome != "shrunk"
            check_wait(row, outcome)

    def test_a_try_on(
        self,
        genlook_sandbox: Sandbox,
        make_product: Callable[..., Any],
        portrait: bytes,
        fault: dict[str, Any],
        code: str,
        expected: Row,
        is_accepted: bool,
        which: str,
    ) -> None:
        product, shopper = make_product(), Shopper.objects.create()
        in_step(product)
        row = ask_for(product, ready_photo(shopper, portrait), shopper)
        Generation.objects.update(attempts=attempts_before(code, which), is_product_resent=which == "last")
        genlook_sandbox.fail({"method": "POST", "path": "/try-on", **fault})
        try_ons.submit(row.pk)
        row.refresh_from_db()
        outcome = getattr(expected.try_on, which)
        assert row.error_code == code
        assert row.lease_token is None
        assert genlook_sandbox.ledger()["accepted"] == is_accepted
        used = {usage.used for usage in Usage.objects.all()}
        if outcome == "failed":
            assert row.status == Status.FAILED
            assert row.is_charged is False
            assert row.active_key is None
            assert used == {0}
        elif outcome == "unknown":
            assert row.status == Status.UNKNOWN
            assert used == {1}
            genlook_sandbox.fail()
            try_ons.submit(row.pk)
            assert len(genlook_sandbox.journal("POST", "/try-on")) == 1
        else:
            assert row.status == Status.QUEUED
            assert used == {1}
            assert row.is_product_resent == (which == "last" or outcome == "pushed")
            check_wait(row, outcome)
        check_breakers(expected, is_try_on=True)


def accept(portrait: bytes) -> Photo:
    return photos.accept(io.BytesIO(portrait), len(portrait), shopper=Shopper.objects.create())


@pytest.mark.parametrize("attempts", [0, 7])
def test_what_never_left_is_never_given_up(
    genlook_sandbox: Sandbox, make_product: Callable[..., Any], portrait: bytes, attempts: int
) -> None:
    shop_product, shopper = make_product(), Shopper.objects.create()
    in_step(shop_product)
    row = ask_for(shop_product, ready_photo(shopper, portrait), shopper)
    photo = accept(portrait)
    shop_product.name = "Changed"
    shop_product.save()
    for model in (Product, Photo, Generation):
        model.objects.update(attempts=attempts)
    with genlook(BASE_URL="http://127.0.0.1:9/tryon/v1"):
        products.push(Product.objects.get().pk)
        photos.upload(photo.pk)
        try_ons.submit(row.pk)
    row.refresh_from_db()
    photo.refresh_from_db()
    product = Product.objects.get()
    assert row.status == Status.QUEUED
    assert photo.status == Photo.Status.QUEUED
    assert not product.is_parked
    for held in (row, photo, product):
        assert held.error_code == "not_sent"
        assert held.attempts == attempts + 1
        check_wait(held, "waits")


def test_a_round_of_retries_ends_in_an_hours_rest_and_then_another_round(
    genlook_sandbox: Sandbox, make_product: Callable[..., Any], clock: Clock
) -> None:
    make_product()
    genlook_sandbox.fail({"method": "POST", "path": "/products", "fault": "error", "code": "INTERNAL_ERROR"})
    pk = Product.objects.get().pk
    waits = []
    for _ in range(10):
        products.push(pk)
        row = Product.objects.get()
        assert row.next_attempt_at is not None
        wait = (row.next_attempt_at - now()).total_seconds()
        waits.append(wait > 3_000)
        clock.advance(wait + 1)
    assert waits == [False, False, False, True] * 2 + [False, False]
    assert len(genlook_sandbox.journal("POST")) == 10
