"""The pages of the shop."""

from django.urls import path

from example_project.shop import views

app_name = "shop"
urlpatterns = [
    path("", views.product_list, name="home"),
    path("p/<slug:slug>/", views.product, name="product"),
    path("my-try-ons/", views.my_try_ons, name="my-try-ons"),
]
