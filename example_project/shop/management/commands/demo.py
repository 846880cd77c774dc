"""``manage.py demo``: the example shop, a worker and a local Genlook, up with one command and gone with Ctrl-C."""

import errno
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from types import FrameType
from typing import IO, Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import F

from django_genlook.models import Photo
from django_genlook.models.clock import db_now
from django_genlook.services import scan

ROOT = settings.BASE_DIR.parent
STARTING = 60.0
ENDING = 8.0
# What each page view writes; what went wrong is shown.
CHATTER = ("GET /", "HEAD /", "Performing system checks", "Starting development", "Quit the server", "Django version")
CHATTER_TOO = ("WARNING: This is a development server", "For more information on production", "System check identified")


class Command(BaseCommand):
    """Prepares the shop, starts its processes, and sees that none outlives the others."""

    help = "Runs the example shop with everything it needs. Ctrl-C ends it all."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=8000, help="of the shop, 0 for any (default: %(default)s)")

    def handle(self, *args: Any, port: int, **options: Any) -> None:
        self.children: dict[str, subprocess.Popen[str]] = {}
        self.signal: int | None = None
        with self._signals():
            try:
                self._run(port)
            except _Ended:
                self._say("Ending.")
            finally:
                self._end_all()

    def _run(self, wanted_port: int) -> None:
        is_real = bool(os.environ.get("GENLOOK_API_KEY"))
        if not is_real:
            # It starts while the shop is prepared.
            sandbox = self._start("sandbox", "-m", "django_genlook.sandbox", "--port", "0")
        self._prepare_database(is_fresh_genlook=not is_real)
        if is_real:
            genlook = {"GENLOOK_EXTERNAL_ID_PREFIX": os.environ.get("GENLOOK_EXTERNAL_ID_PREFIX", "demo-")}
        else:
            base_url = self._first_line(sandbox)
            genlook = {"GENLOOK_API_KEY": "gk_sandbox", "GENLOOK_BASE_URL": base_url}
        port = self._free_port(wanted_port)
        address = f"127.0.0.1:{port}"
        self._start("web", "manage.py", "runserver", "--noreload", "--skip-checks", address, environment=genlook)
        self._start("worker", "manage.py", "genlook_work", environment=genlook)
        for name in ("web", "worker"):
            self._follow(name)
        # While they come up, the pictures are drawn.
        self._fill()
        self._wait_for_page(port)
        self._say(
            "",
            f"  Shop        http://{address}/",
            f"  My try-ons  http://{address}/my-try-ons/",
            f"  Admin       http://{address}/admin/    user admin, password admin",
            "  Genlook     the real one, with your key: each try-on costs a credit"
            if is_real
            else f"  Genlook     a local sandbox: {base_url.removesuffix('/tryon/v1')}/_sandbox/ledger",
            "",
            "  Ctrl-C ends it all.",
            "",
        )
        while True:
            self._watch()
            time.sleep(0.2)

    def _prepare_database(self, *, is_fresh_genlook: bool) -> None:
        call_command("migrate", verbosity=0)
        if is_fresh_genlook:
            # The sandbox of the last time took what it knew with it.
            scan.resend_all()
            Photo.objects.filter(status=Photo.Status.READY, expires_at__gt=db_now()).update(expires_at=F("created_at"))
        self._watch()

    def _fill(self) -> None:
        call_command("load_catalogue", verbosity=0)
        users = get_user_model()
        if not users.objects.filter(username="admin").exists():
            users.objects.create_superuser("admin", "admin@example.org", "admin")
        self._watch()

    def _start(self, name: str, *command: str, environment: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
        child = subprocess.Popen(
            [sys.executable, *command],
            cwd=ROOT,
            env={"DEBUG": "true", **os.environ, **(environment or {}), "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        self.children[name] = child
        return child

    def _first_line(self, sandbox: subprocess.Popen[str]) -> str:
        """Return the address that the sandbox prints when it is ready."""
        lines: list[str] = []
        told = threading.Event()

        def read() -> None:
            lines.append(_output_of(sandbox).readline().strip())
            told.set()
            _show("sandbox", _output_of(sandbox))

        threading.Thread(target=read, daemon=True).start()
        self._until(told.is_set, "the sandbox's address")
        if not lines[0].startswith("http://"):
            raise CommandError(f"The sandbox did not start. {lines[0]}")
        return lines[0]

    def _follow(self, name: str) -> None:
        threading.Thread(target=_show, args=(name, _output_of(self.children[name])), daemon=True).start()

    def _free_port(self, wanted: int) -> int:
        """Return the wanted port, or another one and say so."""
        with socket.socket() as probe:
            # As the server does: the last run's closed connections do not make a port taken.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", wanted))
            except OSError as error:
                if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                    raise
                probe.bind(("127.0.0.1", 0))
                self._say(f"Port {wanted} is taken; the shop goes to {probe.getsockname()[1]}.")
            port: int = probe.getsockname()[1]
            return port

    def _wait_for_page(self, port: int) -> None:
        def answers() -> bool:
            connection = HTTPConnection("127.0.0.1", port, timeout=10)
            try:
                connection.request("GET", "/")
                return connection.getresponse().status == 200
            except (OSError, HTTPException):
                return False
            finally:
                connection.close()

        self._until(answers, "the first page")

    def _until(self, condition: Any, what: str) -> None:
        deadline = time.monotonic() + STARTING
        while not condition():
            self._watch()
            if time.monotonic() > deadline:
                raise CommandError(f"Waited {STARTING:.0f} seconds for {what}.")
            time.sleep(0.03)

    def _watch(self) -> None:
        """Leave when a signal came or when a process ended by itself."""
        if self.signal is not None:
            raise _Ended
        for name, child in self.children.items():
            if child.poll() is not None and self.signal is None:
                raise CommandError(f"The {name} process ended by itself (exit code {child.returncode}).")

    def _end_all(self) -> None:
        deadline = time.monotonic() + ENDING
        if self.signal == signal.SIGINT:
            # A terminal's Ctrl-C reached the children as well; the worker takes a second signal as "leave at once".
            self._reap(time.monotonic() + 3)
        for child in self.children.values():
            if child.poll() is None:
                child.terminate()
        self._reap(deadline)
        for child in self.children.values():
            if child.poll() is None:
                child.kill()
                child.wait()

    def _reap(self, deadline: float) -> None:
        for child in self.children.values():
            try:
                child.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                continue

    @contextmanager
    def _signals(self) -> Iterator[None]:
        def note(number: int, frame: FrameType | None) -> None:
            self.signal = number

        numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        before = {number: signal.signal(number, note) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _say(self, *lines: str) -> None:
        for line in lines:
            self.stdout.write(line)
        self.stdout.flush()


class _Ended(Exception):
    """Somebody asked for the end."""


def _output_of(child: subprocess.Popen[str]) -> IO[str]:
    assert child.stdout is not None  # noqa: S101 (each child was given a pipe)
    return child.stdout


def _show(name: str, lines: IO[str]) -> None:
    """Pass on what a child says, but for the chatter of a server that is well."""
    for line in lines:
        text = line.rstrip()
        is_fine = '" 2' in text or '" 3' in text or '"GET' not in text
        if (
            not text
            or text.startswith(CHATTER_TOO)
            or "Broken pipe" in text
            or (is_fine and any(word in text for word in CHATTER))
        ):
            continue
        sys.stdout.write(f"[{name}] {text}\n")
        sys.stdout.flush()
