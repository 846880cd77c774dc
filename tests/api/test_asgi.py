"""The same API under ASGI, where nobody counts the bytes of a body but us."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from asgiref.testing import ApplicationCommunicator
from django.core.handlers.asgi import ASGIHandler
from django.test import AsyncClient

from django_genlook.models import Generation, Photo, Product
from tests.api.conftest import SKU, Browser

pytestmark = pytest.mark.django_db

MIB = 1024 * 1024
# asgiref has no types.
communicator: Any = ApplicationCommunicator


def test_the_whole_way_under_asgi(product: Product, picture: Callable[..., bytes]) -> None:
    async def shop() -> list[Any]:
        client = AsyncClient(enforce_csrf_checks=True)
        token = (await client.get(f"/genlook/products/{SKU}/")).json()["csrf_token"]
        file = io.BytesIO(picture())
        file.name = "p.jpg"
        sent = await client.post("/genlook/photos/", {"photo": file, "consent": "true"}, headers={"X-CSRFToken": token})
        started = await client.post(
            "/genlook/try-ons/", {"product": SKU, "photo": sent.json()["id"]}, headers={"X-CSRFToken": token}
        )
        seen = await client.get(started.json()["url"])
        gone = await client.delete(started.json()["url"], headers={"X-CSRFToken": token})
        return [sent, started, seen, gone, await client.get(started.json()["url"])]

    assert [answer.status_code for answer in async_to_sync(shop)()] == [201, 202, 200, 204, 404]


def test_a_picture_is_served_under_asgi(guest: Browser) -> None:
    row = guest.has_try_on(Generation.Status.COMPLETED)

    async def look() -> Any:
        client = AsyncClient()
        client.cookies = guest.client.cookies
        return await client.get(f"/genlook/try-ons/{row.pk}/image/")

    answer = async_to_sync(look)()
    assert answer.status_code == 200
    assert answer.content == b"\xff\xd8picture"


@pytest.mark.parametrize("said", ["1000", str(10 * MIB), None])
def test_forty_streamed_megabytes_are_not_kept_whatever_was_said_of_their_size(
    guest: Browser, said: str | None, picture: Callable[..., bytes], tmp_path: Path, settings: Any
) -> None:
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path)
    token = guest.headers()["headers"]["X-CSRFToken"]
    cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in guest.client.cookies.items())
    length = {"Transfer-Encoding": "chunked"} if said is None else {"Content-Length": said}
    headers = {"Host": "testserver", "Content-Type": "multipart/form-data; boundary=frontier", "Cookie": cookies,
               "X-CSRFToken": token, **length}  # fmt: skip
    scope = {
        "type": "http", "http_version": "1.1", "method": "POST", "path": "/genlook/photos/", "query_string": b"",
        "scheme": "http", "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
    }  # fmt: skip
    start = b'--frontier\r\nContent-Disposition: form-data; name="photo"; filename="p.jpg"\r\n\r\n' + picture()

    async def send() -> dict[str, Any]:
        shop = communicator(ASGIHandler(), scope)
        await shop.send_input({"type": "http.request", "body": start, "more_body": True})
        for _ in range(40):
            await shop.send_input({"type": "http.request", "body": b"\0" * MIB, "more_body": True})
        await shop.send_input({"type": "http.request", "body": b"\r\n--frontier--\r\n", "more_body": False})
        answer: dict[str, Any] = await shop.receive_output(timeout=30)
        answer |= await shop.receive_output(timeout=30)
        await shop.wait(timeout=30)
        return answer

    answer = async_to_sync(send)()
    assert answer["status"] == (400 if said is None else 413), answer
    assert (b"invalid_request" if said is None else b"FILE_TOO_LARGE") in answer["body"]
    assert not Photo.objects.exists()
    assert list(tmp_path.iterdir()) == []
