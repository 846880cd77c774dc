"""The classes of the hostile shop: each spoils every answer of a view that uses it."""

from typing import Any

from django.contrib.auth.models import User
from rest_framework.authentication import BaseAuthentication
from rest_framework.metadata import SimpleMetadata
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.permissions import BasePermission
from rest_framework.renderers import BaseRenderer
from rest_framework.throttling import BaseThrottle


class Shouting(BaseRenderer):
    media_type = "text/shouting"
    format = "shout"

    def render(self, data: Any, accepted_media_type: Any = None, renderer_context: Any = None) -> bytes:
        return b"LOUD"


class Swallowing(BaseParser):
    media_type = "*/*"

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> dict[str, Any]:
        return {}


class EverybodyIsAda(BaseAuthentication):
    def authenticate(self, request: Any) -> tuple[Any, Any]:
        return User(username="ada", pk=1), None


class Nobody(BasePermission):
    def has_permission(self, request: Any, view: Any) -> bool:
        return False


class NeverAgain(BaseThrottle):
    def allow_request(self, request: Any, view: Any) -> bool:
        return False


class Stubborn(BaseContentNegotiation):
    def select_parser(self, request: Any, parsers: Any) -> None:
        return None

    def select_renderer(self, request: Any, renderers: Any, format_suffix: Any = None) -> Any:
        raise AssertionError("the shop's negotiation was asked")


class Chatty(SimpleMetadata):
    def determine_metadata(self, request: Any, view: Any) -> Any:
        return {"secret": "everything"}


def handle_badly(*args: Any) -> Any:
    raise AssertionError("the shop's own function was called")
