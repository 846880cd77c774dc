"""The list of products and how each stands towards Genlook."""

import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin.actions import delete_selected
from django.contrib.admin.options import InlineModelAdmin
from django.contrib.admin.views.main import ChangeList
from django.contrib.admin.widgets import AdminFileWidget
from django.core.exceptions import PermissionDenied
from django.db import models
from django.db.models import QuerySet
from django.forms import ModelForm, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from django_genlook.admin import try_on_page
from django_genlook.admin.base import GenlookAdmin, admin_link
from django_genlook.admin.previews import Glimpse, address_of, glimpses, thumbnail
from django_genlook.admin.standing import standing_of
from django_genlook.admin.states import Kind, obstacle, of_kind, span, state_of
from django_genlook.exceptions import Rejected, problem_for
from django_genlook.models import Product, ProductImage
from django_genlook.services import catalogue, products

if TYPE_CHECKING:
    ImageInline = admin.TabularInline[ProductImage, Product]
    ProductModelForm = ModelForm[Product]
else:
    ImageInline = admin.TabularInline
    ProductModelForm = ModelForm


class PictureInput(AdminFileWidget):
    """A file field that stands a storage which cannot say where its files are."""

    def is_initial(self, value: Any) -> bool:
        return bool(address_of(value)) if value else False


class ProductForm(ProductModelForm):
    """A product that is kept here; its id is looked at before it is saved."""

    def clean_external_id(self) -> str:
        external_id = str(self.cleaned_data["external_id"] or "").strip()
        try:
            catalogue.check_external_id(external_id)
        except Rejected as error:
            raise ValidationError([error.problem.cause, error.problem.remedy], code=error.code) from error
        return external_id


class ProductImageInline(ImageInline):
    """The pictures of a product that is kept here."""

    model = ProductImage
    fields = ["preview", "file", "position"]
    readonly_fields = ["preview"]
    extra = 1
    formfield_overrides: ClassVar[dict[Any, Any]] = {models.ImageField: {"widget": PictureInput}}

    @admin.display(description=_("preview"))
    def preview(self, obj: ProductImage) -> str:
        return thumbnail(address_of(obj.file))


class StateFilter(admin.SimpleListFilter):
    """Filters by the words of the sync state."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, Any]]:
        return Kind.choices

    def queryset(self, request: HttpRequest, queryset: QuerySet[Product]) -> QuerySet[Product]:
        value = self.value()
        return of_kind(queryset, Kind(value)) if value in Kind.values else queryset


class ProductList(ChangeList):
    """A page of products that are looked at together, so that its queries do not grow with it."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        rows = list(self.result_list)
        seen, standing = glimpses(rows), standing_of(request)
        held_by = standing.held_by.cause if standing.held_by else ""
        for row in rows:
            vars(row).update(glimpse=seen[row.pk], state=state_of(row, standing.now, held_by))
        self.result_list = rows


@admin.register(Product)
class ProductAdmin(GenlookAdmin[Product]):
    """Products as Genlook should know them; those that mirror the shop's own catalogue are read-only."""

    list_display = ["preview", "name", "external_id", "state"]
    list_display_links = ["preview", "name"]
    list_filter = [StateFilter]
    search_fields = ["title", "external_id", "source"]
    search_help_text = _("Title or external id")
    ordering = ["-pk"]
    form = ProductForm
    fields: ClassVar[Any] = ["external_id", "title", "description", "is_enabled"]
    inlines = [ProductImageInline]
    actions = ["send_now", "try_on", "delete_selected"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Product]:
        return super().get_queryset(request).prefetch_related("images")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return ProductList

    @admin.display(description=_("preview"))
    def preview(self, obj: Product) -> str:
        glimpse: Glimpse = vars(obj)["glimpse"]
        return thumbnail(glimpse.picture)

    @admin.display(description=_("title"), ordering="title")
    def name(self, obj: Product) -> str:
        glimpse: Glimpse = vars(obj)["glimpse"]
        return obj.title or glimpse.title or str(obj)

    @admin.display(description=_("state"))
    def state(self, obj: Product) -> str:
        state = vars(obj)["state"]
        return format_html(
            '<span class="gl-state gl-{}">{}</span><span class="gl-more">{}</span>',
            state.kind.value, state.words, state.more,
        )  # fmt: skip

    # --- who may do what ------------------------------------------------------------------------------------------

    def has_change_permission(self, request: HttpRequest, obj: Product | None = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or is_kept_here(obj))

    def has_delete_permission(self, request: HttpRequest, obj: Product | None = None) -> bool:
        return super().has_delete_permission(request, obj) and (obj is None or is_kept_here(obj))

    def get_fields(self, request: HttpRequest, obj: Product | None = None) -> Any:
        # A mirror keeps no description of its own.
        return [name for name in self.fields if obj is None or obj.source is None or name != "description"]

    def get_inlines(self, request: HttpRequest, obj: Product | None) -> "list[type[InlineModelAdmin[Any, Any]]]":
        return [ProductImageInline] if obj is None or is_kept_here(obj) else []

    # --- actions --------------------------------------------------------------------------------------------------

    @admin.action(description=_("Send to Genlook now"), permissions=["change"])
    def send_now(self, request: HttpRequest, queryset: QuerySet[Product]) -> None:
        self._send(request, list(queryset.order_by().values_list("pk", flat=True)))

    @admin.action(description=_("Try on with a model photo"), permissions=["start"])
    def try_on(self, request: HttpRequest, queryset: QuerySet[Product]) -> HttpResponse | None:
        keys = list(queryset.order_by().values_list("pk", flat=True)[: try_on_page.MOST + 1])
        if len(keys) > try_on_page.MOST:
            words = ngettext("Choose %d product at most.", "Choose %d products at most.", try_on_page.MOST)
            self.message_user(request, words % try_on_page.MOST, messages.WARNING)
            return None
        return HttpResponseRedirect(self._try_on_url(*keys))

    @admin.action(description=_("Delete selected %(verbose_name_plural)s"), permissions=["delete"])
    def delete_selected(self, request: HttpRequest, queryset: QuerySet[Product]) -> HttpResponse | None:
        own = queryset.filter(source=None, is_deleted=False)
        left_out = queryset.count() - own.count()
        if left_out:
            words = ngettext(
                "%d product cannot be deleted here: it mirrors the shop's own catalogue, or is deleted already.",
                "%d products cannot be deleted here: they mirror the shop's own catalogue, or are deleted already.",
                left_out,
            )
            self.message_user(request, words % left_out, messages.WARNING)
        return delete_selected(self, request, own) if own.exists() else None

    def _send(self, request: HttpRequest, keys: Sequence[int]) -> None:
        count = products.send_each_again(keys)
        words = ngettext(
            "%d product will be sent to Genlook within a moment.",
            "%d products will be sent to Genlook within a moment.",
            count,
        )
        self.message_user(request, words % count, messages.SUCCESS)
        held_by = standing_of(request).held_by
        if held_by is not None:
            self.message_user(request, f"{held_by.cause} {held_by.remedy}", messages.WARNING)

    # --- pages ----------------------------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        own = [
            path("try-on/", self.admin_site.admin_view(self.try_on_view), name="genlook_product_try_on"),
            path("<int:pk>/send/", self.admin_site.admin_view(self.send_view), name="genlook_product_send"),
        ]
        return own + super().get_urls()

    def try_on_view(self, request: HttpRequest) -> HttpResponse:
        """Ask which model photos to try the chosen products on with, say what it costs, and start."""
        return try_on_page.show(self, request)

    def send_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Have one product sent again."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        product = get_object_or_404(Product, pk=pk)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        self._send(request, [product.pk])
        return HttpResponseRedirect(reverse(f"{self.admin_site.name}:genlook_product_change", args=[pk]))

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Product | None = None,
    ) -> HttpResponse:
        if obj is not None:
            context["panel"] = self._panel(request, obj)
        return super().render_change_form(request, context, add, change, form_url, obj)

    def _panel(self, request: HttpRequest, obj: Product) -> dict[str, Any]:
        """Return what the change page says above its form."""
        standing = standing_of(request)
        glimpse = glimpses([obj])[obj.pk]
        held_by = standing.held_by.cause if standing.held_by else ""
        next_try = obj.next_attempt_at
        return {
            "state": state_of(obj, standing.now, held_by),
            "troubles": standing.troubles,
            "problem": problem_for(obj.error_code) if obj.error_code else None,
            "next_try": span(standing.now, next_try) if next_try and next_try > standing.now else "",
            "is_kept_here": is_kept_here(obj),
            "source_name": _source_name(glimpse),
            "source_url": self._source_url(request, glimpse),
            "pictures": glimpse.pictures if obj.source else (),
            "remote": json.dumps(obj.remote, indent=2, ensure_ascii=False) if obj.remote else "",
            "send_url": self._own_url("send", obj.pk) if self.has_change_permission(request) else "",
            "try_on_url": self._try_on_url(obj.pk) if self.has_start_permission(request) else "",
            "obstacle": obstacle(obj),
        }

    def _source_url(self, request: HttpRequest, glimpse: Glimpse) -> str:
        source = glimpse.source
        return "" if source is None else admin_link(request, self.admin_site, type(source), "change", source.pk)

    def _own_url(self, page: str, *args: object) -> str:
        return reverse(f"{self.admin_site.name}:genlook_product_{page}", args=args)

    def _try_on_url(self, *keys: int) -> str:
        return f"{self._own_url('try_on')}?{urlencode({'ids': keys}, doseq=True)}"


def is_kept_here(row: Product) -> bool:
    """Return whether ``row`` is a product of this app's own, and not a mirror or a tombstone."""
    return row.source is None and not row.is_deleted


def _source_name(glimpse: Glimpse) -> str:
    source = glimpse.source
    return "" if source is None else f"{capfirst(source._meta.verbose_name)} “{source}”"
