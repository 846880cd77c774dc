"""What all views of the shopper's API have in common. Nothing of it comes from the shop's ``REST_FRAMEWORK``."""

from collections.abc import Callable
from typing import Any, ClassVar

from django.http import HttpRequest
from django.utils.cache import patch_vary_headers
from django.utils.module_loading import import_string
from rest_framework.authentication import BaseAuthentication
from rest_framework.parsers import BaseParser
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from django_genlook.api.bodies import MAX_FORM_BYTES, AlwaysJSON, PlainJSONRenderer, StrictJSONParser, limit_body
from django_genlook.api.errors import shopper_exception_handler
from django_genlook.api.identity import CheckedSession, session_of
from django_genlook.conf import get_config
from django_genlook.exceptions import GenlookError
from django_genlook.models import Shopper
from django_genlook.services import shoppers


class ShopperView(APIView):
    """A view for one shopper's own things: bounded bodies, checked sessions, JSON out, nothing cached."""

    authentication_classes = (CheckedSession,)
    permission_classes = (AllowAny,)
    throttle_classes = ()
    parser_classes: tuple[type[BaseParser], ...] = (StrictJSONParser,)
    renderer_classes = (PlainJSONRenderer,)
    content_negotiation_class = AlwaysJSON
    metadata_class = None
    versioning_class = None
    http_method_names = ["get", "head", "post", "delete"]
    most_bytes: ClassVar[int] = MAX_FORM_BYTES

    def get_authenticators(self) -> list[BaseAuthentication]:
        """Return the shop's token classes first, when it has some; whom they do not know is a session."""
        tokens = [import_string(name)() for name in get_config().API_AUTHENTICATION]
        return [*tokens, *super().get_authenticators()]

    def get_exception_handler(self) -> Callable[[Exception, dict[str, Any]], Response | None]:
        return shopper_exception_handler

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        # Bodies are UTF-8, whatever they claim: of the charsets that Python knows, some are not even for text.
        if request.encoding is not None and not hasattr(request, "_post"):
            request.encoding = "utf-8"
        return super().initialize_request(request, *args, **kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        limit_body(request._request, self.most_bytes)
        super().initial(request, *args, **kwargs)

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        response = super().finalize_response(request, response, *args, **kwargs)
        response["Cache-Control"] = "private, no-store"
        response["X-Content-Type-Options"] = "nosniff"
        patch_vary_headers(response, ["Cookie"])
        return response

    def mine(self) -> Any:
        """The shoppers that the person behind this request is, as a queryset; none before the first POST."""
        return shoppers.find(session_of(self.request), self.request.user)

    def shopper(self) -> Shopper:
        """The shopper that new rows belong to, made now if there is none. Raises ``GenlookError`` without a session."""
        session, user = session_of(self.request), self.request.user
        if session is None and not user.is_authenticated:
            raise GenlookError("A guest needs a session: add SessionMiddleware.", code="try_on_unavailable")
        return shoppers.get_or_create(session, user)
