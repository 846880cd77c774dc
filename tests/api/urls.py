"""A shop that mounts the API and has DRF views of its own beside it."""

from typing import Any

from django.urls import include, path
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from django_genlook.api.errors import exception_handler

TO_RAISE: list[Exception] = []


class ShopsOwnView(APIView):
    """Raises what a test put into ``TO_RAISE``."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()
    renderer_classes = (JSONRenderer,)
    content_negotiation_class = DefaultContentNegotiation
    versioning_class = None

    def get_exception_handler(self) -> Any:
        return exception_handler

    def get(self, request: Request) -> Response:
        raise TO_RAISE.pop()


urlpatterns = [
    path("genlook/", include("django_genlook.api.urls")),
    path("own/", ShopsOwnView.as_view()),
]
