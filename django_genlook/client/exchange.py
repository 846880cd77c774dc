"""The time that one request and its answer may take, enforced from outside."""

import socket
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from contextvars import ContextVar
from types import TracebackType
from typing import Any

# Seconds for one address, read at each call.
CONNECT_TIMEOUT = 10.0
# Seconds after the deadline at which a socket gives up by itself, should shutting it not wake what waits on it.
GRACE = 5.0

Admit = Callable[[str], None]


class Exchange:
    """One request and its answer, cut off when its time is up.

    A read time-out is no deadline: it starts again with every byte. Here a timer shuts the sockets of the exchange
    down, which wakes whatever call is waiting on them. It holds duplicates of its own, so it can neither hit a
    descriptor that was closed and given away meanwhile nor a connection that has gone back to the pool.

    ``sent`` tells whether a byte of the request may have left, ``expired`` whether the time ran out. ``admit`` is shown
    each address that the host name stands for, before anything connects, and raises what it has against one. Resolving
    the name itself cannot be interrupted: it ends when the system's resolver gives up. ``fresh`` asks for a connection
    that was not used before.
    """

    def __init__(self, seconds: float, *, admit: Admit | None = None, fresh: bool = False) -> None:
        self.sent = False
        self.expired = False
        self.fresh = fresh
        self._admit = admit
        self._ends = time.monotonic() + seconds
        self._lock = threading.Lock()
        self._lines: list[socket.socket] = []
        self._over = False
        self._timer = threading.Timer(seconds, self._expire)
        self._timer.daemon = True

    def __enter__(self) -> "Exchange":
        self._timer.start()
        self._token = current.set(self)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._timer.cancel()
        with self._lock:
            self._over = True
            for line in self._lines:
                line.close()
        current.reset(self._token)

    def _expire(self) -> None:
        with self._lock:
            if self._over:
                return
            self.expired = True
            for line in self._lines:
                _shut(line)

    def watch(self, sock: Any) -> None:
        """Put ``sock`` under the deadline."""
        # A duplicate of the descriptor, not of the object: TLS takes the descriptor away from the object it wraps.
        line = socket.fromfd(sock.fileno(), socket.AF_INET, socket.SOCK_STREAM)
        with self._lock:
            self._lines.append(line)
            if self.expired:
                _shut(line)

    def connect(self, host: str, port: int, options: Iterable[tuple[int, int, int | bytes]] | None) -> socket.socket:
        """Return a socket connected to an address of ``host`` that was admitted, and is the one connected to."""
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        if self._admit is not None:
            for *_, address in found:
                self._admit(str(address[0]))
        trouble: OSError = OSError("No address was found.")
        for family, kind, protocol, _, address in found:
            left = self._ends - time.monotonic()
            if left <= 0:
                raise TimeoutError("The deadline has passed.")
            sock = socket.socket(family, kind, protocol)
            try:
                for option in options or ():
                    sock.setsockopt(*option)
                sock.settimeout(min(left, CONNECT_TIMEOUT))
                sock.connect(address)
                # From here on the watch counts. A large picture is one ``sendall``, and this the time for all of it.
                sock.settimeout(left + GRACE)
                self.watch(sock)
            except OSError as error:
                sock.close()
                trouble = error
            else:
                return sock
        raise trouble


current: ContextVar[Exchange] = ContextVar("django_genlook_exchange")


def _shut(line: socket.socket) -> None:
    with suppress(OSError):  # the other side was quicker
        line.shutdown(socket.SHUT_RDWR)
