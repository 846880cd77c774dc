"""The decoding child: a stranger's picture on stdin, a clean JPEG on stdout, everything under limits.

``python -m django_genlook.images [side=2048] [quality=90] [memory=BYTES] [jpeg_memory=BYTES] [cpu=SECONDS] [report=1]``

On stderr it says ``ready`` before it opens the picture (what fails earlier is not the picture's fault), and on
refusal, with exit code 3, ``refused CODE detail``. ``report=1`` adds ``report`` with the peak memory (VmHWM, KiB) and
the CPU time (s) it took. It imports the standard library and Pillow, never Django.
"""

import io
import re
import signal
import sys
import time
from pathlib import Path

from django_genlook.images import headers

REFUSED = 3  # exit code
OPTIONS = {
    "side": 2048,  # px
    "quality": 90,  # JPEG
    "memory": 1_181_116_006,  # bytes of address space: 1.1 GiB
    "jpeg_memory": 314_572_800,  # the same for a JPEG, which is read at a reduced size: 300 MiB
    "cpu": 10,  # seconds
    "input": 25 * 1024 * 1024,  # bytes
    "output": 25 * 1024 * 1024,  # bytes
    "report": 0,
}


def limit(**limits: int) -> None:
    """Lowers limits of this process for good, by the names of ``resource``; without that module does nothing."""
    try:
        import resource
    except ImportError:  # Windows: only the parent's deadline holds
        return
    for name, value in limits.items():
        kind = getattr(resource, f"RLIMIT_{name}")
        _, given = resource.getrlimit(kind)
        hard = value + 1 if name == "CPU" else value  # at the soft limit SIGXCPU says why, at the hard one SIGKILL
        if given != resource.RLIM_INFINITY:
            hard = min(hard, given)
        try:
            resource.setrlimit(kind, (min(value, hard), hard))
        except (OSError, ValueError):
            if sys.platform != "darwin":  # whose kernel knows RLIMIT_AS but does not let it be set
                raise


def main(arguments: list[str]) -> int:
    """Runs the child; the arguments are those of ``OPTIONS``, as ``name=value``. Returns the exit code."""
    options = OPTIONS | {name: int(value) for name, _, value in (each.partition("=") for each in arguments)}
    limit(AS=options["memory"], CPU=options["cpu"], CORE=0)
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):  # the parent decides, also while it shuts down in good order
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    try:
        jpeg = _cleaned(options)
    except headers.Refused as refusal:
        _say(f"refused {refusal.code} {refusal.detail}")
        return REFUSED
    sys.stdout.buffer.write(jpeg)
    sys.stdout.buffer.flush()
    if options["report"]:
        status = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())
        _say(f"report {status[1] if status else 0} {time.process_time():.3f}")
    return 0


def _cleaned(options: dict[str, int]) -> bytes:
    data = sys.stdin.buffer.read(options["input"] + 1)
    if len(data) > options["input"]:
        raise headers.Refused(headers.TOO_LARGE, f"more than {options['input']} bytes")
    kind = headers.read(io.BytesIO(data)).format
    if kind == "JPEG":
        limit(AS=options["jpeg_memory"])

    from django_genlook.images import picture  # brings Pillow, so only now that the limits hold

    picture.prepare(kind)
    limit(NOFILE=16, FSIZE=options["output"])
    if kind != "HEIC":  # whose decoder starts a thread of its own
        limit(NPROC=0)
    _say("ready")
    try:
        return picture.redraw(data, kind, side=options["side"], quality=options["quality"])
    except headers.Refused:
        raise
    except MemoryError:
        raise headers.Refused(headers.INVALID, f"decoding this {kind} takes too much memory") from None
    except Exception as error:
        # libjpeg does not tell "broken" from "no memory", of which a progressive JPEG of 50 MP needs much
        why = f"{type(error).__name__}: {re.sub(' ?<.*>', '', str(error))}"
        raise headers.Refused(headers.INVALID, f"this {kind} is broken or takes too much memory: {why}") from None


def _say(line: str) -> None:
    """One line on stderr, of harmless characters: parts of a message may come from the picture."""
    text = re.sub(r"[^ -~]", "?", line)[:300]
    sys.stderr.write(text + "\n")
    sys.stderr.flush()
