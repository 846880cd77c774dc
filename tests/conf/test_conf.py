"""Settings: read when asked, complete by default, strict about mistakes; a key that shows itself to nobody."""

import copy
import json
import logging
import pickle
import traceback
from collections.abc import Callable
from dataclasses import FrozenInstanceError, fields
from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings

from django_genlook import conf
from django_genlook.conf import Config, Secret, from_env, get_config, is_loopback

KEY = "gk_canary_8f1d"


def test_a_shop_without_a_setting_gets_the_defaults() -> None:
    with override_settings():
        del settings.GENLOOK
        assert get_config() == Config()


def test_settings_are_read_when_used_and_never_kept() -> None:
    with override_settings(GENLOOK={"KEEP_DAYS": 3}):
        assert get_config().KEEP_DAYS == 3
    assert get_config().KEEP_DAYS == 7


def test_a_config_cannot_be_written_to() -> None:
    with pytest.raises(FrozenInstanceError):
        get_config().KEEP_DAYS = 1  # type: ignore[misc]


def test_a_key_that_is_no_setting_is_named() -> None:
    with override_settings(GENLOOK={"API_KYE": KEY, "ZZ": 1}), pytest.raises(ImproperlyConfigured) as error:
        get_config()
    assert "API_KYE, ZZ" in str(error.value)
    assert KEY not in str(error.value)


@pytest.mark.parametrize(
    "wrong",
    [
        {"RATE_LIMIT": "100"},
        {"RATE_LIMIT": True},
        {"RATE_HEADROOM": "0.95"},
        {"ENABLED": "false"},
        {"GUESTS": None},
        {"CREDITS_PER_DAY": "100"},
        {"CREDITS_PER_DAY": 1.5},
        {"KEEP_DAYS": None},
        {"QUOTAS": "5/d"},
        {"STORAGE": None},
        {"CROP": "yes"},
        {"SUBMIT": 1},
        {"EXTERNAL_ID_PREFIX": None},
        {"API_AUTHENTICATION": "rest_framework.authentication.TokenAuthentication"},
    ],
    ids=str,
)
def test_a_value_of_the_wrong_type_is_named(wrong: dict[str, Any]) -> None:
    with override_settings(GENLOOK=wrong), pytest.raises(ImproperlyConfigured, match=next(iter(wrong))):
        get_config()


@pytest.mark.parametrize(
    "right",
    [
        {"CREDITS_PER_DAY": None},
        {"CREDITS_PER_MONTH": 5},
        {"RATE_HEADROOM": 1},
        {"CROP": None},
        {"CROP": False},
        {"API_AUTHENTICATION": ["a.B"]},
        {"API_AUTHENTICATION": None},
        {"QUOTAS": None},
        {"API_KEY": None},
        {"BASE_URL": None},
        {"SANDBOX": None},
    ],
    ids=str,
)
def test_values_that_mean_something_are_taken(right: dict[str, Any]) -> None:
    with override_settings(GENLOOK=right):
        assert get_config()


def test_quotas_are_filled_up_with_the_defaults() -> None:
    with override_settings(GENLOOK={"QUOTAS": {"guest": "1/h"}}):
        assert get_config().QUOTAS == {"guest": "1/h", "user": "20/d", "staff": None, "network": None}


@pytest.mark.parametrize(
    ("base_url", "given", "expected"),
    [
        ("http://127.0.0.1:8765/tryon/v1", None, True),
        ("http://[::1]:8765/tryon/v1", None, True),
        ("http://localhost/tryon/v1", None, True),
        ("https://api.genlook.app/tryon/v1", None, False),
        ("http://10.0.0.2/tryon/v1", None, False),
        ("http://10.0.0.2/tryon/v1", True, True),
        ("http://localhost/tryon/v1", False, False),
    ],
)
def test_this_machine_is_a_sandbox_unless_it_is_said_otherwise(
    base_url: str, given: bool | None, expected: bool
) -> None:
    with override_settings(GENLOOK={"BASE_URL": base_url, "SANDBOX": given}):
        assert get_config().SANDBOX is expected


@pytest.mark.parametrize("url", ["https://127.0.0.1.example.com", "https://example.com", "", "not a url", "http://127"])
def test_what_only_looks_like_this_machine_is_not(url: str) -> None:
    assert not is_loopback(url)


def test_white_space_and_slashes_of_a_pasted_value_do_no_harm() -> None:
    with override_settings(GENLOOK={"API_KEY": f" {KEY}\n", "BASE_URL": "https://x.example/v1//"}):
        assert get_config().API_KEY.reveal() == KEY
        assert get_config().BASE_URL == "https://x.example/v1"


ENVIRONMENT = {
    "API_KEY": (KEY, KEY),
    "BASE_URL": ("https://x.example", "https://x.example"),
    "STORAGE": ("private", "private"),
    "QUEUE": ("celery", "celery"),
    "ENABLED": ("false", False),
    "GUESTS": ("0", False),
    "EXTERNAL_ID_PREFIX": ("demo-", "demo-"),
    "RATE_LIMIT": ("50", 50),
    "RATE_HEADROOM": ("0.5", 0.5),
    "SHOPPER_RESERVE": ("5", 5),
    "SUBMIT": ("sync", "sync"),
    "QUOTAS": ("guest=1/d,user=2/d", {"guest": "1/d", "user": "2/d"}),
    "CREDITS_PER_DAY": ("7", 7),
    "CREDITS_PER_MONTH": ("70", 70),
    "KEEP_DAYS": ("1", 1),
    "TRY_ON_DEADLINE": ("60", 60),
    "CROP": ("true", True),
    "WATERMARK": ("false", False),
    "AI_LABEL": ("true", True),
    "API_AUTHENTICATION": ("a.B,c.D", ["a.B", "c.D"]),
    "TRUSTED_PROXIES": ("2", 2),
    "SANDBOX": ("true", True),
}


def test_each_setting_can_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert set(ENVIRONMENT) == {item.name for item in fields(Config)}
    for name, (text, _) in ENVIRONMENT.items():
        monkeypatch.setenv(f"GENLOOK_{name}", text)
    found = from_env()
    assert found == {name: value for name, (_, value) in ENVIRONMENT.items()}
    with override_settings(GENLOOK=found):
        assert get_config().QUOTAS["user"] == "2/d"


def test_what_the_environment_does_not_say_or_leaves_empty_keeps_its_default(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ENVIRONMENT:
        monkeypatch.delenv(f"GENLOOK_{name}", raising=False)
    monkeypatch.setenv("GENLOOK_RATE_LIMIT", "")
    monkeypatch.setenv("MINE_RATE_LIMIT", "9")
    assert from_env() == {}
    assert from_env("MINE_") == {"RATE_LIMIT": 9}


def dump(value: Any) -> str:
    return json.dumps(value, default=str)


@pytest.mark.parametrize(
    "show",
    [repr, str, format, "{:>40}".format, "%s".__mod__, "%r".__mod__, lambda value: f"{value}", dump,
     lambda value: dump({"key": value}), lambda value: repr(Config(API_KEY=value)), lambda value: str([value])],
)  # fmt: skip
def test_a_secret_shows_itself_in_no_text(show: Callable[[Any], str]) -> None:
    assert KEY not in show(Secret(KEY))


def test_a_secret_is_not_pickled_copied_or_written_as_json() -> None:
    for act in (pickle.dumps, copy.deepcopy, json.dumps):
        with pytest.raises(TypeError) as error:
            act(Secret(KEY))
        assert KEY not in str(error.value)


def test_a_secret_stays_out_of_tracebacks_and_logs(caplog: pytest.LogCaptureFixture) -> None:
    def fail(key: Secret) -> None:
        raise ValueError(key)

    try:
        fail(Secret(KEY))
    except ValueError as error:
        shown = traceback.TracebackException.from_exception(error, capture_locals=True)
        assert KEY not in "".join(shown.format())
        logging.getLogger("tests").exception("failed with %s", Secret(KEY))
    assert "failed with Secret" in caplog.text
    assert KEY not in caplog.text


def test_a_secret_is_told_only_when_it_is_asked_for() -> None:
    assert Secret(KEY).reveal() == KEY
    assert Secret(KEY) == Secret(KEY)
    assert len({Secret(KEY), Secret(KEY), Secret("")}) == 2
    assert Secret(KEY) != KEY
    assert not Secret("")
    assert repr(Secret("")) == "Secret('')"
    assert not hasattr(Secret(KEY), "__dict__")


def test_the_address_of_genlook_is_its_own() -> None:
    assert conf.GENLOOK_URL == "https://api.genlook.app/tryon/v1"
