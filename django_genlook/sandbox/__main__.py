"""``python -m django_genlook.sandbox --port 8765`` runs the sandbox until SIGINT or SIGTERM."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from types import FrameType

from .server import BASE, Server


class Stopped(BaseException):
    """A signal asked for the end."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until a signal comes, then give the exit code; print the base URL once requests are answered."""
    parser = argparse.ArgumentParser(prog="python -m django_genlook.sandbox", description="A local Genlook to try on.")
    parser.add_argument("--host", default="127.0.0.1", help="address to bind (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8765, help="port to bind, 0 for any (default: %(default)s)")
    options = parser.parse_args(arguments)
    server = Server(options.host, options.port)
    try:
        signal.signal(signal.SIGTERM, _stop)
        signal.signal(signal.SIGINT, _stop)
        sys.stdout.write(f"{server.origin}{BASE}\n")
        sys.stdout.flush()
        server.serve_forever(poll_interval=0.1)
    except Stopped:
        server.world.close()
    finally:
        server.server_close()
    return 0


def _stop(signum: int, frame: FrameType | None) -> None:
    signal.signal(signum, signal.SIG_IGN)
    raise Stopped


if __name__ == "__main__":
    sys.exit(main())
