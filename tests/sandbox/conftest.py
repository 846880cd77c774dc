"""A sandbox process for these tests, a plain ``requests`` way to talk to it, and a server of pictures."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from typing import Any

import pytest
import requests
from PIL import Image, ImageDraw

KEY = "gk_sandbox"
Json = dict[str, Any]


class Talk:
    """Plain HTTP to the sandbox. Every call has a time limit, and answers are checked for the documented shape."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.root = base.removesuffix("/tryon/v1")
        self.session = requests.Session()

    def call(self, method: str, path: str, *, key: str | None = KEY, **options: Any) -> requests.Response:
        headers = {**({} if key is None else {"x-api-key": key}), **options.pop("headers", {})}
        options.setdefault("timeout", 20)
        return self.session.request(method, f"{self.base}{path}", headers=headers, **options)

    def get(self, path: str, **options: Any) -> requests.Response:
        return self.call("GET", path, **options)

    def post(self, path: str, json: Any = None, **options: Any) -> requests.Response:
        return self.call("POST", path, json=json, **options)

    def delete(self, path: str, **options: Any) -> requests.Response:
        return self.call("DELETE", path, **options)

    def control(self, name: str, sent: Any = None) -> Any:
        method = "GET" if sent is None else "POST"
        answer = self.session.request(method, f"{self.root}/_sandbox/{name}", json=sent, timeout=10)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def reset(self, **options: Any) -> None:
        self.control("reset", options)

    def faults(self, *rules: Json) -> None:
        self.control("faults", list(rules))

    def advance(self, seconds: float) -> None:
        self.control("clock", {"advance_seconds": seconds})

    def ledger(self) -> Json:
        ledger: Json = self.control("ledger")
        return ledger

    def upload(self, data: bytes | None = None, *, key: str = KEY, **fields: str) -> str:
        """Store a person photo and give its ``imageId``."""
        answer = self.call(
            "POST", "/images/upload", key=key, files={"file": ("me.jpg", data or photo())}, data=fields
        )  # fmt: skip
        assert answer.status_code == 201, answer.text
        return str(answer.json()["imageId"])

    def form(self, path: str, body: Json, **files: bytes) -> requests.Response:
        """Send a multipart body: ``data`` and one part for each file."""
        parts: Json = {name: (f"{name}.png", data) for name, data in files.items()}
        return self.call("POST", path, files={"data": (None, json.dumps(body)), **parts})

    def start(self, body: Json, *, key: str = KEY) -> str:
        """Start a try-on and give its ``generationId``."""
        answer = self.post("/try-on", body, key=key)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["generationId"])

    def finish(self, generation_id: str) -> Json:
        """Let a minute pass for a generation and give how it ended."""
        self.advance(60)
        body: Json = self.get(f"/generations/{generation_id}").json()
        return body


def refusal(answer: requests.Response) -> tuple[int, str]:
    """Give status and code of an error answer, its shape checked."""
    body = answer.json()
    assert set(body) - {"details"} == {"code", "message", "status"}
    assert body["status"] == answer.status_code
    assert isinstance(body["message"], str)
    return answer.status_code, body["code"]


def paths(answer: requests.Response) -> set[str]:
    """Give the dotted paths an error answer complains of."""
    return {detail["path"] for detail in answer.json()["details"]}


def encoded(image: Image.Image, kind: str = "PNG") -> bytes:
    out = BytesIO()
    image.save(out, kind)
    return out.getvalue()


def decoded(data: bytes) -> Image.Image:
    image = Image.open(BytesIO(data))
    image.load()
    return image


@cache
def photo(width: int = 400, height: int = 500, colour: str = "#406080") -> bytes:
    """A person, roughly: a face of skin above a body."""
    image = Image.new("RGB", (width, height), colour)
    draw = ImageDraw.Draw(image)
    middle, unit = width // 2, height // 10
    draw.ellipse((middle - unit, unit, middle + unit, 3.5 * unit), fill=(224, 172, 140))
    draw.rectangle((middle - 2 * unit, 4 * unit, middle + 2 * unit, height), fill=(90, 90, 100))
    return encoded(image)


@cache
def garment(colour: str = "red", kind: str = "PNG") -> bytes:
    """A shirt on white with a white dot in its middle."""
    image = Image.new("RGB", (300, 400), "white")
    draw = ImageDraw.Draw(image)
    draw.rectangle((60, 40, 240, 380), fill=colour)
    draw.ellipse((140, 180, 160, 200), fill="white")
    return encoded(image, kind)


def shirt(url: str, external_id: str | None = "shirt-42", **fields: Any) -> Json:
    """A product as a try-on or ``POST /products`` sends it."""
    named = {} if external_id is None else {"externalId": external_id}
    return {**named, "title": "Red tee", "images": [{"source": {"url": url}}], **fields}


def try_on(product: Json, image_id: str, **fields: Any) -> Json:
    """A canonical try-on body."""
    return {"products": [product], "person": {"image": {"source": {"id": image_id}}}, **fields}


@pytest.fixture(scope="session")
def sandbox_process() -> Iterator[Talk]:
    command = [sys.executable, "-W", "error", "-m", "django_genlook.sandbox", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            talk = Talk(process.stdout.readline().strip())
            with talk.session:
                yield talk
        finally:
            process.terminate()
            assert process.wait(10) == 0


@pytest.fixture
def sandbox(sandbox_process: Talk) -> Talk:
    """The sandbox in a clean state, without a rate limit."""
    sandbox_process.reset(rate_limit=0)
    return sandbox_process


class Shop:
    """A tiny web server: ``pages`` maps a path to status, bytes and headers; ``asked`` lists what was asked for.

    Who asks for ``/meeting`` is answered when as many have come as ``meeting`` waits for.
    """

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.pages: dict[str, tuple[int, bytes, dict[str, str]]] = {}
        self.asked: list[str] = []
        self.trickles = threading.Event()
        self.meeting = threading.Barrier(1)

    def offer(self, path: str, data: bytes, status: int = 200, **headers: str) -> str:
        self.pages[path] = (status, data, headers)
        return f"{self.origin}{path}"


@pytest.fixture
def shop() -> Iterator[Shop]:
    """A shop's picture host on a free port; ``/trickle`` and ``/trickling-head`` send a byte now and then for ever."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            host.asked.append(self.path)
            if self.path == "/meeting":
                host.meeting.wait(4)
            if self.path == "/trickling-head":
                self._trickle(b"HTTP/1.1 200 OK\r\nX-Long: ")
                return
            status, data, headers = host.pages.get(self.path, (404, b"", {}))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "1000000" if self.path == "/trickle" else str(len(data)))
            self.end_headers()
            if self.path == "/trickle":
                self._trickle(b"")
            else:
                self.wfile.write(data)

        def _trickle(self, start: bytes) -> None:
            with suppress(OSError):
                self.wfile.write(start)
                while not host.trickles.wait(0.2):
                    self.wfile.write(b"x")

        def log_message(self, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    host = Shop(f"http://127.0.0.1:{server.server_address[1]}")
    host.offer("/red.png", garment())
    host.offer("/me.png", photo())
    host.offer("/trickle", b"")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield host
    host.trickles.set()
    server.shutdown()
    server.server_close()
    thread.join()
