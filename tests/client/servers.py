"""Servers on loopback that answer exactly the bytes a test wants, and remember what they were asked."""

import json
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from typing import Any

#: How long anything here waits at most, in seconds.
PATIENCE = 20


@dataclass(frozen=True)
class Request:
    """A request as it came over the wire."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    connection: int

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def parts(self) -> dict[str, Message]:
        """The parts of a multipart form by their field names."""
        kind = self.headers["content-type"].encode()
        message = message_from_bytes(b"Content-Type: " + kind + b"\r\n\r\n" + self.body)
        assert message.is_multipart()
        return {str(part.get_param("name", header="content-disposition")): part for part in message.get_payload()}  # type: ignore[union-attr, misc]


def http(status: int, body: bytes, *headers: str) -> bytes:
    """Return an answer as bytes on the wire."""
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


def document(value: Any, status: int = 200, *headers: str) -> bytes:
    """Return an answer with a JSON body."""
    return http(status, json.dumps(value).encode(), "Content-Type: application/json", *headers)


Reply = bytes | Callable[[socket.socket], None] | None


class Server:
    """Answers each request with what ``reply`` returns: bytes, a function given the socket, ``None`` to hang up.

    With ``on_accept`` the function is given the socket before anything is read.
    """

    def __init__(
        self,
        reply: Callable[[Request], Reply] = lambda request: None,
        *,
        on_accept: Callable[[socket.socket], None] | None = None,
        tls: ssl.SSLContext | None = None,
        host: str = "127.0.0.1",
    ) -> None:
        self.reply = reply
        self.requests: list[Request] = []
        self.connections = 0
        #: Set when the test is over: a handler that waits waits on this.
        self.over = threading.Event()
        #: Set before the last byte of a slow reply, so only if nobody cut it off.
        self.finished = threading.Event()
        #: Called once a slow reply has begun.
        self.midway: Callable[[], None] = lambda: None
        self._on_accept = on_accept
        self._tls = tls
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.socket(family)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind((host, 0))
        self._listener.listen(64)
        self.port: int = self._listener.getsockname()[1]
        self.host = f"[{host}]" if ":" in host else host
        self._open: set[socket.socket] = set()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    @property
    def last(self) -> Request:
        return self.requests[-1]

    def url(self, path: str = "/tryon/v1", *, host: str = "") -> str:
        return f"{'https' if self._tls else 'http'}://{host or self.host}:{self.port}{path}"

    def __enter__(self) -> "Server":
        self._threads[0].start()
        return self

    def __exit__(self, *error: object) -> None:
        self.over.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for line in list(self._open):
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(PATIENCE)
            assert not thread.is_alive()

    def _accept(self) -> None:
        while True:
            try:
                line, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            thread = threading.Thread(target=self._serve, args=(line, self.connections), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, line: socket.socket, number: int) -> None:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._open.add(line)
        try:
            with line:
                if self._on_accept is not None:
                    self._on_accept(line)
                if self._tls is not None:
                    line = self._tls.wrap_socket(line, server_side=True)
                with line:
                    self._talk(line, number)
        except OSError:
            pass  # the client hung up
        finally:
            self._open.discard(line)

    def _talk(self, line: socket.socket, number: int) -> None:
        with line.makefile("rb") as stream:
            while request := _read(stream, number):
                self.requests.append(request)
                reply = self.reply(request)
                if reply is None:
                    return
                if isinstance(reply, bytes):
                    line.sendall(reply)
                else:
                    reply(line)
                    return


def _read(stream: Any, number: int) -> Request | None:
    first = stream.readline().decode("latin-1").split(" ")
    if len(first) != 3:
        return None
    headers = {}
    while line := stream.readline().decode("latin-1").strip():
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    body = stream.read(int(headers.get("content-length", 0)))
    return Request(first[0], first[1], headers, body, number)


@contextmanager
def nobody() -> Iterator[int]:
    """Yield a port that refuses connections."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def piecemeal(server: Server, *pieces: bytes, pause: float = 0.03) -> Callable[[socket.socket], None]:
    """Return a reply that takes its time between pieces; it sends them all, so a patient client would succeed."""

    def reply(line: socket.socket) -> None:
        for number, piece in enumerate(pieces[:-1]):
            line.sendall(piece)
            if number == min(8, len(pieces) - 2):
                server.midway()
            if server.over.wait(pause):
                return
        server.finished.set()
        line.sendall(pieces[-1])

    return reply


def drip(server: Server, data: bytes) -> Callable[[socket.socket], None]:
    """Return a reply that sends one byte at a time."""
    return piecemeal(server, *(bytes([byte]) for byte in data))


def reset(line: socket.socket) -> None:
    """Hang up with a TCP reset."""
    line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
    line.close()


@dataclass(frozen=True)
class Certificate:
    """A certificate for some names, which is its own authority."""

    path: Path

    def context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.path)
        return context


def make_certificate(folder: Path, *names: str) -> Certificate:
    """Return a certificate for these names, and for nothing else."""
    openssl = shutil.which("openssl")
    assert openssl, "These tests make a certificate with the openssl command."
    key, certificate, both = folder / "key.pem", folder / "certificate.pem", folder / "both.pem"
    subject = ",".join(names)
    command = [
        openssl,
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "2",
    ]
    command += ["-subj", "/CN=django-genlook tests", "-addext", f"subjectAltName={subject}"]
    command += ["-addext", "keyUsage=critical,digitalSignature,keyCertSign"]
    subprocess.run([*command, "-keyout", key, "-out", certificate], check=True, capture_output=True, timeout=PATIENCE)
    both.write_bytes(key.read_bytes() + certificate.read_bytes())
    return Certificate(both)
