"""Routes a request to its endpoint, after the key and the rate limit."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable
from math import ceil
from urllib.parse import unquote

from . import people, products, tryons
from .codes import Refusal
from .faults import WIRE, Rule
from .state import Account, World
from .wire import Reply, Request

Endpoint = Callable[..., Reply]

#: (method, path); ``:`` stands for one segment that is handed over percent-decoded
ROUTES: dict[tuple[str, str], Endpoint] = {
    ("POST", "/images/upload"): people.upload,
    ("POST", "/products"): products.create,
    ("GET", "/products"): products.page,
    ("GET", "/products/:"): products.read,
    ("DELETE", "/products/:"): products.delete,
    ("GET", "/products/:/stats"): products.stats,
    ("POST", "/try-on"): tryons.start,
    ("POST", "/try-on/sync"): tryons.start_and_hold,
    ("GET", "/generations/:"): tryons.read,
    ("GET", "/account/credits"): people.balance,
    ("DELETE", "/customers/:"): people.erase,
}


def find_route(method: str, path: str) -> tuple[Endpoint, list[str]]:
    """Give the endpoint of a path and its decoded parameters, or refuse with ``ROUTE_NOT_FOUND``."""
    segments = path.split("/")
    for (route_method, route), endpoint in ROUTES.items():
        pieces = route.split("/")
        if route_method != method or len(pieces) != len(segments):
            continue
        pairs = list(zip(pieces, segments, strict=True))
        if all(piece == segment or (piece == ":" and segment) for piece, segment in pairs):
            return endpoint, [unquote(segment) for piece, segment in pairs if piece == ":"]
    raise Refusal("ROUTE_NOT_FOUND")


def choose_fault(world: World, request: Request) -> tuple[Rule | None, Refusal | None]:
    """Count the request, and give the fault that takes it or the refusal that the rate limit is.

    A request that is refused does not count in the window, so ``Retry-After`` tells the truth.
    """
    account = world.accounts.get(request.api_key or "")
    if account is None:
        return None, None
    with world.lock:
        wait = account.count_request(world.now(), world.options.rate_limit)
    if wait is not None:
        return None, Refusal("RATE_LIMITED", retry_after=max(1, ceil(wait)))
    return world.faults.pick(WIRE, request.method, request.path), None


def answer(world: World, request: Request, over_limit: Refusal | None) -> Reply:
    """Give the answer of an API call. It never raises: what is not foreseen is ``INTERNAL_ERROR``, told on stderr."""
    try:
        endpoint, parameters = find_route(request.method, request.path)
        account: Account = world.account(request.api_key)
        if over_limit is not None:
            raise over_limit
        return endpoint(world, account, request, *parameters)
    except Refusal as refusal:
        return refused(refusal)
    except Exception:
        traceback.print_exc(file=sys.stderr)
        return refused(Refusal("INTERNAL_ERROR"))


def refused(refusal: Refusal) -> Reply:
    """Turn a refusal into the API's error answer."""
    headers = {} if refusal.retry_after is None else {"Retry-After": str(refusal.retry_after)}
    return Reply(refusal.status, refusal.body, headers=headers)


def fault_reply(rule: Rule) -> Reply:
    """Give the answer that a fault puts in the place of the real one."""
    options = rule.options
    if rule.fault == "error":
        names = ("message", "status", "retry_after")
        chosen = {name: options[name] for name in names if options.get(name) is not None}
        return refused(Refusal(options["code"], details=options.get("details") or (), **chosen))
    if rule.fault == "html":
        page = b"<!DOCTYPE html><html><head><title>Bad gateway</title></head><body><h1>Bad gateway</h1></body></html>"
        return Reply(options.get("status") or 502, page, "text/html; charset=utf-8")
    if rule.fault == "garbage":
        return Reply(options.get("status") or 200, b'{"generationId": "cm\xff\xfe, "status": PEND')
    return Reply(options.get("status") or 200)
