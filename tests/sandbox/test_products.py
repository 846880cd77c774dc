"""The catalogue: create, change, page, delete, count."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from .conftest import Json, Shop, Talk, garment, paths, refusal, shirt, try_on

URL = "https://shop.example/front.jpg"
DAY = 86400


def test_created_product_is_answered_whole(sandbox: Talk) -> None:
    body = shirt(URL, "dir/a b?ü", description="Soft", metadata={"sku": [1, None]}, validForDays=30)
    answer = sandbox.post("/products", body)
    assert answer.status_code == 201
    product = answer.json()
    assert set(product) == {
        "externalId", "title", "description", "images", "metadata", "validForDays",
        "lastUsedAt", "expiresAt", "createdAt", "updatedAt",
    }  # fmt: skip
    assert (product["externalId"], product["title"], product["description"]) == ("dir/a b?ü", "Red tee", "Soft")
    assert product["images"] == [{"sourceUrl": URL, "order": 0}]
    assert product["metadata"] == {"sku": [1, None]}
    assert product["lastUsedAt"] is None
    created, expires = (datetime.fromisoformat(product[key]) for key in ("createdAt", "expiresAt"))
    assert (expires - created).days == 30
    assert len(product["createdAt"]) == len("2026-05-13T10:00:00.000Z")
    assert sandbox.get("/products/dir%2Fa%20b%3F%C3%BC").json() == product


def test_product_lives_for_ever_unless_told_otherwise(sandbox: Talk) -> None:
    product = sandbox.post("/products", shirt(URL)).json()
    assert (product["validForDays"], product["expiresAt"]) == (None, None)
    sandbox.advance(5 * 365 * DAY)
    assert sandbox.get("/products/shirt-42").status_code == 200


def test_upsert_keeps_what_is_left_out_and_replaces_the_pictures_whole(sandbox: Talk) -> None:
    two = [{"source": {"url": URL}}, {"source": {"url": f"{URL}?2"}, "classifications": {"view": "back"}}]
    first = sandbox.post("/products", shirt(URL, images=two, description="Soft", validForDays=9)).json()
    sandbox.advance(60)
    second = sandbox.post("/products", {"externalId": "shirt-42", "title": "Blue tee"}).json()
    changed = {"title", "updatedAt", "expiresAt"}
    assert {key: value for key, value in second.items() if key not in changed} == {
        key: value for key, value in first.items() if key not in changed
    }
    assert second["title"] == "Blue tee"
    assert second["updatedAt"] > first["updatedAt"]
    one = sandbox.post("/products", {"externalId": "shirt-42", "images": [{"source": {"url": f"{URL}?3"}}]}).json()
    assert one["images"] == [{"sourceUrl": f"{URL}?3", "order": 0}]
    unbound = sandbox.post("/products", {"externalId": "shirt-42", "validForDays": None}).json()
    assert (unbound["validForDays"], unbound["expiresAt"]) == (None, None)


def test_pictures_can_be_sent_as_bytes(sandbox: Talk) -> None:
    body = shirt(URL, images=[{"source": {"fileKey": "front"}}, {"source": {"url": URL}}])
    answer = sandbox.form("/products", body, front=garment())
    assert answer.status_code == 201
    uploaded, linked = answer.json()["images"]
    assert uploaded["sourceUrl"].startswith("upload://")
    assert (linked["sourceUrl"], linked["order"]) == (URL, 1)


@pytest.mark.parametrize(
    ("body", "code", "offending"),
    [
        ({}, "EXTERNAL_ID_REQUIRED", {"externalId"}),
        ({"externalId": None}, "EXTERNAL_ID_REQUIRED", {"externalId"}),
        ({"externalId": ""}, "EXTERNAL_ID_REQUIRED", {"externalId"}),
        ({"externalId": 5}, "VALIDATION_FAILED", {"externalId"}),
        ({"externalId": "x" * 256}, "VALIDATION_FAILED", {"externalId"}),
        ({"externalId": "new"}, "PRODUCT_IMAGES_REQUIRED", {"images"}),
        ({"externalId": "new", "images": []}, "PRODUCT_IMAGES_REQUIRED", {"images"}),
        ({"externalId": "new", "images": [{}]}, "INVALID_IMAGE_INPUT", {"images.0"}),
        ({"externalId": "new", "images": [{"source": {"id": "x"}}]}, "INVALID_IMAGE_INPUT", {"images.0.source"}),
        ({"externalId": "new", "images": [{"source": {"fileKey": "a"}}]}, "MULTIPART_FILE_NOT_FOUND",
         {"images.0.source.fileKey"}),
        ({"externalId": "new", "images": [{"source": {"url": URL, "fileKey": "a"}}]}, "VALIDATION_FAILED",
         {"images.0.source"}),
        ({"externalId": "new", "images": [{"source": {"url": "ftp://x/y"}}, {"source": {"url": 1}}, 7, {"source": []}]},
         "VALIDATION_FAILED", {"images.0.source.url", "images.1.source.url", "images.2", "images.3.source"}),
        ({"externalId": "new", "images": {"0": URL}}, "VALIDATION_FAILED", {"images"}),
        ({"externalId": "new", "images": [{"source": {"url": URL}, "classifications": "front"}]}, "VALIDATION_FAILED",
         {"images.0.classifications"}),
        ({**shirt(URL), "validForDays": "5", "title": 1, "description": None, "metadata": []}, "VALIDATION_FAILED",
         {"validForDays", "title", "description", "metadata"}),
        ({**shirt(URL), "validForDays": 0}, "VALIDATION_FAILED", {"validForDays"}),
        ({**shirt(URL), "validForDays": 366}, "VALIDATION_FAILED", {"validForDays"}),
        ({**shirt(URL), "validForDays": 1.5}, "VALIDATION_FAILED", {"validForDays"}),
        ({**shirt(URL), "validForDays": True}, "VALIDATION_FAILED", {"validForDays"}),
        ({"images": [{}], "title": 1}, "VALIDATION_FAILED", {"externalId", "images.0", "title"}),
    ],
)  # fmt: skip
def test_every_offending_field_is_named(sandbox: Talk, body: Json, code: str, offending: set[str]) -> None:
    answer = sandbox.post("/products", body)
    assert refusal(answer) == (400, code)
    assert paths(answer) == offending
    assert sandbox.get("/products").json()["count"] == 0


def test_messages_read_as_documented(sandbox: Talk) -> None:
    details = sandbox.post("/products", {**shirt(URL), "validForDays": "5"}).json()["details"]
    assert details == [{"path": "validForDays", "message": "Expected number, received string"}]


@pytest.mark.parametrize(
    "url", ["", "x", "//a/b", "http://", "file:///etc/passwd", "http://a b/", "http://[", "http://a:0/"]
)
def test_image_url_has_to_be_one(sandbox: Talk, url: str) -> None:
    answer = sandbox.post("/products", shirt(url))
    assert refusal(answer) == (400, "VALIDATION_FAILED")
    assert paths(answer) == {"images.0.source.url"}


def test_reserved_id_conflicts(sandbox: Talk) -> None:
    assert refusal(sandbox.post("/products", shirt(URL, "_anon_1"))) == (409, "RESERVED_EXTERNAL_ID")


def test_list_pages_through_everything_once(sandbox: Talk) -> None:
    for number in range(7):
        sandbox.post("/products", shirt(URL, f"p{number}"))
    seen: list[str] = []
    cursor = ""
    sizes = []
    while True:
        answer = sandbox.get("/products", params={"limit": 3, **({"cursor": cursor} if cursor else {})}).json()
        seen += [item["externalId"] for item in answer["items"]]
        sizes.append(answer["count"])
        assert answer["hasMore"] is (answer["nextCursor"] is not None)
        sandbox.delete(f"/products/{seen[-1]}")  # a cursor outlives the product it points at
        if not answer["hasMore"]:
            break
        cursor = answer["nextCursor"]
    assert seen == [f"p{number}" for number in range(7)]
    assert sizes == [3, 3, 1]


@pytest.mark.parametrize("query", [{"limit": "0"}, {"limit": "201"}, {"limit": "x"}, {"limit": "-1"}, {"limit": ""}])
def test_limit_out_of_range_is_refused(sandbox: Talk, query: dict[str, str]) -> None:
    answer = sandbox.get("/products", params=query)
    assert (refusal(answer), paths(answer)) == ((400, "VALIDATION_FAILED"), {"limit"})
    assert sandbox.get("/products", params={"limit": 200}).status_code == 200


def test_cursor_has_to_be_ours(sandbox: Talk) -> None:
    for cursor in ("!", "abc", "ü"):
        assert paths(sandbox.get("/products", params={"cursor": cursor})) == {"cursor"}


def test_deleted_product_is_unknown(sandbox: Talk) -> None:
    sandbox.post("/products", shirt(URL, "a/b"))
    assert sandbox.delete("/products/a%2Fb").status_code == 200
    for method, path in (("GET", ""), ("DELETE", ""), ("GET", "/stats")):
        assert refusal(sandbox.call(method, f"/products/a%2Fb{path}")) == (404, "PRODUCT_NOT_FOUND")
    assert sandbox.get("/products").json() == {"items": [], "nextCursor": None, "hasMore": False, "count": 0}


def test_accounts_have_catalogues_of_their_own(sandbox: Talk) -> None:
    sandbox.reset(api_keys=["gk_a", "gk_b"], rate_limit=0)
    sandbox.post("/products", shirt(URL), key="gk_a")
    assert sandbox.get("/products", key="gk_b").json()["count"] == 0
    assert refusal(sandbox.get("/products/shirt-42", key="gk_b")) == (404, "PRODUCT_NOT_FOUND")
    sandbox.post("/products", shirt(URL, title="Other"), key="gk_b")
    sandbox.start(try_on({"externalId": "shirt-42"}, sandbox.upload(key="gk_b")), key="gk_b")
    sandbox.advance(60)
    counts = [sandbox.get("/products/shirt-42/stats", key=key).json()["totalGenerations"] for key in ("gk_a", "gk_b")]
    assert counts == [0, 1]
    assert sandbox.get("/products/shirt-42", key="gk_a").json()["title"] == "Red tee"


def test_stats_come_late_and_count_right(sandbox: Talk, shop: Shop) -> None:
    sandbox.reset(rate_limit=0, generation_seconds=400, stats_delay_seconds=300)
    sandbox.post("/products", shirt(f"{shop.origin}/red.png"))
    image_id = sandbox.upload()
    sandbox.faults({"fault": "fail_generation", "after": 1, "times": 1})
    ids = [sandbox.start(try_on({"externalId": "shirt-42"}, image_id)) for _ in range(3)]

    def stats(**query: str) -> Any:
        return sandbox.get("/products/shirt-42/stats", params=query).json()

    nothing = {"totalGenerations": 0, "completedGenerations": 0, "failedGenerations": 0, "avgGenerationTimeMs": 0}
    assert stats() == nothing
    sandbox.advance(350)
    assert stats() == {**nothing, "totalGenerations": 3}
    sandbox.advance(100)
    ends = [sandbox.get(f"/generations/{generation_id}").json() for generation_id in ids]
    assert [end["status"] for end in ends] == ["COMPLETED", "FAILED", "COMPLETED"]
    assert stats() == {**nothing, "totalGenerations": 3}, "the ends are not known yet"
    sandbox.advance(300)
    full = {"totalGenerations": 3, "completedGenerations": 2, "failedGenerations": 1, "avgGenerationTimeMs": 400_000}
    assert stats() == full
    at = ends[1]["createdAt"]
    assert stats(**{"from": at, "to": at})["failedGenerations"] == 1, "both bounds are inclusive"
    assert stats(to=ends[0]["createdAt"])["totalGenerations"] >= 1
    assert stats(to="2020-01-01") == nothing
    assert stats(**{"from": "2099-01-01T00:00:00Z"}) == nothing
    assert stats(to=at[:10])["totalGenerations"] == 3, "a day includes its end"


def test_stats_bounds_are_checked(sandbox: Talk) -> None:
    sandbox.post("/products", shirt(URL))
    answer = sandbox.get("/products/shirt-42/stats", params={"from": "yesterday", "to": "1e9"})
    assert (refusal(answer), paths(answer)) == ((400, "VALIDATION_FAILED"), {"from", "to"})
