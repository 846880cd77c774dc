"""The names that shops build on. Whoever changes one of these changes the product: it belongs into the changelog."""

import importlib
import inspect
from dataclasses import fields
from typing import Any

import pytest
from django.core.management import load_command_class
from django.core.management.base import BaseCommand
from django.dispatch import Signal
from django.urls import URLPattern

from django_genlook import __version__, adapters, conf, exceptions, signals, tasks
from django_genlook.api import urls
from django_genlook.apps import GenlookConfig

SETTINGS: dict[str, Any] = {
    "API_KEY": conf.Secret(""),
    "BASE_URL": "https://api.genlook.app/tryon/v1",
    "STORAGE": "genlook",
    "QUEUE": "embedded",
    "ENABLED": True,
    "GUESTS": True,
    "EXTERNAL_ID_PREFIX": "",
    "RATE_LIMIT": 100,
    "RATE_HEADROOM": 0.95,
    "SHOPPER_RESERVE": 20,
    "SUBMIT": "poll",
    "QUOTAS": {"guest": "5/d", "user": "20/d", "staff": None, "network": None},
    "CREDITS_PER_DAY": 100,
    "CREDITS_PER_MONTH": None,
    "KEEP_DAYS": 7,
    "TRY_ON_DEADLINE": 600,
    "CROP": None,
    "WATERMARK": None,
    "AI_LABEL": None,
    "API_AUTHENTICATION": (),
    "TRUSTED_PROXIES": 0,
    "SANDBOX": False,
}


def test_settings_and_their_defaults() -> None:
    assert {item.name: getattr(conf.Config(), item.name) for item in fields(conf.Config)} == SETTINGS
    assert list(inspect.signature(conf.from_env).parameters) == ["prefix"]


def test_the_app() -> None:
    assert (GenlookConfig.name, GenlookConfig.label) == ("django_genlook", "genlook")
    assert __version__


@pytest.mark.parametrize("name", ["Product", "ProductImage", "Shopper", "Photo", "Generation"])
def test_models_and_their_tables(name: str) -> None:
    model = getattr(importlib.import_module("django_genlook.models"), name)
    assert model._meta.label == f"genlook.{name}"
    assert model._meta.db_table == f"genlook_{name.lower()}"


def test_states_of_a_try_on_and_a_photo() -> None:
    models = importlib.import_module("django_genlook.models")
    assert models.Generation.Status.values == [
        "QUEUED", "SENDING", "PROCESSING", "DOWNLOADING", "UNKNOWN", "COMPLETED", "FAILED", "CANCELLED",
    ]  # fmt: skip
    assert models.Photo.Status.values == ["QUEUED", "READY", "REJECTED", "EXPIRED"]
    assert models.Generation.Origin.values == ["SHOPPER", "STAFF"]


def test_adapters() -> None:
    assert list(inspect.signature(adapters.register).parameters) == ["model"]
    adapter = adapters.ProductAdapter
    told = {name: getattr(adapter, name) for name in ("external_id", "title", "description", "images", "watch")}
    assert told == {
        "external_id": "pk", "title": "name", "description": "description", "images": "images", "watch": (),
    }  # fmt: skip
    for method, parameters in {
        "is_enabled": ["self", "obj"],
        "get_queryset": ["self"],
        "image_version": ["self", "image"],
        "read": ["self", "obj"],
    }.items():
        assert list(inspect.signature(getattr(adapter, method)).parameters) == parameters


def test_signals() -> None:
    assert {name for name, value in vars(signals).items() if isinstance(value, Signal)} == {
        "product_synced", "product_sync_failed", "generation_completed", "generation_failed", "credits_low",
        "shopper_erased",
    }  # fmt: skip


def test_exceptions_and_their_constructor() -> None:
    bases = {
        name: value.__bases__[0].__name__
        for name, value in vars(exceptions).items()
        if inspect.isclass(value) and issubclass(value, Exception)
    }
    assert bases == {
        "GenlookError": "Exception",
        "NotSent": "GenlookError",
        "OutcomeUnknown": "GenlookError",
        "ServerFault": "GenlookError",
        "RateLimited": "GenlookError",
        "CredentialsRejected": "GenlookError",
        "OutOfCredits": "GenlookError",
        "Rejected": "GenlookError",
        "NotFound": "GenlookError",
        "ProtocolError": "OutcomeUnknown",
    }
    parameters = inspect.signature(exceptions.GenlookError).parameters.values()
    assert [(item.name, item.kind.name, item.default) for item in parameters] == [
        ("detail", "POSITIONAL_OR_KEYWORD", ""),
        ("code", "KEYWORD_ONLY", None),
        ("http_status", "KEYWORD_ONLY", None),
        ("retry_after", "KEYWORD_ONLY", None),
        ("details", "KEYWORD_ONLY", ()),
    ]
    for name in bases:
        assert getattr(exceptions, name).__init__ is exceptions.GenlookError.__init__


def test_codes_towards_a_shopper() -> None:
    assert {problem.shopper_code for problem in exceptions.CODES.values()} == {
        "INVALID_IMAGE", "FILE_TOO_LARGE", "UNSUPPORTED_IMAGE_TYPE", "CUSTOMER_IMAGE_FETCH_FAILED",
        "try_on_unavailable", "try_on_failed", "limit_reached", "not_found", "consent_required", "photo_expired",
        "product_problem", "outcome_unknown", "invalid_request",
    }  # fmt: skip


def test_tasks() -> None:
    assert {task.name for task in vars(tasks).values() if hasattr(task, "apply_async")} == {
        "django_genlook.push_product", "django_genlook.upload_photo", "django_genlook.submit_generation",
        "django_genlook.poll_generation", "django_genlook.sweep",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("genlook_sync", {"--all", "--failed", "--limit", "--json"}),
        ("genlook_work", {"--once"}),
        ("genlook_sandbox", {"--port", "--host"}),
    ],
)
def test_commands_and_their_options(name: str, options: set[str]) -> None:
    command = load_command_class("django_genlook", name)

    def told(parser: Any) -> set[str]:
        return {text for action in parser._actions for text in action.option_strings}

    every_commands = told(BaseCommand().create_parser("manage.py", name))
    assert told(command.create_parser("manage.py", name)) - every_commands == options


def test_addresses_of_the_shoppers_api() -> None:
    assert urls.app_name == "genlook"
    assert {item.name: str(item.pattern) for item in urls.urlpatterns if isinstance(item, URLPattern)} == {
        "photos": "photos/",
        "photo": "photos/<str:pk>/",
        "try-ons": "try-ons/",
        "try-on": "try-ons/<str:pk>/",
        "try-on-image": "try-ons/<str:pk>/image/",
        "product": "products/<path:external_id>/",
    }


@pytest.mark.parametrize(
    "path",
    [
        "django_genlook.middleware.GenlookErrorMiddleware",
        "django_genlook.api.errors.exception_handler",
        "django_genlook.receivers.paused",
        "django_genlook.testing.genlook_sandbox",
        "django_genlook.templatetags.genlook.genlook_try_on",
        "django_genlook.models.storage.PrivateStorage",
        "django_genlook.conf.from_env",
    ],
)
def test_import_paths_that_settings_and_shops_name(path: str) -> None:
    module, _, name = path.rpartition(".")
    assert getattr(importlib.import_module(module), name)
