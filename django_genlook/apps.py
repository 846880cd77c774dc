"""Hangs the sign outside: connects receivers and checks, finds the shop's adapters."""

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules
from django.utils.translation import gettext_lazy as _


class GenlookConfig(AppConfig):
    """The app as Django sees it; its tables and permissions carry the label ``genlook``."""

    name = "django_genlook"
    label = "genlook"
    verbose_name = _("Virtual try-on")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from django_genlook import checks, receivers  # noqa: F401 (checks register themselves)

        autodiscover_modules("tryon")
        receivers.connect()
