"""The addresses of the example shop."""

from django.conf import settings
from django.conf.urls.static import static
from django.contrib import admin
from django.urls import include, path

from example_project.shop import views

urlpatterns = [
    path("", include("example_project.shop.urls")),
    path("admin/", admin.site.urls),
    path("genlook/", include("django_genlook.api.urls")),
    # The admin's pages name no icon; browsers then ask for this one.
    path("favicon.ico", views.icon),
    *static(settings.MEDIA_URL, document_root=settings.MEDIA_ROOT),
]
