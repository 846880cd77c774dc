"""Which address and which key a client takes, and that the key shows nowhere but in its header."""

import json
import logging
import pickle
import socket
import sys
import traceback
from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import RequestFactory
from django.views.debug import ExceptionReporter

from django_genlook.client import Client
from django_genlook.conf import Config, Secret
from django_genlook.exceptions import CredentialsRejected, GenlookError, NotSent

from .conftest import KEY
from .servers import Server, document, http, reset

Serve = Callable[..., Server]
Connect = Callable[..., Client]


@pytest.mark.parametrize(
    "url",
    [
        "https://api.genlook.app/tryon/v1",
        "https://api.genlook.app/tryon/v1/",
        "https://genlook.example:8443",
        "https://192.0.2.1/x",
        "http://127.0.0.1:8000/tryon/v1",
        "http://127.8.8.8",
        "http://localhost:8000",
        "http://[::1]:8000/tryon/v1",
    ],
)
def test_these_addresses_are_taken(connect: Connect, url: str) -> None:
    assert url.rstrip("/") in repr(connect(url))


@pytest.mark.parametrize(
    "url",
    [
        "",
        "api.genlook.app",
        "//api.genlook.app",
        "ftp://api.genlook.app",
        "http://api.genlook.app/tryon/v1",
        "http://10.0.0.5:8000",
        "http://192.168.1.5",
        "http://sandbox:8000",
        "http://localhost.evil.example",
        "http://127.0.0.1.evil.example",
        "https://user:pass@api.genlook.app",
        "https://user@api.genlook.app",
        "http://127.0.0.1@evil.example",
        "https://api.genlook.app/?a=b",
        "https://api.genlook.app/#x",
        "https://api.genlook.app:0",
        "https://api.genlook.app:99999",
        "https://api.genlook.app:x",
        "https:///tryon",
        "https://[::1",
        "https://api.genlook.app/a b",
        "https://api.genlook.app\\@evil.example",
        "https://api.genlook.app/\r\nX: y",
        "https://äpi.example",
        "file:///etc/passwd",
    ],
)
def test_these_addresses_are_a_mistake_in_the_settings(connect: Connect, url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="BASE_URL"):
        connect(url)


@pytest.mark.parametrize(
    "url", ["http://10.0.0.5:8000", "http://192.168.1.5", "http://[fd00::1]", "http://sandbox:8000"]
)
def test_a_sandbox_may_be_in_a_private_network(connect: Connect, url: str) -> None:
    connect(url, sandbox=True)


@pytest.mark.parametrize("url", ["http://8.8.8.8", "http://[2606:4700::1111]", "http://100.64.0.1"])
def test_a_sandbox_is_never_on_the_internet_over_plain_http(connect: Connect, url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="https"):
        connect(url, sandbox=True)


@pytest.mark.parametrize(
    ("host", "sandbox", "address"),
    [("localhost", False, "10.0.0.5"), ("localhost", False, "8.8.8.8"), ("sandbox", True, "8.8.8.8")],
)
def test_a_name_is_believed_only_when_it_is_looked_up(
    connect: Connect, monkeypatch: pytest.MonkeyPatch, host: str, sandbox: bool, address: str
) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 80))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: found)
    monkeypatch.setattr(socket.socket, "connect", lambda *args: pytest.fail("It connects."))
    with pytest.raises(NotSent, match="Plain http"):
        connect(f"http://{host}", sandbox=sandbox).credit_balance()


def test_a_private_sandbox_is_reached_by_its_name(
    serve: Serve, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(lambda request: document({"creditBalance": 1}))
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", server.port))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: found)
    assert connect(f"http://sandbox:{server.port}", sandbox=True).credit_balance() == 1
    assert server.last.headers["host"] == f"sandbox:{server.port}"


def test_a_sandbox_on_the_second_loopback_is_reached(connect: Connect) -> None:
    try:
        server = Server(lambda request: document({"creditBalance": 1}), host="::1")
    except OSError:
        pytest.skip("This machine has no IPv6.")
    with server:
        assert connect(server).credit_balance() == 1


def test_a_client_is_made_of_the_settings(serve: Serve) -> None:
    server = serve(lambda request: document({"creditBalance": 1}))
    with Client.from_config(Config(BASE_URL=server.url("/tryon/v1"), API_KEY=Secret(KEY))) as client:
        client.credit_balance()
    assert server.last.headers["x-api-key"] == KEY
    assert server.last.target == "/tryon/v1/account/credits"
    Client.from_config(Config(BASE_URL="http://10.0.0.5", SANDBOX=True)).close()
    with pytest.raises(ImproperlyConfigured):
        Client.from_config(Config(BASE_URL="http://10.0.0.5", SANDBOX=False))


def test_the_deadline_of_the_settings_is_not_needed_to_close(serve: Serve, connect: Connect) -> None:
    with connect(serve(lambda request: document({"creditBalance": 1}))) as client:
        client.credit_balance()
    client.close()


@pytest.mark.parametrize(
    ("key", "code"),
    [
        ("", "MISSING_API_KEY"),
        ("gk_with space", "INVALID_API_KEY"),
        ("gk_line\n", "INVALID_API_KEY"),
        ("gk_line\r\nX-Evil: 1", "INVALID_API_KEY"),
        ("gk_ключ", "INVALID_API_KEY"),
        ("gk_" + "x" * 600, "INVALID_API_KEY"),
    ],
)
def test_a_key_that_cannot_be_one_is_refused_when_it_is_used(serve: Serve, key: str, code: str) -> None:
    server = serve(lambda request: document({"creditBalance": 1}))
    with Client(base_url=server.url(), api_key=Secret(key)) as client, pytest.raises(CredentialsRejected) as caught:
        client.credit_balance()
    assert caught.value.code == code
    assert server.connections == 0
    assert key == "" or key not in str(caught.value)


FAILURES: dict[str, Any] = {
    "refused": document({"code": "INVALID_API_KEY", "message": f"{KEY} is no key", "details": [{"path": KEY}]}, 401),
    "html": http(500, f"<h1>{KEY}</h1>".encode()),
    "odd": document({"creditBalance": KEY}),
    "reset": reset,
    "redirect": http(302, b"", f"Location: https://evil.example/?k={KEY}"),
    "retry": http(429, b"", f"Retry-After: {KEY}"),
    "encoding": http(200, b"x", f"Content-Encoding: {KEY}"),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_the_key_is_in_no_failure(
    serve: Serve, connect: Connect, failure: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Looked for where a shop would find it: the exception, its pickle, the logs, Django's page for errors."""
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, "django_genlook.client")
    server = serve(lambda request: FAILURES[failure])
    client = connect(server)
    try:
        client.credit_balance()
    except GenlookError as error:
        shown = [repr(error), str(error), repr(vars(error)), repr(error.args), "".join(traceback.format_exc())]
        shown.append(pickle.dumps(error).decode("latin-1"))
        assert error.__cause__ is None and error.__context__ is None
        reporter = ExceptionReporter(RequestFactory().get("/"), *sys.exc_info())
        # All frames with all their local variables, as Sentry sends them too.
        frames = reporter.get_traceback_frames()
        shown.append(repr([(frame["filename"], frame["vars"]) for frame in frames]))
        assert "self" in {name for frame in frames for name, _ in frame["vars"]}
    else:
        pytest.fail("It did not fail.")
    out, err = capfd.readouterr()
    shown += [out, err, caplog.text, repr(client), repr(vars(client)), repr(vars(client._wire))]
    assert server.last.headers["x-api-key"] == KEY
    for text in shown:
        assert KEY not in text


def test_a_key_that_an_answer_quotes_is_not_stored(serve: Serve, connect: Connect) -> None:
    server = serve(lambda request: document({"externalId": "a", "metadata": {"by": KEY}}))
    assert connect(server).get_product("a").document["metadata"] == {"by": "********"}


def test_a_short_key_does_not_black_out_the_answer(serve: Serve) -> None:
    server = serve(lambda request: document({"externalId": "a", "title": "a key"}))
    with Client(base_url=server.url(), api_key=Secret("a")) as client:
        assert client.get_product("a").document == {"externalId": "a", "title": "a key"}


def test_a_client_cannot_be_pickled_with_its_key(connect: Connect) -> None:
    with pytest.raises(TypeError):
        pickle.dumps(connect("https://api.genlook.example"))
    with pytest.raises(TypeError):
        json.dumps(vars(connect("https://api.genlook.example")))
