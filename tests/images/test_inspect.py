"""What the request learns of an upload from its first bytes."""

import io
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from django_genlook import images
from django_genlook.exceptions import Rejected
from django_genlook.images import MAX_UPLOAD_BYTES, Header, headers, inspect
from tests.images import pictures
from tests.images.pictures import SIZE


class Counting(io.BytesIO):
    """A file that knows how much of it was read, and in how many goes."""

    total = 0
    reads = 0

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        self.total += len(data)
        self.reads += 1
        return data


def looked_at(data: bytes, size: int | None = None) -> Header:
    file = io.BytesIO(data)
    file.seek(min(7, len(data)))
    try:
        return inspect(file, len(data) if size is None else size)
    finally:
        assert file.tell() == 0


def refusal(data: bytes, size: int | None = None) -> Rejected:
    with pytest.raises(Rejected) as caught:
        looked_at(data, size)
    assert caught.value.detail
    return caught.value


FORMATS = {
    "JPEG": lambda: pictures.jpeg(),
    "JPEG progressive": lambda: pictures.jpeg(progressive=True),
    "JPEG grey": lambda: pictures.jpeg(pictures.photo().convert("L")),
    "JPEG with EXIF": lambda: pictures.jpeg(exif=pictures.exif(6)),
    "PNG": lambda: pictures.png(),
    "PNG palette": lambda: pictures.png(pictures.photo().quantize(16)),
    "WEBP lossy": lambda: pictures.webp(),
    "WEBP lossless": lambda: pictures.webp(lossless=True),
    "WEBP extended": lambda: pictures.webp(exif=pictures.exif()),
    "HEIC": lambda: pictures.heic(),
    "HEIC in tiles": lambda: pictures.heic(pictures.photo((900, 700)).resize(SIZE), grid_tile_size=64),
}


@pytest.mark.parametrize("name", FORMATS)
def test_a_sound_picture_is_known_by_its_first_bytes(name: str) -> None:
    assert looked_at(FORMATS[name]()) == Header(name.split()[0], *SIZE)


@pytest.mark.parametrize("name", FORMATS)
def test_a_header_is_a_small_read_however_big_the_file(name: str) -> None:
    file = Counting(FORMATS[name]() + bytes(1 << 20))
    inspect(file, len(file.getbuffer()))
    assert file.total < 8192
    assert file.reads < 60


def test_metadata_before_the_frame_header_are_skipped_not_read() -> None:
    data = pictures.jpeg()
    for _ in range(40):
        data = pictures.with_segment(data, 0xE2, bytes(65_000))
    file = Counting(data)
    assert inspect(file, len(data)) == Header("JPEG", *SIZE)
    assert file.total < 1024


def test_a_heic_whose_header_stands_behind_its_data_is_known() -> None:
    start, end = pictures.heic_header(pictures.ispe(*SIZE)).split(pictures.box(b"mdat", bytes(64)))
    meta = start[start.index(b"meta") - 4 :] + end
    brands = pictures.ftyp(b"mif1", b"heic")
    assert looked_at(brands + pictures.box(b"mdat", bytes(5000)) + meta) == Header("HEIC", *SIZE)
    wide = struct.pack(">I4sQ", 1, b"mdat", 5016) + bytes(5000)
    assert looked_at(brands + wide + meta) == Header("HEIC", *SIZE)


def test_the_largest_picture_in_a_heic_counts() -> None:
    data = pictures.heic_header(pictures.ispe(160, 120), pictures.ispe(640, 480), pictures.ispe(512, 512))
    assert looked_at(data) == Header("HEIC", 640, 480)


def test_fill_bytes_and_stray_bytes_in_a_jpeg_are_passed_over() -> None:
    data = pictures.jpeg()
    assert looked_at(data[:2] + b"\xff" * 9 + data[2:]) == Header("JPEG", *SIZE)
    assert looked_at(data[:20] + bytes(9) + data[20:]) == Header("JPEG", *SIZE)
    assert looked_at(data[:2] + b"\xff\x01\xff\xd0" + data[2:]) == Header("JPEG", *SIZE)


def test_the_size_limit_is_exact() -> None:
    data = pictures.jpeg()
    assert MAX_UPLOAD_BYTES == 10_485_760
    assert looked_at(data, MAX_UPLOAD_BYTES).format == "JPEG"
    assert refusal(data, MAX_UPLOAD_BYTES + 1).code == "FILE_TOO_LARGE"


@pytest.mark.parametrize(
    ("width", "height", "passes"),
    [
        (64, 64, True),
        (63, 64, False),
        (64, 63, False),
        (0, 100, False),
        (12_000, 64, True),
        (12_001, 64, False),
        (64, 12_001, False),
        (10_000, 5_000, True),
        (10_000, 5_001, False),
        (12_000, 12_000, False),
    ],
)
def test_the_limits_on_pixels_and_sides_are_exact_in_every_format(width: int, height: int, passes: bool) -> None:
    lossless = (width - 1 & 0x3FFF) | (height - 1 & 0x3FFF) << 14
    claims = {
        "JPEG": pictures.sof(width, height),
        "PNG": pictures.raw_png(width, height, pictures.chunk(b"IDAT", b"")),
        "HEIC": pictures.heic_header(pictures.ispe(width, height)),
    }
    if width:
        claims |= {
            "WEBP": pictures.riff((b"VP8L", b"\x2f" + lossless.to_bytes(4, "little") + bytes(20))),
            "WEBP extended": pictures.riff(pictures.vp8x(width, height), (b"VP8 ", bytes(20))),
            "WEBP lossy": pictures.riff(
                (b"VP8 ", b"\0\0\0\x9d\x01\x2a" + struct.pack("<HH", width, height) + bytes(20))
            ),
        }
    for name, data in claims.items():
        if passes:
            assert looked_at(data) == Header(name.split()[0], width, height)
        else:
            assert refusal(data).code == "INVALID_IMAGE"


OTHER_KINDS = {
    "text": b"Dear Sir or Madam, please find my photo attached to this letter.",
    "text cut in a character": ("x" * 511 + "é").encode(),
    "UTF-16": "<html>hello, this is a page</html>".encode("utf-16"),
    "HTML": b"<!doctype html><html><script>alert(1)</script></html>",
    "SVG": b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
    "SVG with a byte order mark": b'\xef\xbb\xbf<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
    "script": b"GIF89a/*\x00\x00*/=1;alert(document.domain)//" + bytes(20),
    "GIF": pictures.encoded(pictures.photo(), "GIF"),
    "BMP": pictures.encoded(pictures.photo(), "BMP"),
    "TIFF": pictures.encoded(pictures.photo(), "TIFF"),
    "ICO": pictures.encoded(pictures.photo((64, 64)), "ICO"),
    "PDF": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n" + bytes(40),
    "zip": b"PK\x03\x04" + bytes(60),
    "gzip": b"\x1f\x8b\x08" + bytes(60),
    "AVIF": pictures.ftyp(b"avif", b"mif1", b"miaf") + bytes(40),
    "AVIF that calls itself mif1": pictures.ftyp(b"mif1", b"avif") + bytes(40),
    "MP4": pictures.ftyp(b"isom", b"mp42") + bytes(40),
    "QuickTime": pictures.ftyp(b"qt  ", b"qt  ") + bytes(40),
    "JPEG XL": b"\xff\x0a" + bytes(60),
    "JPEG 2000": b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(60),
    "WAV": b"RIFF\x24\0\0\0WAVEfmt " + bytes(60),
}


@pytest.mark.parametrize("name", OTHER_KINDS)
def test_another_kind_of_file_is_named_unsupported(name: str) -> None:
    assert refusal(OTHER_KINDS[name]).code == "UNSUPPORTED_IMAGE_TYPE"


BROKEN = {
    "empty": b"",
    "one byte": b"\xff",
    "the beginning of a JPEG": pictures.jpeg()[:31],
    "rubbish": bytes(range(128, 256)),
    "zeros": bytes(4096),
    "an ELF program": b"\x7fELF\x02\x01\x01" + bytes(60),
    "a Windows program": b"MZ\x90\0\x03\0\0\0" + bytes(60),
    "a JPEG without a frame": b"\xff\xd8" + pictures.segment(0xE0, bytes(40)) + b"\xff\xda" + bytes(40),
    "a JPEG that ends at once": b"\xff\xd8\xff\xd9" + bytes(40),
    "a JPEG that begins twice": b"\xff\xd8\xff\xd8" + bytes(40),
    "a JPEG cut in a segment": pictures.jpeg(exif=pictures.exif())[:60],
    "a JPEG of fill bytes": b"\xff\xd8" + b"\xff" * 100_000,
    "a JPEG of empty segments": b"\xff\xd8" + pictures.segment(0xFE, b"") * 1_000_000,
    "a JPEG of segments without length": b"\xff\xd8" + b"\xff\xe1\0\0" * 1_000_000,
    "a PNG without its header": b"\x89PNG\r\n\x1a\n" + pictures.chunk(b"IDAT", bytes(40)),
    "a PNG in Apple's dialect": b"\x89PNG\r\n\x1a\n" + pictures.chunk(b"CgBI", bytes(4)) + bytes(40),
    "a WebP of nothing": pictures.riff((b"EXIF", bytes(40))),
    "a lossless WebP without its mark": pictures.riff((b"VP8L", bytes(40))),
    "a lossy WebP without its mark": pictures.riff((b"VP8 ", bytes(40))),
    "a HEIC of brands only": pictures.ftyp(b"heic", b"mif1", b"heic", b"heix"),
    "a HEIC without sizes": pictures.heic_header(),
    "a HEIC with half a size": pictures.heic_header(pictures.box(b"ispe", bytes(6))),
    "a HEIC whose boxes end too late": pictures.heic_header(struct.pack(">I4s", 999, b"ispe")),
    "a HEIC whose boxes are too short": pictures.heic_header(struct.pack(">I4s", 3, b"ispe")),
    "a HEIC of 20,000 boxes": pictures.ftyp(b"heic", b"heic") + pictures.box(b"free", b"") * 20_000,
    "a HEIC that goes round in circles": pictures.ftyp(b"heic", b"heic") + struct.pack(">I4s", 2, b"free") * 9,
    "a HEIC with a header of 300 KiB": pictures.heic_header(
        pictures.ispe(*SIZE), pictures.box(b"free", bytes(300 * 1024))
    ),
    "a HEIC with a header of 4 GiB": pictures.ftyp(b"heic", b"heic") + struct.pack(">I4s", 0xFFFFFFF0, b"meta") * 9,
    "a HEIC with a header without end": pictures.ftyp(b"heic", b"heic") + struct.pack(">I4s", 0, b"meta") * 9,
    "a HEIC with a box of 2^64": pictures.ftyp(b"heic", b"heic") + struct.pack(">I4sQ", 1, b"free", 2**64 - 1) * 9,
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_no_sound_file_of_any_kind_is_named_invalid(name: str) -> None:
    assert refusal(BROKEN[name]).code == "INVALID_IMAGE"


@pytest.mark.parametrize("name", BROKEN)
def test_nothing_makes_a_look_at_the_header_long(name: str) -> None:
    file = Counting(BROKEN[name])
    with pytest.raises(Rejected):
        inspect(file, len(BROKEN[name]))
    assert file.total <= 300_000
    assert file.reads <= 5_000


@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP lossy", "WEBP lossless", "WEBP extended", "HEIC"])
def test_a_header_cut_anywhere_is_a_rejection_or_a_header(name: str) -> None:
    data = FORMATS[name]()
    for length in range(min(len(data), 700)):
        try:
            assert looked_at(data[:length]).format == name.split()[0]
        except Rejected as rejected:
            assert rejected.code == "INVALID_IMAGE"


def test_a_heic_without_its_decoder_says_what_staff_must_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(headers, "find_spec", lambda name: None)
    rejected = refusal(pictures.heic_header(pictures.ispe(*SIZE)))
    assert rejected.code == "UNSUPPORTED_IMAGE_TYPE"
    assert "django-genlook[heic]" in rejected.detail


def test_looking_at_a_picture_loads_no_decoder() -> None:
    script = """
import io, sys
from django_genlook import images
data = sys.stdin.buffer.read()
assert images.inspect(io.BytesIO(data), len(data)).format == "HEIC"
assert not {"PIL", "pillow_heif"} & set(sys.modules)
"""
    root = Path(images.__file__).parents[2]
    subprocess.run([sys.executable, "-c", script], input=pictures.heic(), cwd=root, check=True)
