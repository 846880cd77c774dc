import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from django_genlook.client import Client
from django_genlook.conf import Secret

from .servers import Certificate, Server, make_certificate

KEY = "gk_live_canary_0123456789"


@pytest.fixture(autouse=True)
def no_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the proxies and certificates of whoever runs the tests out of them."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NETRC"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    """Start servers that end with the test."""
    with ExitStack() as stack:
        yield lambda *args, **kwargs: stack.enter_context(Server(*args, **kwargs))


@pytest.fixture
def connect() -> Iterator[Callable[..., Client]]:
    """Open clients that are closed with the test."""
    with ExitStack() as stack:

        def opened(base: Server | str, **kwargs: Any) -> Client:
            url = base if isinstance(base, str) else base.url()
            return stack.enter_context(Client(base_url=url, api_key=Secret(KEY), **kwargs))

        yield opened


class Alarm:
    """Stands for time: the deadline of a call passes when a test rings, and never by itself."""

    def __init__(self) -> None:
        self.timers: list[threading.Timer] = []

    @property
    def seconds(self) -> list[float]:
        return [timer.interval for timer in self.timers]

    def ring(self) -> None:
        for timer in self.timers:
            timer.function()


@pytest.fixture
def alarm(monkeypatch: pytest.MonkeyPatch) -> Alarm:
    """Take the deadlines into the test's own hands."""
    alarm = Alarm()
    monkeypatch.setattr(threading.Timer, "start", lambda timer: alarm.timers.append(timer))
    return alarm


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """A certificate for ``localhost`` and ``pictures.example.com``."""
    folder: Path = tmp_path_factory.mktemp("tls")
    return make_certificate(folder, "DNS:localhost", "DNS:pictures.example.com")
