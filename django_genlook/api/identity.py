"""Knows who asks: the session or user behind a request, and the network it came from."""

import ipaddress
import logging
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.base import SessionBase
from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request

from django_genlook.api.errors import CsrfFailed
from django_genlook.conf import get_config

logger = logging.getLogger("django_genlook.api")

# Providers hand out at least this much of IPv6 to one line.
IPV6_LINE = 64


class CheckedSession(SessionAuthentication):
    """The user of the session, or a guest; both only after the CSRF check, which DRF's own spares a guest."""

    def authenticate(self, request: Request) -> tuple[Any, Any]:
        self.enforce_csrf(request)
        user = getattr(request._request, "user", None)
        return (user if user is not None and user.is_active else AnonymousUser()), None

    def enforce_csrf(self, request: Request) -> None:
        try:
            super().enforce_csrf(request)
        except PermissionDenied as error:
            logger.warning("code=csrf_failed: %s", error.detail)
            raise CsrfFailed from error


def session_of(request: Request) -> SessionBase | None:
    """Return the session that may say who the shopper is: none for a token, which passed no CSRF check."""
    if not isinstance(request.successful_authenticator, SessionAuthentication):
        return None
    session: SessionBase | None = getattr(request._request, "session", None)
    return session


def network_of(request: Request) -> str:
    """Return the network address that the outermost trusted proxy saw, or ``""`` when none is trusted.

    An IPv6 address stands for its /64. Anything left of what the trusted proxies wrote is the client's own invention.
    """
    trusted = get_config().TRUSTED_PROXIES
    hops = [hop.strip() for hop in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")]
    if trusted < 1 or len(hops) < trusted:
        return ""
    hop = hops[-trusted]
    if hop.startswith("["):
        hop = hop[1:].partition("]")[0]
    elif hop.count(":") == 1:
        hop = hop.partition(":")[0]
    try:
        address = ipaddress.ip_address(hop.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is None:
            return str(ipaddress.ip_network((address, IPV6_LINE), strict=False))
        return str(address.ipv4_mapped)
    return str(address)
