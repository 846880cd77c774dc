"""All 24 codes: each can be asked for by a fault, and all but three come up by themselves."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import requests

from .conftest import Json, Shop, Talk, decoded, encoded, garment, photo, refusal, shirt, try_on

STATUSES = {
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
ONLY_BY_FAULT = {"QUOTA_EXCEEDED", "ACCOUNT_NOT_FOUND", "INTERNAL_ERROR"}
ONLY_ASYNCHRONOUS = {"PRODUCT_IMAGE_FETCH_FAILED"}


def test_there_are_twenty_four() -> None:
    assert len(STATUSES) == 24


@pytest.mark.parametrize("code", sorted(STATUSES))
def test_every_code_can_be_played(sandbox: Talk, code: str) -> None:
    sandbox.faults({"method": "GET", "path": "/account/credits", "times": 1, "fault": "error", "code": code})
    assert refusal(sandbox.get("/account/credits")) == (STATUSES[code], code)
    assert sandbox.get("/account/credits").status_code == 200


def upload(talk: Talk, data: bytes) -> requests.Response:
    return talk.call("POST", "/images/upload", files={"file": ("me", data)})


def with_person(talk: Talk, person: Json) -> requests.Response:
    return talk.post("/try-on", {"products": [shirt("https://shop.example/a.png")], "person": person})


def foreign(talk: Talk) -> requests.Response:
    talk.reset(api_keys=["gk_sandbox", "gk_other"])
    body = try_on(shirt("https://shop.example/a.png"), talk.upload(key="gk_other"))
    return talk.get(f"/generations/{talk.start(body, key='gk_other')}")


def poor(talk: Talk) -> requests.Response:
    talk.reset(credits=0)
    return talk.post("/try-on", try_on(shirt("https://shop.example/a.png"), talk.upload()))


def hasty(talk: Talk) -> requests.Response:
    talk.reset(rate_limit=1)
    talk.get("/products")
    return talk.get("/products")


NATURAL: dict[str, Callable[[Talk], requests.Response]] = {
    "MISSING_API_KEY": lambda talk: talk.get("/products", key=None),
    "INVALID_API_KEY": lambda talk: talk.get("/products", key="gk_revoked"),
    "FORBIDDEN": foreign,
    "VALIDATION_FAILED": lambda talk: talk.post("/products", {"externalId": 1}),
    "EXTERNAL_ID_REQUIRED": lambda talk: talk.post("/products", {"title": "x"}),
    "PRODUCT_IMAGES_REQUIRED": lambda talk: talk.post("/products", {"externalId": "x"}),
    "CUSTOMER_IMAGE_REQUIRED": lambda talk: talk.post("/try-on", {"products": [shirt("https://shop.example/a.png")]}),
    "FILE_REQUIRED": lambda talk: talk.post("/images/upload"),
    "MULTIPART_FILE_NOT_FOUND": lambda talk: with_person(talk, {"image": {"source": {"fileKey": "me"}}}),
    "INVALID_IMAGE_INPUT": lambda talk: talk.post("/products", {"externalId": "x", "images": [{"source": {}}]}),
    "INVALID_IMAGE": lambda talk: upload(talk, garment()[:500]),
    "UNSUPPORTED_IMAGE_TYPE": lambda talk: upload(talk, encoded(decoded(photo()), "GIF")),
    "CUSTOMER_IMAGE_FETCH_FAILED": lambda talk: with_person(
        talk, {"image": {"source": {"url": "http://127.0.0.1:9/me.png"}}}
    ),
    "FILE_TOO_LARGE": lambda talk: upload(talk, bytes(11 * 1024 * 1024)),
    "INSUFFICIENT_CREDITS": poor,
    "RATE_LIMITED": hasty,
    "PRODUCT_NOT_FOUND": lambda talk: talk.get("/products/unknown"),
    "GENERATION_NOT_FOUND": lambda talk: talk.get("/generations/unknown"),
    "ROUTE_NOT_FOUND": lambda talk: talk.get("/unknown"),
    "RESERVED_EXTERNAL_ID": lambda talk: talk.post("/products", shirt("https://shop.example/a.png", "_anon_x")),
}


def test_only_the_named_codes_do_not_come_up_by_themselves() -> None:
    assert set(STATUSES) - set(NATURAL) == ONLY_BY_FAULT | ONLY_ASYNCHRONOUS


@pytest.mark.parametrize("code", sorted(NATURAL))
def test_code_comes_up_by_itself(sandbox: Talk, code: str) -> None:
    assert refusal(NATURAL[code](sandbox)) == (STATUSES[code], code)


def test_asynchronous_code_is_told_by_the_generation(sandbox: Talk, shop: Shop) -> None:
    failed = sandbox.finish(sandbox.start(try_on(shirt(f"{shop.origin}/missing.png"), sandbox.upload())))
    assert (failed["status"], failed["errorCode"]) == ("FAILED", "PRODUCT_IMAGE_FETCH_FAILED")
