"""Everything the sandbox remembers: accounts, products, uploads, generations, links, and its clock."""

from __future__ import annotations

import random
import secrets
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from .codes import Refusal
from .faults import Faults
from .pictures import Picture

DAY = 86400.0
RATE_WINDOW = 60.0
JOURNAL_LENGTH = 20_000


@dataclass(frozen=True)
class Options:
    """What ``POST /_sandbox/reset`` may set; ``generation_seconds`` is (min, median, max)."""

    api_keys: tuple[str, ...] = ("gk_sandbox",)
    credits: int = 1000
    rate_limit: int = 100
    generation_seconds: tuple[float, float, float] = (2.0, 2.0, 2.0)
    result_url_seconds: float = 3600.0
    sync_hold_seconds: float = 90.0
    stats_delay_seconds: float = 3.0
    seed: int | None = None


@dataclass(eq=False)
class Stored:
    """A picture that is deleted at a time, or earlier by an erasure (then ``picture`` is None)."""

    picture: Picture | None
    delete_at: float

    def at(self, now: float) -> Picture | None:
        """Give the picture if it still exists."""
        return self.picture if now < self.delete_at else None


@dataclass(eq=False)
class Upload:
    """A person photo; ``user`` is the ``externalUserId`` it was sent with."""

    stored: Stored
    user: str | None


@dataclass(frozen=True)
class ProductImage:
    """One picture of a product: a URL to fetch later, or bytes that came with the request."""

    source_url: str
    data: bytes | None = None


@dataclass(eq=False)
class Product:
    """A catalogue entry; ``number`` is its place in the list."""

    external_id: str
    number: int
    listed: bool
    created_at: float
    updated_at: float
    title: str | None = None
    description: str | None = None
    images: list[ProductImage] = field(default_factory=list)
    metadata: dict[str, Any] | None = None
    valid_for_days: int | None = None
    last_used_at: float | None = None

    @property
    def expires_at(self) -> float | None:
        """When the product goes, counted from its last use or change; None is never."""
        if self.valid_for_days is None:
            return None
        return max(self.last_used_at or 0.0, self.updated_at) + self.valid_for_days * DAY

    def is_live(self, now: float) -> bool:
        return self.expires_at is None or now < self.expires_at


@dataclass(eq=False)
class Account:
    """What belongs to one API key."""

    id: str
    credits: int
    products: dict[str, Product] = field(default_factory=dict)
    uploads: dict[str, Upload] = field(default_factory=dict)
    hits: deque[float] = field(default_factory=deque)
    numbers: int = 0

    def product(self, external_id: str, now: float) -> Product | None:
        """Give the live product of that id; an expired one is gone."""
        product = self.products.get(external_id)
        if product is not None and not product.is_live(now):
            del self.products[external_id]
            return None
        return product

    def next_number(self) -> int:
        self.numbers += 1
        return self.numbers

    def count_request(self, now: float, limit: int) -> float | None:
        """Count a request in the sliding window; over the limit, give the seconds until there is room."""
        while self.hits and self.hits[0] <= now - RATE_WINDOW:
            self.hits.popleft()
        if limit and len(self.hits) >= limit:
            return self.hits[0] + RATE_WINDOW - now
        self.hits.append(now)
        return None


@dataclass(frozen=True)
class Failure:
    """How a generation failed; ``charged`` keeps the credit although it failed."""

    message: str
    code: str | None = None
    charged: bool = False


@dataclass(eq=False)
class Generation:
    """A try-on under way or done.

    ``outcome`` is what the work came to after ``work_seconds`` of real time; it counts only from ``due_at``.
    """

    id: str
    account: Account
    product_id: str
    user: str | None
    created_at: float
    processing_at: float
    due_at: float
    keep_seconds: float
    stuck: bool = False
    outcome: Picture | Failure | None = None
    work_seconds: float = 0.0
    finished_at: float | None = None
    result: Stored | None = None

    def status(self, now: float) -> str:
        """Give the documented status word."""
        if self.finished_at is not None:
            return "COMPLETED" if isinstance(self.outcome, Picture) else "FAILED"
        return "PENDING" if now < self.processing_at else "PROCESSING"

    def is_due(self, now: float) -> bool:
        return not self.stuck and now >= self.due_at

    @property
    def is_charged(self) -> bool:
        """True while a credit is taken: from acceptance on, until a failure gives it back."""
        return self.finished_at is None or not isinstance(self.outcome, Failure) or self.outcome.charged


@dataclass
class Link:
    """An address under ``/files/`` that works until ``expires_at``."""

    stored: Stored
    expires_at: float


class World:
    """One life of the sandbox between two resets.

    Hold ``lock`` to look or to change, never while drawing or fetching.
    """

    def __init__(self, options: Options) -> None:
        self.options = options
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)
        self.faults = Faults()
        self.journal: deque[dict[str, Any]] = deque(maxlen=JOURNAL_LENGTH)
        self.accounts = {
            key: Account(id=f"acc{number}", credits=options.credits)
            for number, key in enumerate(options.api_keys, start=1)
        }
        self.generations: dict[str, Generation] = {}
        self.closed = False
        self._links: dict[str, Link] = {}
        self._random = random.Random(options.seed)  # noqa: S311 - durations only, ids come from secrets
        self._offset = time.time() - time.monotonic()

    def now(self) -> float:
        """Give the sandbox's own time, in seconds since 1970 and to the millisecond, as answers show it."""
        return round(time.monotonic() + self._offset, 3)

    def advance(self, seconds: float) -> None:
        """Move the clock on and wake those who wait for a time."""
        with self.changed:
            self._offset += seconds
            self.changed.notify_all()

    def close(self) -> None:
        """End this life: whoever waits in it gives up."""
        with self.changed:
            self.closed = True
            self.changed.notify_all()

    def draw_seconds(self) -> float:
        """Draw how long a generation takes: half of them below the median, half above."""
        low, median, high = self.options.generation_seconds
        with self.lock:
            return self._random.uniform(*((low, median) if self._random.random() < 0.5 else (median, high)))

    def draw_mock_seconds(self) -> float:
        """Draw how long the ``mock`` product takes: 1 to 2 s, never longer than a real generation."""
        with self.lock:
            return min(self.draw_seconds(), self._random.uniform(1.0, 2.0))

    def account(self, api_key: str | None) -> Account:
        """Give the account of a key, or refuse."""
        if not api_key:
            raise Refusal("MISSING_API_KEY")
        account = self.accounts.get(api_key)
        if account is None:
            raise Refusal("INVALID_API_KEY")
        return account

    def settle(self, generation: Generation) -> bool:
        """End a generation whose time has come and whose work is done; say whether it has ended."""
        if generation.finished_at is None and generation.outcome is not None and generation.is_due(self.now()):
            generation.finished_at = max(generation.due_at, generation.created_at + generation.work_seconds)
            if isinstance(generation.outcome, Picture):
                keep_until = generation.finished_at + generation.keep_seconds
                generation.result = Stored(generation.outcome, keep_until)
            elif not generation.outcome.charged:
                generation.account.credits += 1
        return generation.finished_at is not None

    def settle_all(self) -> None:
        """End every generation whose time has come, so that balances and counts are true."""
        for generation in self.generations.values():
            self.settle(generation)

    def link(self, stored: Stored, origin: str) -> str:
        """Give a fresh, unguessable, expiring address of a picture."""
        token = secrets.token_urlsafe(24)
        kind = stored.picture.content_type.rpartition("/")[2] if stored.picture else "jpeg"
        with self.lock:
            now = self.now()
            while self._links and self._links[oldest := next(iter(self._links))].expires_at < now - DAY:
                del self._links[oldest]
            self._links[token] = Link(stored, now + self.options.result_url_seconds)
        return f"{origin}/files/{token}.{kind}"

    def picture(self, name: str) -> Picture:
        """Give the picture of a link; 404 when unknown or deleted, 403 when the link has expired."""
        with self.lock:
            link = self._links.get(name.partition(".")[0])
            picture = link.stored.at(self.now()) if link else None
            if link is None or picture is None:
                raise Refusal("ROUTE_NOT_FOUND", "No such file.")
            if self.now() >= link.expires_at:
                raise Refusal("FORBIDDEN", "This link has expired.")
            return picture


def iso(moment: float | None) -> str | None:
    """Write a time as the API does: UTC with milliseconds."""
    if moment is None:
        return None
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
