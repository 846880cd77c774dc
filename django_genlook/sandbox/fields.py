"""Reads typed fields of a JSON object and collects everything that is wrong with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .codes import Refusal
from .wire import json_type

KEEP_DAYS = (1, 3, 7)


@dataclass
class Issues:
    """Collects what is wrong; the answer's code is the issues' own where they agree, else ``VALIDATION_FAILED``."""

    found: list[tuple[str, str, str]] = field(default_factory=list)

    def add(self, path: str, message: str, code: str = "VALIDATION_FAILED") -> None:
        self.found.append((path, message, code))

    def refuse_any(self) -> None:
        """Raise a refusal that names every issue, if there is one."""
        if not self.found:
            return
        codes = {code for _, _, code in self.found}
        code = codes.pop() if len(codes) == 1 else "VALIDATION_FAILED"
        raise Refusal(code, details=[{"path": path, "message": message} for path, message, _ in self.found])


@dataclass
class Reader:
    """Reads typed fields of one JSON object that sits at ``path``; what does not fit becomes an issue and None."""

    values: Mapping[str, Any]
    path: str
    issues: Issues

    def at(self, key: str | int) -> str:
        return f"{self.path}.{key}" if self.path else str(key)

    def has(self, key: str) -> bool:
        return key in self.values

    def string(self, key: str, *, longest: int | None = None) -> str | None:
        value = self._typed(key, str, "string")
        if value is not None and longest is not None:
            if not value:
                self.issues.add(self.at(key), "String must contain at least 1 character(s)")
            elif len(value) > longest:
                self.issues.add(self.at(key), f"String must contain at most {longest} character(s)")
        return value if isinstance(value, str) else None

    def boolean(self, key: str) -> bool | None:
        value = self._typed(key, bool, "boolean")
        return value if isinstance(value, bool) else None

    def integer(self, key: str) -> int | None:
        value = self.values.get(key)
        if isinstance(value, float) and value.is_integer():
            return int(value)
        if isinstance(value, float):
            self.issues.add(self.at(key), "Expected integer, received float")
            return None
        value = self._typed(key, int, "number")
        return value if isinstance(value, int) else None

    def array(self, key: str) -> list[Any] | None:
        value = self._typed(key, list, "array")
        return value if isinstance(value, list) else None

    def object(self, key: str) -> Reader | None:
        value = self._typed(key, dict, "object")
        return Reader(value, self.at(key), self.issues) if isinstance(value, dict) else None

    def keep_days(self, key: str) -> int | None:
        days = self.integer(key)
        if days is not None and days not in KEEP_DAYS:
            self.issues.add(self.at(key), "Expected 1, 3 or 7")
        return days

    def _typed(self, key: str, kind: type, name: str) -> Any:
        if key not in self.values:
            return None
        value = self.values[key]
        if isinstance(value, kind) and not (kind is int and isinstance(value, bool)):
            return value
        self.issues.add(self.at(key), f"Expected {name}, received {json_type(value)}")
        return None
