"""The process: how it starts, what it needs, how it ends."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys

import pytest
import requests


def run(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-W", "error", "-m", "django_genlook.sandbox", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
def test_it_prints_its_base_url_and_ends_cleanly(end: signal.Signals) -> None:
    with run("--port", "0") as process:
        assert process.stdout is not None
        base = process.stdout.readline().rstrip("\n")
        try:
            assert re.fullmatch(r"http://127\.0\.0\.1:\d+/tryon/v1", base)
            answer = requests.get(f"{base}/account/credits", headers={"x-api-key": "gk_sandbox"}, timeout=10)
            assert answer.json() == {"creditBalance": 1000}
        finally:
            process.send_signal(end)
            rest, errors = process.communicate(timeout=10)
    assert (process.returncode, rest, errors) == (0, "", "")


def test_it_ends_while_requests_are_held() -> None:
    with run("--port", "0") as process:
        assert process.stdout is not None
        base = process.stdout.readline().rstrip("\n")
        root = base.removesuffix("/tryon/v1")
        rule = {"path": "/account/credits", "fault": "delay", "seconds": 60}
        requests.post(f"{root}/_sandbox/faults", json=[rule], timeout=10).close()
        with pytest.raises(requests.ReadTimeout):
            requests.get(f"{base}/account/credits", headers={"x-api-key": "gk_sandbox"}, timeout=0.2)
        process.terminate()
        assert process.wait(5) == 0
        process.communicate()


def test_it_serves_another_address() -> None:
    with run("--host", "0.0.0.0", "--port", "0") as process:
        assert process.stdout is not None
        base = process.stdout.readline().rstrip("\n")
        try:
            assert base.startswith("http://127.0.0.1:"), "an address that can be called"
            assert requests.get(f"{base}/nothing", timeout=10).status_code == 404
        finally:
            process.terminate()
            process.communicate(timeout=10)


def test_taken_port_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, run("--port", str(taken.getsockname()[1])) as process:
        _, errors = process.communicate(timeout=10)
    assert process.returncode != 0
    assert "in use" in errors


def test_it_needs_neither_django_nor_another_room_of_ours() -> None:
    program = (
        "import sys, django_genlook.sandbox.__main__, django_genlook.sandbox.server\n"
        "ours = [name for name in sys.modules if name.startswith('django_genlook.')]\n"
        "print([name for name in ours if not name.startswith('django_genlook.sandbox')])\n"
        "print([name for name in ('django', 'requests', 'celery', 'numpy') if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["[]", "[]"]
