"""Rules that make chosen requests go wrong.

A rule is ``{"method", "path", "times", "after", "fault", …}``: ``method`` and ``path`` (relative to ``/tryon/v1``,
without the query; ``*`` stands for anything) default to every request, ``after`` skips the first n that match,
``times`` ends the rule after n. Rules are tried in order and the first live one takes the request. Only requests with a
valid key and inside the rate limit meet a rule. A rule whose path starts with ``/files/`` works on the served pictures.

========================= =====================================================================================
fault                     options and effect
========================= =====================================================================================
``error``                 ``code``, optional ``status``, ``message``, ``details``, ``retry_after`` (sent as it is)
``html``                  an HTML page, ``status`` (502)
``garbage``               broken JSON under a JSON content type, ``status`` (200)
``empty``                 no body, ``status`` (200)
``status``                does the work, answers it with ``status``
``delay``                 does the work, answers after ``seconds`` (1)
``drip``                  does the work, spreads the answer's bytes over ``seconds`` (5)
``reset_before``          resets the connection, nothing is done
``drop_reply``            does the work, closes without an answer
``fail_generation``       the next accepted generation ends FAILED with ``error_code`` (null), ``error_message``;
                          ``charged`` keeps the credit
``stuck_generation``      the next accepted generation never ends
========================= =====================================================================================

``error``, ``html``, ``garbage`` and ``empty`` do no work unless ``"work": true``. The two generation faults count
accepted try-ons, all others count requests.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

INSTEAD = frozenset({"error", "html", "garbage", "empty"})
WIRE = INSTEAD | {"status", "delay", "drip", "reset_before", "drop_reply"}
FATES = frozenset({"fail_generation", "stuck_generation"})

_COMMON = frozenset({"method", "path", "times", "after", "fault"})
_OPTIONS: dict[str, frozenset[str]] = {
    "error": frozenset({"code", "status", "message", "details", "retry_after", "work"}),
    "html": frozenset({"status", "work"}),
    "garbage": frozenset({"status", "work"}),
    "empty": frozenset({"status", "work"}),
    "status": frozenset({"status"}),
    "delay": frozenset({"seconds"}),
    "drip": frozenset({"seconds"}),
    "reset_before": frozenset(),
    "drop_reply": frozenset(),
    "fail_generation": frozenset({"error_code", "error_message", "charged"}),
    "stuck_generation": frozenset(),
}


@dataclass
class Rule:
    """One rule and how often it has matched."""

    fault: str
    method: str
    pattern: str
    times: int | None
    after: int
    options: dict[str, Any]
    seen: int = 0
    fired: int = 0
    _regex: re.Pattern[str] = field(init=False)

    def __post_init__(self) -> None:
        self._regex = re.compile(".*".join(re.escape(piece) for piece in self.pattern.split("*")), re.DOTALL)

    @property
    def instead(self) -> bool:
        """True when the fault's answer takes the place of the work."""
        return self.fault in INSTEAD and not self.options.get("work")

    def takes(self, method: str, path: str) -> bool:
        """Count a request that matches, and say whether this rule takes it."""
        if self.method not in ("*", method) or not self._regex.fullmatch(path):
            return False
        if path.startswith("/files/") and not self.pattern.startswith("/files/"):
            return False
        if self.times is not None and self.fired >= self.times:
            return False
        self.seen += 1
        if self.seen <= self.after:
            return False
        self.fired += 1
        return True


class Faults:
    """The rules in force; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rules: list[Rule] = []

    def replace(self, rules: list[Rule]) -> None:
        """Put these rules in place of the old ones."""
        with self._lock:
            self._rules = rules

    def pick(self, kinds: Collection[str], method: str, path: str) -> Rule | None:
        """Give the first live rule among ``kinds`` that takes this request."""
        with self._lock:
            return next((rule for rule in self._rules if rule.fault in kinds and rule.takes(method, path)), None)


def read_rules(value: object) -> list[Rule]:
    """Read the list that a test posts; ``ValueError`` says what is wrong with it."""
    if not isinstance(value, list):
        raise ValueError("expected a list of rules")
    return [_read_rule(item) for item in value]


def _read_rule(item: object) -> Rule:
    if not isinstance(item, dict):
        raise ValueError("a rule is an object")
    fault = item.get("fault")
    if not isinstance(fault, str) or fault not in _OPTIONS:
        raise ValueError(f"unknown fault {fault!r}; one of {', '.join(sorted(_OPTIONS))}")
    unknown = set(item) - _COMMON - _OPTIONS[fault]
    if unknown:
        raise ValueError(f"{fault} has no option {', '.join(sorted(unknown))}")
    if fault == "error" and not isinstance(item.get("code"), str):
        raise ValueError("error needs a code")
    if fault == "status" and "status" not in item:
        raise ValueError("status needs a status")
    _check_options(item)
    path = item.get("path", "*")
    if not isinstance(path, str):
        raise ValueError("path is a string")
    return Rule(
        fault=fault,
        method=str(item.get("method", "*")).upper(),
        pattern=path if path.startswith(("/", "*")) else f"/{path}",
        times=item.get("times"),
        after=item.get("after") or 0,
        options={key: item[key] for key in _OPTIONS[fault] if key in item},
    )


def _check_options(item: dict[str, Any]) -> None:
    for key, low, high in (("times", 0, 10**9), ("after", 0, 10**9), ("status", 200, 599)):
        value = item.get(key)
        if value is not None and (type(value) is not int or not low <= value <= high):
            raise ValueError(f"{key} is an integer between {low} and {high}")
    seconds = item.get("seconds", 0)
    if type(seconds) not in (int, float) or not 0 <= seconds <= 3600:
        raise ValueError("seconds is a number between 0 and 3600")
    retry_after = item.get("retry_after")
    if type(retry_after) not in (int, float, str, type(None)) or not _is_header_value(str(retry_after)):
        raise ValueError("retry_after is a number, a string or null")
    for key, kind in (("message", str), ("details", list), ("error_code", str), ("error_message", str)):
        if item.get(key) is not None and not isinstance(item[key], kind):
            raise ValueError(f"{key} is a {kind.__name__}")


def _is_header_value(text: str) -> bool:
    return text.isascii() and text.isprintable()
