"""The embedded worker: threads that take up what is due, with no broker; any number of them may run at once."""

import logging
import random
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from django.db import close_old_connections, connections

from django_genlook.budgets import Lane, Later
from django_genlook.models import Generation, Photo, Product
from django_genlook.services import calls, sweep

logger = logging.getLogger("django_genlook.services")

T = TypeVar("T")

THREADS = {Lane.SHOPPER: 2, Lane.BACKGROUND: 2}
LOOK_EVERY = 0.5
SWEEP_EVERY = 30.0
# Without a free slot a lane looks again after at most this long, in case the window frees earlier than thought.
LONGEST_WAIT = 1.0


def run(stop: threading.Event) -> None:
    """Work until ``stop`` is set; the item in hand is finished first."""
    threads = [
        threading.Thread(target=_work, args=(lane, stop), name=f"genlook-{lane.value}-{number}")
        for lane, count in THREADS.items()
        for number in range(count)
    ]
    for thread in threads:
        thread.start()
    while not stop.is_set():
        _guarded(sweep.sweep)
        stop.wait(SWEEP_EVERY)
    for thread in threads:
        thread.join()


def run_once(stop: threading.Event) -> None:
    """Do all that is due, see running try-ons through, and return; never wait for a later time but a free slot."""
    next_sweep, is_broken = 0.0, False
    while not stop.is_set():
        if time.monotonic() >= next_sweep:
            sweep.sweep()
            next_sweep = time.monotonic() + SWEEP_EVERY
        progress, wait = False, 0.0
        for lane in Lane:
            outcome = _guarded(partial(take_up, lane))
            # What failed unexpectedly is leased for a while; others go on, but nothing waits for it.
            is_broken = is_broken or outcome is None
            done, asked = outcome or (True, 0.0)
            progress, wait = progress or done, max(wait, asked)
        if progress:
            continue
        if not wait and (is_broken or not _is_under_way()):
            return
        stop.wait(min(max(wait, LOOK_EVERY), LONGEST_WAIT))


def take_up(lane: Lane) -> tuple[bool, float]:
    """Do the most urgent due item of ``lane``; return whether there was one, and how long the window asks to wait."""
    work = sweep.due(lane)
    # Workers that look at the same moment see the same list; the most urgent item is for one of them only.
    first, rest = work[:1], work[1:]
    random.shuffle(rest)
    for function, pk in first + rest:
        try:
            function(pk)
        except Later as later:
            return False, later.seconds
        return True, 0.0
    return False, 0.0


def _work(lane: Lane, stop: threading.Event) -> None:
    try:
        while not stop.is_set():
            done, wait = _guarded(lambda: take_up(lane)) or (False, LOOK_EVERY)
            if not done:
                stop.wait(min(max(wait, LOOK_EVERY), LONGEST_WAIT))
    finally:
        connections.close_all()


def _guarded(function: Callable[[], T]) -> T | None:
    close_old_connections()
    try:
        return function()
    except Exception:  # one broken row, or a database that was away, must not end the worker
        logger.exception("the worker met an unexpected failure and goes on")
        return None


def _is_under_way() -> bool:
    """Return whether a try-on is being made at Genlook, or a row is in the hands of another worker."""
    if calls.is_held_back(is_look=True):
        return False
    running = (Generation.Status.SENDING, Generation.Status.PROCESSING, Generation.Status.DOWNLOADING)
    return (
        Generation.objects.filter(status__in=running).exists()
        or Photo.objects.filter(status=Photo.Status.QUEUED).exclude(lease_token=None).exists()
        or Product.objects.waiting().exclude(lease_token=None).exists()
    )
