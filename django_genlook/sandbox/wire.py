"""A request and an answer as the endpoints see them, without sockets."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import parse_qs

from .codes import Refusal
from .multipart import MalformedForm, Part, read_form

MAX_JSON = 1024 * 1024
MAX_IMAGE = 10 * 1024 * 1024
MAX_DEPTH = 64
MAX_JOURNALLED = 64 * 1024


@dataclass
class Reply:
    """An answer: ``data`` is JSON, or bytes of ``content_type``, or None for no body at all."""

    status: int
    data: Any = None
    content_type: str = "application/json; charset=utf-8"
    headers: dict[str, str] = field(default_factory=dict)

    def encode(self) -> bytes:
        """Give the bytes that go over the wire."""
        if self.data is None:
            return b""
        return self.data if isinstance(self.data, bytes) else json.dumps(self.data, allow_nan=False).encode()


@dataclass
class Request:
    """A request whose body has been read; ``path`` is percent-encoded and relative to ``/tryon/v1``."""

    method: str
    path: str
    query_string: str
    content_type: str
    api_key: str | None
    origin: str
    body: bytes

    @property
    def media_type(self) -> str:
        return self.content_type.partition(";")[0].strip().lower()

    @cached_property
    def query(self) -> dict[str, str]:
        """The query's parameters; of a repeated one, the last."""
        return {key: values[-1] for key, values in parse_qs(self.query_string, keep_blank_values=True).items()}

    @cached_property
    def parts(self) -> list[Part]:
        """The parts of a multipart body; a file above 10 MB is refused."""
        try:
            parts = read_form(self.content_type, self.body)
        except MalformedForm as error:
            raise _invalid("", f"Malformed multipart form: {error}") from error
        if any(len(part.data) > MAX_IMAGE for part in parts):
            raise Refusal("FILE_TOO_LARGE")
        return parts

    @cached_property
    def files(self) -> dict[str, bytes]:
        """The file parts of a multipart body by field name; empty for a JSON body."""
        if self.media_type != "multipart/form-data":
            return {}
        return {part.name: part.data for part in reversed(self.parts) if part.name != "data"}

    @cached_property
    def fields(self) -> dict[str, str]:
        """The text fields of a multipart body."""
        texts = (part for part in reversed(self.parts) if part.filename is None)
        return {part.name: part.data.decode("utf-8", "replace") for part in texts}

    @cached_property
    def json(self) -> dict[str, Any]:
        """The JSON object of the body, or of the part ``data`` of a form."""
        if self.media_type == "application/json":
            return _read_object(self.body, "")
        if self.media_type == "multipart/form-data":
            for part in self.parts:
                if part.name == "data":
                    return _read_object(part.data, "data")
            raise _invalid("data", "Required")
        raise _invalid("", "Expected application/json or multipart/form-data")

    def sanitized_body(self) -> Any:
        """What the journal keeps: the JSON and the fields, of files only their names and sizes."""
        if not self.body:
            return None
        try:
            if self.media_type == "multipart/form-data":
                return self._sanitized_form()
            if len(self.body) <= MAX_JOURNALLED:
                return self.json
        except Refusal:
            pass
        return {"unread_bytes": len(self.body)}

    def _sanitized_form(self) -> dict[str, Any]:
        shown: dict[str, Any] = {}
        for part in self.parts:
            if part.filename is not None or len(part.data) > MAX_JOURNALLED:
                shown[part.name] = {"filename": part.filename, "bytes": len(part.data)}
            elif part.name == "data":
                shown["data"] = self.json
            else:
                shown[part.name] = part.data.decode("utf-8", "replace")
        return shown


def _invalid(path: str, message: str) -> Refusal:
    return Refusal("VALIDATION_FAILED", details=[{"path": path, "message": message}])


def _read_object(raw: bytes, path: str) -> dict[str, Any]:
    if len(raw) > MAX_JSON:
        raise Refusal("FILE_TOO_LARGE", "A JSON body may have at most 1 MB.")
    try:
        value = json.loads(raw.decode("utf-8-sig"), parse_constant=_no_constant, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise _invalid(path, "Malformed JSON") from error
    if not isinstance(value, dict):
        raise _invalid(path, f"Expected object, received {json_type(value)}")
    if _depth_exceeds(value, MAX_DEPTH):
        raise _invalid(path, f"Nested deeper than {MAX_DEPTH} levels")
    return value


def json_type(value: object) -> str:
    """Name the JSON type of a parsed value, as the API's messages do."""
    names = {type(None): "null", bool: "boolean", int: "number", float: "number", str: "string", list: "array"}
    return names.get(type(value), "object")


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _finite(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise ValueError("number out of range")
    return value


def _depth_exceeds(value: object, limit: int) -> bool:
    level: list[Any] = [value]
    for _ in range(limit):
        inner: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                inner.extend(item.values())
            elif isinstance(item, list):
                inner.extend(item)
        if not inner:
            return False
        level = inner
    return True
