"""``manage.py demo`` starts everything, and leaves nothing behind."""

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.browser.shop import Demo, running_demo, until


@pytest.fixture
def own_demo(tmp_path: Path) -> Iterator[Demo]:
    with running_demo(tmp_path) as running:
        yield running


def _children_of(parent: int) -> dict[int, str]:
    """The processes that ``parent`` started, by id, with their command lines."""
    found = {}
    for folder in Path("/proc").iterdir():
        try:
            if folder.name.isdigit() and int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1]) == parent:
                found[int(folder.name)] = (folder / "cmdline").read_text().replace("\0", " ")
        except (OSError, IndexError):
            continue
    return found


def _is_alive(pid: int) -> bool:
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_one_signal_ends_it_all(own_demo: Demo, number: int) -> None:
    assert requests.get(own_demo.url, timeout=10).status_code == 200
    assert requests.get(f"{own_demo.url}/admin/login/", timeout=10).status_code == 200
    children = _children_of(own_demo.process.pid)
    assert len(children) == 3
    if number == signal.SIGINT:
        # As a terminal does: the whole group gets it.
        os.killpg(own_demo.process.pid, number)
        assert own_demo.process.wait(30) == 0
    else:
        assert own_demo.ends(number) == 0
    assert not any(_is_alive(pid) for pid in children)


def test_a_process_that_dies_takes_the_others_along_and_is_named(own_demo: Demo) -> None:
    children = _children_of(own_demo.process.pid)
    (worker,) = (pid for pid, command in children.items() if "genlook_work" in command)
    os.kill(worker, signal.SIGKILL)
    assert own_demo._find(r"(The worker process ended by itself)")
    assert own_demo.process.wait(30) == 1
    assert not any(_is_alive(pid) for pid in children)


def test_a_taken_port_is_no_obstacle_and_a_second_start_changes_nothing(tmp_path: Path) -> None:
    with running_demo(tmp_path) as first:
        title = "The owner's own words"
        pages = requests.get(first.url, timeout=10).text
        assert pages.count("</article>") == 10
        assert title not in pages
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        second = Demo(tmp_path, port=taken.getsockname()[1])
        try:
            second.wait_until_ready()
            assert any("is taken; the shop goes to" in line for line in second.lines)
            assert requests.get(second.url, timeout=10).text.count("</article>") == 10
            until(lambda: second.product("AL-JAC-303"), "the catalogue's arrival at a new sandbox")
        finally:
            second.close()
