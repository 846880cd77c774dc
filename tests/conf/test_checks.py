"""Checks: each mistake in the settings has an id and says what to write; none needs a database or the network."""

from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.checks import CheckMessage, run_checks
from django.test import override_settings

from django_genlook import checks

GOOD: dict[str, Any] = {"API_KEY": "gk_x", "BASE_URL": "https://api.genlook.app/tryon/v1"}


def found(**values: Any) -> dict[str | None, CheckMessage]:
    """The complaints about a ``GENLOOK`` setting, by their ids."""
    with override_settings(GENLOOK={**GOOD, **values}):
        return {message.id: message for message in checks.check_settings(None)}


def test_good_settings_meet_no_complaint() -> None:
    assert found() == {}


def test_the_checks_run_with_manage_check() -> None:
    with override_settings(GENLOOK={**GOOD, "QUEUE": "pigeon"}):
        assert "genlook.E003" in {message.id for message in run_checks()}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"API_KYE": "x"}, "genlook.E001"),
        ({"RATE_LIMIT": "100"}, "genlook.E001"),
        ({"BASE_URL": "http://api.genlook.app/tryon/v1"}, "genlook.E002"),
        ({"BASE_URL": "http://10.0.0.2/tryon/v1"}, "genlook.E002"),
        ({"BASE_URL": "ftp://localhost/tryon/v1"}, "genlook.E002"),
        ({"QUEUE": "rq"}, "genlook.E003"),
        ({"SUBMIT": "push"}, "genlook.E004"),
        ({"KEEP_DAYS": 2}, "genlook.E005"),
        ({"QUOTAS": {"guest": "five"}}, "genlook.E006"),
        ({"RATE_LIMIT": 20}, "genlook.E007"),
        ({"API_KEY": ""}, "genlook.W001"),
        ({"QUOTAS": {"network": "5/d"}}, "genlook.W002"),
        ({"STORAGE": "nowhere"}, "genlook.W003"),
    ],
    ids=str,
)
def test_each_mistake_has_its_id_and_a_way_out(values: dict[str, Any], expected: str) -> None:
    messages = found(**values)
    assert set(messages) == {expected}
    message = messages[expected]
    assert message.hint or ":" in message.msg
    assert message.is_serious() == expected.startswith("genlook.E")


@pytest.mark.parametrize(
    "values",
    [
        {"BASE_URL": "http://127.0.0.1:8765/tryon/v1"},
        {"BASE_URL": "http://10.0.0.2/tryon/v1", "SANDBOX": True},
        {"QUOTAS": {"guest": None, "network": "5/d"}, "TRUSTED_PROXIES": 1},
        {"RATE_LIMIT": 30, "SHOPPER_RESERVE": 20},
        {"QUEUE": "celery", "SUBMIT": "sync", "KEEP_DAYS": 1},
    ],
    ids=str,
)
def test_what_is_allowed_meets_no_complaint(values: dict[str, Any]) -> None:
    assert found(**values) == {}


def test_a_missing_storage_prints_the_whole_block_to_paste() -> None:
    hint = str(found(STORAGE="nowhere")["genlook.W003"].hint)
    block = hint[hint.index("STORAGES") :]
    scope: dict[str, Any] = {"BASE_DIR": Path("/srv/shop")}
    exec(block, scope)
    assert set(scope["STORAGES"]) == {"default", "staticfiles", "nowhere"}
    with override_settings(STORAGES=scope["STORAGES"], MEDIA_ROOT="/srv/shop/media"):
        assert found(STORAGE="nowhere") == {}


def storages(location: Path | str) -> dict[str, Any]:
    backend = "django.core.files.storage.FileSystemStorage"
    return {**settings.STORAGES, "genlook": {"BACKEND": backend, "OPTIONS": {"location": str(location)}}}


@pytest.mark.parametrize(("inside", "is_public"), [(".", True), ("deep/inside", True), ("../private", False)])
def test_a_storage_that_the_web_server_serves_is_an_error(inside: str, is_public: bool) -> None:
    with override_settings(STORAGES=storages(Path(settings.MEDIA_ROOT) / inside)):
        assert ("genlook.E008" in found()) == is_public


class UnsignedBucket:
    """As ``storages.backends.s3.S3Storage`` with ``querystring_auth=False``."""

    querystring_auth = False


class SignedBucket:
    querystring_auth = True


@pytest.mark.parametrize(("backend", "is_public"), [(UnsignedBucket, True), (SignedBucket, False)])
def test_a_bucket_without_signed_addresses_is_an_error(backend: type, is_public: bool) -> None:
    path = f"{backend.__module__}.{backend.__qualname__}"
    with override_settings(STORAGES={**settings.STORAGES, "genlook": {"BACKEND": path}}):
        assert ("genlook.E008" in found()) == is_public


class BrokenBucket:
    def __init__(self) -> None:
        raise RuntimeError("no bucket name")


def test_a_storage_that_cannot_be_made_is_named_and_stops_nothing() -> None:
    path = f"{BrokenBucket.__module__}.{BrokenBucket.__qualname__}"
    with override_settings(STORAGES={**settings.STORAGES, "genlook": {"BACKEND": path}}):
        assert set(found()) == {"genlook.E009"}


def test_no_complaint_shows_the_key() -> None:
    values = {"API_KEY": "gk_canary", "BASE_URL": "http://gk.example", "QUOTAS": {"guest": "x"}, "KEEP_DAYS": 9}
    assert "canary" not in str(found(**values))
