"""Runs the decoding child and tells the picture's faults from the machine's."""

import os
import signal
import subprocess
import sys
import threading
import time
from importlib.util import find_spec
from pathlib import Path
from typing import IO

from django_genlook.images import headers
from django_genlook.images.child import OPTIONS, REFUSED

DEADLINE = 30.0  # seconds of wall clock: RLIMIT_CPU does not stop a child that sleeps
LIMITS = {name: OPTIONS[name] for name in ("memory", "jpeg_memory", "cpu", "input", "output")}
PROGRAM = "import django_genlook.images.__main__"

_MAX_WORDS = 64 * 1024  # bytes of stderr that are kept
_KEPT = ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT")  # what an interpreter may need to start; the rest may be secret
_LISTEN_FIRST = "import sys; sys.path += sys.argv.pop(1).splitlines(); "
_CODES = (headers.INVALID, headers.UNSUPPORTED, headers.TOO_LARGE)
_STOPPED = {-getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)}


def decode(data: bytes, *, side: int, quality: int) -> bytes:
    """What the child answers to this picture; not to be believed before ``headers.read_clean`` has seen it.

    Raises ``Refused`` when the picture is at fault, ``OSError`` when the child could not even begin or was stopped.
    """
    options = {"side": side, "quality": quality, **LIMITS}
    # Isolated (-I): the standard library comes first, whatever lies in the shop's directories; no start-up files (-S).
    flags = ["-I", "-S", *(["-B"] if sys.dont_write_bytecode else [])]
    command = [sys.executable, *flags, "-c", _LISTEN_FIRST + PROGRAM, "\n".join(_import_path())]
    command += [f"{name}={value}" for name, value in options.items()]
    deadline = time.monotonic() + DEADLINE
    child = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={name: os.environ[name] for name in _KEPT if name in os.environ},
        start_new_session=True,  # a Ctrl-C in the worker's terminal is no verdict on the picture
    )
    out, words, late = _converse(child, data, deadline)
    return _verdict(child.returncode, out, words.decode("ascii", "replace").splitlines(), late)


def _import_path() -> list[str]:
    """Where the child finds this package and what it needs: the same Pillow as the parent's, and little else."""
    specs = (find_spec(name) for name in ("PIL", "pillow_heif", "django_genlook"))
    return list(dict.fromkeys(str(Path(spec.origin).parents[1]) for spec in specs if spec and spec.origin))


def _converse(child: subprocess.Popen[bytes], data: bytes, deadline: float) -> tuple[bytes, bytes, bool]:
    """Feeds the child and hears it out until the deadline: its stdout, its stderr, and whether it was late."""
    out, words = bytearray(), bytearray()
    talks = [
        threading.Thread(target=_feed, args=(child.stdin, data), daemon=True),
        threading.Thread(target=_hear, args=(child.stdout, out, LIMITS["output"] + 1), daemon=True),
        threading.Thread(target=_hear, args=(child.stderr, words, _MAX_WORDS), daemon=True),
    ]
    pipes = [child.stdin, child.stdout, child.stderr]
    late = False
    try:
        for talk in talks:
            talk.start()
        for talk in talks:
            talk.join(max(0, deadline - time.monotonic()))
        child.wait(max(0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        late = True
    except RuntimeError as error:  # no more threads to be had
        raise OSError(str(error)) from error
    finally:
        child.kill()
        child.wait()
        for talk, pipe in zip(talks, pipes, strict=True):
            if talk.ident is not None:
                talk.join(1)  # ends at once, closing its pipe, unless somebody else holds the other end
            elif pipe is not None:
                pipe.close()
    return bytes(out), bytes(words), late


def _feed(pipe: IO[bytes], data: bytes) -> None:
    try:
        with pipe:
            pipe.write(data)
    except OSError:
        pass  # the child has heard enough


def _hear(pipe: IO[bytes], into: bytearray, most: int) -> None:
    with pipe:  # closing it early makes an endless talker fail
        while len(into) < most and (chunk := os.read(pipe.fileno(), 65_536)):
            into += chunk


def _verdict(status: int, out: bytes, words: list[str], late: bool) -> bytes:
    if len(out) > LIMITS["output"]:
        raise headers.Refused(headers.INVALID, "the picture decoder's answer has no end")
    if status == 0 and not late:
        return out
    refusal = next((line.split(" ", 2) for line in words if line.startswith("refused ")), [])
    if status == REFUSED and len(refusal) == 3 and refusal[1] in _CODES:
        raise headers.Refused(refusal[1], refusal[2])
    how = "was not done in time" if late else f"ended by {_name(status)}"
    if "ready" not in words or status in _STOPPED:
        raise OSError(f"the picture decoder {how} before it could judge the picture: {' '.join(words[-1:])}")
    raise headers.Refused(headers.INVALID, f"the picture decoder {how}")


def _name(status: int) -> str:
    try:
        return signal.Signals(-status).name  # SIGXCPU: too much CPU time; SIGKILL: perhaps the system's memory
    except ValueError:
        return f"exit code {status}"
