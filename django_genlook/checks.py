"""Complains about settings, in words that say what to write instead; needs neither a database nor the network."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.apps import AppConfig
from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.exceptions import ImproperlyConfigured
from django.core.files.storage import FileSystemStorage, InvalidStorageError, storages

from django_genlook import budgets
from django_genlook.conf import Config, get_config, is_loopback

STORAGE_BLOCK = """STORAGES = {{
    "default": {{"BACKEND": "django.core.files.storage.FileSystemStorage"}},
    "staticfiles": {{"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}},
    "{alias}": {{
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {{"location": BASE_DIR / "private"}},
    }},
}}"""


@register(Tags.compatibility)
def check_settings(app_configs: Sequence[AppConfig] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Return what is wrong with the ``GENLOOK`` setting and with the storage it names."""
    try:
        config = get_config()
    except (ImproperlyConfigured, TypeError, ValueError) as error:
        return [Error(f"The GENLOOK setting cannot be read: {error}", id="genlook.E001")]
    return [*_check_key(config), *_check_values(config), *_check_storage(config)]


def _check_key(config: Config) -> list[CheckMessage]:
    if config.API_KEY:
        return []
    return [
        checks.Warning(
            "GENLOOK has no API_KEY: products wait, and try-ons answer 503.",
            hint='Set GENLOOK = {"API_KEY": "gk_…"}, or the environment variable GENLOOK_API_KEY with conf.from_env(). '
            "To develop without one, start `manage.py genlook_sandbox` and use its address and the key gk_sandbox.",
            id="genlook.W001",
        )
    ]


def _check_values(config: Config) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    address = urlsplit(config.BASE_URL)
    if address.scheme != "https" and not (
        address.scheme == "http" and (is_loopback(config.BASE_URL) or config.SANDBOX)
    ):
        found.append(
            Error(
                f"GENLOOK BASE_URL {config.BASE_URL!r} is not https, so the key would travel readable for others.",
                hint="Use https; plain http is for a sandbox on this machine only.",
                id="genlook.E002",
            )
        )
    if config.QUEUE not in {"embedded", "celery"}:
        found.append(
            Error(f"GENLOOK QUEUE is {config.QUEUE!r}.", hint='Use "embedded" or "celery".', id="genlook.E003")
        )
    if config.SUBMIT not in {"poll", "sync"}:
        found.append(Error(f"GENLOOK SUBMIT is {config.SUBMIT!r}.", hint='Use "poll" or "sync".', id="genlook.E004"))
    if config.KEEP_DAYS not in {1, 3, 7}:
        found.append(
            Error(
                f"GENLOOK KEEP_DAYS is {config.KEEP_DAYS!r}.",
                hint="Genlook keeps for 1, 3 or 7 days.",
                id="genlook.E005",
            )
        )
    for who, rate in config.QUOTAS.items():
        try:
            if rate:
                budgets.parse_rate(rate)
        except ImproperlyConfigured as error:
            found.append(Error(f"GENLOOK QUOTAS[{who!r}]: {error}", id="genlook.E006"))
    if config.QUOTAS.get("network") and not config.TRUSTED_PROXIES:
        found.append(
            checks.Warning(
                "GENLOOK QUOTAS['network'] has no effect without TRUSTED_PROXIES.",
                hint="Set TRUSTED_PROXIES to the number of proxies before this shop.",
                id="genlook.W002",
            )
        )
    if int(config.RATE_LIMIT * config.RATE_HEADROOM) <= config.SHOPPER_RESERVE:
        found.append(
            Error(
                "GENLOOK RATE_LIMIT leaves no request for background work beside SHOPPER_RESERVE.",
                hint="Lower SHOPPER_RESERVE.",
                id="genlook.E007",
            )
        )
    return found


def _check_storage(config: Config) -> list[CheckMessage]:
    try:
        storage = storages[config.STORAGE]
    except InvalidStorageError:
        return [
            checks.Warning(
                f"STORAGES has no {config.STORAGE!r}: photos cannot be taken in, so try-ons answer 503.",
                hint="Paste this into your settings, and keep that folder out of what the web server serves:\n"
                + STORAGE_BLOCK.format(alias=config.STORAGE),
                id="genlook.W003",
            )
        ]
    except Exception as error:  # each backend has exceptions of its own, about its own options
        return [
            Error(
                f"STORAGES[{config.STORAGE!r}] cannot be made: {type(error).__name__}: {error}",
                hint="Correct its BACKEND and OPTIONS.",
                id="genlook.E009",
            )
        ]
    if _is_public(storage):
        return [
            Error(
                f"STORAGES[{config.STORAGE!r}] can be read by anybody, and photos of persons would rest there.",
                hint="Give it a location outside MEDIA_ROOT; for S3, signed addresses (querystring_auth=True).",
                id="genlook.E008",
            )
        ]
    return []


def _is_public(storage: object) -> bool:
    if isinstance(storage, FileSystemStorage):
        if not settings.MEDIA_ROOT:
            return False
        media, location = Path(settings.MEDIA_ROOT).resolve(), Path(storage.location).resolve()
        return location == media or media in location.parents
    # django-storages' S3 backend: addresses without a signature are for everybody.
    return getattr(storage, "querystring_auth", True) is False
