"""What a server, a proxy or a network can do to a call: it ends in time, within bounds, and with the right verdict."""

import gzip
import logging
import pickle
import socket
import ssl
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import requests

from django_genlook.client import Client, PictureBytes, api, exchange, transport, wire
from django_genlook.client.exchange import Exchange
from django_genlook.exceptions import (
    GenlookError,
    NotFound,
    NotSent,
    OutcomeUnknown,
    ProtocolError,
    RateLimited,
    ServerFault,
)

from .conftest import KEY, Alarm
from .servers import PATIENCE, Certificate, Reply, Request, Server, document, drip, http, nobody, piecemeal, reset

Serve = Callable[..., Server]
Connect = Callable[..., Client]

GOOD = {"creditBalance": 3, "generationId": "g", "status": "PENDING", "imageId": "i", "externalId": "a"}


def try_on(client: Client) -> Any:
    return client.create_try_on(product="a", image_id="i")


# Deadlines


def whole_answer(server: Server) -> Reply:
    return drip(server, document(GOOD))


def body_only(server: Server) -> Reply:
    body = b'{"creditBalance": 3}' + b" " * 50
    return piecemeal(server, http(200, body)[: -len(body)], *(bytes([byte]) for byte in body))


def endless_headers(server: Server) -> Reply:
    return piecemeal(
        server, b"HTTP/1.1 200 OK\r\n", *[b"X-A: b\r\n"] * 70, b'Content-Length: 20\r\n\r\n{"creditBalance": 3}'
    )


def endless_informational(server: Server) -> Reply:
    return piecemeal(server, *[b"HTTP/1.1 100 Continue\r\n\r\n"] * 70, document(GOOD))


def chunk_by_chunk(server: Server) -> Reply:
    body = b'{"creditBalance": 3}' + b" " * 50
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    return piecemeal(server, head, *(b"1\r\n%c\r\n" % byte for byte in body), b"0\r\n\r\n")


def until_closed(server: Server) -> Reply:
    """A body without a length is complete wherever it ends: here, after its first piece, it is a good one."""
    head = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
    return piecemeal(server, head + b'{"creditBalance": 3}', *[b" "] * 70)


def silence(server: Server) -> Reply:
    return piecemeal(server, b"", document(GOOD), pause=2)


@pytest.mark.parametrize(
    "manner",
    [whole_answer, body_only, endless_headers, endless_informational, chunk_by_chunk, until_closed, silence],
)
def test_a_server_that_takes_its_time_is_cut_off(
    serve: Serve, connect: Connect, alarm: Alarm, manner: Callable[[Server], Reply]
) -> None:
    server: Server = serve(lambda request: manner(server))
    server.midway = alarm.ring
    with pytest.raises(OutcomeUnknown, match="no answer within 15 s") as caught:
        connect(server).credit_balance()
    assert type(caught.value) is OutcomeUnknown
    assert len(server.requests) == 1
    assert not server.finished.is_set()


def test_a_kept_connection_is_cut_off_like_a_new_one(serve: Serve, connect: Connect, alarm: Alarm) -> None:
    server: Server = serve(lambda request: document(GOOD) if len(server.requests) == 1 else whole_answer(server))
    server.midway = alarm.ring
    client = connect(server)
    client.credit_balance()
    with pytest.raises(OutcomeUnknown, match="no answer within"):
        client.credit_balance()
    assert server.connections == 1
    assert not server.finished.is_set()


def test_an_upload_that_nobody_reads_is_cut_off(serve: Serve, connect: Connect, alarm: Alarm) -> None:
    def read_a_little(line: socket.socket) -> None:
        line.recv(1000)
        alarm.ring()
        server.over.wait(PATIENCE)

    server: Server = serve(on_accept=read_a_little)
    with pytest.raises(OutcomeUnknown, match="no answer within 60 s"):
        connect(server).upload_image(b"x" * 9_000_000)


def test_a_handshake_that_nobody_answers_counts_as_not_sent(serve: Serve, connect: Connect, alarm: Alarm) -> None:
    def listen(line: socket.socket) -> None:
        line.recv(1000)
        alarm.ring()
        server.over.wait(PATIENCE)

    server: Server = serve(on_accept=listen)
    with pytest.raises(NotSent, match="no answer within 20 s"):
        try_on(connect(f"https://localhost:{server.port}/tryon/v1"))


def test_a_dripping_handshake_counts_as_not_sent(serve: Serve, connect: Connect, alarm: Alarm) -> None:
    # The header of a handshake record of 16 kB, and then its content, byte by byte.
    server: Server = serve(on_accept=lambda line: drip(server, b"\x16\x03\x03\x40\x00\x02" + b"\x00" * 70)(line))
    server.midway = alarm.ring
    with pytest.raises(NotSent, match="no answer within 20 s"):
        try_on(connect(f"https://localhost:{server.port}/tryon/v1"))
    assert not server.finished.is_set()


def test_time_itself_ends_a_call(serve: Serve, connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "CALL_DEADLINE", 1.0)
    server: Server = serve(lambda request: piecemeal(server, b"", document(GOOD), pause=PATIENCE))
    with pytest.raises(OutcomeUnknown, match="no answer within 1 s"):
        connect(server).credit_balance()
    assert not server.finished.is_set()


CALLS: list[tuple[Callable[[Client], Any], float]] = [
    (lambda c: c.credit_balance(), 15),
    (lambda c: c.save_product("a"), 15),
    (lambda c: c.list_products(), 15),
    (lambda c: c.get_product("a"), 15),
    (lambda c: c.delete_product("a"), 15),
    (lambda c: c.product_stats("a"), 15),
    (lambda c: c.get_generation("g"), 15),
    (lambda c: c.delete_customer("u"), 15),
    (try_on, 20),
    (lambda c: c.upload_image(b"x"), 60),
    (lambda c: c.save_product("a", images=[PictureBytes(b"x")]), 60),
    (lambda c: c.create_try_on_sync(product="a", image_id="i"), 100),
]


@pytest.mark.parametrize(("call", "seconds"), CALLS, ids=range(len(CALLS)))
def test_each_call_has_the_deadline_that_was_promised(
    connect: Connect, alarm: Alarm, call: Callable[[Client], Any], seconds: float
) -> None:
    with nobody() as port, pytest.raises(NotSent):
        call(connect(f"http://127.0.0.1:{port}"))
    assert alarm.seconds == [seconds]


def test_a_deadline_can_be_set_while_the_client_lives(
    connect: Connect, alarm: Alarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    with nobody() as port:
        client = connect(f"http://127.0.0.1:{port}")
        for name in ("CALL_DEADLINE", "TRY_ON_DEADLINE", "UPLOAD_DEADLINE", "SYNC_DEADLINE"):
            monkeypatch.setattr(api, name, 7.0)
        for call, _ in CALLS:
            with pytest.raises(NotSent):
                call(client)
    assert alarm.seconds == [7.0] * len(CALLS)


def test_a_socket_that_cannot_be_woken_gives_up_by_itself(
    serve: Serve, connect: Connect, alarm: Alarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "GRACE", -14.5)  # half a second in all
    server: Server = serve(lambda request: piecemeal(server, b"", document(GOOD), pause=PATIENCE))
    with pytest.raises(OutcomeUnknown, match="imeout"):
        connect(server).credit_balance()
    assert not server.finished.is_set()


def test_the_largest_answer_is_a_mebibyte() -> None:
    assert wire.ANSWER_LIMIT == 1024 * 1024


def test_a_slow_reader_has_the_whole_deadline_and_not_the_connect_time_out(
    serve: Serve, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "CONNECT_TIMEOUT", 0.2)
    server: Server = serve(lambda request: document(GOOD), on_accept=lambda line: server.over.wait(0.8) and None)
    assert connect(server).upload_image(b"x" * 9_000_000).image_id == "i"


def test_a_connection_that_is_not_taken_up_counts_as_not_sent(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "CONNECT_TIMEOUT", 0.2)
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting = [socket.socket() for _ in range(8)]
        try:
            for line in waiting:
                line.setblocking(False)
                line.connect_ex(full.getsockname())
            with pytest.raises(NotSent):
                try_on(connect(f"http://127.0.0.1:{full.getsockname()[1]}"))
        finally:
            for line in waiting:
                line.close()


def test_no_address_is_tried_after_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host with many addresses, none of which answers, would otherwise take a connect time-out for each."""
    waited: list[float | None] = []
    now = 0.0

    class Dead(socket.socket):
        def connect(self, address: Any) -> None:
            nonlocal now
            waited.append(self.gettimeout())
            now += self.gettimeout() or 0
            raise TimeoutError

    class Clock:
        @staticmethod
        def monotonic() -> float:
            return now

    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", 1))] * 50
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: found)
    monkeypatch.setattr(socket, "socket", Dead)
    monkeypatch.setattr(exchange, "time", Clock)
    with Exchange(25) as call, pytest.raises(TimeoutError):
        call.connect("many", 1, None)
    assert waited == [10, 10, 5]
    assert not call.sent


def test_the_next_address_is_tried_when_one_refuses(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    server: Server = serve(lambda request: None)
    with nobody() as port:
        kind = (socket.AF_INET, socket.SOCK_STREAM, 6, "")
        found = [(*kind, ("127.0.0.1", port)), (*kind, ("127.0.0.1", server.port))]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: found)
        with Exchange(5) as call, call.connect("two", 1, None) as line:
            assert line.getpeername()[1] == server.port


# The watch itself


def test_a_late_alarm_harms_neither_the_connection_nor_the_next_call(
    serve: Serve, connect: Connect, alarm: Alarm
) -> None:
    """As when a timer has already gone off and waits for its turn while the call comes to its end."""

    def reply(request: Request) -> bytes:
        if len(server.requests) == 2:  # the second call is under way, on the same connection
            alarm.timers[0].function()
        return document(GOOD)

    server: Server = serve(reply)
    client = connect(server)
    assert client.credit_balance() == 3
    assert client.credit_balance() == 3
    alarm.ring()
    assert client.credit_balance() == 3
    assert server.connections == 1


def test_an_exchange_that_is_over_leaves_the_socket_alone() -> None:
    here, there = socket.socketpair()
    with here, there:
        with Exchange(60) as call:
            call.watch(here)
        call._expire()
        assert not call.expired
        here.sendall(b"still")
        assert there.recv(5) == b"still"


def test_a_socket_that_comes_after_the_deadline_is_shut_at_once() -> None:
    here, there = socket.socketpair()
    with here, there, Exchange(60) as call:
        call._expire()
        call.watch(here)
        there.settimeout(PATIENCE)
        assert there.recv(5) == b""


def test_the_watch_reaches_a_socket_that_tls_has_taken_over(serve: Serve, certificate: Certificate) -> None:
    context = ssl.create_default_context(cafile=str(certificate.path))
    server: Server = serve(lambda request: None, tls=certificate.context())
    with Exchange(60) as call:
        raw = call.connect("127.0.0.1", server.port, None)
        with context.wrap_socket(raw, server_hostname="localhost") as line:
            call._expire()
            line.settimeout(PATIENCE)
            try:
                assert line.recv(1) == b""
            except OSError as error:
                assert not isinstance(error, TimeoutError)


def test_threads_share_a_client_and_none_ends_the_call_of_another(serve: Serve, connect: Connect) -> None:
    def reply(request: Request) -> bytes:
        server.over.wait(0.01)
        return document({"externalId": request.target.rpartition("/")[2]})

    server: Server = serve(reply)
    client = connect(server)
    wrong: list[Any] = []

    def work(name: str) -> None:
        for number in range(20):
            wanted = f"{name}-{number}"
            try:
                got = client.get_product(wanted).external_id
            except GenlookError as error:
                got = repr(error)
            if got != wanted:
                wrong.append((wanted, got))

    threads = [threading.Thread(target=work, args=(str(number),)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert wrong == []
    assert len(server.requests) == 160


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="counts descriptors as Linux shows them")
def test_no_descriptor_and_no_thread_is_left_behind(serve: Serve, connect: Connect) -> None:
    answers = {"/tryon/v1/generations/g": document(GOOD), "/tryon/v1/account/credits": None}
    server: Server = serve(lambda request: answers[request.target])
    client = connect(server)

    def call_both() -> None:
        client.get_generation("g")
        with pytest.raises(OutcomeUnknown):
            client.credit_balance()

    def used() -> int:
        for thread in threading.enumerate():
            if isinstance(thread, threading.Timer):
                thread.join(PATIENCE)
        return len(list(Path("/proc/self/fd").iterdir()))

    call_both()
    client.close()
    before = used()
    for _ in range(30):
        call_both()
    client.close()
    # The server's ends close when its threads come round to it.
    assert any(used() <= before + 2 or server.over.wait(0.1) for _ in range(50))


# Sent or not sent


def test_a_refused_connection_counts_as_not_sent(connect: Connect) -> None:
    with nobody() as port, pytest.raises(NotSent, match="refused"):
        try_on(connect(f"http://127.0.0.1:{port}"))


def test_an_unknown_host_counts_as_not_sent(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*args: Any, **kwargs: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(NotSent, match="Name or service not known"):
        try_on(connect("https://api.genlook.example/tryon/v1"))


def test_a_host_name_that_cannot_be_looked_up_counts_as_not_sent(connect: Connect) -> None:
    with pytest.raises(NotSent):
        try_on(connect(f"https://{'a' * 70}.example"))


def test_a_certificate_that_is_not_trusted_counts_as_not_sent(
    serve: Serve, connect: Connect, certificate: Certificate
) -> None:
    server: Server = serve(lambda request: document(GOOD), tls=certificate.context())
    with pytest.raises(NotSent, match="certificate"):
        try_on(connect(server.url(host="localhost")))
    assert server.requests == []


def test_a_certificate_for_another_name_counts_as_not_sent(
    serve: Serve, connect: Connect, certificate: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate.path))
    server: Server = serve(lambda request: document(GOOD), tls=certificate.context())
    with pytest.raises(NotSent, match=r"[Hh]ostname|IP address"):
        try_on(connect(server.url()))
    assert server.requests == []
    assert try_on(connect(server.url(host="localhost"))).generation_id == "g"


def test_a_server_that_speaks_no_tls_counts_as_not_sent(serve: Serve, connect: Connect) -> None:
    server: Server = serve(on_accept=lambda line: line.sendall(b"SSH-2.0-OpenSSH_9.9\r\n"))
    with pytest.raises(NotSent):
        try_on(connect(f"https://localhost:{server.port}"))


def partial_status(line: socket.socket) -> None:
    line.sendall(b"HTTP/1.1 20")


def partial_headers(line: socket.socket) -> None:
    line.sendall(b"HTTP/1.1 200 OK\r\nContent-Le")


def partial_body(line: socket.socket) -> None:
    line.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"generationId": "g"}')


def partial_chunk(line: socket.socket) -> None:
    line.sendall(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n14\r\n{"generationId": "g"')


def bad_chunk(line: socket.socket) -> None:
    line.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n")


def no_http(line: socket.socket) -> None:
    line.sendall(b"220 mail.example ESMTP\r\n")


def two_lengths(line: socket.socket) -> None:
    line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}")


def too_many_headers(line: socket.socket) -> None:
    line.sendall(b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 200 + b"\r\n{}")


def too_long_a_header(line: socket.socket) -> None:
    line.sendall(b"HTTP/1.1 200 OK\r\nA: " + b"b" * 70_000 + b"\r\n\r\n{}")


@pytest.mark.parametrize(
    "manner",
    [
        reset,
        lambda line: None,
        partial_status,
        partial_headers,
        partial_body,
        partial_chunk,
        bad_chunk,
        no_http,
        two_lengths,
        too_many_headers,
        too_long_a_header,
    ],
)
def test_a_request_that_left_without_an_answer_is_of_unknown_outcome(
    serve: Serve, connect: Connect, manner: Callable[[socket.socket], None]
) -> None:
    server: Server = serve(lambda request: manner)
    for call in (try_on, lambda client: client.credit_balance(), lambda client: client.upload_image(b"x" * 200_000)):
        before = len(server.requests)
        with pytest.raises(OutcomeUnknown) as caught:
            call(connect(server))
        assert len(server.requests) == before + 1, "Nothing is ever sent again from here."
        assert caught.value.__cause__ is None and caught.value.__context__ is None
        assert KEY not in repr(caught.value) + str(caught.value)
        assert type(pickle.loads(pickle.dumps(caught.value))) is type(caught.value)


def test_the_headers_alone_are_enough_to_make_it_unknown(serve: Serve, connect: Connect) -> None:
    """The server hangs up on the body of a large request: who knows what it makes of the beginning."""

    def hang_up(line: socket.socket) -> None:
        line.recv(1000)
        reset(line)

    server: Server = serve(on_accept=hang_up)
    with pytest.raises(OutcomeUnknown):
        connect(server).upload_image(b"x" * 9_000_000)


def test_an_answer_that_comes_before_the_request_is_read_is_heard(serve: Serve, connect: Connect) -> None:
    def refuse(line: socket.socket) -> None:
        line.recv(1000)
        line.sendall(document({"code": "RATE_LIMITED"}, 429, "Connection: close"))
        line.shutdown(socket.SHUT_WR)
        while line.recv(65536):
            pass

    with pytest.raises(RateLimited):
        connect(serve(on_accept=refuse)).upload_image(b"x" * 9_000_000)


@pytest.mark.parametrize("status", [500, 502, 503, 429, 408])
def test_no_answer_makes_it_send_again(serve: Serve, connect: Connect, status: int) -> None:
    server: Server = serve(lambda request: http(status, b"", "Retry-After: 0"))
    with pytest.raises(GenlookError):
        try_on(connect(server))
    assert len(server.requests) == 1


# Kept connections


def test_a_connection_is_kept_for_the_next_call(serve: Serve, connect: Connect) -> None:
    server: Server = serve(lambda request: document(GOOD))
    client = connect(server)
    client.credit_balance()
    client.save_product("a")
    client.credit_balance()
    assert server.connections == 1
    client.close()
    client.credit_balance()
    assert server.connections == 2


def test_a_kept_connection_that_the_server_closed_is_not_used_again(serve: Serve, connect: Connect) -> None:
    closed = threading.Event()

    def reply(request: Request) -> Reply:
        if len(server.requests) > 1:
            return document(GOOD)

        def answer_and_hang_up(line: socket.socket) -> None:
            line.sendall(document(GOOD))
            line.shutdown(socket.SHUT_RDWR)
            closed.set()

        return answer_and_hang_up

    server: Server = serve(reply)
    client = connect(server)
    client.credit_balance()
    assert closed.wait(PATIENCE)
    assert client.save_product("a").external_id == "a"
    assert server.connections == 2


def test_a_try_on_never_rides_on_a_kept_connection(serve: Serve, connect: Connect) -> None:
    """Or a server that hangs up on idle connections would turn shoppers' try-ons into unknown ones."""

    def reply(request: Request) -> Reply:
        first = [r.connection for r in server.requests].count(request.connection) == 1
        return document(GOOD) if first else None

    server: Server = serve(reply)
    client = connect(server)
    for _ in range(3):
        assert try_on(client).generation_id == "g"
        assert client.create_try_on_sync(product="a", image_id="i").generation_id == "g"
    assert server.connections == 6


def test_what_a_server_adds_to_an_answer_is_not_the_next_one(serve: Serve, connect: Connect) -> None:
    read, added = threading.Event(), threading.Event()

    def reply(request: Request) -> Reply:
        if len(server.requests) > 1:
            return document({"creditBalance": 2})

        def answer_twice(line: socket.socket) -> None:
            line.sendall(document({"creditBalance": 1}))
            read.wait(PATIENCE)
            line.sendall(document({"creditBalance": 666}))
            added.set()
            server.over.wait(PATIENCE)

        return answer_twice

    server: Server = serve(reply)
    client = connect(server)
    assert client.credit_balance() == 1
    read.set()
    assert added.wait(PATIENCE)
    assert client.credit_balance() == 2


# Caps


def padded(size: int) -> bytes:
    return b'{"creditBalance": 3' + b" " * (size - 20) + b"}"


def test_an_answer_may_be_as_long_as_the_cap_and_no_longer(serve: Serve, connect: Connect) -> None:
    limit = wire.ANSWER_LIMIT
    server: Server = serve(lambda request: http(200, padded(limit if len(server.requests) == 1 else limit + 1)))
    client = connect(server)
    assert client.credit_balance() == 3
    with pytest.raises(ProtocolError, match="too long"):
        client.credit_balance()


def test_an_endless_answer_ends_at_the_cap(serve: Serve, connect: Connect) -> None:
    sent = []

    def endless(line: socket.socket) -> None:
        line.sendall(b"HTTP/1.1 200 OK\r\n\r\n{")
        while True:
            line.sendall(b" " * 65536)
            sent.append(65536)

    with pytest.raises(ProtocolError, match="too long"):
        connect(serve(lambda request: endless)).credit_balance()
    assert sum(sent) < 30 * 1024 * 1024


def test_what_is_not_read_to_its_end_is_hung_up_on(
    serve: Serve, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    responses = []

    def remembering(response: Any, cap: int) -> Any:
        responses.append(response)  # or it would be closed as litter
        return read(response, cap)

    read = transport.read
    monkeypatch.setattr(transport, "read", remembering)
    hung_up = threading.Event()

    def endless(line: socket.socket) -> None:
        line.sendall(b"HTTP/1.1 200 OK\r\n\r\n{")
        try:
            while not server.over.is_set():
                line.sendall(b" " * 65536)
        except OSError:
            hung_up.set()

    server: Server = serve(lambda request: endless)
    with pytest.raises(ProtocolError):
        connect(server).credit_balance()
    assert hung_up.wait(5)


def test_an_endless_error_is_still_that_error(serve: Serve, connect: Connect) -> None:
    def endless(line: socket.socket) -> None:
        line.sendall(b"HTTP/1.1 429 Slow down\r\nRetry-After: 9\r\n\r\n<html>")
        while True:
            line.sendall(b" " * 65536)

    with pytest.raises(RateLimited) as caught:
        connect(serve(lambda request: endless)).credit_balance()
    assert caught.value.retry_after == 9


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", "GZIP "])
def test_a_compressed_answer_is_read_all_the_same(serve: Serve, connect: Connect, encoding: str) -> None:
    body = gzip.compress(padded(500_000), mtime=0)
    server: Server = serve(lambda request: http(200, body, f"Content-Encoding: {encoding}"))
    assert connect(server).credit_balance() == 3


def test_a_bomb_is_unpacked_no_further_than_the_cap(serve: Serve, connect: Connect) -> None:
    bomb = gzip.compress(b" " * 200 * 1024 * 1024, compresslevel=9, mtime=0)
    assert len(bomb) < 300_000
    server: Server = serve(lambda request: http(200, bomb, "Content-Encoding: gzip"))
    client = connect(server)
    tracemalloc.start()
    try:
        with pytest.raises(ProtocolError, match="too long"):
            client.credit_balance()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 20 * 1024 * 1024


def test_what_follows_a_compressed_answer_is_not_hoarded(serve: Serve, connect: Connect) -> None:
    def endless(line: socket.socket) -> None:
        line.sendall(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(padded(100), mtime=0))
        while True:
            line.sendall(b" " * 65536)

    assert connect(serve(lambda request: endless)).credit_balance() == 3


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", b'{"creditBalance": 3}'),
        ("gzip", gzip.compress(b'{"creditBalance": 3}', mtime=0)[:-9]),
        ("br", b"\x0b\x09\x80"),
        ("br", b'{"creditBalance": 3}'),
        ("deflate", b"x"),
        ("gzip, gzip", gzip.compress(gzip.compress(b"{}", mtime=0), mtime=0)),
    ],
)
def test_an_answer_that_cannot_be_unpacked_counts_by_its_status(
    serve: Serve, connect: Connect, encoding: str, body: bytes
) -> None:
    status = 200
    server: Server = serve(lambda request: http(status, body, f"Content-Encoding: {encoding}"))
    client = connect(server)
    with pytest.raises(ProtocolError):
        client.credit_balance()
    status = 429
    with pytest.raises(RateLimited):
        client.credit_balance()


# Redirects, cookies, proxies, .netrc


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(serve: Serve, connect: Connect, status: int) -> None:
    elsewhere = serve(lambda request: document(GOOD))
    server: Server = serve(lambda request: http(status, b"", f"Location: {elsewhere.url()}"))
    with pytest.raises(ProtocolError) as caught:
        try_on(connect(server))
    assert caught.value.http_status == status
    assert elsewhere.connections == 0
    assert len(server.requests) == 1


@pytest.mark.parametrize("location", ["", "http://[", "//\x00", "http://user:pass@127.0.0.1:1/", "x" * 60_000])
def test_a_strange_redirect_is_refused_like_any_other(serve: Serve, connect: Connect, location: str) -> None:
    with pytest.raises(ProtocolError):
        connect(serve(lambda request: http(302, b"", f"Location: {location}"))).credit_balance()


def test_an_endless_redirect_is_not_read(serve: Serve, connect: Connect) -> None:
    def endless(line: socket.socket) -> None:
        line.sendall(b"HTTP/1.1 302 Found\r\nLocation: /x\r\n\r\n")
        while True:
            line.sendall(b" " * 65536)

    with pytest.raises(ProtocolError) as caught:
        connect(serve(lambda request: endless)).credit_balance()
    assert caught.value.http_status == 302


def test_no_cookie_is_kept(serve: Serve, connect: Connect) -> None:
    server: Server = serve(lambda request: document(GOOD, 200, "Set-Cookie: a=b; Path=/"))
    client = connect(server)
    client.credit_balance()
    client.credit_balance()
    assert "cookie" not in server.last.headers


def test_a_netrc_is_not_read(serve: Serve, connect: Connect, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password canary-password\ndefault login x password y\n")
    monkeypatch.setenv("NETRC", str(netrc))
    server: Server = serve(lambda request: document(GOOD))
    requests.get(server.url(), timeout=PATIENCE)
    assert "authorization" in server.last.headers, "This file is one that requests would read."
    connect(server).credit_balance()
    assert "authorization" not in server.last.headers
    assert server.last.headers["x-api-key"] == KEY


@pytest.fixture
def proxied(
    serve: Serve, certificate: Certificate, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[Reply], Any]]:
    """An API over TLS behind a proxy that does as it is told with CONNECT; ``True``: it connects."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate.path))
    target = serve(lambda request: document(GOOD), tls=certificate.context())

    def tunnel(line: socket.socket) -> None:
        with socket.create_connection(("127.0.0.1", target.port), PATIENCE) as there:
            line.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=_pump, args=(there, line))
            back.start()
            _pump(line, there)
            back.join(PATIENCE)

    def started(reply: Any) -> tuple[Server, Server]:
        proxy: Server = serve(lambda request: tunnel if reply is True else reply)
        monkeypatch.setenv("HTTPS_PROXY", f"http://someone:canary-password@127.0.0.1:{proxy.port}")
        return proxy, target

    yield started


def _pump(here: socket.socket, there: socket.socket) -> None:
    try:
        while data := here.recv(65536):
            there.sendall(data)
    except OSError:
        pass
    with suppress(OSError):
        there.shutdown(socket.SHUT_RDWR)


Proxied = Callable[[Any], tuple[Server, Server]]


def test_a_proxy_of_the_environment_is_used_and_never_sees_the_key(proxied: Proxied, connect: Connect) -> None:
    proxy, target = proxied(True)
    assert try_on(connect(target.url(host="localhost"))).generation_id == "g"
    assert [request.method for request in proxy.requests] == ["CONNECT"]
    assert "x-api-key" not in proxy.last.headers
    assert target.last.headers["x-api-key"] == KEY
    assert "proxy-authorization" not in target.last.headers


@pytest.mark.parametrize(
    "reply", [http(407, b""), http(403, b"no"), http(502, b""), http(302, b"", "Location: /"), None, b"garbage\r\n\r\n"]
)
def test_a_proxy_that_does_not_connect_counts_as_not_sent(proxied: Proxied, connect: Connect, reply: Any) -> None:
    _, target = proxied(reply)
    with pytest.raises(NotSent) as caught:
        try_on(connect(target.url(host="localhost")))
    assert target.requests == []
    assert "canary-password" not in str(caught.value)
    assert caught.value.__context__ is None


def test_a_proxy_that_drips_its_answer_is_cut_off_and_counts_as_not_sent(
    proxied: Proxied, connect: Connect, alarm: Alarm
) -> None:
    answer = b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 12 + b"\r\n"
    proxy: Server
    proxy, target = proxied(lambda line: drip(proxy, answer)(line))
    proxy.midway = alarm.ring
    with pytest.raises(NotSent, match="no answer within 20 s"):
        try_on(connect(target.url(host="localhost")))
    assert not proxy.finished.is_set()


def test_a_request_lost_behind_a_proxy_is_of_unknown_outcome(proxied: Proxied, connect: Connect) -> None:
    _, target = proxied(True)
    target.reply = lambda request: reset
    with pytest.raises(OutcomeUnknown):
        try_on(connect(target.url(host="localhost")))


def test_a_proxy_that_is_down_counts_as_not_sent(
    proxied: Proxied, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, target = proxied(True)
    with nobody() as port:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
        with pytest.raises(NotSent):
            try_on(connect(target.url(host="localhost")))


@pytest.mark.parametrize(
    "proxy", ["socks5://127.0.0.1:1", "socks5h://127.0.0.1:1", "http://", "nonsense://x", "http://["]
)
def test_a_proxy_that_cannot_be_used_counts_as_not_sent(
    proxied: Proxied, connect: Connect, monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
    _, target = proxied(True)
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    with pytest.raises(NotSent):
        try_on(connect(target.url(host="localhost")))
    assert target.requests == []


def test_a_proxy_whose_connections_cannot_be_watched_is_refused() -> None:
    """Where PySocks is installed too: what is lost behind such a proxy would count as not sent."""
    with pytest.raises(requests.exceptions.InvalidProxyURL, match="SOCKS"):
        transport.WatchedAdapter().proxy_manager_for("socks5://127.0.0.1:1")


def test_plain_http_never_goes_through_a_proxy(serve: Serve, connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = serve(lambda request: document({"creditBalance": 666}))
    monkeypatch.setenv("HTTP_PROXY", proxy.url(""))
    monkeypatch.setenv("ALL_PROXY", proxy.url(""))
    assert connect(serve(lambda request: document(GOOD))).credit_balance() == 3
    assert proxy.connections == 0


def test_a_host_that_needs_no_proxy_is_reached_directly(
    proxied: Proxied, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy, target = proxied(True)
    monkeypatch.setenv("NO_PROXY", "localhost")
    try_on(connect(target.url(host="localhost")))
    assert proxy.connections == 0


# What is written down


def test_one_line_a_call_names_it_without_its_ids(
    serve: Serve, connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "django_genlook.client")
    replies = iter(
        [
            document(GOOD | {"generationId": "gen-1"}),
            document({"code": "GENERATION_NOT_FOUND"}, 404),
            http(204, b""),
            None,
        ]
    )
    client = connect(serve(lambda request: next(replies)))
    client.get_generation("gen-1")
    with pytest.raises(NotFound):
        client.get_generation("gen-1")
    client.delete_customer("shopper-1")
    with pytest.raises(OutcomeUnknown):
        client.product_stats("sku-1")
    lines = [record for record in caplog.records if record.name == "django_genlook.client"]
    texts = [line.getMessage().rpartition(" ms=")[0] for line in lines]
    assert texts == [
        "call=GET /generations/{id} status=200",
        "call=GET /generations/{id} status=404 code=GENERATION_NOT_FOUND",
        "call=DELETE /customers/{id} status=204",
        "call=GET /products/{id}/stats status=None code=outcome_unknown",
    ]
    assert [line.levelname for line in lines] == ["DEBUG", "INFO", "DEBUG", "INFO"]


def test_an_answer_that_is_no_answer_of_genlooks_still_names_the_status(serve: Serve, connect: Connect) -> None:
    with pytest.raises(ServerFault) as caught:
        connect(serve(lambda request: http(502, b"<html>Bad gateway</html>"))).credit_balance()
    assert (caught.value.code, caught.value.http_status) == ("server_fault", 502)
