"""Try-ons with the current body: how a product is given, what is refused, how a generation ends, what it costs."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from .conftest import Json, Shop, Talk, decoded, encoded, garment, paths, photo, refusal, shirt, try_on

URL = "https://shop.example/front.jpg"
DAY = 86400


def test_generation_goes_from_pending_over_processing_to_completed(sandbox: Talk, shop: Shop) -> None:
    sandbox.reset(generation_seconds=1000)
    answer = sandbox.post("/try-on", try_on(shirt(f"{shop.origin}/red.png"), sandbox.upload()))
    assert answer.status_code == 201
    accepted = answer.json()
    assert set(accepted) == {"generationId", "status", "productExternalId"}
    assert (accepted["status"], accepted["productExternalId"]) == ("PENDING", "shirt-42")
    path = f"/generations/{accepted['generationId']}"
    pending = sandbox.get(path).json()
    assert set(pending) == {"generationId", "status", "createdAt", "updatedAt"}
    assert (pending["status"], pending["updatedAt"]) == ("PENDING", pending["createdAt"])
    sandbox.advance(500)
    processing = sandbox.get(path).json()
    assert (processing["status"], "resultImageUrl" in processing) == ("PROCESSING", False)
    sandbox.advance(500)
    done = sandbox.get(path).json()
    assert set(done) == {"generationId", "status", "resultImageUrl", "createdAt", "updatedAt"}
    assert done["status"] == "COMPLETED"
    assert pending["updatedAt"] < processing["updatedAt"] < done["updatedAt"]
    picture = requests.get(done["resultImageUrl"], timeout=10)
    assert (picture.status_code, picture.headers["Content-Type"]) == (200, "image/jpeg")
    assert decoded(picture.content).size == (400, 500)


def test_durations_follow_the_options(sandbox: Talk) -> None:
    sandbox.reset(rate_limit=0, generation_seconds=[100, 1000, 10_000], seed=3)
    sandbox.faults({"fault": "fail_generation"})
    ids = [sandbox.start(try_on(shirt(URL), sandbox.upload())) for _ in range(40)]

    def ended() -> int:
        return sum(sandbox.get(f"/generations/{one}").json()["status"] == "FAILED" for one in ids)

    assert ended() == 0
    sandbox.advance(1000)
    assert 8 <= ended() <= 32
    sandbox.advance(9000)
    assert ended() == 40


def test_by_reference_needs_a_known_product(sandbox: Talk, shop: Shop) -> None:
    body = try_on({"externalId": "shirt-42"}, sandbox.upload())
    assert refusal(sandbox.post("/try-on", body)) == (404, "PRODUCT_NOT_FOUND")
    sandbox.post("/products", shirt(f"{shop.origin}/red.png"))
    done = sandbox.finish(sandbox.start(body))
    assert done["status"] == "COMPLETED"
    assert sandbox.get("/products/shirt-42").json()["lastUsedAt"] == done["createdAt"]
    assert sandbox.ledger()["by_product"] == {"shirt-42": 1}


def test_inline_upserts_and_lives_fifteen_days_after_its_last_use(sandbox: Talk) -> None:
    sandbox.reset(rate_limit=0)
    image_id = sandbox.upload()
    sandbox.start(try_on(shirt(URL), image_id))
    product = sandbox.get("/products/shirt-42").json()
    assert (product["title"], product["validForDays"]) == ("Red tee", 15)
    sandbox.start(try_on({"externalId": "shirt-42", "title": "Blue tee"}, image_id))
    assert sandbox.get("/products/shirt-42").json()["title"] == "Blue tee"
    assert sandbox.get("/products").json()["count"] == 1
    sandbox.advance(14 * DAY)
    sandbox.start(try_on({"externalId": "shirt-42"}, sandbox.upload()))
    sandbox.advance(14 * DAY)
    assert sandbox.get("/products/shirt-42").status_code == 200, "the use has started its clock again"
    sandbox.advance(2 * DAY)
    assert refusal(sandbox.get("/products/shirt-42")) == (404, "PRODUCT_NOT_FOUND")
    assert sandbox.get("/products").json()["count"] == 0


def test_one_shot_gets_a_generated_id_and_is_not_listed(sandbox: Talk, shop: Shop) -> None:
    body = try_on(shirt(f"{shop.origin}/red.png", None), sandbox.upload())
    external_id = sandbox.post("/try-on", body).json()["productExternalId"]
    assert external_id.startswith("_anon_")
    assert sandbox.get("/products").json()["items"] == []
    assert sandbox.get(f"/products/{external_id}").json()["validForDays"] == 7
    assert sandbox.get(f"/products/{external_id}/stats").status_code == 200
    sandbox.advance(6 * DAY)
    again = sandbox.post("/try-on", try_on({"externalId": external_id}, sandbox.upload()))
    assert (again.status_code, again.json()["productExternalId"]) == (201, external_id)
    sandbox.advance(6 * DAY)
    assert sandbox.get(f"/products/{external_id}").status_code == 200
    sandbox.advance(2 * DAY)
    assert refusal(sandbox.get(f"/products/{external_id}")) == (404, "PRODUCT_NOT_FOUND")
    unknown = try_on(shirt(URL, "_anon_unknown"), sandbox.upload())
    assert refusal(sandbox.post("/try-on", unknown)) == (404, "PRODUCT_NOT_FOUND")


@pytest.mark.parametrize(
    ("change", "code", "offending"),
    [
        ({"products": None}, "VALIDATION_FAILED", {"products"}),
        ({"products": []}, "VALIDATION_FAILED", {"products"}),
        ({"products": [shirt(URL), shirt(URL, "b")]}, "VALIDATION_FAILED", {"products"}),
        ({"products": ["shirt-42"]}, "VALIDATION_FAILED", {"products.0"}),
        ({"products": [{}]}, "PRODUCT_IMAGES_REQUIRED", {"products.0.images"}),
        ({"products": [{"externalId": "new", "title": "x"}]}, "PRODUCT_IMAGES_REQUIRED", {"products.0.images"}),
        ({"products": [shirt("shop.example/a.png")]}, "VALIDATION_FAILED", {"products.0.images.0.source.url"}),
        ({"products": [shirt(URL, "")]}, "VALIDATION_FAILED", {"products.0.externalId"}),
        ({"products": [{"images": [{"source": {}}]}]}, "INVALID_IMAGE_INPUT", {"products.0.images.0.source"}),
        ({"products": [{"images": [{"source": {"fileKey": "front"}}]}]}, "MULTIPART_FILE_NOT_FOUND",
         {"products.0.images.0.source.fileKey"}),
        ({"person": None}, "CUSTOMER_IMAGE_REQUIRED", {"person"}),
        ({"person": {}}, "CUSTOMER_IMAGE_REQUIRED", {"person.image"}),
        ({"person": {"image": {}}}, "CUSTOMER_IMAGE_REQUIRED", {"person.image.source"}),
        ({"person": {"image": {"source": {}}}}, "CUSTOMER_IMAGE_REQUIRED", {"person.image.source"}),
        ({"person": {"id": "img_1"}}, "CUSTOMER_IMAGE_REQUIRED", {"person.image"}),
        ({"person": "img_1"}, "VALIDATION_FAILED", {"person"}),
        ({"person": {"image": {"source": {"id": 1}}}}, "VALIDATION_FAILED", {"person.image.source.id"}),
        ({"person": {"image": {"source": {"id": "a", "url": URL}}}}, "VALIDATION_FAILED", {"person.image.source"}),
        ({"person": {"image": {"source": {"id": "img_unknown"}}}}, "VALIDATION_FAILED", {"person.image.source.id"}),
        ({"person": {"image": {"source": {"url": "me.jpg"}}}}, "VALIDATION_FAILED", {"person.image.source.url"}),
        ({"person": {"image": {"source": {"fileKey": "me"}}}}, "MULTIPART_FILE_NOT_FOUND",
         {"person.image.source.fileKey"}),
        ({"externalUserId": 7}, "VALIDATION_FAILED", {"externalUserId"}),
        ({"output": []}, "VALIDATION_FAILED", {"output"}),
        ({"output": {"watermark": "no", "keepForDays": 2, "aiLabel": 1}}, "VALIDATION_FAILED",
         {"output.watermark", "output.keepForDays", "output.aiLabel"}),
        ({"products": [shirt(URL, title=1)], "person": None, "externalUserId": ""}, "VALIDATION_FAILED",
         {"products.0.title", "person", "externalUserId"}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/try-on", "/try-on/sync"])
def test_every_offending_field_is_named(sandbox: Talk, path: str, change: Json, code: str, offending: set[str]) -> None:
    body = {**try_on(shirt(URL), sandbox.upload()), **change}
    answer = sandbox.post(path, body)
    assert (refusal(answer), paths(answer)) == ((400, code), offending)
    assert sandbox.ledger()["accepted"] == 0
    assert sandbox.get("/products").json()["count"] == 0, "nothing is stored of a refused try-on"


def test_alpha_body_is_refused(sandbox: Talk) -> None:
    answer = sandbox.post("/try-on", {"productId": "p", "customerImageId": sandbox.upload()})
    assert refusal(answer) == (400, "VALIDATION_FAILED")
    assert {"productId", "customerImageId"} <= paths(answer)


def test_pictures_can_come_with_the_body(sandbox: Talk) -> None:
    body = {
        "products": [{"title": "Red tee", "images": [{"source": {"fileKey": "front"}}]}],
        "person": {"image": {"source": {"fileKey": "me"}}},
    }
    answer = sandbox.form("/try-on", body, front=garment(), me=photo())
    assert answer.status_code == 201
    assert sandbox.finish(answer.json()["generationId"])["status"] == "COMPLETED"
    missing = sandbox.form("/try-on", body, me=photo())
    assert (refusal(missing), paths(missing)) == (
        (400, "MULTIPART_FILE_NOT_FOUND"),
        {"products.0.images.0.source.fileKey"},
    )
    assert refusal(sandbox.form("/try-on", body, front=b"text", me=photo())) == (400, "INVALID_IMAGE")
    gif = encoded(decoded(photo()), "GIF")
    assert refusal(sandbox.form("/try-on", body, front=garment(), me=gif)) == (400, "UNSUPPORTED_IMAGE_TYPE")
    big = bytes(10 * 1024 * 1024 + 1)
    assert refusal(sandbox.form("/try-on", body, front=garment(), me=big)) == (413, "FILE_TOO_LARGE")
    assert sandbox.ledger()["accepted"] == 1


def from_url(url: str, product: Json | None = None) -> Json:
    return {"products": [product or shirt(URL)], "person": {"image": {"source": {"url": url}}}}


def test_person_url_is_downloaded_at_once(sandbox: Talk, shop: Shop) -> None:
    moved = shop.offer("/moved", b"", 302, Location="/me.png")
    body = from_url(moved, shirt(f"{shop.origin}/red.png"))
    assert sandbox.finish(sandbox.start(body))["status"] == "COMPLETED"
    assert shop.asked[:2] == ["/moved", "/me.png"]


def test_person_url_that_fails_is_refused_at_once(sandbox: Talk, shop: Shop) -> None:
    for url in (
        f"{shop.origin}/missing.png",
        shop.offer("/broken", photo(), 500),
        shop.offer("/round", b"", 302, Location="/round"),
        shop.offer("/away", b"", 302, Location="ftp://shop.example/x"),
        "http://127.0.0.1:9/closed.png",
        "http://no-such-host.invalid/a.png",
    ):
        assert refusal(sandbox.post("/try-on", from_url(url))) == (400, "CUSTOMER_IMAGE_FETCH_FAILED")
    assert refusal(sandbox.post("/try-on", from_url(shop.offer("/page", b"<html></html>" * 9)))) == (
        400,
        "UNSUPPORTED_IMAGE_TYPE",
    )
    huge = shop.offer("/huge.png", garment() + bytes(11 * 1024 * 1024))
    assert refusal(sandbox.post("/try-on", from_url(huge))) == (413, "FILE_TOO_LARGE")
    assert sandbox.ledger() == {"credits": 1000, "accepted": 0, "charged": 0, "by_product": {}, "by_user": {}}


def test_download_has_five_seconds_in_all(sandbox: Talk, shop: Shop) -> None:
    def start(path: str) -> requests.Response:
        body = from_url(f"{shop.origin}{path}")
        return requests.post(f"{sandbox.base}/try-on", json=body, headers={"x-api-key": "gk_sandbox"}, timeout=20)

    began = time.monotonic()
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(start, ["/trickle", "/trickling-head"]))
    assert [refusal(answer) for answer in answers] == [(400, "CUSTOMER_IMAGE_FETCH_FAILED")] * 2
    assert 4 < time.monotonic() - began < 10


@pytest.mark.parametrize("path", ["/missing.png", "/page", "/huge.png"])
def test_product_url_fails_later_and_is_not_charged(sandbox: Talk, shop: Shop, path: str) -> None:
    shop.offer("/page", b"<html>not a picture</html>" * 9)
    shop.offer("/huge.png", garment() + bytes(10 * 1024 * 1024))
    generation_id = sandbox.start(try_on(shirt(f"{shop.origin}{path}"), sandbox.upload(), externalUserId="u_1"))
    assert sandbox.ledger()["charged"] == 1
    failed = sandbox.finish(generation_id)
    assert (failed["status"], failed["errorCode"]) == ("FAILED", "PRODUCT_IMAGE_FETCH_FAILED")
    assert isinstance(failed["errorMessage"], str)
    assert "resultImageUrl" not in failed
    assert sandbox.ledger() == {
        "credits": 1000, "accepted": 1, "charged": 0, "by_product": {"shirt-42": 1}, "by_user": {"u_1": 1},
    }  # fmt: skip
    assert path in shop.asked


def test_product_url_is_fetched_only_for_a_generation(sandbox: Talk, shop: Shop) -> None:
    sandbox.post("/products", shirt(f"{shop.origin}/red.png"))
    sandbox.get("/products/shirt-42")
    assert shop.asked == []
    sandbox.finish(sandbox.start(try_on({"externalId": "shirt-42"}, sandbox.upload())))
    assert shop.asked == ["/red.png"]


def test_credits_run_out_and_come_back_after_a_failure(sandbox: Talk) -> None:
    sandbox.reset(credits=2)
    body = try_on(shirt(URL), sandbox.upload())
    sandbox.faults({"fault": "fail_generation", "times": 1})
    failing = sandbox.start(body)
    assert sandbox.get("/account/credits").json() == {"creditBalance": 1}
    sandbox.start(body)
    assert refusal(sandbox.post("/try-on", body)) == (402, "INSUFFICIENT_CREDITS")
    assert refusal(sandbox.post("/try-on/sync", body)) == (402, "INSUFFICIENT_CREDITS")
    assert sandbox.finish(failing)["status"] == "FAILED"
    assert sandbox.get("/account/credits").json() == {"creditBalance": 1}
    sandbox.start(body)


def test_foreign_generation_and_one_shot_are_forbidden(sandbox: Talk) -> None:
    sandbox.reset(api_keys=["gk_a", "gk_b"], credits=5)
    body = try_on(shirt(URL, None), sandbox.upload(key="gk_a"))
    accepted = sandbox.post("/try-on", body, key="gk_a").json()
    assert refusal(sandbox.get(f"/generations/{accepted['generationId']}", key="gk_b")) == (403, "FORBIDDEN")
    product = accepted["productExternalId"]
    assert refusal(sandbox.get(f"/products/{product}", key="gk_b")) == (403, "FORBIDDEN")
    assert refusal(sandbox.get("/generations/cmunknown", key="gk_a")) == (404, "GENERATION_NOT_FOUND")
    balances = [sandbox.get("/account/credits", key=key).json()["creditBalance"] for key in ("gk_a", "gk_b")]
    assert balances == [4, 5]
    assert sandbox.control("ledger?api_key=gk_b")["credits"] == 5


def test_result_address_expires_and_is_renewed(sandbox: Talk, shop: Shop) -> None:
    sandbox.reset(result_url_seconds=600)
    generation_id = sandbox.start(try_on(shirt(f"{shop.origin}/red.png"), sandbox.upload()))
    old = sandbox.finish(generation_id)["resultImageUrl"]
    assert requests.get(old, timeout=10).status_code == 200
    sandbox.advance(601)
    assert requests.get(old, timeout=10).status_code == 403
    new = sandbox.get(f"/generations/{generation_id}").json()["resultImageUrl"]
    assert new != old
    assert requests.get(new, timeout=10).status_code == 200


@pytest.mark.parametrize(("output", "days"), [({}, 7), ({"keepForDays": 1}, 1)])
def test_result_is_gone_after_its_days(sandbox: Talk, shop: Shop, output: Json, days: int) -> None:
    sandbox.reset(result_url_seconds=30 * DAY)
    generation_id = sandbox.start(try_on(shirt(f"{shop.origin}/red.png"), sandbox.upload(), output=output))
    url = sandbox.finish(generation_id)["resultImageUrl"]
    sandbox.advance(days * DAY - 600)
    assert requests.get(url, timeout=10).status_code == 200
    sandbox.advance(1200)
    assert requests.get(url, timeout=10).status_code == 404
    left = sandbox.get(f"/generations/{generation_id}").json()
    assert (left["status"], left["resultImageUrl"]) == ("COMPLETED", None)


def test_generation_survives_its_product(sandbox: Talk, shop: Shop) -> None:
    generation_id = sandbox.start(try_on(shirt(f"{shop.origin}/red.png"), sandbox.upload()))
    sandbox.delete("/products/shirt-42")
    assert sandbox.finish(generation_id)["status"] == "COMPLETED"


def test_mock_product_gives_the_photo_back_unchanged(sandbox: Talk) -> None:
    sandbox.reset(generation_seconds=30)
    image_id = sandbox.upload(crop="false")
    generation_id = sandbox.start(try_on(shirt(URL, "shirt-42-mock", title="mock"), image_id))
    sandbox.advance(2)
    done = sandbox.get(f"/generations/{generation_id}").json()
    assert done["status"] == "COMPLETED", "it takes 1 to 2 s, and its picture is not fetched"
    assert requests.get(done["resultImageUrl"], timeout=10).content == photo()
    assert sandbox.ledger()["charged"] == 1


class TestErasure:
    def test_photos_and_results_go_and_generations_lose_their_user(self, sandbox: Talk, shop: Shop) -> None:
        sandbox.reset(rate_limit=0, result_url_seconds=DAY)
        product = shirt(f"{shop.origin}/red.png")
        upload = sandbox.call(
            "POST", "/images/upload", files={"file": ("me", photo())}, data={"externalUserId": "u/1"}
        ).json()  # fmt: skip
        mine = sandbox.start(try_on(product, upload["imageId"], externalUserId="u/1"))
        other_photo = sandbox.upload(externalUserId="u_2")
        other = sandbox.start(try_on(product, other_photo, externalUserId="u_2"))
        result, kept = sandbox.finish(mine)["resultImageUrl"], sandbox.finish(other)["resultImageUrl"]
        assert sandbox.ledger()["by_user"] == {"u/1": 1, "u_2": 1}
        for _ in range(2):
            answer = sandbox.delete("/customers/u%2F1")
            assert (answer.status_code, answer.content) == (204, b"")
        for url in (upload["imageUrl"], result):
            assert requests.get(url, timeout=10).status_code == 404
        assert requests.get(kept, timeout=10).status_code == 200
        left = sandbox.get(f"/generations/{mine}").json()
        assert (left["status"], left["resultImageUrl"]) == ("COMPLETED", None)
        ledger = sandbox.ledger()
        assert (ledger["by_user"], ledger["accepted"], ledger["charged"]) == ({"u_2": 1}, 2, 2)
        refused = sandbox.post("/try-on", try_on(product, upload["imageId"]))
        assert (refusal(refused), paths(refused)) == ((400, "VALIDATION_FAILED"), {"person.image.source.id"})
        sandbox.start(try_on(product, other_photo))

    def test_data_sent_without_the_id_is_not_reached(self, sandbox: Talk) -> None:
        image_id = sandbox.upload()
        sandbox.delete("/customers/u_1")
        sandbox.start(try_on(shirt(URL), image_id))

    def test_running_generation_ends_without_a_result(self, sandbox: Talk) -> None:
        generation_id = sandbox.start(try_on(shirt(URL), sandbox.upload(), externalUserId="u_1"))
        sandbox.delete("/customers/u_1")
        failed = sandbox.get(f"/generations/{generation_id}").json()
        assert (failed["status"], "errorCode" in failed) == ("FAILED", False)
        assert sandbox.ledger()["charged"] == 0

    def test_other_accounts_are_not_touched(self, sandbox: Talk) -> None:
        sandbox.reset(api_keys=["gk_a", "gk_b"])
        image_id = sandbox.upload(key="gk_a", externalUserId="u_1")
        body = try_on(shirt(URL), image_id, externalUserId="u_1")
        sandbox.start(body, key="gk_a")
        assert sandbox.delete("/customers/u_1", key="gk_b").status_code == 204
        assert sandbox.ledger()["by_user"] == {"u_1": 1}
        sandbox.start(body, key="gk_a")
