"""Wakes a worker after commit; the only place that touches a queue.

The row is the promise and the message only a nudge: whatever is lost here, the sweep finds.
"""

import logging
import os
import queue
import threading
import time

from celery import current_app
from django.db import router, transaction

from django_genlook.conf import get_config
from django_genlook.models import Product

logger = logging.getLogger("django_genlook.dispatch")

PUSH_PRODUCT = "django_genlook.push_product"
UPLOAD_PHOTO = "django_genlook.upload_photo"
SUBMIT_GENERATION = "django_genlook.submit_generation"
POLL_GENERATION = "django_genlook.poll_generation"

LONGEST_DELAY = 30.0
PAUSE_AFTER_FAILURE = 30.0
QUEUE_LENGTH = 1_000


def nudge(task: str, pk: object, *, delay: float = 0) -> None:
    """Ask for ``task`` on row ``pk`` once the running transaction is committed, ``delay`` seconds later.

    Never waits, never raises. With ``QUEUE = "embedded"`` there is nobody to wake: the worker looks by itself. A delay
    above 30 s is left to the sweep.
    """
    if get_config().QUEUE != "celery" or delay > LONGEST_DELAY:
        return

    # A closure and not functools.partial: before Django 6.1 a failing robust callback without __qualname__ raises.
    def send() -> None:
        if not current_app.conf.task_always_eager:
            _messenger.hand_over(task, str(pk), delay)
        elif not delay:
            # A task that has to come back later, done at once, would only come back at once.
            current_app.tasks[task].apply(args=[str(pk)])

    transaction.on_commit(send, using=router.db_for_write(Product), robust=True)


class Messenger:
    """One daemon thread a process that talks to the broker, so that a dead or silent one holds up nobody else."""

    def __init__(self) -> None:
        self._messages: queue.Queue[tuple[str, str, float]] = queue.Queue(QUEUE_LENGTH)
        self._lock = threading.Lock()
        self._owner: int | None = None
        self._paused_until = 0.0

    def hand_over(self, task: str, pk: str, delay: float) -> None:
        """Queue the message, or drop it when the queue is full or the broker failed a moment ago."""
        if time.monotonic() < self._paused_until:
            return
        self._start()
        try:
            self._messages.put_nowait((task, pk, delay))
        except queue.Full:
            logger.warning("dropped task=%s pk=%s: the broker is too slow; the sweep takes it up", task, pk)

    def _start(self) -> None:
        # A thread does not survive a fork, so each process starts its own at its first message.
        with self._lock:
            if self._owner != os.getpid():
                self._owner = os.getpid()
                self._messages = queue.Queue(QUEUE_LENGTH)
                threading.Thread(target=self._run, name="genlook-messenger", daemon=True).start()

    def _run(self) -> None:
        while True:
            task, pk, delay = self._messages.get()
            try:
                current_app.send_task(task, args=[pk], countdown=delay or None, ignore_result=True, retry=False)
            except Exception as error:  # kombu lets each transport's own exceptions through
                self._paused_until = time.monotonic() + PAUSE_AFTER_FAILURE
                logger.warning("the broker does not answer (%s); the sweep takes over", type(error).__name__)


_messenger = Messenger()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=lambda: _messenger.__init__())  # type: ignore[misc]
