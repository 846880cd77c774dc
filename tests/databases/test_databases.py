"""The same promises on the other database servers: the engine's tests once more, in a process of their own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TESTS = ["tests/services/test_main_path.py", "tests/budgets"]


@pytest.mark.parametrize(
    "database",
    [
        pytest.param("postgres", marks=pytest.mark.needs("postgres")),
        pytest.param("mariadb", marks=pytest.mark.needs("mariadb")),
    ],
)
def test_the_engine_keeps_its_promises_on(database: str) -> None:
    env = {**os.environ, "GENLOOK_TEST_DATABASE": database}
    command = [sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", "--create-db", *TESTS]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-3000:]
