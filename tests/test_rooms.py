"""The table of rooms is held by import-linter, and goes red when a room breaks it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LINT = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A copy of the package that may be broken."""
    shutil.copytree(ROOT / "django_genlook", tmp_path / "django_genlook", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def lint(house: Path) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": str(house)}
    return subprocess.run(LINT, cwd=house, env=env, capture_output=True, text=True)


def test_the_house_as_it_stands_is_in_order(house: Path) -> None:
    assert lint(house).returncode == 0


@pytest.mark.parametrize(
    ("file", "line", "broken"),
    [
        ("models/clock.py", "from django_genlook import budgets", "A room imports only rooms of a lower rank"),
        ("api/views.py", "from django_genlook import middleware", "A room imports only rooms of a lower rank"),
        ("services/work.py", "import requests", "Only the client speaks HTTP"),
        ("testing.py", "from django_genlook import sandbox", "Nothing imports the sandbox"),
        ("sandbox/state.py", "from django_genlook import exceptions", "The sandbox imports nothing of ours"),
    ],
)
def test_a_forbidden_import_is_found(house: Path, file: str, line: str, broken: str) -> None:
    module = house / "django_genlook" / file
    module.write_text(module.read_text() + f"\n{line}\n")
    done = lint(house)
    assert done.returncode != 0
    assert f"{broken} BROKEN" in done.stdout


def test_a_room_without_a_place_in_the_table_is_found(house: Path) -> None:
    (house / "django_genlook/helpers.py").write_text("")
    assert lint(house).returncode != 0
