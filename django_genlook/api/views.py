"""The addresses of the shopper's API: each reads a request, calls one service, and tells what came of it."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from django.middleware.csrf import get_token
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import ensure_csrf_cookie
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from django_genlook import images
from django_genlook.api.base import ShopperView
from django_genlook.api.bodies import MAX_PHOTO_FORM_BYTES, StrictJSONParser
from django_genlook.api.errors import details_of
from django_genlook.api.identity import network_of
from django_genlook.api.pages import NewestFirst
from django_genlook.api.serializers import (
    TryOnRequest,
    external_id_in,
    has_consent,
    present_photo,
    present_start,
    present_try_on,
    uuid_in,
)
from django_genlook.exceptions import Detail, GenlookError, NotFound, Rejected
from django_genlook.models import Generation, Photo
from django_genlook.models.clock import db_now
from django_genlook.models.person import PhotoQuerySet
from django_genlook.models.storage import PrivateStorage
from django_genlook.services import limits, photos, try_ons

# More photos than a person chooses from.
LIST_LENGTH = 100


class PhotoAccess(ShopperView):
    """Finds photos of this shopper only; a model photo of staff is nobody's."""

    def photos(self) -> PhotoQuerySet:
        return Photo.objects.filter(shopper__in=self.mine())

    def photo(self, pk: str) -> Any:
        found = self.photos().annotate(now=db_now()).filter(pk=uuid_in(pk)).first()
        if found is None:
            raise NotFound("No such photo.")
        return found


class PhotosView(PhotoAccess):
    """``photos/``: take one in; list those that a try-on can be started with."""

    parser_classes = (MultiPartParser,)
    most_bytes = MAX_PHOTO_FORM_BYTES

    def get(self, request: Request) -> Response:
        rows: QuerySet[Any] = self.photos().usable().annotate(now=db_now()).order_by("-created_at", "-pk")
        return Response([present_photo(row, row.now) for row in rows[:LIST_LENGTH]])

    def post(self, request: Request) -> Response:
        limits.check_available(request.user)
        files = request.FILES.getlist("photo")
        if len(files) != 1 or len(request.FILES) != 1:
            raise Rejected("not one file", code="invalid_request", details=[Detail("photo", "Send exactly one file.")])
        if not has_consent(request.POST.get("consent")):
            raise Rejected(code="consent_required")
        file = files[0]
        # Looked at before there is a shopper, so that rubbish leaves no row of any kind.
        images.inspect(file, file.size)
        photo = photos.accept(file, file.size, shopper=self.shopper())
        return Response(present_photo(photo, photo.created_at), status=201)


class PhotoView(PhotoAccess):
    """``photos/<uuid>/``: how it stands; forget it."""

    def get(self, request: Request, pk: str) -> Response:
        photo = self.photo(pk)
        return Response(present_photo(photo, photo.now))

    def delete(self, request: Request, pk: str) -> Response:
        photos.forget(self.photo(pk))
        return Response(status=204)


class TryOnAccess(ShopperView):
    """Finds try-ons of this shopper only."""

    def try_ons(self) -> QuerySet[Any]:
        return Generation.objects.filter(shopper__in=self.mine()).annotate(now=db_now())

    def try_on(self, pk: str) -> Any:
        found = self.try_ons().filter(pk=uuid_in(pk)).first()
        if found is None:
            raise NotFound("No such try-on.")
        return found


class TryOnsView(TryOnAccess):
    """``try-ons/``: start one; list this shopper's own, newest first."""

    parser_classes = (StrictJSONParser, FormParser, MultiPartParser)

    def get(self, request: Request) -> Response:
        pages = NewestFirst()
        rows = pages.paginate_queryset(self.try_ons(), request, view=self) or []
        return pages.get_paginated_response([present_try_on(row, row.now, request) for row in rows])

    def post(self, request: Request) -> Response:
        limits.check_available(request.user)
        asked = TryOnRequest(data=request.data)
        if not asked.is_valid():
            raise Rejected("a field", code="invalid_request", details=details_of(asked.errors, asked.fields))
        mine = list(self.mine())
        if not mine:
            # Whoever has no photo gets the answer for somebody else's, and no row.
            raise NotFound("No such photo.")
        row, _ = try_ons.request(
            external_id=asked.validated_data["product"],
            photo_id=asked.validated_data["photo"],
            is_again=asked.validated_data["again"],
            shoppers=mine,
            shopper=self.shopper(),
            user=request.user,
            address=network_of(request),
        )
        return Response(present_start(row, request), status=200 if row.is_over else 202)


class TryOnView(TryOnAccess):
    """``try-ons/<uuid>/``: how it stands, from the row alone; take it away."""

    def get(self, request: Request, pk: str) -> Response:
        row = self.try_on(pk)
        return Response(present_try_on(row, row.now, request))

    def delete(self, request: Request, pk: str) -> Response:
        try_ons.cancel_or_leave(self.try_on(pk))
        return Response(status=204)


class TryOnImageView(TryOnAccess):
    """``try-ons/<uuid>/image/``: the picture, for its owner only, and never as anything but a picture."""

    def get(self, request: Request, pk: str) -> HttpResponse:
        row = self.try_on(pk)
        if row.status != Generation.Status.COMPLETED or not row.result:
            raise NotFound("It has no picture.")
        try:
            # Read whole: a storage that fails half-way is then still an error, and ASGI has no iterator to wait for.
            picture = PrivateStorage().read(row.result.name)
        except FileNotFoundError:
            raise NotFound("Its file is gone.") from None
        return HttpResponse(
            picture,
            content_type="image/jpeg",
            headers={
                "Content-Disposition": f'inline; filename="try-on-{row.pk}.jpg"',
                "Content-Security-Policy": "default-src 'none'; sandbox",
            },
        )


class ProductView(ShopperView):
    """``products/<external id>/``: may this shopper try it on now; sets the cookie that a POST needs."""

    @method_decorator(ensure_csrf_cookie)
    def get(self, request: Request, external_id: str) -> Response:
        product = try_ons.find_product(external_id_in(external_id))
        told: dict[str, Any] = {"csrf_token": get_token(request._request)}
        try:
            left = try_ons.allowance(
                product, shopper=self.mine().first(), user=request.user, address=network_of(request)
            )
        except GenlookError as error:
            body, _ = error.answer()
            told |= {"available": False, "code": body["code"], "message": body["message"]}
            left = 0 if body["code"] == "limit_reached" else None
        else:
            told["available"] = True
        if left is not None:
            told["remaining"] = left
        return Response(told)
