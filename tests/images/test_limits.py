"""The child that decodes: what it may use, what it may see, and whose fault it is when it fails."""

import io
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from django_genlook import images
from django_genlook.exceptions import Rejected
from django_genlook.images import clean, process
from django_genlook.images.child import OPTIONS
from tests.images import pictures
from tests.images.pictures import CANARY, SIZE, chunk, cleaned, raw_png

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the limits are Linux's")

MIB = 1024 * 1024
ROOT = Path(images.__file__).parents[2]
BEGIN = """
import os, signal, sys, time
from django_genlook.images import child
options = dict(each.split("=") for each in sys.argv[1:])
child.limit(AS=int(options["memory"]), CPU=int(options["cpu"]), CORE=0)
"""
READY = "print('ready', file=sys.stderr, flush=True)\n"


@pytest.fixture
def pretend(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Puts a script in the child's place, under the child's limits."""

    def pretend(script: str) -> None:
        monkeypatch.setattr(process, "PROGRAM", BEGIN + script)

    return pretend


def rejection(data: bytes = b"") -> Rejected:
    with pytest.raises(Rejected) as caught:
        clean(data)
    assert caught.value.code == "INVALID_IMAGE"
    return caught.value


def reported(data: bytes, *arguments: str) -> tuple[int, float]:
    """Peak memory (bytes) and CPU time (s) of a real child that cleans this picture."""
    ended = subprocess.run(
        [sys.executable, "-m", "django_genlook.images", "report=1", *arguments],
        input=data,
        capture_output=True,
        cwd=ROOT,
        check=True,
    )
    assert ended.stdout.startswith(b"\xff\xd8")
    found = re.search(rb"^report (\d+) ([\d.]+)$", ended.stderr, re.MULTILINE)
    assert found
    return int(found[1]) * 1024, float(found[2])


def big(megapixels: int, mode: str = "RGB") -> Image.Image:
    height = int((megapixels * 1_000_000 / 4 * 3) ** 0.5)
    return pictures.photo((megapixels * 1_000_000 // height, height)).convert(mode)


@pytest.mark.parametrize(
    "make",
    [
        lambda: pictures.jpeg(big(12)),
        lambda: pictures.jpeg(big(12), progressive=True, subsampling=0),
        lambda: pictures.png(big(12, "RGBA"), compress_level=1),
        lambda: pictures.webp(big(12, "RGBA"), lossless=True, quality=0),
        lambda: pictures.jpeg(big(49)),
        lambda: pictures.jpeg(big(49), progressive=True),
        lambda: pictures.jpeg(big(16, "CMYK"), progressive=True),
        lambda: pictures.jpeg(pictures.photo((4095, 4095))),
    ],
    ids=["JPEG", "progressive", "PNG", "WebP", "49 MP", "49 MP progressive", "CMYK", "just not halved"],
)
def test_12_megapixels_and_any_jpeg_take_at_most_300_mib(make: Callable[[], bytes]) -> None:
    memory, _ = reported(make())
    assert memory <= 300 * MIB


def test_the_largest_png_fits_into_the_memory_a_child_may_take() -> None:
    memory, _ = reported(raw_png(10_000, 5_000, chunk(b"IDAT", pictures.zeros(40_001 * 5_000)), colour=6))
    assert 300 * MIB < memory <= 1.1 * 1024 * MIB


def test_a_big_jpeg_is_read_at_a_reduced_size() -> None:
    data = pictures.jpeg(big(49))
    full, _ = reported(data, "side=8000", f"jpeg_memory={1100 * MIB}")
    drafted, _ = reported(data)
    assert drafted < full / 2


def test_a_picture_that_needs_more_memory_than_allowed_is_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    data = raw_png(5_000, 4_000, chunk(b"IDAT", pictures.zeros(20_001 * 4_000)), colour=6)
    assert cleaned(data).size == (2048, 1638)
    monkeypatch.setitem(process.LIMITS, "memory", 120 * MIB)
    assert "memory" in rejection(data).detail


def test_a_jpeg_may_take_less_memory_than_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    picture = pictures.photo((5_000, 4_000))
    monkeypatch.setitem(process.LIMITS, "jpeg_memory", 120 * MIB)
    assert "memory" in rejection(pictures.jpeg(picture, progressive=True, subsampling=0)).detail
    assert cleaned(pictures.jpeg(picture.resize((1_000, 800)))).size == (1_000, 800)
    assert cleaned(pictures.png(picture)).size == (2048, 1638)


def test_a_child_that_eats_memory_ends_in_a_rejection(pretend: Callable[[str], None]) -> None:
    pretend(READY + "eaten = []\nwhile True: eaten.append(bytearray(50_000_000))")
    rejection()


def test_a_child_that_computes_for_ever_ends_in_a_rejection(
    pretend: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(process.LIMITS, "cpu", 1)
    pretend(READY + "while True: pass")
    assert "SIGXCPU" in rejection().detail


def rejection_at_the_deadline(monkeypatch: pytest.MonkeyPatch) -> Rejected:
    for seconds in (1, 4, 16):  # on a busy machine a second may not be enough to get as far as "ready"
        monkeypatch.setattr(process, "DEADLINE", seconds)
        try:
            return rejection()
        except OSError:
            continue
    pytest.fail("never got ready")


def test_a_child_that_sleeps_ends_at_the_deadline_in_a_rejection(
    pretend: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend(READY + "time.sleep(3600)")
    assert "in time" in rejection_at_the_deadline(monkeypatch).detail


def test_a_child_that_leaves_its_pipes_to_another_cannot_hold_the_worker(
    pretend: Callable[[str], None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    note = tmp_path / "pids"
    pretend(
        READY
        + f"pid = os.fork()\nif pid: open({str(note)!r}, 'a').write(f'{{pid}} '); sys.exit()\n"
        + "time.sleep(3600)"
    )
    rejection_at_the_deadline(monkeypatch)
    for pid in note.read_text().split():
        os.kill(int(pid), signal.SIGKILL)


def test_a_child_that_answers_without_end_ends_in_a_rejection(
    pretend: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(process.LIMITS, "output", MIB)
    pretend(READY + "while True: sys.stdout.buffer.write(bytes(65536))")
    assert "no end" in rejection().detail


def test_a_child_that_talks_without_end_ends_in_a_rejection(pretend: Callable[[str], None]) -> None:
    pretend(READY + "while True: sys.stderr.write('ready\\n' * 9999)")
    rejection()


def test_a_child_that_does_not_listen_is_judged_by_its_answer(pretend: Callable[[str], None]) -> None:
    pretend("print('refused INVALID_IMAGE I have seen enough', file=sys.stderr); sys.exit(3)")
    assert rejection(bytes(20 * MIB)).detail == "I have seen enough"


@pytest.mark.parametrize("name", ["SIGSEGV", "SIGABRT", "SIGKILL", "SIGBUS"])
def test_a_crash_while_decoding_is_the_pictures_fault(pretend: Callable[[str], None], name: str) -> None:
    pretend(READY + f"signal.signal(signal.SIGALRM, signal.SIG_DFL); os.kill(os.getpid(), signal.{name})")
    assert name in rejection().detail


def test_an_answer_that_is_no_picture_is_the_pictures_fault(pretend: Callable[[str], None]) -> None:
    pretend(READY + "print('hello')")
    rejection()


@pytest.mark.parametrize(
    "words", ["refused", "refused INVALID_IMAGE", "refused SOMETHING else happened", "REFUSED INVALID_IMAGE x"]
)
def test_a_refusal_in_other_words_is_no_refusal(pretend: Callable[[str], None], words: str) -> None:
    pretend(f"print({words!r}, file=sys.stderr); sys.exit(3)")
    with pytest.raises(OSError, match="exit code 3"):
        clean(b"")


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGHUP"])
def test_a_child_stopped_from_outside_says_nothing_about_the_picture(pretend: Callable[[str], None], name: str) -> None:
    pretend(READY + f"signal.signal(signal.{name}, signal.SIG_DFL); os.kill(os.getpid(), signal.{name})")
    with pytest.raises(OSError, match=name):
        clean(b"")


def test_a_child_that_is_not_ready_in_time_says_nothing_about_the_picture(
    pretend: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "DEADLINE", 0.2)
    pretend("time.sleep(3600)")
    with pytest.raises(OSError, match="in time"):
        clean(pictures.jpeg())


def test_a_missing_interpreter_says_nothing_about_the_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")
    with pytest.raises(OSError, match="nonexistent"):
        clean(pictures.jpeg())
    assert not images._one_at_a_time.locked()


def test_a_missing_pillow_says_nothing_about_the_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "_import_path", lambda: [str(ROOT)])
    with pytest.raises(OSError, match="PIL"):
        clean(pictures.jpeg())


def test_too_little_memory_to_begin_with_says_nothing_about_the_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(process.LIMITS, "memory", 1)
    with pytest.raises(OSError, match="before it could judge"):
        clean(pictures.jpeg())


def test_no_thread_to_be_had_says_nothing_about_the_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(thread: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(process.threading.Thread, "start", start)  # type: ignore[attr-defined]
    with pytest.raises(OSError, match="new thread"):
        clean(pictures.jpeg())


def test_the_child_sees_none_of_the_shops_environment(
    pretend: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("GENLOOK_API_KEY", "DJANGO_SETTINGS_MODULE", "SECRET_KEY", "DATABASE_URL", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, CANARY.decode())
    pretend("sys.stdout.write(repr(dict(os.environ)))")
    seen = eval(process.decode(b"", side=64, quality=90))
    assert CANARY.decode() not in str(seen)
    assert set(seen) <= {*process._KEPT, "LC_CTYPE"}


def test_nothing_of_the_shops_can_take_the_place_of_a_module_the_child_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PIL", "resource", "signal", "pathlib", "sitecustomize", "headers"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('of the shop')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(sys, "path", [str(tmp_path), "", *sys.path])
    assert cleaned(pictures.jpeg()).size == SIZE


WATCHED = """
import resource, signal, sys
seen = []
class Watch:
    def find_spec(self, name, *rest):
        if name == "PIL":
            for kind in ("AS", "CPU", "CORE"):
                seen.append((kind, resource.getrlimit(getattr(resource, "RLIMIT_" + kind))))
sys.meta_path.insert(0, Watch())
from django_genlook.images import child
assert child.main(sys.argv[1:]) == 0
for kind in ("NOFILE", "FSIZE", "NPROC", "AS"):
    seen.append((kind + " then", resource.getrlimit(getattr(resource, "RLIMIT_" + kind))))
seen.append(("ignored", {n for n in ("SIGTERM", "SIGINT", "SIGHUP") if signal.getsignal(getattr(signal, n)) == 1}))
seen.append(("modules", {name.partition(".")[0] for name in sys.modules}))
print(repr(dict(seen)), file=sys.stderr)
"""


@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP", "HEIC"])
def test_limits_hold_before_pillow_comes_and_close_before_the_picture_does(name: str) -> None:
    data = {"JPEG": pictures.jpeg, "PNG": pictures.png, "WEBP": pictures.webp, "HEIC": pictures.heic}[name]()
    ended = subprocess.run([sys.executable, "-c", WATCHED], input=data, capture_output=True, cwd=ROOT, check=True)
    seen = eval(ended.stderr.decode().splitlines()[-1])
    memory = 1_181_116_006 if name != "JPEG" else 300 * MIB
    assert memory <= 1.1 * 1024 * MIB
    assert seen["AS"] == seen["AS then"] == (memory, memory)
    assert seen["CPU"] == (10, 11)
    assert seen["CORE"] == (0, 0)
    assert seen["NOFILE then"] == (16, 16)
    assert seen["FSIZE then"] == (25 * MIB, 25 * MIB)
    assert (seen["NPROC then"] == (0, 0)) == (name != "HEIC")
    assert seen["ignored"] == {"SIGTERM", "SIGINT", "SIGHUP"}
    assert "PIL" in seen["modules"]
    assert not {"django", "requests", "celery", "numpy"} & seen["modules"]


def test_the_parent_sets_the_limits_the_child_would_choose(monkeypatch: pytest.MonkeyPatch) -> None:
    commands = []

    def popen(command: list[str], **options: object) -> None:
        commands.append(command)
        raise OSError

    monkeypatch.setattr(process.subprocess, "Popen", popen)  # type: ignore[attr-defined]
    with pytest.raises(OSError, match=r"^$"):
        clean(b"", side=640, quality=70)
    expected = {**OPTIONS, "side": 640, "quality": 70}
    del expected["report"]
    given = dict(each.split("=") for each in commands[0] if re.fullmatch(r"\w+=\d+", each))
    assert {name: int(value) for name, value in given.items()} == expected
    assert (OPTIONS["memory"], OPTIONS["jpeg_memory"], OPTIONS["cpu"]) == (1_181_116_006, 300 * MIB, 10)


def test_a_shell_can_clean_a_picture_too() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "django_genlook.images"],
        input=pictures.jpeg(exif=pictures.exif(6)),
        capture_output=True,
        cwd=ROOT,
        check=True,
    )
    assert Image.open(io.BytesIO(ended.stdout)).size == SIZE[::-1]
    assert ended.stderr == b"ready\n"


def test_cleaning_leaves_no_process_and_no_open_pipe_behind() -> None:
    clean(pictures.jpeg())
    before = set(Path("/proc/self/fd").iterdir())
    children = own_children()
    for _ in range(3):
        clean(pictures.jpeg())
        rejection(b"no picture at all" * 9 + b"\0")
    assert set(Path("/proc/self/fd").iterdir()) == before
    # Other tests of this process may have children, such as a sandbox.
    assert own_children() == children


def own_children() -> set[str]:
    return {pid for listed in Path("/proc/self/task").glob("*/children") for pid in listed.read_text().split()}
