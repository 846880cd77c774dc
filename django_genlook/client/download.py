"""Fetches pictures from addresses that others wrote down."""

import ipaddress
import ssl
from functools import lru_cache
from urllib.parse import SplitResult, quote

from requests.utils import DEFAULT_CA_BUNDLE_PATH

from django_genlook import __version__
from django_genlook.client import transport
from django_genlook.client.addresses import ascii_host, check_host, is_public, refused, split
from django_genlook.client.answers import URL_LIMIT
from django_genlook.client.exchange import GRACE
from django_genlook.exceptions import GenlookError, NotFound, ProtocolError, Rejected, ServerFault


def download_image(
    url: str, *, allow_loopback: bool, deadline: float = 60.0, max_bytes: int = 25 * 1024 * 1024
) -> bytes:
    """Return the bytes at ``url``, which may be anything: nothing is decoded.

    Only https, and only public addresses: each one that the host name stands for is checked, and it is a checked one
    that is connected to, so a name that changes its mind between two look-ups gains nothing. No redirect is followed;
    no key, cookie, proxy or ``.netrc`` is used. ``allow_loopback`` (for the sandbox) admits this machine too, there
    with plain http as well. ``deadline`` is in seconds for all of it, ``max_bytes`` counts after decompression.

    Raises ``Rejected`` with ``image_url_refused`` for an address that is not fetched or only redirects, with
    ``FILE_TOO_LARGE`` or ``INVALID_IMAGE`` for too many bytes or none, ``NotFound`` for a 4xx, ``ServerFault`` for a
    5xx, ``NotSent`` or ``OutcomeUnknown`` when no answer came.
    """
    parts = _checked(url, allow_loopback)
    plain = parts.scheme == "http"

    def admit(address: str) -> None:
        bare = address.partition("%")[0]
        if allow_loopback and ipaddress.ip_address(bare).is_loopback:
            return
        if plain or not is_public(bare):
            raise refused("a host that is not public")

    connection = _connection(parts, deadline)

    def exchange() -> transport.Answer:
        headers = {"Accept": "image/*", "Accept-Encoding": "identity", "User-Agent": f"django-genlook/{__version__}"}
        try:
            # Straight on a connection, so there are no redirects, cookies, proxies and ``.netrc`` to keep off, nor the
            # pool's log of whole addresses, some of which open a picture to whoever reads them.
            connection.request("GET", _target(parts), headers=headers, preload_content=False, decode_content=False)
            response = connection.getresponse()
            body, whole = transport.read(response, max_bytes) if response.status == 200 else (b"", True)
            return transport.Answer(response.status, response.headers, body, whole)
        finally:
            connection.close()

    return transport.guard("GET picture", deadline, exchange, _failure, admit=admit).body


def _failure(answer: transport.Answer) -> GenlookError | None:
    status = answer.status
    if status == 200:
        if not answer.whole:
            return Rejected("The picture is too large to be fetched.", code="FILE_TOO_LARGE", http_status=status)
        return None if answer.body else Rejected("The picture is empty.", code="INVALID_IMAGE", http_status=status)
    detail = f"The picture's server answered {status}."
    if 300 <= status < 400:
        return Rejected(f"{detail} Redirects are not followed.", code="image_url_refused", http_status=status)
    if status >= 500 or status in (408, 425, 429):
        return ServerFault(detail, http_status=status)
    if status >= 400:
        return NotFound(detail, http_status=status)
    return ProtocolError(detail, http_status=status)


def _checked(url: str, allow_loopback: bool) -> SplitResult:
    if len(url) > URL_LIMIT:
        raise refused("too long")
    parts = split(url)
    if allow_loopback and _names_loopback(parts):
        if parts.scheme not in ("http", "https"):
            raise refused("not http")
        return parts
    if parts.scheme != "https":
        raise refused("not https")
    check_host(parts)
    return parts


def _names_loopback(parts: SplitResult) -> bool:
    host = ascii_host(parts)
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _connection(
    parts: SplitResult, deadline: float
) -> transport.WatchedHTTPConnection | transport.WatchedHTTPSConnection:
    host = ascii_host(parts)
    if parts.scheme == "http":
        return transport.WatchedHTTPConnection(host, parts.port or 80, timeout=deadline + GRACE)
    context = _trust(DEFAULT_CA_BUNDLE_PATH)
    return transport.WatchedHTTPSConnection(host, parts.port or 443, timeout=deadline + GRACE, ssl_context=context)


@lru_cache(maxsize=1)
def _trust(authorities: str) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=authorities)


def _target(parts: SplitResult) -> str:
    """Return what follows the host, as it was signed: only what may not stand in a request line is escaped."""
    path = quote(parts.path or "/", safe="%/:=&?~#+!$,;'@()*[]")
    query = quote(parts.query, safe="%/:=&?~+!$,;'@()*[]")
    return f"{path}?{query}" if query else path
