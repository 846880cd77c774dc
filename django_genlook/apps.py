"""Hangs the sign outside: connects receivers and checks, finds the shop's adapters."""

from contextlib import suppress

from django.apps import AppConfig
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import autodiscover_modules
from django.utils.translation import gettext_lazy as _


class GenlookConfig(AppConfig):
    """The app as Django sees it; its tables and permissions carry the label ``genlook``."""

    name = "django_genlook"
    label = "genlook"
    verbose_name = _("Virtual try-on")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from django_genlook import checks, conf, receivers  # noqa: F401 (checks register themselves)

        # A setting that cannot be read is for the checks to report, in words; it must not keep the shop from starting.
        with suppress(ImproperlyConfigured):
            if conf.get_config().QUEUE == "celery":
                from django_genlook import tasks  # noqa: F401 (registers the tasks)
        autodiscover_modules("tryon")
        receivers.connect()
