# ruff: noqa: SIM905 (long lists read better as words)
"""Pictures from addresses that others wrote down: only the public internet is reached, and nothing else happens."""

import gzip
import itertools
import logging
import pickle
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from django_genlook.client import check_public_url, download, download_image
from django_genlook.client.addresses import is_public
from django_genlook.exceptions import (
    GenlookError,
    NotFound,
    NotSent,
    OutcomeUnknown,
    ProtocolError,
    Rejected,
    ServerFault,
)

from .conftest import Alarm
from .servers import PATIENCE, Certificate, Server, drip, http, nobody, reset

Serve = Callable[..., Server]

PICTURE = b"\xff\xd8\xff" + bytes(range(256)) * 40

GOOD_URLS = [
    "https://cdn.example/a.jpg",
    "https://cdn.example:8443/a.jpg?w=1&h=2#top",
    "HTTPS://CDN.Example/A.JPG",
    "https://a_b.cdn-1.example.co.uk/é/%20x.jpg",
    "https://müller.example/a.jpg",
    "https://xn--mller-kva.example./a.jpg",
    "https://8.8.8.8/a.jpg",
    "https://[2606:4700:4700::1111]/a.jpg",
    "https://shop.museum",
    "https://cdn.example/" + "a" * (2048 - 20),
]

NOT_PUBLIC = """
    127.0.0.1 127.0.0.2 127.255.255.255 0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.127.255.254
    169.254.169.254 169.254.0.1 172.16.0.1 172.31.255.255 192.0.0.1 192.0.2.1 192.88.99.1 192.168.0.1 198.18.0.1
    198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255
    :: ::1 ::2 ::7f00:1 ::127.0.0.1 ::ffff:127.0.0.1 ::ffff:7f00:1 ::ffff:8.8.8.8 ::ffff:10.0.0.1 ::ffff:0:127.0.0.1
    64:ff9b::127.0.0.1 64:ff9b::a00:1 64:ff9b::808:808 64:ff9b:1::1 100::1 2001::1 2001:0:7f00:1:: 2001:2::1 2001:10::1
    2001:20::1 2001:db8::1 2002:7f00:1:: 2002:a00:1::1 2002:808:808::1 3fff::1 4000::1 5f00::1 fc00::1 fd00::1
    fdff:ffff::1 fe80::1 febf::1 fec0::1 ff02::1 ff0e::1
""".split()

PUBLIC = """
    1.1.1.1 8.8.8.8 93.184.216.34 172.32.0.1 192.167.0.1 2606:4700::1111 2a00:1450::1 2400::1
""".split()

BAD_HOSTS = """
    localhost LOCALHOST localhost. a.localhost localhost.localdomain intranet db metadata x.local printer.lan
    metadata.google.internal router.home.arpa nas.home git.corp 1.0.0.127.in-addr.arpa
    127.1 127.0.1 2130706433 0x7f000001 0x7f.0.0.1 0177.0.0.1 017700000001 127.0.0.1. 1.2.3 1.2.3.4.5 1.2.3.256 a.1
    a.0x1 cdn.example.1 cdn..example .example -a.example a-.example a.b- a.e %6c%6fcalhost a%00.example $cdn.example
    a,b.example [::1 ::1] [::1%25lo] [fe80::1%25eth0] [v1.x] cdn.example:0 cdn.example:65536 cdn.example:x
    cdn.example:-1 :443
""".split()
BAD_HOSTS += [
    "",
    "\u00fc..example",
    "\u00fc" * 64 + ".example",
    "a" * 64 + ".example",
    ".".join(["a" * 60] * 5) + ".example",
]
# Digits in circles, full-width digits, ideographic full stops: some resolvers read them as the plain ones.
BAD_HOSTS += ["\u2460\u2461\u2466.\u24ea.\u24ea.\u2460", "\uff11\uff12\uff17.\uff10.\uff10.\uff11"]
BAD_HOSTS += ["127\u30020\u30020\u30021", "\u24dbocalhost", "localhost\u3002"]

BAD_URLS = """
    cdn.example/a.jpg //cdn.example/a.jpg /a.jpg http://cdn.example/a.jpg ftp://cdn.example/a file:///etc/passwd
    gopher://cdn.example/_ data:image/png;base64,AAAA javascript:alert(1) upload://1 https:cdn.example
    https:/cdn.example https:///a.jpg https://user@cdn.example/ https://u:p@cdn.example/ https://@cdn.example/
    https://cdn.example@127.0.0.1/ https://127.0.0.1:80@cdn.example/ https://a\\@cdn.example/
    https://cdn.example\\@127.0.0.1/
""".split()
BAD_URLS += ["", " ", "https://cdn.example/a b", "https://cdn.example/\ta", "https://cdn.example/\r\nX: y"]
BAD_URLS += [" https://cdn.example/a", "https://cdn.example/a ", "\x00https://cdn.example", "ht\ntps://cdn.example"]
BAD_URLS += ["https://cdn.example/\x7f", "https://cdn.example/\u2028", "https://cdn.example/\ud800"]
BAD_URLS += ["https://cdn\u00a0.example/", "https://cdn.example/" + "a" * 2029]


def bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address else address


ALL_BAD = [
    *BAD_URLS,
    *(f"https://{host}/a.jpg" for host in BAD_HOSTS),
    *(f"https://{bracketed(address)}{end}" for address, end in itertools.product(NOT_PUBLIC, ("/a.jpg", ":8443/", ""))),
    *(f"https://{address}.:443/" for address in NOT_PUBLIC if ":" not in address),
    *(f"http://{bracketed(address)}/" for address in (*NOT_PUBLIC, *PUBLIC)),
    *(f"https://{bracketed(address)}@{bracketed(other)}/" for address, other in zip(PUBLIC, NOT_PUBLIC, strict=False)),
]


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """Refuse, and list, every look-up and every connection."""
    seen: list[Any] = []

    def refuse(*args: Any, **kwargs: Any) -> Any:
        seen.append(args)
        raise OSError("No network in this test.")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket.socket, "connect_ex", refuse)
    yield seen


def resolving(monkeypatch: pytest.MonkeyPatch, *addresses: tuple[str, int]) -> list[str]:
    """Let every name stand for these addresses; return the list of the names that are looked up."""
    looked_up: list[str] = []

    def look_up(host: str, port: int, *args: Any, **kwargs: Any) -> Any:
        looked_up.append(host)
        return [
            (socket.AF_INET6, socket.SOCK_STREAM, 6, "", (address, there, 0, 0))
            if ":" in address
            else (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, there))
            for address, there in addresses
        ]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return looked_up


def is_refused(fetch: Callable[..., Any], url: str, **kwargs: Any) -> bool:
    try:
        fetch(url, **kwargs)
    except Rejected as error:
        return error.code == "image_url_refused"
    except GenlookError:
        pass
    return False


@pytest.mark.parametrize("url", GOOD_URLS)
def test_a_public_address_is_accepted(url: str, no_network: list[Any]) -> None:
    check_public_url(url)
    assert no_network == []
    with pytest.raises(NotSent):
        download_image(url, allow_loopback=False)
    assert no_network != []


def test_an_address_that_is_not_public_is_refused_without_a_connection(no_network: list[Any]) -> None:
    assert len(set(ALL_BAD)) >= 350
    assert [url for url in ALL_BAD if not is_refused(check_public_url, url)] == []
    short = [url for url in ALL_BAD if len(url) <= 2048]
    assert [url for url in short if not is_refused(download_image, url, allow_loopback=False)] == []
    assert is_refused(download_image, "https://cdn.example/" + "a" * 9000, allow_loopback=True)
    assert no_network == []


def test_addresses_are_told_apart() -> None:
    assert [address for address in NOT_PUBLIC if is_public(address)] == []
    assert [address for address in PUBLIC if not is_public(address)] == []


@pytest.mark.parametrize("others", [[], ["8.8.8.8"], ["2606:4700::1111", "1.1.1.1"]])
def test_a_name_that_stands_for_a_private_address_is_not_connected_to(
    monkeypatch: pytest.MonkeyPatch, others: list[str]
) -> None:
    connected: list[Any] = []
    monkeypatch.setattr(socket.socket, "connect", lambda line, address: connected.append(address))
    for address in NOT_PUBLIC:
        for order in ([*others, address], [address, *others]):
            resolving(monkeypatch, *((name, 443) for name in order))
            assert is_refused(download_image, "https://pictures.example.com/a.jpg", allow_loopback=False), order
    assert connected == []


@pytest.mark.parametrize("address", ["10.0.0.1", "169.254.169.254", "fd00::1", "::ffff:10.0.0.1"])
def test_allowing_this_machine_does_not_allow_its_network(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setattr(socket.socket, "connect", lambda *args: pytest.fail("It connects."))
    resolving(monkeypatch, (address, 443))
    for url in ("https://pictures.example.com/a.jpg", f"https://{bracketed(address)}/", "http://localhost/a"):
        with pytest.raises(Rejected):
            download_image(url, allow_loopback=True)


@pytest.mark.parametrize("url", ["http://8.8.8.8/a.jpg", "http://pictures.example.com/a.jpg", "ftp://localhost/a"])
def test_allowing_this_machine_does_not_allow_plain_http_elsewhere(url: str, no_network: list[Any]) -> None:
    with pytest.raises(Rejected):
        download_image(url, allow_loopback=True)
    assert no_network == []


def test_a_name_of_this_machine_that_stands_for_another_is_not_asked_in_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket.socket, "connect", lambda *args: pytest.fail("It connects."))
    resolving(monkeypatch, ("8.8.8.8", 80))
    assert is_refused(download_image, "http://localhost/a.jpg", allow_loopback=True)


def test_this_machine_is_reached_only_where_that_is_allowed(serve: Serve) -> None:
    server: Server = serve(lambda request: http(200, PICTURE))
    assert download_image(server.url("/a.jpg"), allow_loopback=True) == PICTURE
    assert download_image(server.url("/a.jpg", host="localhost"), allow_loopback=True) == PICTURE
    before = server.connections
    for url in (server.url("/a.jpg"), f"https://127.0.0.1:{server.port}/", f"https://localhost:{server.port}/"):
        with pytest.raises(Rejected):
            download_image(url, allow_loopback=False)
    assert server.connections == before


def test_the_address_that_was_checked_is_the_one_connected_to(
    serve: Serve, certificate: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name is looked up once: a second look-up could have another answer. The certificate is still the name's."""
    monkeypatch.setattr(download, "DEFAULT_CA_BUNDLE_PATH", str(certificate.path))
    context = certificate.context()
    names: list[str | None] = []
    context.sni_callback = lambda line, name, context: names.append(name)
    server: Server = serve(lambda request: http(200, PICTURE), tls=context)
    looked_up = resolving(monkeypatch, ("127.0.0.1", server.port))
    assert download_image("https://pictures.example.com/a.jpg", allow_loopback=True) == PICTURE
    assert looked_up == ["pictures.example.com"]
    assert names == ["pictures.example.com"]
    assert server.last.headers["host"] == "pictures.example.com"


def test_the_certificate_has_to_be_the_names(
    serve: Serve, certificate: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    server: Server = serve(lambda request: http(200, PICTURE), tls=certificate.context())
    resolving(monkeypatch, ("127.0.0.1", server.port))
    with pytest.raises(NotSent, match="certificate"):  # not trusted
        download_image("https://pictures.example.com/a.jpg", allow_loopback=True)
    monkeypatch.setattr(download, "DEFAULT_CA_BUNDLE_PATH", str(certificate.path))
    with pytest.raises(NotSent, match=r"[Hh]ostname"):  # another's
        download_image("https://elsewhere.example.com/a.jpg", allow_loopback=True)
    assert server.requests == []


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("", "/"),
        ("/a.jpg", "/a.jpg"),
        ("/a%2Fb%20c.jpg?X-Sig=a%2Bb%3D%3D&e=1+2#frag", "/a%2Fb%20c.jpg?X-Sig=a%2Bb%3D%3D&e=1+2"),
        ("/é.jpg?q=ü", "/%C3%A9.jpg?q=%C3%BC"),
        ("/a/../b/./c?x=/../y", "/a/../b/./c?x=/../y"),
        ("?a=b", "/?a=b"),
    ],
)
def test_an_address_is_asked_for_as_it_was_signed(serve: Serve, path: str, target: str) -> None:
    server: Server = serve(lambda request: http(200, PICTURE))
    download_image(server.url(path), allow_loopback=True)
    assert server.last.target == target
    assert server.last.headers["host"] == f"127.0.0.1:{server.port}"


def test_nothing_is_sent_but_the_request(serve: Serve, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login x password y\n")
    monkeypatch.setenv("NETRC", str(netrc))
    proxy = serve(lambda request: http(200, b"from the proxy"))
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, proxy.url(""))
    server: Server = serve(lambda request: http(200, PICTURE, "Set-Cookie: a=b"))
    assert download_image(server.url("/a"), allow_loopback=True) == PICTURE
    assert download_image(server.url("/a"), allow_loopback=True) == PICTURE
    assert proxy.connections == 0
    assert set(server.last.headers) == {"host", "accept", "accept-encoding", "user-agent"}
    assert server.last.headers["accept-encoding"] == "identity"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(serve: Serve, status: int) -> None:
    elsewhere = serve(lambda request: http(200, PICTURE))
    server: Server = serve(lambda request: http(status, PICTURE, f"Location: {elsewhere.url('/')}"))
    with pytest.raises(Rejected) as caught:
        download_image(server.url("/a"), allow_loopback=True)
    assert (caught.value.code, caught.value.http_status) == ("image_url_refused", status)
    assert elsewhere.connections == 0


@pytest.mark.parametrize(
    ("status", "expected", "code"),
    [
        (400, NotFound, "not_found"),
        (401, NotFound, "not_found"),
        (403, NotFound, "not_found"),
        (404, NotFound, "not_found"),
        (410, NotFound, "not_found"),
        (408, ServerFault, "server_fault"),
        (429, ServerFault, "server_fault"),
        (500, ServerFault, "server_fault"),
        (503, ServerFault, "server_fault"),
        (204, ProtocolError, "protocol_error"),
        (206, ProtocolError, "protocol_error"),
    ],
)
def test_an_answer_without_a_picture_is_told_by_its_status(
    serve: Serve, status: int, expected: type[GenlookError], code: str
) -> None:
    # A body in Genlook's own shape has no say here: these are other servers.
    body = b"" if status == 204 else b'{"code": "INVALID_API_KEY"}'
    server: Server = serve(lambda request: http(status, body))
    with pytest.raises(GenlookError) as caught:
        download_image(server.url("/a"), allow_loopback=True)
    assert (type(caught.value), caught.value.code, caught.value.http_status) == (expected, code, status)


def test_a_picture_may_be_as_large_as_was_said_and_no_larger(serve: Serve) -> None:
    server: Server = serve(lambda request: http(200, PICTURE))
    assert download_image(server.url("/a"), allow_loopback=True, max_bytes=len(PICTURE)) == PICTURE
    with pytest.raises(Rejected) as caught:
        download_image(server.url("/a"), allow_loopback=True, max_bytes=len(PICTURE) - 1)
    assert caught.value.code == "FILE_TOO_LARGE"


def test_an_endless_picture_ends(serve: Serve) -> None:
    def endless(line: socket.socket) -> None:
        line.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            line.sendall(b"x" * 65536)

    with pytest.raises(Rejected) as caught:
        download_image(serve(lambda request: endless).url("/a"), allow_loopback=True, max_bytes=1024 * 1024)
    assert caught.value.code == "FILE_TOO_LARGE"


def test_a_bomb_is_too_large(serve: Serve) -> None:
    server: Server = serve(
        lambda request: http(200, gzip.compress(b"x" * 50_000_000, mtime=0), "Content-Encoding: gzip")
    )
    with pytest.raises(Rejected) as caught:
        download_image(server.url("/a"), allow_loopback=True)
    assert caught.value.code == "FILE_TOO_LARGE"


def test_nothing_is_no_picture(serve: Serve) -> None:
    with pytest.raises(Rejected) as caught:
        download_image(serve(lambda request: http(200, b"")).url("/a"), allow_loopback=True)
    assert caught.value.code == "INVALID_IMAGE"


def test_a_dripping_picture_is_cut_off(serve: Serve, alarm: Alarm) -> None:
    server: Server = serve(lambda request: drip(server, http(200, b"x" * 60)))
    server.midway = alarm.ring
    with pytest.raises(OutcomeUnknown, match="within 60 s"):
        download_image(server.url("/a"), allow_loopback=True)
    assert not server.finished.is_set()
    with pytest.raises(OutcomeUnknown, match=r"within 2\.5 s"):
        download_image(server.url("/a"), allow_loopback=True, deadline=2.5)
    assert alarm.seconds == [60, 2.5]


def test_a_picture_without_a_length_is_not_taken_for_whole_when_it_was_cut_off(serve: Serve, alarm: Alarm) -> None:
    def reply(line: socket.socket) -> None:
        line.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + PICTURE)
        alarm.ring()
        server.over.wait(PATIENCE)

    server: Server = serve(lambda request: reply)
    with pytest.raises(OutcomeUnknown):
        download_image(server.url("/a"), allow_loopback=True)


def test_a_handshake_that_nobody_answers_is_cut_off(serve: Serve, alarm: Alarm) -> None:
    def listen(line: socket.socket) -> None:
        line.recv(1000)
        alarm.ring()
        server.over.wait(PATIENCE)

    server: Server = serve(on_accept=listen)
    with pytest.raises(NotSent, match="no answer"):
        download_image(f"https://localhost:{server.port}/", allow_loopback=True)


def test_a_server_that_is_not_there_is_told_from_one_that_hangs_up(serve: Serve) -> None:
    with nobody() as port, pytest.raises(NotSent):
        download_image(f"http://127.0.0.1:{port}/a", allow_loopback=True)
    with pytest.raises(OutcomeUnknown):
        download_image(serve(lambda request: reset).url("/a"), allow_loopback=True)


def test_the_address_of_a_result_is_written_nowhere(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    """It opens the picture to whoever reads it."""
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, "django_genlook.client")
    for reply in (http(200, PICTURE), http(404, b"canary-token"), http(302, b"", "Location: /?t=canary-token"), reset):
        server = serve(lambda request, reply=reply: reply)
        try:
            download_image(server.url("/r.jpg?t=canary-token"), allow_loopback=True)
        except GenlookError as error:
            assert "canary-token" not in repr(error) + str(error) + repr(vars(error))
            assert error.__context__ is None and error.__cause__ is None
            assert type(pickle.loads(pickle.dumps(error))) is type(error)
    with pytest.raises(Rejected) as caught:
        download_image("https://10.0.0.1/r.jpg?t=canary-token", allow_loopback=False)
    assert "canary-token" not in str(caught.value)
    assert "call=GET picture status=200" in caplog.text
    assert "canary-token" not in caplog.text
