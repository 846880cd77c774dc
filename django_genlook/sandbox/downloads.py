"""Downloads the pictures whose addresses a shop sends."""

from __future__ import annotations

import threading
import time
import urllib.error
import urllib.request
from urllib.parse import quote, urlsplit

SECONDS = 5.0
CHUNK = 64 * 1024


class FetchFailed(Exception):
    """The address could not be downloaded in full within the time, or did not answer with a 2xx."""


def fetch(url: str, *, max_bytes: int, seconds: float = SECONDS) -> bytes:
    """Give the bytes behind an address, cut off after ``max_bytes`` + 1, or raise ``FetchFailed``.

    ``seconds`` bounds name look-up, redirects and reading together. Any address is good, this being a development
    server; addresses of this machine are never asked for through a proxy.
    """
    found: list[bytes] = []
    # A thread, because neither a look-up nor a header that trickles in can be given a total time limit.
    worker = threading.Thread(target=_fetch, args=(url, max_bytes, time.monotonic() + seconds, found), daemon=True)
    worker.start()
    worker.join(seconds)
    if not found:
        raise FetchFailed(url)
    return found[0]


def _fetch(url: str, max_bytes: int, deadline: float, found: list[bytes]) -> None:
    try:
        request = urllib.request.Request(_ascii(url), headers={"User-Agent": "genlook-sandbox", "Accept": "image/*"})  # noqa: S310 - the schemes are those of _opener
        data = bytearray()
        with _opener(url).open(request, timeout=max(0.1, deadline - time.monotonic())) as answer:
            declared = answer.headers.get("Content-Length")
            while len(data) <= max_bytes and time.monotonic() < deadline and (chunk := answer.read1(CHUNK)):
                data += chunk
        too_short = declared is not None and declared.isdigit() and len(data) < min(int(declared), max_bytes)
        if time.monotonic() < deadline and not too_short:
            found.append(bytes(data[: max_bytes + 1]))
    except urllib.error.HTTPError as error:
        error.close()
    except Exception:  # whatever a stranger's server does, it is one outcome: no picture
        return


def _opener(url: str) -> urllib.request.OpenerDirector:
    opener = urllib.request.OpenerDirector()
    handlers: list[urllib.request.BaseHandler] = [
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPRedirectHandler(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.HTTPDefaultErrorHandler(),
    ]
    if urlsplit(url).hostname not in ("localhost", "127.0.0.1", "::1"):
        handlers.append(urllib.request.ProxyHandler())
    for handler in handlers:
        opener.add_handler(handler)
    return opener


def _ascii(url: str) -> str:
    parts = urlsplit(url)
    netloc = parts.netloc if parts.netloc.isascii() else parts.netloc.encode("idna").decode()
    safe = "%/:=&?~#+!$,;'@()*[]"
    return parts._replace(
        netloc=netloc, path=quote(parts.path, safe), query=quote(parts.query, safe), fragment=""
    ).geturl()
