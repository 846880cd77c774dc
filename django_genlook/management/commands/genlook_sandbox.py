"""Starts the local Genlook in a process of its own."""

import os
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser


class Command(BaseCommand):
    help = "Runs a local Genlook to develop and test against; prints its base URL."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=8765)
        parser.add_argument("--host", default="127.0.0.1")

    def handle(self, *args: Any, port: int, host: str, **options: Any) -> None:
        command = [sys.executable, "-m", "django_genlook.sandbox", "--host", host, "--port", str(port)]
        os.execv(sys.executable, command)  # noqa: S606 (replaces this process, so signals reach the sandbox itself)
