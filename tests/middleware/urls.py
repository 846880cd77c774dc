"""Views of a shop that let a ``GenlookError`` escape."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path

from django_genlook.exceptions import CODES, GenlookError


def fail(request: HttpRequest, code: str) -> HttpResponse:
    raise CODES[code].error("VENDOR WORDS <b>", code=code)


async def fail_later(request: HttpRequest, code: str) -> HttpResponse:
    raise GenlookError("VENDOR WORDS <b>", code=code)


def fail_while_rendering(request: HttpRequest) -> TemplateResponse:
    response = TemplateResponse(request, "genlook/error.html")

    def resolve(*args: object) -> None:
        raise GenlookError(code="limit_reached", retry_after=7)

    response.resolve_template = resolve  # type: ignore[assignment,method-assign]
    return response


def crash(request: HttpRequest) -> HttpResponse:
    raise ZeroDivisionError


def page(request: HttpRequest) -> HttpResponse:
    told = [f"{message.level_tag}: {message}" for message in messages.get_messages(request)]
    return HttpResponse("\n".join(told))


urlpatterns = [
    path("fail/<code>/", fail),
    path("later/<code>/", fail_later),
    path("rendering/", fail_while_rendering),
    path("crash/", crash),
    path("", page),
    path("page/", page),
]
