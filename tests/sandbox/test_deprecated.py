"""The request shapes from before 1.4.0: still accepted, with the old names in the details."""

from __future__ import annotations

import pytest
import requests

from .conftest import Json, Shop, Talk, garment, paths, photo, refusal, shirt

URL = "https://shop.example/front.jpg"


def old_body(image_id: str, **fields: object) -> Json:
    product = {"externalId": "shirt-42", "title": "Red tee", "images": [{"url": URL}]}
    return {"product": product, "customer": {"id": image_id}, **fields}


@pytest.mark.parametrize("images", ["images", "imageUrls"])
@pytest.mark.parametrize("wrapped", [False, True])
def test_old_try_on_is_accepted(sandbox: Talk, shop: Shop, images: str, wrapped: bool) -> None:
    source = {"id": sandbox.upload()}
    url = f"{shop.origin}/red.png"
    pictures = {"images": [{"url": url, "classifications": {"view": "front"}}], "imageUrls": [url]}[images]
    body: Json = {
        "product": {"externalId": "shirt-42", images: pictures},
        "customer": {"source": source} if wrapped else source,
        "customerId": "u_1",
        "useWatermark": False,
        "retentionDays": 1,
    }
    answer = sandbox.post("/try-on", body)
    assert (answer.status_code, answer.json()["productExternalId"]) == (201, "shirt-42")
    done = sandbox.finish(answer.json()["generationId"])
    assert done["status"] == "COMPLETED"
    assert shop.asked == ["/red.png"]
    assert sandbox.ledger()["by_user"] == {"u_1": 1}
    sandbox.advance(86400)
    gone = sandbox.get(f"/generations/{done['generationId']}").json()
    assert gone["resultImageUrl"] is None, "retentionDays counts"


def test_old_and_new_names_mean_the_same(sandbox: Talk, shop: Shop) -> None:
    sandbox.post("/products", shirt(f"{shop.origin}/red.png"))
    image_id = sandbox.upload(crop="false")
    new = {"products": [{"externalId": "shirt-42"}], "person": {"image": {"source": {"id": image_id}}}}
    old = {"product": {"externalId": "shirt-42"}, "customer": {"id": image_id}}
    pairs: list[tuple[Json, Json]] = [
        ({**new, "output": {"watermark": False}}, {**old, "useWatermark": False}),
        ({**new, "output": {"watermark": True}}, {**old, "useWatermark": True}),
        (new, {**old, "product": {"externalId": "shirt-42"}}),
    ]
    pictures = []
    for pair in pairs:
        ends = [sandbox.finish(sandbox.start(body)) for body in pair]
        first, second = (requests.get(end["resultImageUrl"], timeout=10).content for end in ends)
        assert first == second
        pictures.append(first)
    assert pictures[0] != pictures[1]
    assert pictures[1] == pictures[2], "the logo is on when nothing is said"


def test_old_upload_names_are_accepted(sandbox: Talk) -> None:
    image_id = sandbox.upload(customerId="u_1", retentionDays="1")
    assert "ttl-1d" in image_id
    sandbox.delete("/customers/u_1")
    assert paths(sandbox.post("/try-on", old_body(image_id))) == {"customer.id"}


def test_old_product_body_is_accepted(sandbox: Talk) -> None:
    old = {"externalId": "a", "imageUrls": [URL, f"{URL}?2"], "autoDetectImageRoles": True}
    assert [image["sourceUrl"] for image in sandbox.post("/products", old).json()["images"]] == [URL, f"{URL}?2"]
    form = sandbox.form("/products", {"externalId": "b", "images": [{"fileKey": "front"}]}, front=garment())
    assert form.json()["images"][0]["sourceUrl"].startswith("upload://")


def test_old_pictures_can_come_with_the_body(sandbox: Talk) -> None:
    body = {"product": {"images": [{"fileKey": "front"}]}, "customer": {"fileKey": "me"}}
    answer = sandbox.form("/try-on", body, front=garment(), me=photo())
    assert sandbox.finish(answer.json()["generationId"])["status"] == "COMPLETED"


@pytest.mark.parametrize(
    ("change", "code", "offending"),
    [
        ({"product": []}, "VALIDATION_FAILED", {"product"}),
        ({"product": {"title": "x"}}, "PRODUCT_IMAGES_REQUIRED", {"product.images"}),
        ({"product": {"images": [{"url": 5}]}}, "VALIDATION_FAILED", {"product.images.0.url"}),
        ({"product": {"images": [{"url": "x", "fileKey": "y"}]}}, "VALIDATION_FAILED", {"product.images.0"}),
        ({"product": {"images": [{"classifications": {}}]}}, "INVALID_IMAGE_INPUT", {"product.images.0"}),
        ({"product": {"images": [{"fileKey": "y"}]}}, "MULTIPART_FILE_NOT_FOUND", {"product.images.0.fileKey"}),
        ({"product": {"imageUrls": [URL, "x", None]}}, "VALIDATION_FAILED",
         {"product.imageUrls.1", "product.imageUrls.2"}),
        ({"customer": None}, "CUSTOMER_IMAGE_REQUIRED", {"person"}),
        ({"customer": {}}, "CUSTOMER_IMAGE_REQUIRED", {"customer"}),
        ({"customer": {"source": {}}}, "CUSTOMER_IMAGE_REQUIRED", {"customer.source"}),
        ({"customer": {"id": 1}}, "VALIDATION_FAILED", {"customer.id"}),
        ({"customer": {"source": {"url": "x"}}}, "VALIDATION_FAILED", {"customer.source.url"}),
        ({"customerId": 1, "useWatermark": "no", "retentionDays": 30}, "VALIDATION_FAILED",
         {"customerId", "useWatermark", "retentionDays"}),
    ],
)  # fmt: skip
def test_details_use_the_old_names(sandbox: Talk, change: Json, code: str, offending: set[str]) -> None:
    answer = sandbox.post("/try-on", {**old_body(sandbox.upload()), **change})
    assert (refusal(answer), paths(answer)) == ((400, code), offending)
    assert sandbox.ledger()["accepted"] == 0


def test_old_person_url_is_downloaded(sandbox: Talk, shop: Shop) -> None:
    body = {**old_body("unused"), "customer": {"url": f"{shop.origin}/missing.png"}}
    assert refusal(sandbox.post("/try-on", body)) == (400, "CUSTOMER_IMAGE_FETCH_FAILED")
    assert shop.asked == ["/missing.png"]
    body["customer"] = {"source": {"url": f"{shop.origin}/me.png"}}
    assert sandbox.post("/try-on", body).status_code == 201
