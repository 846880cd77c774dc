"""Turns ``settings.GENLOOK`` into a typed, immutable value each time it is asked; nothing is cached."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, NoReturn, get_origin
from urllib.parse import urlsplit

import environ
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

GENLOOK_URL = "https://api.genlook.app/tryon/v1"
DEFAULT_QUOTAS: Mapping[str, str | None] = {"guest": "5/d", "user": "20/d", "staff": None, "network": None}


class Secret:
    """A string that shows itself only to whoever calls ``reveal()``: not to ``repr``, ``format``, JSON or pickle."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the secret itself; the client puts it on the wire, nobody else needs it."""
        return self._value

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __repr__(self) -> str:
        return "Secret('********')" if self._value else "Secret('')"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return format(repr(self), spec)

    def __reduce__(self) -> NoReturn:
        raise TypeError("A Secret is not pickled: read it from the settings where it is needed.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The ``GENLOOK`` setting; each field is a key of that dictionary. See ``docs/settings.md``.

    Times are in seconds unless the name says otherwise; ``KEEP_DAYS`` is 1, 3 or 7.
    """

    API_KEY: Secret = field(default_factory=lambda: Secret(""))
    BASE_URL: str = GENLOOK_URL
    STORAGE: str = "genlook"
    QUEUE: str = "embedded"
    ENABLED: bool = True
    GUESTS: bool = True
    EXTERNAL_ID_PREFIX: str = ""
    RATE_LIMIT: int = 100
    RATE_HEADROOM: float = 0.95
    SHOPPER_RESERVE: int = 20
    SUBMIT: str = "poll"
    QUOTAS: Mapping[str, str | None] = field(default_factory=lambda: dict(DEFAULT_QUOTAS))
    CREDITS_PER_DAY: int | None = 100
    CREDITS_PER_MONTH: int | None = None
    KEEP_DAYS: int = 7
    TRY_ON_DEADLINE: int = 600
    CROP: bool | None = None
    WATERMARK: bool | None = None
    AI_LABEL: bool | None = None
    API_AUTHENTICATION: tuple[str, ...] = ()
    TRUSTED_PROXIES: int = 0
    SANDBOX: bool = False


def get_config() -> Config:
    """Return the settings as they are now.

    Raises ``ImproperlyConfigured`` for a key that is not a setting of ours, or a value of the wrong type.
    """
    raw = dict(getattr(settings, "GENLOOK", {}))
    unknown = sorted(raw.keys() - {item.name for item in fields(Config)})
    if unknown:
        raise ImproperlyConfigured(f"Unknown key in the GENLOOK setting: {', '.join(unknown)}.")
    key = raw.pop("API_KEY", "") or ""
    raw["API_KEY"] = key if isinstance(key, Secret) else Secret(str(key).strip())
    raw["BASE_URL"] = str(raw.get("BASE_URL") or GENLOOK_URL).rstrip("/")
    quotas = raw.get("QUOTAS") or {}
    raw["QUOTAS"] = {**DEFAULT_QUOTAS, **quotas} if isinstance(quotas, Mapping) else quotas
    authentication = raw.get("API_AUTHENTICATION") or ()
    raw["API_AUTHENTICATION"] = tuple(authentication) if isinstance(authentication, list) else authentication
    if raw.get("SANDBOX") is None:
        raw["SANDBOX"] = is_loopback(raw["BASE_URL"])
    for item in fields(Config):
        if item.name in raw and not _fits(raw[item.name], item.type):
            raise ImproperlyConfigured(f"{item.name} in the GENLOOK setting has the wrong type; see docs/settings.md.")
    return Config(**raw)


def from_env(prefix: str = "GENLOOK_") -> dict[str, Any]:
    """Return a ``GENLOOK`` dictionary with every setting for which the environment has a ``GENLOOK_<FIELD>``.

    Quotas are written ``guest=5/d,user=20/d``, lists with commas, switches as ``true`` or ``false``.
    """
    env = environ.Env()
    casts: dict[str, Any] = {
        "ENABLED": bool, "GUESTS": bool, "CROP": bool, "WATERMARK": bool, "AI_LABEL": bool, "SANDBOX": bool,
        "RATE_LIMIT": int, "SHOPPER_RESERVE": int, "CREDITS_PER_DAY": int, "CREDITS_PER_MONTH": int,
        "KEEP_DAYS": int, "TRY_ON_DEADLINE": int, "TRUSTED_PROXIES": int,
        "RATE_HEADROOM": float, "API_AUTHENTICATION": list, "QUOTAS": dict,
    }  # fmt: skip
    found = {}
    for item in fields(Config):
        name = prefix + item.name
        if env.ENVIRON.get(name, "") != "":
            found[item.name] = env.get_value(name, cast=casts.get(item.name, str))
    return found


def _fits(value: object, kind: Any) -> bool:
    if isinstance(value, bool):
        return kind in (bool, bool | None)  # which is an int to Python, but no number to a shop
    if kind is float:
        return isinstance(value, int | float)
    return isinstance(value, get_origin(kind) if get_origin(kind) in (Mapping, tuple) else kind)


def is_loopback(url: str) -> bool:
    """Return whether ``url`` names this very machine."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
