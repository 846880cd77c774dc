"""Reads what a shopper sends, and never more of it than a photo may be large."""

from collections.abc import Mapping
from typing import IO, Any

from django.core.files.uploadhandler import (
    FileUploadHandler,
    MemoryFileUploadHandler,
    StopUpload,
    TemporaryFileUploadHandler,
)
from django.http import HttpRequest
from rest_framework import parsers
from rest_framework.exceptions import ParseError
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import JSONRenderer

from django_genlook.exceptions import Detail, Rejected
from django_genlook.images import MAX_UPLOAD_BYTES

KIB = 1024
MAX_FORM_BYTES = 64 * KIB
# The photo, and around it the text of a form.
MAX_PHOTO_FORM_BYTES = MAX_UPLOAD_BYTES + MAX_FORM_BYTES
# More digits than any size has, and few enough to be turned into a number.
_LONGEST_NUMBER = 18


def limit_body(request: HttpRequest, most: int) -> None:
    """Refuse a body that says it is larger than ``most`` bytes, unread, and see to it that no larger one is kept.

    Call it before anything parses the body; the CSRF check does. Raises ``Rejected``.
    """
    length = request.META.get("CONTENT_LENGTH") or ""
    if not length and "HTTP_TRANSFER_ENCODING" in request.META:
        raise _invalid("Send a Content-Length: a body of unknown length is not read.")
    if length and not (length.isascii() and length.isdigit()):
        raise _invalid("The Content-Length is not a number.")
    if length and (len(length) > _LONGEST_NUMBER or int(length) > most):
        if most > MAX_UPLOAD_BYTES:
            raise Rejected(f"a body of {length[:_LONGEST_NUMBER]} bytes", code="FILE_TOO_LARGE")
        raise _invalid(f"The body is larger than {most} bytes.")
    # A middleware of the shop may have parsed the body already; images.inspect then still sees the file's size.
    if not hasattr(request, "_files"):
        # The usual handlers by name: a shop's FILE_UPLOAD_HANDLERS may send files to places that are not private.
        request.upload_handlers = [
            CappingUploadHandler(request),
            MemoryFileUploadHandler(request),
            TemporaryFileUploadHandler(request),
        ]


class CappingUploadHandler(FileUploadHandler):
    """Ends an upload that grows beyond a photo's size, whatever length it said it had."""

    def __init__(self, request: HttpRequest | None = None) -> None:
        super().__init__(request)
        self.received = 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        self.received += len(raw_data)
        if self.received > MAX_UPLOAD_BYTES:
            raise StopUpload(connection_reset=True)
        return raw_data

    def file_complete(self, file_size: int) -> None:
        return None

    def upload_complete(self) -> None:
        # Only now, when the other handlers have been told to close their files.
        if self.received > MAX_UPLOAD_BYTES:
            raise Rejected(f"more than {MAX_UPLOAD_BYTES} bytes were sent", code="FILE_TOO_LARGE")


class StrictJSONParser(parsers.JSONParser):
    """JSON without ``NaN``, and not nested deeper than Python goes."""

    strict = True

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        try:
            return super().parse(stream, media_type, parser_context)
        except RecursionError as error:
            raise ParseError("JSON parse error - nested too deeply") from error


class PlainJSONRenderer(JSONRenderer):
    """JSON the same in every shop."""

    ensure_ascii = False
    compact = True
    strict = True


class AlwaysJSON(DefaultContentNegotiation):
    """Answers in JSON whatever is asked for: there is nothing else, and an error must be readable too."""

    def select_renderer(self, request: Any, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type


def _invalid(told: str) -> Rejected:
    return Rejected(told, code="invalid_request", details=[Detail("", told)])
