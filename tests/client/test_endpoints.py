"""Each endpoint: what goes over the wire, in Genlook's current shape, and what the caller gets for the answer."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from django_genlook.client import (
    Client,
    PictureBytes,
    PictureUrl,
    ProductStats,
    StartedGeneration,
    TryOnProduct,
    UploadedImage,
)
from django_genlook.exceptions import NotFound, ProtocolError, Rejected

from .conftest import KEY
from .servers import Request, Server, document, http

JPEG = b"\xff\xd8\xff\xe0 a picture \x00\r\n--not a boundary"
PNG = b"\x89PNG\r\n\x1a\n another"

PRODUCT = {
    "externalId": "shirt-42",
    "title": "Red: tee",
    "description": None,
    "images": [{"sourceUrl": "https://cdn.example/a.jpg?token=t", "order": 0}, {"sourceUrl": "upload://1", "order": 1}],
    "metadata": {"shop": "https://shop.example/42", "sourceUrl": "mine"},
    "validForDays": None,
    "createdAt": "2026-05-13T10:00:00.000Z",
    "new": "field",
}

Serve = Callable[..., Server]
Connect = Callable[..., Client]
Talk = Callable[..., tuple[Client, Server]]


@pytest.fixture
def talk(serve: Serve, connect: Connect) -> Talk:
    def started(answer: Any, status: int = 200) -> tuple[Client, Server]:
        reply = answer if isinstance(answer, bytes) else document(answer, status)
        server = serve(lambda request: reply)
        return connect(server), server

    return started


def test_every_call_carries_the_key_once_and_asks_for_plain_json(talk: Talk) -> None:
    client, server = talk({"creditBalance": 422})
    assert client.credit_balance() == 422
    request = server.last
    assert (request.method, request.target) == ("GET", "/tryon/v1/account/credits")
    assert request.headers["x-api-key"] == KEY
    assert "authorization" not in request.headers
    assert request.headers["accept-encoding"] == "identity"
    assert request.headers["accept"] == "application/json"
    assert request.headers["user-agent"].startswith("django-genlook/")
    assert KEY not in request.target and KEY.encode() not in request.body


@pytest.mark.parametrize("status", [200, 201, 202])
def test_a_photo_is_uploaded_as_a_form_and_its_id_returned(talk: Talk, status: int) -> None:
    client, server = talk({"imageId": "ephemeral/customer/ttl-7d/20260512.jpeg", "imageUrl": "https://s/x"}, status)
    got = client.upload_image(JPEG, crop=False, external_user_id="u_1", keep_for_days=7)
    assert got == UploadedImage("ephemeral/customer/ttl-7d/20260512.jpeg")
    request = server.last
    assert (request.method, request.target) == ("POST", "/tryon/v1/images/upload")
    parts = request.parts
    assert set(parts) == {"file", "crop", "externalUserId", "keepForDays"}
    assert parts["file"].get_payload(decode=True) == JPEG
    assert parts["file"].get_content_type() == "image/jpeg"
    assert parts["file"].get_filename() == "photo.jpg"
    sent = [parts[name].get_payload() for name in ("crop", "externalUserId", "keepForDays")]
    assert sent == ["false", "u_1", "7"]


def test_what_is_left_out_of_an_upload_is_left_to_genlook(talk: Talk) -> None:
    client, server = talk({"imageId": "img_1"})
    client.upload_image(PNG)
    assert set(server.last.parts) == {"file"}
    assert server.last.parts["file"].get_content_type() == "image/png"
    client.upload_image(PNG, crop=True)
    assert server.last.parts["crop"].get_payload() == "true"


@pytest.mark.parametrize(
    ("begin", "kind"),
    [
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"RIFF\x00\x00\x00\x00WEBP", "image/webp"),
        (b"\x00\x00\x00\x18ftypheic", "image/heic"),
        (b"GIF89a", "application/octet-stream"),
    ],
)
def test_a_picture_says_what_it_is_by_its_first_bytes(talk: Talk, begin: bytes, kind: str) -> None:
    client, server = talk({"imageId": "i"})
    client.upload_image(begin + b"rest")
    assert server.last.parts["file"].get_content_type() == kind


def test_a_product_is_saved_with_the_fields_that_are_given(talk: Talk) -> None:
    client, server = talk(PRODUCT, 201)
    client.save_product("shirt-42", title="Red: tee")
    assert (server.last.method, server.last.target) == ("POST", "/tryon/v1/products")
    assert server.last.json == {"externalId": "shirt-42", "title": "Red: tee"}
    assert server.last.headers["content-type"] == "application/json"
    client.save_product(
        "shirt-42",
        title="",
        description="",
        images=[PictureUrl("https://cdn.example/a.jpg"), PictureUrl("https://cdn.example/b.jpg")],
        valid_for_days=None,
        metadata={"size": [1, None, "é"]},
    )
    assert server.last.json == {
        "externalId": "shirt-42",
        "title": "",
        "description": "",
        "images": [
            {"source": {"url": "https://cdn.example/a.jpg"}},
            {"source": {"url": "https://cdn.example/b.jpg"}},
        ],
        "validForDays": None,
        "metadata": {"size": [1, None, "é"]},
    }
    client.save_product("shirt-42", valid_for_days=30)
    assert server.last.json == {"externalId": "shirt-42", "validForDays": 30}


def test_pictures_given_as_bytes_travel_as_parts_named_by_their_file_key(talk: Talk) -> None:
    client, server = talk(PRODUCT)
    url = PictureUrl("https://cdn.example/a.jpg")
    client.save_product("shirt-42", title="é", images=[PictureBytes(JPEG), url, PictureBytes(PNG)])
    parts = server.last.parts
    form = json.loads(parts.pop("data").get_payload(decode=True))  # type: ignore[arg-type]
    assert form["title"] == "é"
    sources = [image["source"] for image in form["images"]]
    assert sources[1] == {"url": "https://cdn.example/a.jpg"}
    assert set(parts) == {sources[0]["fileKey"], sources[2]["fileKey"]}
    assert parts[sources[0]["fileKey"]].get_payload(decode=True) == JPEG
    assert parts[sources[2]["fileKey"]].get_payload(decode=True) == PNG


def test_a_product_comes_back_whole_but_for_the_addresses_of_its_pictures(talk: Talk) -> None:
    client, server = talk(
        PRODUCT | {"thumb": "https://storage/x?sig=1", "deep": [{"sourceUrl": "u", "a": "data:x"}], "sourceUrl": "u"}
    )
    product = client.get_product("shirt-42")
    assert product.external_id == "shirt-42"
    assert product.document == {
        "externalId": "shirt-42",
        "title": "Red: tee",
        "description": None,
        "images": [{"order": 0}, {"order": 1}],
        "metadata": {"shop": "https://shop.example/42", "sourceUrl": "mine"},
        "validForDays": None,
        "createdAt": "2026-05-13T10:00:00.000Z",
        "new": "field",
        "thumb": None,
        "deep": [{"a": None}],
    }
    assert (server.last.method, server.last.target) == ("GET", "/tryon/v1/products/shirt-42")


def test_a_document_holds_nothing_that_a_database_refuses(talk: Talk) -> None:
    client, _ = talk(http(200, rb'{"externalId": "a", "title": "x\u0000\ud800y", "metadata": {"\u0000k": ["\udfff"]}}'))
    assert client.get_product("a").document == {"externalId": "a", "title": "xy", "metadata": {"k": [""]}}


@pytest.mark.parametrize("answer", [http(200, b""), http(204, b""), document({"ok": 1}), http(202, b"<html>")])
def test_any_success_of_a_delete_is_a_success(talk: Talk, answer: bytes) -> None:
    client, server = talk(answer)
    client.delete_product("shirt 42")
    assert (server.last.method, server.last.target) == ("DELETE", "/tryon/v1/products/shirt%2042")
    client.delete_customer("u/1")
    assert (server.last.method, server.last.target) == ("DELETE", "/tryon/v1/customers/u%2F1")


def test_a_page_of_products_leads_to_the_next(talk: Talk) -> None:
    answer = {"items": [PRODUCT, {"externalId": "b"}], "nextCursor": "c/+ 2", "hasMore": True, "count": 2}
    client, server = talk(answer)
    page = client.list_products(limit=2)
    assert [item.external_id for item in page.items] == ["shirt-42", "b"]
    assert page.next_cursor == "c/+ 2"
    assert server.last.target == "/tryon/v1/products?limit=2"
    client.list_products(cursor=page.next_cursor)
    assert parse_qs(urlsplit(server.last.target).query) == {"limit": ["50"], "cursor": ["c/+ 2"]}


@pytest.mark.parametrize("end", [{"nextCursor": None, "hasMore": False}, {}, {"nextCursor": "x", "hasMore": False}])
def test_the_last_page_is_known_by_each_of_its_signs(talk: Talk, end: dict[str, Any]) -> None:
    client, _ = talk({"items": []} | end)
    assert client.list_products().next_cursor == ""


def test_all_products_are_walked_through_page_by_page(serve: Serve, connect: Connect) -> None:
    pages = {"": (["a", "b"], "1"), "1": ([], "2"), "2": (["c"], None)}

    def reply(request: Request) -> bytes:
        cursor = parse_qs(urlsplit(request.target).query).get("cursor", [""])[0]
        items, following = pages[cursor]
        return document({"items": [{"externalId": item} for item in items], "nextCursor": following})

    server: Server = serve(reply)
    assert [product.external_id for product in connect(server).iter_products()] == ["a", "b", "c"]
    assert server.requests[0].target == "/tryon/v1/products?limit=200"
    assert len(server.requests) == 3


@pytest.mark.parametrize("cursors", [["1", "1"], ["1", "2", "1"]])
def test_a_walk_that_leads_back_ends(serve: Serve, connect: Connect, cursors: list[str]) -> None:
    following = iter(cursors)
    reply = lambda request: document({"items": [{"externalId": "a"}], "nextCursor": next(following)})  # noqa: E731
    with pytest.raises(ProtocolError):
        list(connect(serve(reply)).iter_products())


def test_a_walk_through_nothing_but_empty_pages_ends(serve: Serve, connect: Connect) -> None:
    server: Server = serve(lambda request: document({"items": [], "nextCursor": str(len(server.requests))}))
    with pytest.raises(ProtocolError):
        for _ in connect(server).iter_products():
            raise AssertionError("There is no product.")
    assert len(server.requests) < 100


def test_stats_are_asked_for_in_utc_with_milliseconds(talk: Talk) -> None:
    counts = {"totalGenerations": 5, "completedGenerations": 3, "failedGenerations": 2, "avgGenerationTimeMs": 9500}
    client, server = talk(counts)
    since = datetime(2026, 5, 13, 12, 0, 0, 123456, tzinfo=timezone(timedelta(hours=2)))
    got = client.product_stats("a/b", since=since, until=datetime(2026, 5, 14, tzinfo=UTC))
    assert got == ProductStats(total=5, completed=3, failed=2, average_ms=9500)
    path, _, query = server.last.target.partition("?")
    assert path == "/tryon/v1/products/a%2Fb/stats"
    assert parse_qs(query) == {"from": ["2026-05-13T10:00:00.123Z"], "to": ["2026-05-14T00:00:00.000Z"]}
    client.product_stats("a")
    assert server.last.target == "/tryon/v1/products/a/stats"


@pytest.mark.parametrize("mean", [None, 12.6, 0])
def test_the_mean_time_may_be_missing_or_broken_into_parts(talk: Talk, mean: float | None) -> None:
    counts = {"totalGenerations": 0, "completedGenerations": 0, "failedGenerations": 0, "avgGenerationTimeMs": mean}
    client, _ = talk(counts)
    assert client.product_stats("a").average_ms == round(mean or 0)


def test_a_try_on_by_reference_is_sent_in_the_current_shape(talk: Talk) -> None:
    client, server = talk({"generationId": "cm8", "status": "PENDING", "productExternalId": "shirt-42"}, 201)
    got = client.create_try_on(product="shirt-42", image_id="img_9f")
    assert got == StartedGeneration("cm8", "PENDING", "shirt-42")
    assert (server.last.method, server.last.target) == ("POST", "/tryon/v1/try-on")
    assert server.last.json == {
        "products": [{"externalId": "shirt-42"}],
        "person": {"image": {"source": {"id": "img_9f"}}},
    }
    client.create_try_on(
        product="_anon_1", image_id="a/b.jpeg", external_user_id="u_1", watermark=False, keep_for_days=3, ai_label=True
    )
    assert server.last.json == {
        "products": [{"externalId": "_anon_1"}],
        "person": {"image": {"source": {"id": "a/b.jpeg"}}},
        "externalUserId": "u_1",
        "output": {"watermark": False, "keepForDays": 3, "aiLabel": True},
    }


def test_a_product_may_be_described_in_the_try_on_itself(talk: Talk) -> None:
    client, server = talk({"generationId": "cm8", "status": "PENDING", "productExternalId": "_anon_7"})
    shirt = TryOnProduct(title="Tee", images=[PictureUrl("https://cdn.example/a.jpg")])
    assert client.create_try_on(product=shirt, image_id="img").product_external_id == "_anon_7"
    assert server.last.json["products"] == [
        {"title": "Tee", "images": [{"source": {"url": "https://cdn.example/a.jpg"}}]}
    ]
    client.create_try_on(product=TryOnProduct(external_id="a", description="Cotton"), image_id="img")
    assert server.last.json["products"] == [{"externalId": "a", "description": "Cotton"}]
    client.create_try_on(product=TryOnProduct(images=[PictureBytes(JPEG)]), image_id="img", watermark=True)
    assert set(server.last.parts) == {"data", "image-0"}


def test_a_started_generation_is_not_given_up_for_want_of_an_ornament(talk: Talk) -> None:
    client, _ = talk({"generationId": "cm8"})
    assert client.create_try_on(product="a", image_id="i") == StartedGeneration("cm8", "PENDING", "a")


def test_waiting_for_a_try_on_returns_it_finished(talk: Talk) -> None:
    client, server = talk({"generationId": "cm8", "resultImageUrl": "https://s/r.jpg?sig=1"})
    state = client.create_try_on_sync(product="a", image_id="i")
    assert (server.last.method, server.last.target) == ("POST", "/tryon/v1/try-on/sync")
    assert (state.generation_id, state.status, state.result_url.reveal()) == (
        "cm8",
        "COMPLETED",
        "https://s/r.jpg?sig=1",
    )


@pytest.mark.parametrize(
    ("answer", "status", "expected"),
    [
        ({"generationId": "cm8"}, 202, "PROCESSING"),
        ({"generationId": "cm8", "status": "PENDING"}, 202, "PENDING"),
        ({"generationId": "cm8"}, 200, "PROCESSING"),
        ({"generationId": "cm8", "status": "FAILED", "errorCode": "PRODUCT_IMAGE_FETCH_FAILED"}, 200, "FAILED"),
    ],
)
def test_waiting_for_a_try_on_may_end_before_it(talk: Talk, answer: Any, status: int, expected: str) -> None:
    client, _ = talk(answer, status)
    state = client.create_try_on_sync(product="a", image_id="i")
    assert (state.status, bool(state.result_url)) == (expected, False)


def test_a_generation_is_read_with_all_it_says(talk: Talk) -> None:
    client, server = talk(
        {
            "generationId": "cm8",
            "status": "COMPLETED",
            "resultImageUrl": "https://s/r.jpg?sig=SECRET",
            "createdAt": "2026-05-13T10:00:00.000Z",
            "updatedAt": "2026-05-13T10:00:09.500Z",
            "etc": {},
        }
    )
    state = client.get_generation("cm8")
    assert server.last.target == "/tryon/v1/generations/cm8"
    assert (state.status, state.error_code, state.error_message) == ("COMPLETED", "", "")
    assert state.result_url.reveal() == "https://s/r.jpg?sig=SECRET"
    assert "SECRET" not in repr(state)
    assert state.created_at == datetime(2026, 5, 13, 10, tzinfo=UTC)
    assert state.updated_at == datetime(2026, 5, 13, 10, 0, 9, 500000, tzinfo=UTC)


def test_a_failed_generation_is_an_answer_with_or_without_a_code(talk: Talk) -> None:
    answer = {"generationId": "g", "status": "FAILED", "errorMessage": "No\u202e\n luck" + "k" * 999}
    client, _ = talk(answer)
    state = client.get_generation("g")
    assert (state.status, state.error_code) == ("FAILED", "")
    assert state.error_message.startswith("No luckkk") and len(state.error_message) == 500
    client, _ = talk(answer | {"errorCode": "PRODUCT_IMAGE_FETCH_FAILED"})
    assert client.get_generation("g").error_code == "PRODUCT_IMAGE_FETCH_FAILED"
    # One of our own codes would be taken at its word: this one says that nothing was sent.
    client, _ = talk(answer | {"errorCode": "not_sent"})
    assert client.get_generation("g").error_code == ""


@pytest.mark.parametrize("word", ["ARCHIVED", "completed", "a b"])
def test_an_unknown_status_is_kept_as_it_is(talk: Talk, word: str) -> None:
    client, _ = talk({"generationId": "g", "status": word, "createdAt": "soon", "resultImageUrl": None})
    state = client.get_generation("g")
    assert (state.status, state.created_at, bool(state.result_url)) == (word, None, False)


def test_the_answer_about_another_generation_is_refused(talk: Talk) -> None:
    client, _ = talk({"generationId": "other", "status": "COMPLETED", "resultImageUrl": "https://s/of-another-shopper"})
    with pytest.raises(ProtocolError):
        client.get_generation("mine")


def test_an_error_answer_raises_what_its_code_means(talk: Talk) -> None:
    client, _ = talk({"code": "PRODUCT_NOT_FOUND", "message": "Not here", "status": 404}, 404)
    with pytest.raises(NotFound) as caught:
        client.get_product("a")
    assert (caught.value.code, caught.value.http_status, caught.value.detail) == ("PRODUCT_NOT_FOUND", 404, "Not here")


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda c: c.upload_image(b""), "FILE_REQUIRED"),
        (lambda c: c.upload_image(b"x" * 10_000_001), "FILE_TOO_LARGE"),
        (lambda c: c.upload_image(JPEG, external_user_id="a\nb"), "invalid_request"),
        (lambda c: c.save_product(""), "EXTERNAL_ID_REQUIRED"),
        (lambda c: c.save_product("_anon_1"), "RESERVED_EXTERNAL_ID"),
        (lambda c: c.save_product("a", images=[]), "PRODUCT_IMAGES_REQUIRED"),
        (lambda c: c.save_product("a", images=[PictureBytes(b"")]), "INVALID_IMAGE"),
        (lambda c: c.save_product("a", images=[PictureBytes(JPEG), PictureBytes(b"x" * 10_000_001)]), "FILE_TOO_LARGE"),
        (lambda c: c.save_product("a", metadata={"d": datetime.now(UTC)}), "VALIDATION_FAILED"),
        (lambda c: c.save_product("a", metadata={"d": float("nan")}), "VALIDATION_FAILED"),
        (lambda c: c.list_products(cursor="a\x00"), "invalid_request"),
        (lambda c: c.create_try_on(product="a", image_id=""), "CUSTOMER_IMAGE_REQUIRED"),
        (lambda c: c.create_try_on(product="a", image_id="a\x7f"), "invalid_request"),
        (lambda c: c.create_try_on(product="", image_id="i"), "external_id_invalid"),
        (lambda c: c.create_try_on(product=TryOnProduct(title="x"), image_id="i"), "PRODUCT_IMAGES_REQUIRED"),
        (lambda c: c.create_try_on(product=TryOnProduct(external_id="/a"), image_id="i"), "external_id_invalid"),
        (lambda c: c.create_try_on_sync(product="..", image_id="i"), "external_id_invalid"),
    ],
)
def test_what_cannot_be_accepted_is_refused_before_sending(talk: Talk, call: Any, code: str) -> None:
    client, server = talk({})
    with pytest.raises(Rejected) as caught:
        call(client)
    assert caught.value.code == code
    assert server.connections == 0


def test_ten_megabytes_exactly_are_sent(talk: Talk) -> None:
    client, server = talk({"imageId": "i"})
    client.upload_image(b"\xff\xd8\xff" + b"x" * 9_999_997)
    assert len(server.last.body) > 10_000_000


@pytest.mark.parametrize("url", ["http://cdn.example/a.jpg", "https://10.0.0.1/a.jpg", "https://u:p@cdn.example/a"])
def test_genlook_is_sent_public_addresses_of_pictures_only(serve: Serve, connect: Connect, url: str) -> None:
    server: Server = serve(lambda request: document({"externalId": "a"}))
    with pytest.raises(Rejected) as caught:
        connect("https://api.genlook.example/tryon/v1").save_product("a", images=[PictureUrl(url)])
    assert caught.value.code == "image_url_refused"
    # The sandbox fetches from the shop beside it.
    connect(server).save_product("a", images=[PictureUrl("http://localhost:8000/a.jpg")])
    assert server.last.json["images"] == [{"source": {"url": "http://localhost:8000/a.jpg"}}]


USABLE = ["a", "a b", "a/b", "a/../b", "a//b", "%2e%2e", "%2F", "100%", "a?b#c", "é☃", "a\\b", "...", ".a", "a;b=c&d"]
USABLE += ["~_-.", "x" * 255]
UNUSABLE = ["", ".", "..", "/", "/a", "a/", "a\nb", "a\x00", "\x7f", "a\u2028b", "\ud800", "x" * 256]


@pytest.mark.parametrize("value", USABLE)
def test_an_id_stays_one_segment_of_the_path(talk: Talk, value: str) -> None:
    client, server = talk({"externalId": value, "generationId": value, "status": "PENDING"})
    for call, prefix in (
        (client.get_product, "/tryon/v1/products/"),
        (client.delete_product, "/tryon/v1/products/"),
        (client.get_generation, "/tryon/v1/generations/"),
        (client.delete_customer, "/tryon/v1/customers/"),
    ):
        call(value)
        assert server.last.target.startswith(prefix)
        segment = server.last.target.removeprefix(prefix)
        assert not set(segment) & set("/?#")
        assert unquote(segment) == value


@pytest.mark.parametrize("value", UNUSABLE)
def test_an_id_that_would_not_is_refused_before_sending(talk: Talk, value: str) -> None:
    client, server = talk({})
    for call, code in (
        (client.get_product, "external_id_invalid"),
        (client.delete_product, "external_id_invalid"),
        (client.product_stats, "external_id_invalid"),
        (lambda value: client.create_try_on(product=value, image_id="i"), "external_id_invalid"),
        (client.get_generation, "invalid_request"),
        (client.delete_customer, "invalid_request"),
    ):
        with pytest.raises(Rejected) as caught:
            call(value)
        assert caught.value.code == code
        assert value == "" or len(value) < 3 or value not in str(caught.value)
    assert server.connections == 0
