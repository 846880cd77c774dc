"""What a test suite uses: a sandbox of its own, started and controlled over HTTP.

In a shop's ``conftest.py``::

    pytest_plugins = ["django_genlook.testing"]

Then a test asks for ``genlook_sandbox``; during it, the ``GENLOOK`` setting points there.
"""

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.test import override_settings


class Sandbox:
    """A local Genlook in a process of its own; ``base_url`` and ``api_key`` are what ``GENLOOK`` needs."""

    api_key = "gk_sandbox"

    def __init__(self) -> None:
        command = [sys.executable, "-m", "django_genlook.sandbox", "--port", "0"]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None  # noqa: S101
        self.base_url = self._process.stdout.readline().split()[-1]
        self._root = self.base_url.removesuffix("/tryon/v1")

    def stop(self) -> None:
        """End the process."""
        self._process.terminate()
        self._process.communicate(timeout=10)

    def reset(self, **options: Any) -> None:
        """Back to a clean state; ``options`` as in the sandbox's ``/_sandbox/reset``."""
        self._control("reset", options)

    def fail(self, *rules: dict[str, Any]) -> None:
        """Replace the fault rules, such as ``{"method": "POST", "path": "/try-on", "fault": "drop_reply"}``."""
        self._control("faults", list(rules))

    def advance(self, seconds: float) -> None:
        """Move the sandbox's clock on."""
        self._control("clock", {"advance_seconds": seconds})

    def ledger(self) -> dict[str, Any]:
        """Return the credits, and what was accepted and charged."""
        answer: dict[str, Any] = self._control("ledger")
        return answer

    def journal(self, method: str = "", path: str = "") -> list[dict[str, Any]]:
        """Return the requests that reached it, those of ``method`` whose path begins with ``path``."""
        entries = self._control("journal")
        return [
            entry
            for entry in entries
            if entry["method"].startswith(method) and entry["path"].removeprefix("/tryon/v1").startswith(path)
        ]

    def _control(self, call: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(  # noqa: S310 (always the loopback address the process printed)
            f"{self._root}/_sandbox/{call}", data=data, headers={"Content-Type": "application/json"}
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=30) as answer:
            return json.load(answer)


@pytest.fixture(scope="session")
def genlook_sandbox_process() -> Iterator[Sandbox]:
    """The sandbox that the tests of one process share."""
    sandbox = Sandbox()
    yield sandbox
    sandbox.stop()


@pytest.fixture
def genlook_sandbox(genlook_sandbox_process: Sandbox) -> Iterator[Sandbox]:
    """A clean sandbox whose generations take no time, and a ``GENLOOK`` setting that points there."""
    sandbox = genlook_sandbox_process
    sandbox.reset(generation_seconds=0)
    sandbox.fail()
    with override_settings(
        GENLOOK={**getattr(settings, "GENLOOK", {}), "API_KEY": sandbox.api_key, "BASE_URL": sandbox.base_url}
    ):
        yield sandbox
