"""Answers every failure in Genlook's shape: ``{"code", "message", "status", "details"?}``.

``exception_handler`` is for a shop's own views; ours use ``shopper_exception_handler``, which shapes what Django and
DRF refuse too.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import BadRequest, SuspiciousOperation
from django.http import Http404
from django.http.request import RawPostDataException, UnreadablePostError
from django.utils.translation import gettext_lazy as _
from rest_framework import exceptions as drf
from rest_framework import views
from rest_framework.response import Response

from django_genlook.exceptions import Detail, GenlookError, NotFound, Rejected

# What a client can do to a request before any of our code has looked at it.
UNREADABLE = (BadRequest, SuspiciousOperation, RawPostDataException, UnreadablePostError)


class CsrfFailed(drf.PermissionDenied):
    """The request does not prove that it comes from the shop's own pages."""

    default_detail = _("We could not confirm that this request came from this page. Please reload it and try again.")
    default_code = "csrf_failed"


def exception_handler(exc: Exception, context: dict[str, Any]) -> Response | None:
    """Return the answer for a ``GenlookError``, with the table's status; for all else what DRF's handler returns.

    For ``REST_FRAMEWORK["EXCEPTION_HANDLER"]``. A 429 and a 503 carry ``Retry-After`` in whole seconds.
    """
    if not isinstance(exc, GenlookError):
        return views.exception_handler(exc, context)
    views.set_rollback()
    body, headers = exc.answer()
    return Response(body, status=body["status"], headers=headers)


def shopper_exception_handler(exc: Exception, context: dict[str, Any]) -> Response | None:
    """Return the answer for everything that is refused, or ``None`` for what is a bug."""
    named = _named(exc)
    response = exception_handler(named, context)
    if response is not None and not isinstance(named, GenlookError):
        response.data = _shaped(named, response.status_code)
    return response


def details_of(errors: Any, fields: Mapping[str, Any]) -> Sequence[Detail]:
    """Return an entry for each field that a serializer refused; its path is empty where no one field is at fault."""
    if not isinstance(errors, Mapping):
        return [Detail("", str(error)) for error in errors]
    return [
        Detail(str(name) if name in fields else "", str(message))
        for name, messages in errors.items()
        for message in (messages if isinstance(messages, list) else [messages])
    ]


def _named(exc: Exception) -> Exception:
    """Return the failure under the name it has in the table, if it has one there."""
    if isinstance(exc, Http404 | drf.NotFound):
        return NotFound(str(exc))
    if isinstance(exc, UNREADABLE):
        return Rejected(f"{type(exc).__name__}: {exc}", code="invalid_request")
    return exc


def _shaped(exc: Exception, status: int) -> dict[str, Any]:
    if isinstance(exc, CsrfFailed):
        return {"code": CsrfFailed.default_code, "message": str(exc.detail), "status": status}
    if isinstance(exc, drf.AuthenticationFailed | drf.NotAuthenticated):
        return {"code": "not_authenticated", "message": str(exc.detail), "status": status}
    if status == 429 or status >= 500:
        code = "limit_reached" if status == 429 else "try_on_unavailable"
        return {**GenlookError(code=code).answer()[0], "status": status}
    told = str(exc.detail) if isinstance(exc, drf.APIException) else str(exc)
    refused = Rejected(told, code="invalid_request", details=[Detail("", told)] if told else [])
    return {**refused.answer()[0], "status": status}
