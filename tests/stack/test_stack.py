"""The shopper's way through real processes: a web server, Celery workers, a broker and a database server."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import requests

from django_genlook.testing import Sandbox

ROOT = Path(__file__).resolve().parents[2]


def wait_for(what: str, look: Callable[[], Any], seconds: float = 60) -> Any:
    """Return the first true answer of ``look``; fail with ``what`` when there is none in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(requests.ConnectionError):
            if found := look():
                return found
        time.sleep(0.1)
    return pytest.fail(f"{what} did not happen within {seconds} s")


@contextlib.contextmanager
def process(*command: str, env: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    running = subprocess.Popen([sys.executable, *command], cwd=ROOT, env=env, start_new_session=True)
    try:
        yield running
    finally:
        os.killpg(running.pid, signal.SIGTERM)
        try:
            running.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(running.pid, signal.SIGKILL)
            running.wait(5)


@contextlib.contextmanager
def postgres_database() -> Iterator[str]:
    import psycopg
    from psycopg.sql import SQL, Identifier

    name = f"genlook_{uuid4().hex[:12]}"
    with psycopg.connect(host="127.0.0.1", user="postgres", dbname="postgres", autocommit=True) as connection:
        connection.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
        try:
            yield f"postgres://postgres@127.0.0.1:5432/{name}"
        finally:
            connection.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))


@contextlib.contextmanager
def mariadb_database() -> Iterator[str]:
    import MySQLdb

    name = f"genlook_{uuid4().hex[:12]}"
    connection = MySQLdb.connect(host="localhost", user="root")
    try:
        connection.cursor().execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
        yield f"mysql://root@localhost/{name}?charset=utf8mb4"
        connection.cursor().execute(f"DROP DATABASE {name}")
    finally:
        connection.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


STACKS = [
    pytest.param(
        postgres_database,
        "redis://127.0.0.1:6379/14",
        id="postgres-redis",
        marks=pytest.mark.needs("postgres", "redis"),
    ),
    pytest.param(
        mariadb_database,
        "amqp://guest:guest@127.0.0.1:5672//",
        id="mariadb-rabbitmq",
        marks=pytest.mark.needs("mariadb", "rabbitmq"),
    ),
]


@pytest.mark.parametrize(("database", "broker"), STACKS)
def test_a_shopper_sees_a_picture_made_by_celery_workers(
    database: Callable[[], contextlib.AbstractContextManager[str]],
    broker: str,
    genlook_sandbox_process: Sandbox,
    portrait: bytes,
    tmp_path: Path,
) -> None:
    sandbox = genlook_sandbox_process
    sandbox.reset(generation_seconds=0)
    with database() as url:
        env = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("GENLOOK", "DJANGO"))},
            "DJANGO_SETTINGS_MODULE": "example_project.settings",
            "DATABASE_URL": url,
            "EXAMPLE_VAR": str(tmp_path),
            "CELERY_BROKER_URL": broker,
            "CELERY_QUEUE": f"genlook-{uuid4().hex[:12]}",
            "GENLOOK_API_KEY": sandbox.api_key,
            "GENLOOK_BASE_URL": sandbox.base_url,
        }
        subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, env=env, check=True)
        port = free_port()
        with (
            process("-m", "celery", "-A", "example_project", "worker", "-c", "2", "-l", "warning", env=env),
            process("manage.py", "runserver", "--noreload", f"127.0.0.1:{port}", env=env),
        ):
            # Saved while the workers run: the message alone must bring them in step, there is no beat here.
            subprocess.run([sys.executable, "manage.py", "load_catalogue"], cwd=ROOT, env=env, check=True)
            wait_for("ten products at Genlook", lambda: len(sandbox.journal("POST", "/products")) >= 10)
            shop = f"http://127.0.0.1:{port}/genlook"
            picture = wait_for_picture(shop, first_product(sandbox), portrait)
    assert picture.startswith(b"\xff\xd8")
    assert sandbox.ledger()["accepted"] == 1


def first_product(sandbox: Sandbox) -> str:
    answer = requests.get(f"{sandbox.base_url}/products", headers={"x-api-key": sandbox.api_key}, timeout=10)
    external_id: str = answer.json()["items"][0]["externalId"]
    return external_id


def wait_for_picture(shop: str, external_id: str, portrait: bytes) -> bytes:
    """Do what the element does: ask, send a photo with consent, start, look until it is over, fetch the picture."""
    with requests.Session() as browser:
        product = wait_for(
            "the product to be available",
            lambda: (answer := browser.get(f"{shop}/products/{external_id}/", timeout=10)).ok and answer.json(),
        )
        assert product["available"]
        browser.headers["X-CSRFToken"] = product["csrf_token"]
        answer = browser.post(
            f"{shop}/photos/", files={"photo": ("me.jpg", portrait)}, data={"consent": "true"}, timeout=10
        )
        assert answer.status_code == 201, answer.text
        started = browser.post(
            f"{shop}/try-ons/", json={"product": external_id, "photo": answer.json()["id"]}, timeout=10
        )
        assert started.status_code == 202, started.text

        def ended() -> Any:
            state = browser.get(f"{shop}/try-ons/{started.json()['id']}/", timeout=10).json()
            assert state["status"] not in {"FAILED", "CANCELLED"}, state
            return state if state["status"] == "COMPLETED" else None

        state = wait_for("the try-on to end", ended)
        return browser.get(shop.removesuffix("/genlook") + state["image_url"], timeout=10).content
