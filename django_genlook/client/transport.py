"""One exchange with a server, ended in time and in size, whatever the server does."""

import logging
import re
import socket
import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPResponse, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from django_genlook.client.errors import clean
from django_genlook.client.exchange import Admit, Exchange, current
from django_genlook.conf import Secret
from django_genlook.exceptions import CredentialsRejected, GenlookError, NotSent, OutcomeUnknown, ProtocolError

logger = logging.getLogger("django_genlook.client")

CHUNK = 64 * 1024

_KEY = re.compile(r"[!-~]{1,512}\Z")

#: What trouble on the wire looks like from above ``requests``, ``urllib3``, ``ssl`` and the URL parsers.
WIRE_TROUBLE = (requests.RequestException, HTTPError, HTTPException, OSError, ValueError)


class _Watched(HTTPConnection):
    """Connects, and sends, under the exchange that is going on in this context."""

    _opening = False

    def _new_conn(self) -> socket.socket:
        return current.get().connect(self.host, self.port or self.default_port, self.socket_options)

    def connect(self) -> None:
        self._opening = True
        try:
            super().connect()
        finally:
            self._opening = False

    def request(self, *args: Any, **kwargs: Any) -> None:
        if self.sock is not None:  # kept alive by an earlier exchange, whose watch is over
            current.get().watch(self.sock)
        super().request(*args, **kwargs)

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        if not self._opening:  # while it opens, what is sent is CONNECT, to a proxy
            current.get().sent = True
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
        if current.get().fresh:
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
    """Writes ``x-api-key`` at the last moment. With an auth of its own, ``requests`` never looks into ``.netrc``.

    The key is revealed in these methods only: what is a local variable while something fails ends up in error reports.
    """

    def __init__(self, key: Secret) -> None:
        self._key = key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["x-api-key"] = self._key.reveal()
        return request

    def problem(self) -> CredentialsRejected | None:
        """Return what is wrong with the key by its looks."""
        if not self._key:
            return CredentialsRejected("No API key is configured.", code="MISSING_API_KEY")
        if not _KEY.match(self._key.reveal()):
            return CredentialsRejected("The API key has characters that no key has.", code="INVALID_API_KEY")
        return None

    def masked(self, body: bytes) -> bytes:
        """Return the body without the key, which an answer may quote: it goes into logs and the database."""
        if len(self._key.reveal()) < 8:  # no key of Genlook's, but a word that may stand there for itself
            return body
        return body.replace(self._key.reveal().encode("ascii"), b"********")


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server said; ``whole`` is false when ``body`` was cut at the cap."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    whole: bool = True


def guard(
    template: str,
    seconds: float,
    work: Callable[[], Answer],
    judge: Callable[[Answer], GenlookError | None],
    *,
    admit: Admit | None = None,
    fresh: bool = False,
) -> Answer:
    """Return the answer that ``work`` gets within so many seconds, if ``judge`` has nothing against it.

    ``template`` names the call in logs and details, without ids. Raises ``NotSent`` when no byte of the request left,
    ``OutcomeUnknown`` when one may have, and what ``judge``, ``admit`` or ``work`` itself object to.
    """
    started = time.monotonic()
    outcome: Answer | GenlookError
    with Exchange(seconds, admit=admit, fresh=fresh) as exchange:
        try:
            outcome = work()
        except GenlookError as error:
            outcome = error.with_traceback(None)  # its frames hold the proxy's password
        except WIRE_TROUBLE as error:
            outcome = (OutcomeUnknown if exchange.sent else NotSent)(f"{template}: {_describe(error)}")
    if exchange.expired:
        # Also when all looks well: a body without a length ends where the watchdog cut it.
        outcome = (OutcomeUnknown if exchange.sent else NotSent)(f"{template}: no answer within {seconds:g} s")
    elif isinstance(outcome, Answer):
        outcome = judge(outcome) or outcome
    took = (time.monotonic() - started) * 1000
    if isinstance(outcome, Answer):
        logger.debug("call=%s status=%s ms=%d", template, outcome.status, took)
        return outcome
    logger.info("call=%s status=%s code=%s ms=%d", template, outcome.http_status, outcome.code, took)
    # Not inside an ``except``: the failure must not carry along the exception of ``requests``, on which the request
    # hangs, with the key in its headers.
    raise outcome


def read(response: HTTPResponse, cap: int) -> tuple[bytes, bool]:
    """Return the decompressed body, up to ``cap`` bytes, and whether that is all of it.

    Compression was not asked for, so only gzip, which some proxies add all the same, is understood. It is unpacked
    here, never further than the cap: ``urllib3`` unpacks a whole chunk at a time, whatever comes out of it.
    """
    encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("", "identity", "gzip", "x-gzip"):
        return _unreadable(response.status)
    unpacker = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS) if encoding.endswith("gzip") else None
    body = bytearray()
    begun = False
    while chunk := response.read(CHUNK, decode_content=False):
        begun = True
        try:
            body += unpacker.decompress(chunk, cap + 1 - len(body)) if unpacker else chunk
        except zlib.error:
            return _unreadable(response.status)
        if len(body) > cap:
            return bytes(body[:cap]), False
        if unpacker and unpacker.eof:  # what follows would only be hoarded as unused data
            return bytes(body), True
    if unpacker and begun:
        return _unreadable(response.status)
    return bytes(body), True


def _unreadable(status: int) -> tuple[bytes, bool]:
    """Return an empty body for an error, which its status alone can tell; there is no success without a body."""
    if status >= 400:
        return b"", True
    raise ProtocolError("The answer is compressed in a way that was not asked for, or broken.", http_status=status)


def _describe(error: BaseException) -> str:
    """Return the innermost cause in a few words without any URL, header or id in it."""
    seen = set()
    while id(error) not in seen:
        seen.add(id(error))
        inner = [getattr(error, "reason", None), *error.args, error.__cause__, error.__context__]
        error = next((item for item in inner if isinstance(item, BaseException) and id(item) not in seen), error)
    words = getattr(error, "verify_message", None) or getattr(error, "strerror", None)
    if type(error) is OSError and words is None:  # "Tunnel connection failed: 407 …", in the proxy's own words
        words = clean(str(error), 100)
    return f"{type(error).__name__}: {words}" if words else type(error).__name__
