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
from django_genlook.client.exchange import GRACE
from django_genlook.conf import Secret, is_loopback
from django_genlook.exceptions import GenlookError, NotSent, ProtocolError

#: The largest answer that is read, in bytes, after decompression.
ANSWER_LIMIT = 1024 * 1024


class Wire:
    """Sends requests below one address with one key. ``nearby`` tells that the other side is a sandbox."""

    def __init__(self, base_url: str, key: Secret, sandbox: bool) -> None:
        self.base_url = _checked(base_url.rstrip("/"), sandbox)
        self._plain = self.base_url.startswith("http:")
        self.nearby = sandbox or self._plain
        # A name is only seen to be private when it is resolved, and then it must be: the key would travel unencrypted.
        self._admit = (_admit_private if sandbox else _admit_loopback) if self._plain else None
        self._session = requests.Session()
        self._session.auth = self._auth = transport.KeyAuth(key)
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
        if problem := self._auth.problem():
            raise problem
        url = self.base_url + path

        def exchange() -> transport.Answer:
            request = self._session.prepare_request(requests.Request(method, url, **content))
            # Not ``session.send``: it would follow redirects, key in hand, and told not to, still read the whole body
            # of one. It would keep cookies as well.
            settings = self._session.merge_environment_settings(url, {}, True, None, None)
            response = self._adapter.send(
                request,
                stream=True,
                timeout=seconds + GRACE,
                verify=settings["verify"] or True,
                # Plain http stays on this machine or in its network.
                proxies={} if self._plain else settings["proxies"],
            )
            try:
                body, whole = transport.read(response.raw, ANSWER_LIMIT)
            finally:
                response.raw.close()
            return transport.Answer(response.status_code, response.headers, self._auth.masked(body), whole)

        name = f"{method} {template or path}"
        return transport.guard(name, seconds, exchange, _failure, admit=self._admit, fresh=fresh)


def _failure(answer: transport.Answer) -> GenlookError | None:
    if not 200 <= answer.status < 300:
        return error_from_answer(answer.status, answer.headers, answer.body)
    return None if answer.whole else ProtocolError("The answer is too long.", http_status=answer.status)


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
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return True


def _admit_private(address: str) -> None:
    if not _address(address).is_private:
        raise NotSent("Plain http goes to private addresses only, and BASE_URL stands for another.")


def _admit_loopback(address: str) -> None:
    if not _address(address).is_loopback:
        raise NotSent("Plain http goes to this machine only, and BASE_URL stands for another.")


def _address(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    return ipaddress.ip_address(address.partition("%")[0])
