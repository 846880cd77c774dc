"""The page that asks which model photos to try products on with, and says what it costs before it starts them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from django_genlook.admin.base import GenlookAdmin, admin_link
from django_genlook.admin.previews import glimpses
from django_genlook.admin.standing import Standing, standing_of, tell
from django_genlook.admin.states import obstacle
from django_genlook.exceptions import GenlookError
from django_genlook.models import Generation, Photo, Product
from django_genlook.services import try_ons

# Products on one page: enough for a collection, few enough to look at.
MOST = 50


@dataclass(frozen=True, slots=True)
class Choice:
    """A product or a model photo on the page; ``obstacle`` says why it cannot be chosen."""

    pk: object
    name: str
    picture: str
    is_checked: bool
    obstacle: str | Promise = ""


class TryOnForm(forms.Form):
    """Products and model photos, each with each; ``price`` is what the page said it costs, in credits."""

    products = forms.MultipleChoiceField(error_messages={"required": _("Choose at least one product.")})
    photos = forms.MultipleChoiceField(error_messages={"required": _("Choose at least one model photo.")})
    price = forms.IntegerField(required=False)

    def __init__(self, data: Any, fit: Sequence[Product], photos: Sequence[Photo]) -> None:
        super().__init__(data)
        self._products = {str(row.pk): row for row in fit}
        self._photos = {str(photo.pk): photo for photo in photos}
        for name, rows in (("products", self._products), ("photos", self._photos)):
            field = self.fields[name]
            assert isinstance(field, forms.MultipleChoiceField)  # noqa: S101 (declared above)
            field.choices = [(key, key) for key in rows]

    @property
    def pairs(self) -> list[tuple[Product, Photo]]:
        """The try-ons that were chosen; each costs a credit."""
        chosen = self.cleaned_data
        return [
            (self._products[product], self._photos[photo])
            for product in dict.fromkeys(chosen["products"])
            for photo in dict.fromkeys(chosen["photos"])
        ]


def show(model_admin: GenlookAdmin[Product], request: HttpRequest) -> HttpResponse:
    """Return the page, or start what was chosen there once the person has seen its price."""
    if not model_admin.has_start_permission(request) or not model_admin.has_view_permission(request):
        raise PermissionDenied
    # Longer ones are no keys, and too long for a database to compare with.
    keys = [key for key in request.GET.getlist("ids") if key.isdecimal() and len(key) <= 18][:MOST]
    rows = list(model_admin.get_queryset(request).filter(pk__in=keys))
    photos = list(Photo.objects.of_staff().usable().order_by("-created_at"))
    fit = [row for row in rows if not obstacle(row)]
    form = TryOnForm(request.POST if request.method == "POST" else None, fit, photos)
    standing = standing_of(request)
    if form.is_valid():
        refusal = _refusal(form, standing)
        if not refusal:
            return _start(model_admin, request, form.pairs)
        messages.warning(request, refusal)
    return _page(model_admin, request, form, rows, photos)


def _refusal(form: TryOnForm, standing: Standing) -> str:
    """Return why it does not start yet: the price is another than the page showed, or above what is left to spend."""
    price = len(form.pairs)
    if standing.left is not None and price > standing.left:
        words = ngettext(
            "This costs %(price)d credits, but the shop's budget allows only %(left)d more now.",
            "This costs %(price)d credits, but the shop's budget allows only %(left)d more now.",
            price,
        )
        return words % {"price": price, "left": standing.left}
    if form.cleaned_data["price"] != price:
        words = ngettext(
            "This costs %d credit. Press again to start.", "This costs %d credits. Press again to start.", price
        )
        return words % price
    return ""


def _start(
    model_admin: GenlookAdmin[Product], request: HttpRequest, pairs: Sequence[tuple[Product, Photo]]
) -> HttpResponse:
    try:
        started = try_ons.start_for_staff(pairs, request.user)
    except GenlookError as error:
        tell(request, error)
        return HttpResponseRedirect(request.get_full_path())
    words = ngettext("%d try-on was started.", "%d try-ons were started.", len(started)) % len(started)
    messages.success(request, words)
    if len(started) < len(pairs):
        messages.warning(request, _("The others were not: the shop's budget of credits is used up."))
    site = model_admin.admin_site
    target = admin_link(request, site, Generation, "changelist")
    return HttpResponseRedirect(target or reverse(f"{site.name}:genlook_product_changelist"))


def _page(
    model_admin: GenlookAdmin[Product],
    request: HttpRequest,
    form: TryOnForm,
    rows: Sequence[Product],
    photos: Sequence[Photo],
) -> HttpResponse:
    vars(request)["current_app"] = model_admin.admin_site.name
    standing, site, seen = standing_of(request), model_admin.admin_site, glimpses(rows)
    products = [
        Choice(row.pk, str(row), seen[row.pk].picture, _is_checked(form, "products", row, not why), why)
        for row in rows
        for why in [obstacle(row)]
    ]
    portraits = [
        Choice(
            photo.pk,
            str(photo),
            admin_link(request, site, Photo, "picture", photo.pk) if photo.cleaned else "",
            _is_checked(form, "photos", photo, len(photos) == 1),
        )
        for photo in photos
    ]
    chosen = sum(choice.is_checked for choice in products) * sum(choice.is_checked for choice in portraits)
    context = {
        **site.each_context(request),
        "title": _("Try on with a model photo"),
        "opts": Product._meta,
        "media": model_admin.media,
        "form": form,
        "products": products,
        "photos": portraits,
        "price": chosen,
        "standing": standing,
        "add_photo_url": admin_link(request, site, Photo, "add"),
        "has_fit": any(not choice.obstacle for choice in products),
    }
    return TemplateResponse(request, "admin/genlook/product/try_on.html", context)


def _is_checked(form: TryOnForm, name: str, row: Model, otherwise: bool) -> bool:
    if not form.is_bound:
        return otherwise
    return str(row.pk) in form.fields[name].widget.value_from_datadict(form.data, form.files, name)
