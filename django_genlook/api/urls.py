"""The shopper's API; mount it with ``path("genlook/", include("django_genlook.api.urls"))``."""

from django.urls import path

from django_genlook.api import views

app_name = "genlook"

# Ids are read by the views, so that one that is no UUID gets the same answer as one that is nobody's.
urlpatterns = [
    path("photos/", views.PhotosView.as_view(), name="photos"),
    path("photos/<str:pk>/", views.PhotoView.as_view(), name="photo"),
    path("try-ons/", views.TryOnsView.as_view(), name="try-ons"),
    path("try-ons/<str:pk>/", views.TryOnView.as_view(), name="try-on"),
    path("try-ons/<str:pk>/image/", views.TryOnImageView.as_view(), name="try-on-image"),
    path("products/<path:external_id>/", views.ProductView.as_view(), name="product"),
]
