"""The documents Genlook answers with, checked and typed; whatever else they hold is ignored."""

import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

from django_genlook.client.errors import clean, vendor_code
from django_genlook.conf import Secret
from django_genlook.exceptions import ProtocolError

ID_LIMIT = 255
IMAGE_ID_LIMIT = 2048
URL_LIMIT = 8192
CURSOR_LIMIT = 4096
# Deep enough for any metadata; what is deeper than a database or a serializer likes stops here.
DEPTH_LIMIT = 50

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")
_ADDRESS = re.compile(r"\s*(?:[a-z][a-z0-9+.-]*://|data:)", re.IGNORECASE)
_NUMBER_LIMIT = 2**53

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class UploadedImage:
    """A person photo that Genlook stores; ``image_id`` names it in any number of try-ons until it expires."""

    image_id: str


@dataclass(frozen=True, slots=True)
class RemoteProduct:
    """A product as Genlook has it. ``document`` is its whole document without the addresses of its pictures."""

    external_id: str
    document: dict[str, Any] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True)
class ProductPage:
    """Some products, and the cursor of the next page: empty after the last one."""

    items: tuple[RemoteProduct, ...]
    next_cursor: str = ""


@dataclass(frozen=True, slots=True)
class ProductStats:
    """How many generations a product had, and how many milliseconds one took on average; some seconds late."""

    total: int
    completed: int
    failed: int
    average_ms: int


@dataclass(frozen=True, slots=True)
class StartedGeneration:
    """A generation that Genlook accepted, and the external id of its product."""

    generation_id: str
    status: str
    product_external_id: str


@dataclass(frozen=True, slots=True)
class GenerationState:
    """How far a generation is.

    ``status`` is ``PENDING``, ``PROCESSING``, ``COMPLETED``, ``FAILED`` or a word that this version does not know.
    ``result_url`` opens the picture to whoever has it, for a while, hence a ``Secret``: empty unless completed, and
    possibly even then. ``error_code`` may be empty on a failure.
    """

    generation_id: str
    status: str
    result_url: Secret = field(default_factory=lambda: Secret(""))
    error_code: str = ""
    error_message: str = ""
    created_at: datetime | None = None
    updated_at: datetime | None = None


def parse_image(body: bytes) -> UploadedImage:
    """Return the image of an answer to ``POST /images/upload``."""
    return UploadedImage(_identifier(_load(body), "imageId", IMAGE_ID_LIMIT))


def parse_product(body: bytes) -> RemoteProduct:
    """Return the product of an answer."""
    return _product(_load(body))


def parse_page(body: bytes) -> ProductPage:
    """Return the page of an answer to ``GET /products``."""
    document = _load(body)
    items = document.get("items")
    if not isinstance(items, list):
        raise _odd("items")
    cursor = _optional(document, "nextCursor", str) or ""
    if len(cursor) > CURSOR_LIMIT or _CONTROL.search(cursor):
        raise _odd("nextCursor")
    more = _optional(document, "hasMore", bool)
    return ProductPage(tuple(_product(item) for item in items), "" if more is False else cursor)


def parse_stats(body: bytes) -> ProductStats:
    """Return the counts of an answer to ``GET /products/:externalId/stats``."""
    document = _load(body)
    # Nothing depends on the mean time, and before the first generation there is none.
    average = document.get("avgGenerationTimeMs")
    if average is None:
        average = 0
    if isinstance(average, bool) or not isinstance(average, int | float) or not 0 <= average < _NUMBER_LIMIT:
        raise _odd("avgGenerationTimeMs")
    return ProductStats(
        total=_count(document, "totalGenerations"),
        completed=_count(document, "completedGenerations"),
        failed=_count(document, "failedGenerations"),
        average_ms=round(average),
    )


def parse_started(body: bytes, reference: str) -> StartedGeneration:
    """Return the generation of an answer to ``POST /try-on`` for the product ``reference`` (empty: a one-shot).

    Only its id is indispensable: a generation that is paid for is not given up for want of an ornament.
    """
    document = _load(body)
    product = _identifier(document, "productExternalId") if document.get("productExternalId") is not None else reference
    return StartedGeneration(_identifier(document, "generationId"), _word(document, "status") or "PENDING", product)


def parse_generation(body: bytes, expected: str) -> GenerationState:
    """Return the state of the generation ``expected``, and of no other: it may be another shopper's."""
    document = _load(body)
    if _identifier(document, "generationId") != expected:
        raise ProtocolError("The answer is about another generation.")
    status = _word(document, "status")
    if not status:
        raise _odd("status")
    return _state(document, status)


def parse_sync(body: bytes, http_status: int) -> GenerationState:
    """Return the state of an answer to ``POST /try-on/sync``; one without a result is still running."""
    document = _load(body)
    done = http_status != 202 and bool(document.get("resultImageUrl"))
    return _state(document, _word(document, "status") or ("COMPLETED" if done else "PROCESSING"))


def parse_credits(body: bytes) -> int:
    """Return the balance of an answer to ``GET /account/credits``."""
    balance = _load(body).get("creditBalance")
    if isinstance(balance, bool) or not isinstance(balance, int) or abs(balance) >= _NUMBER_LIMIT:
        raise _odd("creditBalance")
    return balance


def _state(document: dict[str, Any], status: str) -> GenerationState:
    url = _optional(document, "resultImageUrl", str) or ""
    if len(url) > URL_LIMIT or _CONTROL.search(url):
        raise _odd("resultImageUrl")
    return GenerationState(
        generation_id=_identifier(document, "generationId"),
        status=status,
        result_url=Secret(url),
        error_code=vendor_code(_optional(document, "errorCode", str)) or "",
        error_message=clean(_optional(document, "errorMessage", str)),
        created_at=_moment(document, "createdAt"),
        updated_at=_moment(document, "updatedAt"),
    )


def _product(document: Any) -> RemoteProduct:
    if not isinstance(document, dict):
        raise _odd("items")
    return RemoteProduct(_identifier(document, "externalId"), _storable(document))


def _load(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(
            body.decode("utf-8-sig"), parse_constant=_finite, parse_float=_finite, object_pairs_hook=_unique
        )
    except (ValueError, RecursionError) as error:
        kind = type(error).__name__
    else:
        if isinstance(document, dict):
            return document
        kind = type(document).__name__
    raise ProtocolError(f"The answer is not a JSON object ({kind}).")


def _finite(word: str) -> float:
    number = float(word)
    if not math.isfinite(number):  # "Infinity" as well as 1e999: no database stores it as JSON
        raise ValueError("a number that is none")
    return number


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError("a name occurs twice")
    return document


def _odd(name: str) -> ProtocolError:
    return ProtocolError(f"“{name}” is not what Genlook documents.")


def _optional(document: dict[str, Any], name: str, kind: type[T]) -> T | None:
    value = document.get(name)
    if value is not None and not isinstance(value, kind):
        raise _odd(name)
    return value


def _identifier(document: dict[str, Any], name: str, limit: int = ID_LIMIT) -> str:
    value = document.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= limit or _CONTROL.search(value):
        raise _odd(name)
    return value


def _word(document: dict[str, Any], name: str) -> str:
    return clean(_optional(document, name, str), 64)


def _count(document: dict[str, Any], name: str) -> int:
    value = document.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < _NUMBER_LIMIT:
        raise _odd(name)
    return value


def _moment(document: dict[str, Any], name: str) -> datetime | None:
    """Return a time, or nothing for text that is none: it is only shown."""
    text = _optional(document, name, str)
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _storable(document: dict[str, Any]) -> dict[str, Any]:
    """Return a copy that any database takes, without the addresses of pictures: some open them to whoever has them.

    What the shop wrote itself stays as it was sent.
    """
    return {
        _text(key): _copy(value, 1, _text if key in ("title", "description", "metadata") else _no_address)
        for key, value in document.items()
        if key != "sourceUrl"
    }


def _copy(value: Any, depth: int, text: Callable[[str], str | None]) -> Any:
    if depth > DEPTH_LIMIT:
        raise ProtocolError("The answer is nested too deeply.")
    if isinstance(value, str):
        return text(value)
    if isinstance(value, list):
        return [_copy(item, depth + 1, text) for item in value]
    if isinstance(value, dict):
        drop = text is _no_address
        return {_text(k): _copy(v, depth + 1, text) for k, v in value.items() if not (drop and k == "sourceUrl")}
    return value


def _text(value: str) -> str:
    return _UNSTORABLE.sub("", value)


def _no_address(value: str) -> str | None:
    return None if _ADDRESS.match(value) else _text(value)
