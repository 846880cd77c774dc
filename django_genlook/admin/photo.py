"""Model photos: the people that staff try products on with."""

from typing import TYPE_CHECKING, Any, BinaryIO, cast
from uuid import UUID

from django import forms
from django.contrib import admin
from django.contrib.admin import helpers
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from django_genlook.admin.base import GenlookAdmin, private_picture
from django_genlook.admin.previews import thumbnail
from django_genlook.admin.standing import standing_of, tell
from django_genlook.exceptions import GenlookError, Rejected, problem_for
from django_genlook.models import Photo
from django_genlook.services import photos

if TYPE_CHECKING:
    from django.core.files.uploadedfile import UploadedFile

    PhotoModelForm = forms.ModelForm[Photo]
else:
    PhotoModelForm = forms.ModelForm


class ModelPhotoForm(PhotoModelForm):
    """A new model photo."""

    label = forms.CharField(
        label=_("label"), max_length=100, help_text=_("What staff choose it by, such as “Anna, 1.75 m, size 38”.")
    )
    picture = forms.FileField(
        label=_("picture"),
        help_text=_("One person, standing, seen from the front. JPEG, PNG, WebP or HEIC, at most 10 MB."),
        widget=forms.FileInput(attrs={"accept": "image/jpeg,image/png,image/webp,image/heic"}),
    )

    class Meta:
        model = Photo
        fields = ["label"]


@admin.register(Photo)
class PhotoAdmin(GenlookAdmin[Photo]):
    """Model photos only: a shopper's photo can be seen by nobody here, whatever its key."""

    list_display = ["preview", "label", "state", "created_at"]
    list_display_links = ["preview", "label"]
    search_fields = ["label"]
    ordering = ["-created_at"]
    fields = ["label", "preview", "state", "created_at"]
    readonly_fields = ["preview", "state", "created_at"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Photo]:
        return super().get_queryset(request).filter(shopper=None, is_model=True)

    @admin.display(description=_("preview"))
    def preview(self, obj: Photo) -> str:
        return thumbnail(reverse(f"{self.admin_site.name}:genlook_photo_picture", args=[obj.pk]) if obj.cleaned else "")

    @admin.display(description=_("state"), ordering="status")
    def state(self, obj: Photo) -> str:
        problem = problem_for(obj.error_code) if obj.error_code else None
        return format_html(
            '<span class="gl-state gl-{}">{}</span><span class="gl-more">{} {}</span>',
            obj.status.lower(), capfirst(obj.get_status_display()),
            problem.cause if problem else "", problem.remedy if problem else "",
        )  # fmt: skip

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(request, {"title": _("Model photos"), **(extra_context or {})})

    def delete_model(self, request: HttpRequest, obj: Photo) -> None:
        photos.forget(obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Photo]) -> None:
        for photo in queryset:
            photos.forget(photo)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.picture_view, cacheable=True)
        return [path("<uuid:pk>/picture/", view, name="genlook_photo_picture"), *super().get_urls()]

    def picture_view(self, request: HttpRequest, pk: UUID) -> HttpResponseBase:
        """Stream the clean picture of a model photo."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        content = photos.model_preview(get_object_or_404(self.get_queryset(request), pk=pk))
        if content is None:
            raise Http404
        return private_picture(content, f"model-{pk}.jpg")

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Take in a picture. Not Django's own view, which would keep a transaction open while the storage works."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = ModelPhotoForm(request.POST, request.FILES) if request.method == "POST" else ModelPhotoForm()
        if form.is_valid():
            photo = self._accept(request, form)
            if photo is not None:
                self.log_addition(request, photo, [{"added": {}}])
                return self.response_add(request, photo)
        form_page = helpers.AdminForm(form, [(None, {"fields": ["label", "picture"]})], {}, model_admin=self)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Add a model photo"),
            "adminform": form_page,
            "errors": helpers.AdminErrorList(form, []),
            "inline_admin_formsets": [],
            "media": self.media + form_page.media,
            "is_popup": False,
            "to_field": None,
            "preserved_filters": self.get_preserved_filters(request),
            "panel": {"troubles": standing_of(request).troubles},
            **(extra_context or {}),
        }
        return self.render_change_form(request, context, add=True, form_url=form_url)

    def _accept(self, request: HttpRequest, form: ModelPhotoForm) -> Photo | None:
        """Return the new photo; when the picture is not accepted, put the table's words where they belong."""
        upload: UploadedFile[Any] = form.cleaned_data["picture"]
        try:
            return photos.accept(cast(BinaryIO, upload), upload.size or 0, label=form.cleaned_data["label"])
        except Rejected as error:
            form.add_error("picture", f"{error.problem.cause} {error.problem.remedy}")
        except GenlookError as error:
            tell(request, error)
        return None
