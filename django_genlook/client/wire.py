"""One address, one key, one session: requests to Genlook, and their answers sorted into successes and failures."""

import ipaddress
import re
from typing import Any
from urllib.parse import urlsplit

import requests
from django.core.exceptions import ImproperlyConfigured

from django_genlook import __version__
from django_genlook.client import transport
from django_genlook.client.errors import error_from_answer
from django_genlook.conf import Secret, is_loopback
from django_genlook.exceptions import CredentialsRejected, ProtocolError

#: The largest answer that is read, in bytes, after decompression.
ANSWER_LIMIT = 1024 * 1024

_KEY = re.compile(r"[!-~]{1,512}\Z")


class Wire:
    """Sends requests below one address with one key. ``plain`` tells that this is http, so a sandbox nearby."""

    def __init__(self, base_url: str, key: Secret, sandbox: bool) -> None:
        self.base_url = _checked(base_url.rstrip("/"), sandbox)
        self.plain = self.base_url.startswith("http:")
        # A name is only seen to be private when it is resolved, and then it must be: the key would travel unencrypted.
        self._admit = (_is_private if sandbox else _is_loopback) if self.plain else None
        self._key = key
        self._session = requests.Session()
        self._session.auth = transport.KeyAuth(key)
        self._session.headers.clear()
        self._session.headers["Accept"] = "application/json"
        # Compressed answers save nothing at this size, and are a way to fill the memory.
        self._session.headers["Accept-Encoding"] = "identity"
        self._session.headers["User-Agent"] = f"django-genlook/{__version__}"
        self._adapter = transport.WatchedAdapter()

    def close(self) -> None:
        """Close the connections that are kept."""
        self._adapter.close()

    def call(
        self, method: str, path: str, *, seconds: float, template: str = "", fresh: bool = False, **content: Any
    ) -> transport.Answer:
        """Return the answer if it is a success, or raise what it means if it is not.

        ``template`` is the path as logs may show it, ``fresh`` asks for a connection that was not used before, and
        ``content`` is what ``requests.Request`` takes.
        """
        key = self._key.reveal()
        if not key:
            raise CredentialsRejected("No API key is configured.", code="MISSING_API_KEY")
        if not _KEY.match(key):
            raise CredentialsRejected("The API key has characters that no key has.", code="INVALID_API_KEY")
        url = self.base_url + path

        def exchange() -> transport.Answer:
            request = self._session.prepare_request(requests.Request(method, url, **content))
            # Not ``session.send``: it would follow redirects, key in hand, and told not to, still read the whole body
            # of one. It would keep cookies as well.
            settings = self._session.merge_environment_settings(url, {}, True, None, None)
            response = self._adapter.send(
                request,
                stream=True,
                timeout=(transport.CONNECT_TIMEOUT, seconds),
                verify=settings["verify"] or True,
                # Plain http stays on this machine or in its network.
                proxies={} if self.plain else settings["proxies"],
            )
            try:
                body, whole = transport.read(response.raw, ANSWER_LIMIT)
            finally:
                response.raw.close()
            return transport.Answer(response.status_code, response.headers, body, whole)

        answer = transport.guard(f"{method} {template or path}", seconds, exchange, admit=self._admit, fresh=fresh)
        # What comes back may quote the key ("… is not a valid key"), and goes into logs and the database.
        body = answer.body.replace(key.encode("ascii"), b"********")
        if not 200 <= answer.status < 300:
            raise error_from_answer(answer.status, answer.headers, body)
        if not answer.whole:
            raise ProtocolError("The answer is too long.", http_status=answer.status)
        return transport.Answer(answer.status, answer.headers, body)


def _checked(base_url: str, sandbox: bool) -> str:
    try:
        parts = urlsplit(base_url)
        host = parts.hostname or ""
        usable = bool(host) and parts.port != 0 and "@" not in parts.netloc and not parts.query and not parts.fragment
    except ValueError:
        usable = False
    if not usable or re.search(r"[\s\\]|[^\x21-\x7e]", base_url):
        raise ImproperlyConfigured("GENLOOK['BASE_URL'] is not the address of an API, such as https://host/path.")
    if parts.scheme == "https":
        return base_url
    if parts.scheme == "http" and (is_loopback(base_url) or (sandbox and _may_be_private(host))):
        return base_url
    raise ImproperlyConfigured(
        "GENLOOK['BASE_URL'] must begin with https://. Plain http is for the sandbox: on this machine, or in a private "
        "network with GENLOOK['SANDBOX'] = True."
    )


def _may_be_private(host: str) -> bool:
    """Return whether ``host`` is a private address or a name, which is looked at when it is resolved."""
    try:
        return _is_private(str(ipaddress.ip_address(host)))
    except ValueError:
        return True


def _is_private(address: str) -> bool:
    return ipaddress.ip_address(address.partition("%")[0]).is_private


def _is_loopback(address: str) -> bool:
    return ipaddress.ip_address(address.partition("%")[0]).is_loopback
