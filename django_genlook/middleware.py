"""Turns a ``GenlookError`` that escaped a view into something a person can act on."""

import logging
from urllib.parse import unquote_plus, urlsplit

from django.contrib import messages
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.utils.deprecation import MiddlewareMixin
from django.utils.http import url_has_allowed_host_and_scheme

from django_genlook.exceptions import GenlookError

logger = logging.getLogger("django_genlook.middleware")


class GenlookErrorMiddleware(MiddlewareMixin):
    """Answers a ``GenlookError`` in JSON, with a message on the page before, or with a page of its own.

    JSON, in the shape of the shopper's API, when the request prefers it to HTML. Else a Django message and a redirect
    to the ``Referer``, when that is on this host and not this very address; else ``genlook/error.html`` with the
    table's status. Staff read cause and remedy, everybody else the sentence for shoppers. Put it below the session,
    authentication and message middleware; works under WSGI and ASGI, and with asynchronous views.
    """

    # Only this hook: Django calls it in a thread of its own under ASGI, so it may ask who the user is.
    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, GenlookError):
            return None
        body, headers = exception.answer()
        logger.warning("code=%s status=%s: %s", exception.code, body["status"], exception.detail)
        if request.get_preferred_type(["text/html", "application/json"]) == "application/json":
            response: HttpResponse = JsonResponse(body, status=body["status"])
        else:
            response = _for_people(request, exception, body["status"])
        if not isinstance(response, HttpResponseRedirect):
            # With a redirect, Retry-After would ask the browser to wait before it follows.
            for name, value in headers.items():
                response[name] = value
        response["Cache-Control"] = "private, no-store"
        patch_vary_headers(response, ["Accept", "Cookie", "Referer"])
        return response


def _for_people(request: HttpRequest, error: GenlookError, status: int) -> HttpResponse:
    problem = error.problem
    is_staff = getattr(getattr(request, "user", None), "is_staff", False)
    told = f"{problem.cause} {problem.remedy}" if is_staff else str(problem.shopper)
    back = _page_before(request)
    if back is not None:
        messages.add_message(request, problem.level, told, fail_silently=True)
        return back
    context = {"code": problem.shopper_code, "message": told, "status": status}
    return render(request, "genlook/error.html", context, status=status)


def _page_before(request: HttpRequest) -> HttpResponseRedirect | None:
    """Return the way back to the page that led here, if there is one on this host that is not this one."""
    referer = request.headers.get("Referer", "")
    try:
        page, host = urlsplit(referer), request.get_host()
        if not (page.scheme and page.netloc):
            return None
        if not url_has_allowed_host_and_scheme(referer, {host}, require_https=request.is_secure()):
            return None
        if _same(page.path or "/", request.path) and _same(page.query, request.META.get("QUERY_STRING", "")):
            return None
        return HttpResponseRedirect(referer)
    except (ValueError, SuspiciousOperation):
        # No address at all, one too long to go to, or a Host that is not ours.
        return None


def _same(one: str, other: str) -> bool:
    """Return whether two parts of an address are the same however they are escaped."""
    return unquote_plus(one) == unquote_plus(other)
