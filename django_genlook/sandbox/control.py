"""The calls under ``/_sandbox/``: what a test sets up and reads."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict
from typing import Any, Protocol
from urllib.parse import parse_qs

from .faults import read_rules
from .state import Options, World
from .wire import Reply

YEAR = 366 * 86400.0


class Host(Protocol):
    """Whoever holds the world, so that a reset can replace it."""

    world: World


def answer(host: Host, method: str, path: str, query: str, body: bytes) -> Reply:
    """Give the answer of a control call; a wrong one is answered 400 with ``{"error"}``."""
    calls = {
        ("GET", "health"): _health,
        ("POST", "reset"): _reset,
        ("POST", "faults"): _faults,
        ("GET", "journal"): _journal,
        ("GET", "ledger"): _ledger,
        ("POST", "clock"): _clock,
    }
    call = calls.get((method, path.removeprefix("/_sandbox/")))
    if call is None:
        return Reply(404, {"error": f"no control call {method} {path}"})
    try:
        sent = json.loads(body) if body else {}
        return Reply(200, call(host, query, sent))
    except (ValueError, RecursionError) as error:
        return Reply(400, {"error": str(error) or "malformed JSON"})


def read_options(sent: object) -> Options:
    """Read the options of a reset; ``ValueError`` says what is wrong with them."""
    if not isinstance(sent, dict):
        raise ValueError("expected an object")
    unknown = set(sent) - set(Options.__dataclass_fields__)
    if unknown:
        raise ValueError(f"unknown option {', '.join(sorted(unknown))}")
    options: dict[str, Any] = {}
    for key, value in sent.items():
        if key == "api_keys":
            if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
                raise ValueError("api_keys is a list of strings")
            options[key] = tuple(value)
        elif key == "generation_seconds":
            options[key] = _durations(value)
        elif key == "seed" and value is None:
            options[key] = None
        else:
            options[key] = _number(key, value, whole=key in ("credits", "rate_limit", "seed"))
    return Options(**options)


def _health(host: Host, query: str, sent: object) -> dict[str, Any]:
    return {"status": "ok"}


def _reset(host: Host, query: str, sent: object) -> dict[str, Any]:
    options = read_options(sent)
    old, host.world = host.world, World(options)
    old.close()
    return {"status": "ok", **asdict(options)}


def _faults(host: Host, query: str, sent: object) -> dict[str, Any]:
    rules = read_rules(sent if sent != {} else [])
    host.world.faults.replace(rules)
    return {"status": "ok", "rules": len(rules)}


def _clock(host: Host, query: str, sent: object) -> dict[str, Any]:
    if not isinstance(sent, dict) or set(sent) != {"advance_seconds"}:
        raise ValueError('expected {"advance_seconds": n}')
    host.world.advance(_number("advance_seconds", sent["advance_seconds"]))
    return {"status": "ok", "now": host.world.now()}


def _journal(host: Host, query: str, sent: object) -> list[dict[str, Any]]:
    with host.world.lock:
        return [dict(entry) for entry in host.world.journal]


def _ledger(host: Host, query: str, sent: object) -> dict[str, Any]:
    """All accounts together, or one with ``?api_key=``."""
    world = host.world
    with world.lock:
        world.settle_all()
        accounts = list(world.accounts.values())
        for key in parse_qs(query).get("api_key", []):
            accounts = [world.accounts[key]] if key in world.accounts else []
        theirs = [item for item in world.generations.values() if item.account in accounts]
        return {
            "credits": sum(account.credits for account in accounts),
            "accepted": len(theirs),
            "charged": sum(item.is_charged for item in theirs),
            "by_product": Counter(item.product_id for item in theirs),
            "by_user": Counter(item.user for item in theirs if item.user is not None),
        }


def _number(key: str, value: object, *, whole: bool = False) -> float:
    if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)) or not 0 <= value <= 100 * YEAR:
        raise ValueError(f"{key} is {'an integer' if whole else 'a number'} from 0 up")
    return value


def _durations(value: object) -> tuple[float, float, float]:
    if not isinstance(value, list):
        same = _number("generation_seconds", value)
        return (same, same, same)
    if len(value) != 3:
        raise ValueError("generation_seconds is a number or [min, median, max]")
    low, median, high = (_number("generation_seconds", item) for item in value)
    if not low <= median <= high:
        raise ValueError("generation_seconds is in ascending order")
    return (low, median, high)
