"""The HTTP side: sockets, bodies, faults of the wire, the journal."""

from __future__ import annotations

import re
import socket
import socketserver
import struct
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from . import api, control
from .codes import Refusal
from .faults import WIRE, Rule
from .state import Options, World, iso
from .wire import Reply, Request

BASE = "/tryon/v1"
MAX_BODY = 64 * 1024 * 1024
DRAIN_SECONDS = 10.0
CHUNK = 64 * 1024

_HOST = re.compile(r"[A-Za-z0-9.\-\[\]:_]{1,255}")


class BodyRefused(Exception):
    """The body cannot be read; the connection has to end after the answer."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.code)
        self.refusal = refusal


class Server(ThreadingHTTPServer):
    """Serves one world at ``(host, port)``; a reset puts another world in its place."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 512

    def __init__(self, host: str, port: int, options: Options | None = None) -> None:
        self.world = World(options or Options())
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, port), Handler)

    def server_bind(self) -> None:
        # HTTPServer asks the name service for its own name here, which can take seconds and is of no use.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    @property
    def origin(self) -> str:
        """The address to reach the server at, for a server bound to every address that of this machine."""
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self.server_name, self.server_name)  # noqa: S104
        return f"http://{f'[{host}]' if ':' in host and not host.startswith('[') else host}:{self.server_port}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], OSError):  # a client that hangs up is no news
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    """Answers the requests of one connection."""

    server: Server
    protocol_version = "HTTP/1.1"
    server_version = "genlook-sandbox"
    sys_version = ""
    disable_nagle_algorithm = True
    timeout = 300

    def handle_any(self) -> None:
        """Answer whatever was asked."""
        world = self.server.world
        path, _, query = self.path.partition("?")
        try:
            body = self._read_body()
            refusal = None
        except BodyRefused as error:
            body, refusal = b"", error.refusal
            self.close_connection = True
        if path.startswith("/_sandbox/"):
            self._send(control.answer(self.server, self.command, path, query, body))
        elif path == BASE or path.startswith(f"{BASE}/"):
            self._answer_api(world, self._request(path, query, body), refusal)
        elif path.startswith("/files/") and self.command in ("GET", "HEAD"):
            self._answer_file(world, path)
        else:
            self._send(api.refused(refusal or Refusal("ROUTE_NOT_FOUND")))

    def __getattr__(self, name: str) -> Callable[[], None]:
        # The base class looks up do_GET and so on; every method, known or not, gets an answer in the API's own shape.
        if name.startswith("do_"):
            return self.handle_any
        raise AttributeError(name)

    def _request(self, path: str, query: str, body: bytes) -> Request:
        host = self.headers.get("Host", "")
        return Request(
            method=self.command,
            path=path.removeprefix(BASE),
            query_string=query,
            content_type=self.headers.get("Content-Type", ""),
            api_key=self.headers.get("x-api-key"),
            origin=f"http://{host}" if _HOST.fullmatch(host) else self.server.origin,
            body=body,
        )

    def _answer_api(self, world: World, request: Request, unreadable: Refusal | None) -> None:
        entry: dict[str, Any] = {"at": iso(world.now()), "method": request.method, "path": request.path}
        entry |= {"query": request.query_string, "status": None, "body": request.sanitized_body()}
        with world.lock:
            world.journal.append(entry)
        rule, refusal = api.choose_fault(world, request)
        if rule is not None and rule.fault == "reset_before":
            self._reset()
            return
        if rule is not None and rule.instead:
            reply = api.fault_reply(rule)
        else:
            reply = api.answer(world, request, refusal or unreadable)
        if rule is not None and rule.fault == "drop_reply":
            self.close_connection = True
            return
        reply = self._bend(rule, reply)
        entry["status"] = reply.status
        self._send(reply, drip_seconds=rule.options.get("seconds", 5.0) if rule and rule.fault == "drip" else 0.0)

    def _bend(self, rule: Rule | None, reply: Reply) -> Reply:
        if rule is None:
            return reply
        if rule.fault == "delay":
            time.sleep(rule.options.get("seconds", 1.0))
        elif rule.fault == "status":
            reply.status = rule.options["status"]
        elif rule.options.get("work"):
            return api.fault_reply(rule)
        return reply

    def _answer_file(self, world: World, path: str) -> None:
        rule = world.faults.pick(WIRE, self.command, path)
        if rule is not None and rule.fault in ("reset_before", "drop_reply"):
            self._reset()
            return
        try:
            picture = world.picture(path.removeprefix("/files/"))
            reply = Reply(200, picture.data, picture.content_type, {"Cache-Control": "private, no-store"})
        except Refusal as refused:
            reply = api.refused(refused)
        reply = api.fault_reply(rule) if rule is not None and rule.instead else self._bend(rule, reply)
        self._send(reply, drip_seconds=rule.options.get("seconds", 5.0) if rule and rule.fault == "drip" else 0.0)

    def _send(self, reply: Reply, *, drip_seconds: float = 0.0) -> None:
        data = reply.encode()
        bodiless = reply.status in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if not bodiless:
            if reply.data is not None:
                self.send_header("Content-Type", reply.content_type)
            self.send_header("Content-Length", str(len(data)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command == "HEAD" or bodiless:
            return
        if not drip_seconds or not data:
            self.wfile.write(data)
            return
        drops = min(len(data), max(1, int(drip_seconds / 0.02)))
        for drop in range(drops):
            self.wfile.write(data[drop * len(data) // drops : (drop + 1) * len(data) // drops])
            time.sleep(drip_seconds / drops)

    def _reset(self) -> None:
        # Closing with a linger of zero sends RST, as a crashed peer does, instead of an orderly end.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True

    def _read_body(self) -> bytes:
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return self._read_chunked()
        text = self.headers.get("Content-Length", "0").strip()
        if not text.isascii() or not text.isdigit():
            raise BodyRefused(Refusal("VALIDATION_FAILED", "The Content-Length header is malformed."))
        length = int(text[:18])
        if length > MAX_BODY:
            self._drain(length)
            raise BodyRefused(Refusal("FILE_TOO_LARGE", "The body is too large."))
        body = self.rfile.read(length)
        if len(body) < length:
            raise ConnectionAbortedError("the client hung up in the middle of its body")
        return body

    def _read_chunked(self) -> bytes:
        body = bytearray()
        while True:
            size_text = self.rfile.readline(1024).partition(b";")[0].strip()
            try:
                size = int(size_text, 16)
            except ValueError as error:
                raise BodyRefused(Refusal("VALIDATION_FAILED", "The chunked body is malformed.")) from error
            if size < 0 or len(body) + size > MAX_BODY:
                self._drain(MAX_BODY)
                raise BodyRefused(Refusal("FILE_TOO_LARGE", "The body is too large."))
            if size == 0:
                break
            body += self.rfile.read(size)
            self.rfile.readline(8)
        while self.rfile.readline(1024).strip():
            pass
        return bytes(body)

    def _drain(self, length: int) -> None:
        """Read on for a while without keeping anything: a client that is still sending would miss the answer."""
        until = time.monotonic() + DRAIN_SECONDS
        self.connection.settimeout(1.0)
        with suppress(OSError):
            while length > 0 and time.monotonic() < until:
                chunk = self.rfile.read1(min(CHUNK, length))
                if not chunk:
                    break
                length -= len(chunk)
        self.connection.settimeout(self.timeout)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Say nothing; the journal has it."""
