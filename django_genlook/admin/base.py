"""What the pages of this app share: the banner, the permission to spend credits, links, private pictures."""

from typing import IO, TYPE_CHECKING, Any, TypeVar

from django.contrib import admin
from django.contrib.admin import AdminSite
from django.db import models
from django.http import FileResponse, HttpRequest, HttpResponse
from django.urls import NoReverseMatch, reverse
from django.utils.functional import SimpleLazyObject

from django_genlook.admin.standing import standing_of
from django_genlook.models import Product

M = TypeVar("M", bound=models.Model)

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin
else:

    class ModelAdmin(admin.ModelAdmin):
        """Lets the type of its rows be written as in the stubs."""

        def __class_getitem__(cls, rows: Any) -> Any:
            return cls


class GenlookAdmin(ModelAdmin[M]):
    """A list with the banner above it."""

    list_per_page = 50

    class Media:
        css = {"all": ["genlook/admin.css"]}

    def has_start_permission(self, request: HttpRequest) -> bool:
        """Return whether this person may start try-ons, which cost credits."""
        return request.user.has_perm("genlook.add_generation")

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        standing = SimpleLazyObject(lambda: standing_of(request))
        products = admin_link(request, self.admin_site, Product, "changelist")
        return super().changelist_view(
            request, {**(extra_context or {}), "standing": standing, "products_url": products}
        )


def admin_link(request: HttpRequest, site: AdminSite, model: type[models.Model], page: str, *args: object) -> str:
    """Return the address of an admin page of ``model``; empty when there is none, or this person may not see it."""
    if not site.is_registered(model):
        return ""
    model_admin = site.get_model_admin(model)
    may = model_admin.has_add_permission if page == "add" else model_admin.has_view_permission
    if not may(request):
        return ""
    try:
        return reverse(f"{site.name}:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)
    except NoReverseMatch:
        return ""


def private_picture(content: IO[bytes], name: str) -> FileResponse:
    """Return a JPEG of ours as an answer that no cache keeps and no browser takes for anything else."""
    response = FileResponse(content, filename=name, content_type="image/jpeg")
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.headers["Cache-Control"] = "private, no-store"
    return response
