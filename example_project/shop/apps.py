"""The example shop's only app."""

from importlib import import_module

from django.apps import AppConfig
from django.conf import settings


class ShopConfig(AppConfig):
    """Products, their pages, and the commands that fill and run the demo."""

    name = "example_project.shop"
    label = "shop"
    verbose_name = "Shop"

    def ready(self) -> None:
        if settings.CELERY_BROKER_URL:
            # The Celery app must exist before a web process sends its first task.
            import_module("example_project.celery")
