"""The list of try-ons: what was made, for what, and what it cost."""

import io
from collections.abc import Sequence
from typing import Any, ClassVar
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from django_genlook.admin.base import GenlookAdmin, admin_link, private_picture
from django_genlook.admin.previews import glimpses, thumbnail
from django_genlook.admin.standing import standing_of, tell
from django_genlook.admin.states import moment
from django_genlook.exceptions import GenlookError, problem_for
from django_genlook.models import Generation, Photo
from django_genlook.models.storage import PrivateStorage
from django_genlook.services import try_ons

Status, Origin = Generation.Status, Generation.Origin

# What may be asked for in the address of the list; a shopper, a photo or a file may not.
FILTERS = {"status", "origin", "is_charged", "created_at"}


@admin.register(Generation)
class GenerationAdmin(GenlookAdmin[Generation]):
    """Try-ons, read-only; of a shopper's neither the picture nor whose it is."""

    list_display = ["picture", "product_name", "state", "created", "started_by", "is_charged"]
    list_display_links = ["picture", "product_name"]
    list_filter = ["status", "origin", "is_charged", "created_at"]
    list_select_related = ["product", "requested_by"]
    search_fields = ["external_id", "product__title"]
    search_help_text = _("External id or title of the product")
    ordering = ["-created_at"]
    fields: ClassVar[Any] = [
        "state", "product_name", "external_id", "started_by", "created_at", "sent_at", "finished_at", "is_charged",
    ]  # fmt: skip
    readonly_fields = fields
    actions = ["try_again"]

    @admin.display(description=_("picture"))
    def picture(self, obj: Generation) -> str:
        return thumbnail(self._picture_url(obj))

    @admin.display(description=_("status"), ordering="status")
    def state(self, obj: Generation) -> str:
        return format_html(
            '<span class="gl-state gl-{}">{}</span><span class="gl-more">{}</span>',
            obj.status.lower(), capfirst(obj.get_status_display()),
            problem_for(obj.error_code).cause if obj.error_code else "",
        )  # fmt: skip

    @admin.display(description=_("created"), ordering="created_at")
    def created(self, obj: Generation) -> str:
        return moment(obj.created_at)

    @admin.display(description=_("product"), ordering="product__title")
    def product_name(self, obj: Generation) -> str:
        return str(obj.product) if obj.product else obj.external_id

    @admin.display(description=_("started by"), ordering="requested_by")
    def started_by(self, obj: Generation) -> str:
        if obj.origin == Origin.SHOPPER:
            return str(_("a shopper"))
        return str(obj.requested_by) if obj.requested_by else str(_("staff"))

    # --- who may do what ------------------------------------------------------------------------------------------

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Generation | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Generation | None = None) -> bool:
        return False

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        return lookup.split("__")[0] in FILTERS

    # --- trying again ---------------------------------------------------------------------------------------------

    @admin.action(description=_("Try again (1 credit each)"), permissions=["start"])
    def try_again(self, request: HttpRequest, queryset: QuerySet[Generation]) -> None:
        chosen = list(queryset.select_related("product", "photo"))
        self._again(request, [row for row in chosen if can_try_again(row)])
        left_out = sum(not can_try_again(row) for row in chosen)
        if left_out:
            words = ngettext(
                "%d was left out: only failed try-ons of staff can be started again.",
                "%d were left out: only failed try-ons of staff can be started again.",
                left_out,
            )
            self.message_user(request, words % left_out, messages.WARNING)

    def _again(self, request: HttpRequest, rows: Sequence[Generation]) -> Generation | None:
        started: list[Generation] = []
        for row in rows:
            try:
                started.append(try_ons.again(row, request.user))
            except GenlookError as error:
                tell(request, error)
                if error.code != "not_found":
                    break
        if started:
            words = ngettext("%d try-on was started again.", "%d try-ons were started again.", len(started))
            self.message_user(request, words % len(started), messages.SUCCESS)
        return started[-1] if started else None

    # --- pages ----------------------------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        own = [
            path("<uuid:pk>/again/", view(self.again_view), name="genlook_generation_again"),
            path("<uuid:pk>/picture/", view(self.picture_view, cacheable=True), name="genlook_generation_picture"),
        ]
        return own + super().get_urls()

    def again_view(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """Start one failed try-on anew, and show the new one."""
        if not self.has_start_permission(request) or not self.has_view_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        row = get_object_or_404(Generation.objects.select_related("product", "photo"), pk=pk)
        if not can_try_again(row):
            raise Http404
        new = self._again(request, [row])
        return HttpResponseRedirect(self._own_url("change", row.pk if new is None else new.pk))

    def picture_view(self, request: HttpRequest, pk: UUID) -> HttpResponseBase:
        """Stream the picture of a try-on of staff; a shopper's is as if it were not there."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        row = get_object_or_404(Generation, pk=pk, origin=Origin.STAFF)
        if not row.result:
            raise Http404
        try:
            content = io.BytesIO(PrivateStorage().read(row.result.name or ""))
        except (FileNotFoundError, GenlookError) as error:
            raise Http404 from error
        return private_picture(content, f"try-on-{pk}.jpg")

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Generation | None = None,
    ) -> HttpResponse:
        if obj is not None:
            context.update(subtitle=self.product_name(obj), panel=self._panel(request, obj))
        return super().render_change_form(request, context, add, change, form_url, obj)

    def _panel(self, request: HttpRequest, obj: Generation) -> dict[str, Any]:
        """Return what the page of one try-on shows above its fields."""
        may_start = can_try_again(obj) and self.has_start_permission(request)
        return {
            "troubles": standing_of(request).troubles,
            "problem": problem_for(obj.error_code) if obj.error_code else None,
            "pictures": self._pictures(request, obj),
            "is_running": not obj.is_over,
            "is_shoppers": obj.origin == Origin.SHOPPER,
            "again_url": self._own_url("again", obj.pk) if may_start else "",
        }

    def _pictures(self, request: HttpRequest, obj: Generation) -> list[tuple[Any, str]]:
        """Return the pictures of a try-on of staff, each with its caption: the model, the product, the result."""
        if obj.origin != Origin.STAFF:
            return []
        photo = obj.photo
        portrait = admin_link(request, self.admin_site, Photo, "picture", photo.pk) if photo and photo.cleaned else ""
        garment = glimpses([obj.product])[obj.product.pk].picture if obj.product else ""
        found = [(_("Model photo"), portrait), (_("Product"), garment), (_("Try-on"), self._picture_url(obj))]
        return [(caption, address) for caption, address in found if address]

    def _picture_url(self, obj: Generation) -> str:
        has_picture = obj.origin == Origin.STAFF and obj.result
        return self._own_url("picture", obj.pk) if has_picture else ""

    def _own_url(self, page: str, *args: object) -> str:
        return reverse(f"{self.admin_site.name}:genlook_generation_{page}", args=args)


def can_try_again(row: Generation) -> bool:
    """Return whether ``row`` is one that staff may start anew."""
    return row.origin == Origin.STAFF and row.status == Status.FAILED
