"""One exchange with a server, ended in time and in size, whatever the server does."""

import logging
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass
from http.client import HTTPException
from types import TracebackType
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPResponse, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from django_genlook.conf import Secret
from django_genlook.exceptions import GenlookError, NotSent, OutcomeUnknown, ProtocolError

logger = logging.getLogger("django_genlook.client")

# Seconds, read at each call.
CONNECT_TIMEOUT = 10.0
CHUNK = 64 * 1024

#: What trouble on the wire looks like from above ``requests``, ``urllib3``, ``ssl``, ``zlib`` and the URL parsers.
WIRE_TROUBLE = (requests.RequestException, HTTPError, HTTPException, OSError, ValueError, zlib.error)

Admit = Callable[[str], bool]


class Exchange:
    """One request and its answer, cut off when its time is up.

    A read time-out is no deadline: it starts again with every byte. Here a timer shuts the sockets of the exchange
    down, which wakes whatever call is waiting on them. It holds duplicates of its own, so it can neither hit a
    descriptor that was closed and given away meanwhile nor a connection that has gone back to the pool.

    ``sent`` tells whether a byte of the request may have left, ``expired`` whether the time ran out. ``admit`` is asked
    about each address the host name stands for, before anything connects. Resolving the name itself cannot be
    interrupted: it ends when the system's resolver gives up.
    """

    def __init__(self, seconds: float, *, admit: Admit | None = None, fresh: bool = False) -> None:
        self.sent = False
        self.expired = False
        self.fresh = fresh
        self._admit = admit
        self._ends = time.monotonic() + seconds
        self._lock = threading.Lock()
        self._lines: list[socket.socket] = []
        self._over = False
        self._timer = threading.Timer(seconds, self._expire)
        self._timer.daemon = True

    def __enter__(self) -> "Exchange":
        self._token = _current.set(self)
        self._timer.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._timer.cancel()
        with self._lock:
            self._over = True
            for line in self._lines:
                line.close()
        _current.reset(self._token)

    def _expire(self) -> None:
        with self._lock:
            if self._over:
                return
            self.expired = True
            for line in self._lines:
                _shut(line)

    def watch(self, sock: Any) -> None:
        """Put ``sock`` under the deadline."""
        # A duplicate of the descriptor, not of the object: TLS takes the descriptor away from the object it wraps.
        line = socket.fromfd(sock.fileno(), socket.AF_INET, socket.SOCK_STREAM)
        with self._lock:
            self._lines.append(line)
            if self.expired:
                _shut(line)

    def connect(self, host: str, port: int, options: Iterable[tuple[int, int, int | bytes]] | None) -> socket.socket:
        """Return a socket connected to an address of ``host`` that was admitted, and is the one connected to."""
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        if self._admit is not None:
            for *_, address in found:
                if not self._admit(str(address[0])):
                    raise AddressRefused(str(address[0]))
        trouble: OSError = OSError("No address was found.")
        for family, kind, protocol, _, address in found:
            left = self._ends - time.monotonic()
            if left <= 0:
                raise TimeoutError("The deadline has passed.")
            sock = socket.socket(family, kind, protocol)
            try:
                for option in options or ():
                    sock.setsockopt(*option)
                sock.settimeout(min(left, CONNECT_TIMEOUT))
                sock.connect(address)
                self.watch(sock)
            except OSError as error:
                sock.close()
                trouble = error
            else:
                return sock
        raise trouble


_current: ContextVar[Exchange] = ContextVar("django_genlook_exchange")


def _shut(line: socket.socket) -> None:
    with suppress(OSError):  # the other side was quicker
        line.shutdown(socket.SHUT_RDWR)


class AddressRefused(Exception):
    """The host name stands for an address that may not be connected to."""


class _Watched(HTTPConnection):
    """Connects, and sends, under the exchange that is going on in this context."""

    _opening = False

    def _new_conn(self) -> socket.socket:
        return _current.get().connect(self.host, self.port or self.default_port, self.socket_options)

    def connect(self) -> None:
        self._opening = True
        try:
            super().connect()
        finally:
            self._opening = False

    def request(self, *args: Any, **kwargs: Any) -> None:
        if self.sock is not None:  # kept alive by an earlier exchange, whose watch is over
            _current.get().watch(self.sock)
        super().request(*args, **kwargs)

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        if not self._opening:  # while it opens, what is sent is CONNECT, to a proxy
            _current.get().sent = True
        super().send(data)


class WatchedHTTPConnection(_Watched):
    """``http``, under the exchange of the context."""


class WatchedHTTPSConnection(_Watched, HTTPSConnection):
    """``https``, under the exchange of the context."""


class _Pool(HTTPConnectionPool):
    ConnectionCls: Any = WatchedHTTPConnection

    def _get_conn(self, timeout: float | None = None) -> Any:
        connection = super()._get_conn(timeout)
        # The server may be closing a kept connection at this very moment. The request would then be lost with its
        # outcome unknown, which for a try-on means a row that is never sent again.
        if _current.get().fresh:
            connection.close()
        return connection


class _TLSPool(_Pool, HTTPSConnectionPool):
    ConnectionCls = WatchedHTTPSConnection


_POOLS = {"http": _Pool, "https": _TLSPool}


class WatchedAdapter(HTTPAdapter):
    """Puts every connection of a ``requests.Session``, direct or through a proxy, under the exchange of its context.

    It keeps the adapter's default of no retries: urllib3 would otherwise send again on its own what may have arrived.
    """

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        if proxy.lower().startswith("socks"):
            # Its connections could not be watched, so a lost answer would pass for a request that never left.
            raise requests.exceptions.InvalidProxyURL("SOCKS proxies are not supported.")
        manager = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = _POOLS
        return manager


class KeyAuth(requests.auth.AuthBase):
    """Writes ``x-api-key`` at the last moment. With an auth of its own, ``requests`` never looks into ``.netrc``."""

    def __init__(self, key: Secret) -> None:
        self._key = key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["x-api-key"] = self._key.reveal()
        return request


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server said; ``whole`` is false when ``body`` was cut at the cap."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    whole: bool = True


def guard(template: str, seconds: float, work: Callable[[], Answer], **options: Any) -> Answer:
    """Return the answer of ``work``, or raise what its failure means for the one who asked.

    ``template`` names the call in logs and details, without ids. Raises ``NotSent`` when no byte of the request left,
    ``OutcomeUnknown`` (of it, ``ProtocolError`` for what is no HTTP answer at all) when it may have, or whatever
    anticipated failure ``work`` itself raises.
    """
    started = time.monotonic()
    status: int | None = None
    failure: GenlookError | None = None
    answer: Answer | None = None
    with Exchange(seconds, **options) as exchange:
        try:
            answer = work()
            status = answer.status
        except GenlookError as error:
            failure = error
        except AddressRefused as error:
            failure = NotSent(f"{template}: the address {error} is not one that may be connected to")
        except WIRE_TROUBLE as error:
            failure = (OutcomeUnknown if exchange.sent else NotSent)(f"{template}: {_describe(error)}")
    if exchange.expired:
        # Also when it looks finished: a body without a length ends where the watchdog cut it.
        failure = (OutcomeUnknown if exchange.sent else NotSent)(f"{template}: no answer within {seconds:g} s")
    took = (time.monotonic() - started) * 1000
    outcome = failure.code if failure else ""
    logger.log(
        logging.INFO if failure else logging.DEBUG, "call=%s status=%s code=%s ms=%d", template, status, outcome, took
    )
    if failure is not None:
        # Not inside an ``except``: the failure must not carry ``requests``' exception, on which the request hangs with
        # the key in its headers.
        raise failure
    assert answer is not None  # noqa: S101
    return answer


def read(response: HTTPResponse, cap: int) -> tuple[bytes, bool]:
    """Return the decompressed body, up to ``cap`` bytes, and whether that is all of it.

    Compression was not asked for, so only gzip, which some proxies add all the same, is understood. It is unpacked
    here, never further than the cap: ``urllib3`` unpacks a whole chunk at a time, whatever comes out of it.
    """
    encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("", "identity", "gzip", "x-gzip"):
        raise ProtocolError("The answer is compressed in a way that was not asked for.", http_status=response.status)
    unpacker = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS) if encoding.endswith("gzip") else None
    body = bytearray()
    begun = False
    while chunk := response.read(CHUNK, decode_content=False):
        begun = True
        body += unpacker.decompress(chunk, cap + 1 - len(body)) if unpacker else chunk
        if len(body) > cap:
            return bytes(body[:cap]), False
        if unpacker and unpacker.eof:  # what follows would only be hoarded as unused data
            return bytes(body), True
    if unpacker and begun:
        raise OutcomeUnknown("The compressed answer ends too early.", http_status=response.status)
    return bytes(body), True


def _describe(error: BaseException) -> str:
    """Return the innermost cause in a few words without any URL, header or id in it."""
    seen = set()
    while id(error) not in seen:
        seen.add(id(error))
        inner = [getattr(error, "reason", None), *error.args, error.__cause__, error.__context__]
        error = next((item for item in inner if isinstance(item, BaseException) and id(item) not in seen), error)
    words = getattr(error, "verify_message", None) or getattr(error, "strerror", None)
    return f"{type(error).__name__}: {words}" if isinstance(words, str) else type(error).__name__
