"""From an answer that is no success to the exception that says what to do about it."""

import json
import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from django_genlook.exceptions import (
    CODES,
    Detail,
    GenlookError,
    fallback_code,
    problem_for,
)

TEXT_LIMIT = 500
DETAILS_LIMIT = 50
# Seconds. A longer pause is no promise about this account, and an infinite one would break whoever calculates with it.
RETRY_AFTER_LIMIT = 1e9

_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}\Z", re.ASCII)
_SECONDS = re.compile(r"-?[0-9]{1,400}(\.[0-9]{1,400})?\Z", re.ASCII)


def error_from_answer(status: int, headers: Mapping[str, str], body: bytes) -> GenlookError:
    """Return the exception that an answer with this HTTP status, these headers and this body stands for.

    The class and ``code`` follow Genlook's ``code``; one that ``CODES`` does not know is kept, with the class of its
    HTTP status. Without a usable code, as from a proxy that answers in HTML, the HTTP status alone decides; a 404 is
    then ``ROUTE_NOT_FOUND``. A status below 400 is a ``ProtocolError``, whatever the body says: it is neither the
    documented success nor an error. Never raises.

    https://docs.genlook.app/docs/tryon-api/errors
    """
    document = _document(body)
    code = vendor_code(document.get("code")) if status >= 400 else None
    detail = clean(document.get("message"))
    if code is None:
        code = "ROUTE_NOT_FOUND" if status == 404 else fallback_code(status)
        detail = detail or f"HTTP {status}"
    if not 400 <= status <= 599:
        code = "protocol_error"
    return problem_for(code, status).error(
        detail,
        code=code,
        http_status=status,
        retry_after=_retry_after(headers),
        details=_details(document.get("details")),
    )


def clean(value: Any, limit: int = TEXT_LIMIT) -> str:
    """Return text from outside made fit to show: one line, no control or direction characters, at most ``limit``."""
    if not isinstance(value, str):
        return ""
    # Zl, Zp and the controls part words; of the rest (direction marks, lone surrogates) nothing is left.
    kept = (
        " " if unicodedata.category(character) in ("Cc", "Zl", "Zp") else character
        for character in value[: limit * 4]
        if unicodedata.category(character) not in ("Cf", "Cs")
    )
    return " ".join("".join(kept).split())[:limit]


def _document(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def vendor_code(value: Any) -> str | None:
    """Return ``value`` if it can be a code of Genlook's."""
    if not isinstance(value, str) or not _CODE.match(value):
        return None
    # Only capitals are Genlook's. One of ours in an answer ("not_sent", say) would be taken at its word: sent again.
    ours = value in CODES and not value.isupper()
    return None if ours else value


def _details(value: Any) -> tuple[Detail, ...]:
    found = []
    for entry in value[:DETAILS_LIMIT] if isinstance(value, list) else ():
        if not isinstance(entry, dict):
            continue
        path = entry.get("path")
        if isinstance(path, list):
            path = ".".join(str(part) for part in path[:20] if isinstance(part, str | int))
        path, message = clean(path, 200), clean(entry.get("message"))
        if path or message:
            found.append(Detail(path, message))
    return tuple(found)


def _retry_after(headers: Mapping[str, str]) -> float | None:
    named = {name.lower(): value for name, value in headers.items()}
    text = named.get("retry-after", "").strip()
    if _SECONDS.match(text):
        return min(max(float(text), 0.0), RETRY_AFTER_LIMIT)
    until = _moment(text)
    if until is None:
        return None
    # Counted from the sender's own clock where it shows it: ours may be wrong.
    now = _moment(named.get("date", "")) or datetime.now(UTC)
    return min(max((until - now).total_seconds(), 0.0), RETRY_AFTER_LIMIT)


def _moment(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
