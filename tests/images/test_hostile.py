"""Files made to do harm: each ends as a clean picture or as a rejection, and leaves nothing behind."""

import io
import itertools
import struct
import zlib
from collections.abc import Callable

import pytest
from PIL import Image

from django_genlook.exceptions import Rejected
from django_genlook.images import MAX_UPLOAD_BYTES, CleanImage, clean
from tests.images import pictures
from tests.images.pictures import CANARY, SIZE, chunk, outcome, raw_png

ZIP = b"PK\x03\x04" + bytes(26) + b"a.txt" + CANARY + b"PK\x05\x06" + bytes(18)
HTML = b"<html><script>alert('" + CANARY + b"')</script></html>"
PHP = b"<?php system($_GET['" + CANARY + b"']); ?>"

Maker = Callable[[], bytes]
SOUND: dict[str, Maker] = {
    "JPEG": lambda: pictures.jpeg(exif=pictures.exif(6)),
    "progressive JPEG": lambda: pictures.jpeg(progressive=True),
    "PNG": lambda: pictures.png(pictures.corners()),
    "palette PNG": lambda: pictures.png(pictures.photo().quantize(64)),
    "lossy WebP": lambda: pictures.webp(exif=pictures.exif(6)),
    "lossless WebP": lambda: pictures.webp(lossless=True),
    "HEIC": lambda: pictures.heic(exif=pictures.exif(6)),
}


def idat(data: bytes) -> bytes:
    return chunk(b"IDAT", data)


def rows(width: int, height: int, channels: int = 3) -> bytes:
    return idat(pictures.zeros((width * channels + 1) * height))


def apng(frames: int, width: int = 64, height: int = 64) -> bytes:
    """A PNG that announces and holds this many frames."""
    body = zlib.compress(bytes((width * 3 + 1) * height))
    numbers = itertools.count()

    def control() -> bytes:
        return chunk(b"fcTL", struct.pack(">IIIIIHHBB", next(numbers), width, height, 0, 0, 1, 10, 0, 0))

    parts = [chunk(b"acTL", struct.pack(">II", frames, 0)), control(), idat(body)]
    for _ in range(frames - 1):
        parts += [control(), chunk(b"fdAT", struct.pack(">I", next(numbers)) + body)]
    return raw_png(width, height, *parts)


def animated_webp(frames: int) -> bytes:
    image = pictures.webp(Image.new("RGB", (64, 64)), lossless=True)[12:]
    frame = bytes(6) + (63).to_bytes(3, "little") * 2 + bytes(4) + image
    animation = (b"ANIM", bytes(6))
    return pictures.riff(pictures.vp8x(64, 64, flags=2), animation, *[(b"ANMF", frame)] * frames)


def exif_with(tag: int, kind: int, count: int, value: int, following: int = 0) -> bytes:
    """An EXIF block of one entry that says what it likes."""
    entry = struct.pack("<HHII", tag, kind, count, value)
    return b"Exif\0\0II*\0" + struct.pack("<IH", 8, 1) + entry + struct.pack("<I", following)


def with_exif(block: bytes) -> bytes:
    return pictures.with_segment(pictures.jpeg(), 0xE1, block)


def many_scans(data: bytes, count: int) -> bytes:
    """A progressive JPEG whose last scan is repeated: little to send, much to decode."""
    start = data.rindex(b"\xff\xda")
    return data[:start] + data[start:-2] * count + b"\xff\xd9"


# What must be refused, for the reason that the rejection names.
REFUSED: dict[str, Maker] = {
    "nothing": lambda: b"",
    "text": lambda: b"hello, world. " * 20,
    "HTML named photo.jpg": lambda: HTML * 3,
    "SVG named photo.png": lambda: b'<svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>' * 2,
    "a GIF that is a script": lambda: b"GIF89a/*" + bytes(40) + b"*/=1;alert(1)",
    "a PDF behind a JPEG's first two bytes": lambda: b"\xff\xd8%PDF-1.7" + bytes(60),
    "HTML behind a JPEG's magic": lambda: b"\xff\xd8\xff\xe0" + HTML * 3,
    "HTML behind a PNG's magic": lambda: b"\x89PNG\r\n\x1a\n" + HTML * 3,
    "HTML behind a WebP's magic": lambda: b"RIFF\x99\0\0\0WEBPVP8 " + HTML * 3,
    "HTML behind a HEIC's magic": lambda: pictures.ftyp(b"heic", b"heic") + HTML * 3,
    "a JPEG's head on a PNG": lambda: pictures.sof(*SIZE) + pictures.png(),
    "a PNG's head on a JPEG": lambda: raw_png(*SIZE)[:33] + pictures.jpeg(),
    "a WebP's head on a JPEG": lambda: pictures.riff(pictures.vp8x(*SIZE), (b"VP8 ", pictures.jpeg())),
    "a HEIC's head on a JPEG": lambda: pictures.heic_header(pictures.ispe(*SIZE)) + pictures.jpeg(),
    "AVIF in a HEIC's brands": lambda: pictures.heic().replace(b"hvc1", b"av01").replace(b"hvcC", b"av1C"),
    "PNG bomb of 12,000 x 12,000": lambda: raw_png(12_000, 12_000, rows(12_000, 1_000)),
    "PNG bomb of 2^31 x 1": lambda: raw_png(2**31 - 1, 1, idat(b"")),
    "PNG bomb of 65,535 x 65,535 in one bit": lambda: raw_png(65_535, 65_535, idat(b""), depth=1, colour=0),
    "JPEG bomb of 65,535 x 65,535": lambda: pictures.resized_header(pictures.jpeg(), 65_535, 65_535),
    "WebP bomb of 2^24 x 2^24": lambda: pictures.riff(pictures.vp8x(1 << 24, 1 << 24), (b"VP8L", bytes(40))),
    "HEIC bomb of 2^32 x 2^32": lambda: pictures.heic_header(pictures.ispe(2**32 - 1, 2**32 - 1)),
    "a WebP whose canvas and frame differ": lambda: pictures.riff(
        pictures.vp8x(3_000, 3_000), (b"VP8L", pictures.webp(lossless=True)[20:])
    ),
    "a HEIC that says a size and holds no picture": lambda: pictures.heic_header(pictures.ispe(*SIZE)),
    "a HEIC that says twice its size": lambda: pictures.heic().replace(
        pictures.ispe(*SIZE), pictures.ispe(12_000, 12_000)
    ),
    "a PNG without data": lambda: raw_png(*SIZE),
    "a PNG of rubbish data": lambda: raw_png(*SIZE, idat(b"\x78\x9c" + b"\xaa" * 400)),
    "a PNG with a broken checksum": lambda: pictures.png().replace(b"IDAT", b"IDAT\xff", 1),
    "a PNG in a colour type that does not exist": lambda: raw_png(*SIZE, rows(*SIZE), colour=5),
    "a PNG in a depth that does not exist": lambda: raw_png(*SIZE, rows(*SIZE), depth=7),
    "a palette PNG without its palette": lambda: raw_png(*SIZE, idat(b"\0"), colour=3),
    "a PNG whose second header is big": lambda: raw_png(
        *SIZE, chunk(b"IHDR", struct.pack(">IIBBBBB", 40_000, 40_000, 8, 2, 0, 0, 0)), rows(*SIZE)
    ),
    "a PNG of 100,000 texts": lambda: pictures.with_chunk(
        pictures.png(), chunk(b"zTXt", b"a\0\0" + pictures.zeros(1 << 20)) * 100
    ),
    "a PNG with a text bomb": lambda: pictures.with_chunk(
        pictures.png(), chunk(b"zTXt", b"a\0\0" + pictures.zeros(64 << 20))
    ),
    "a PNG with a profile bomb": lambda: pictures.with_chunk(
        pictures.png(), chunk(b"iCCP", b"a\0\0" + pictures.zeros(64 << 20))
    ),
    "a PNG that announces 2^31 frames": lambda: apng(2).replace(struct.pack(">II", 2, 0), struct.pack(">II", 2**31, 0)),
    "a JPEG without tables": lambda: pictures.sof(*SIZE) + b"\xff\xda" + bytes(200),
    "a JPEG without components": lambda: pictures.jpeg().replace(b"\xff\xc0\0\x11\x08", b"\xff\xc0\0\x11\x63"),
    "a lossless JPEG": lambda: pictures.sof(*SIZE, kind=0xC3) + bytes(200),
    "a JPEG in arithmetic coding": lambda: pictures.sof(*SIZE, kind=0xC9) + bytes(200),
    "a WebP of 200 broken frames": lambda: animated_webp(200).replace(b"\x2f\x3f", b"\x2f\xff"),
    "a ZIP": lambda: ZIP,
    "noise": lambda: bytes((n * 73 + 41) % 251 for n in range(4_000)),
}

# What must come out as a picture, without what it brought along.
CLEANED: dict[str, Maker] = {
    "a JPEG with a zip behind it": lambda: pictures.jpeg() + ZIP,
    "a JPEG with a page behind it": lambda: pictures.jpeg() + HTML,
    "a JPEG with 5 MB behind it": lambda: pictures.jpeg() + CANARY * 400_000,
    "a JPEG with a page as comment": lambda: pictures.jpeg(comment=HTML),
    "a JPEG with a program in its EXIF": lambda: with_exif(b"Exif\0\0" + PHP),
    "a JPEG with a program before its frame": lambda: pictures.with_segment(pictures.jpeg(), 0xE0, PHP),
    "a JPEG with 300 comments": lambda: b"\xff\xd8" + pictures.segment(0xFE, CANARY) * 300 + pictures.jpeg()[2:],
    "a PNG with a zip behind it": lambda: pictures.png() + ZIP,
    "a PNG with a page in a chunk": lambda: pictures.with_chunk(pictures.png(), chunk(b"tEXt", b"a\0" + HTML)),
    "a PNG with a program in a chunk of its own": lambda: pictures.with_chunk(pictures.png(), chunk(b"phPp", PHP)),
    "a PNG that goes on for 1 GB behind its last row": lambda: raw_png(64, 64, idat(pictures.zeros(1 << 30))),
    "a WebP with a page behind it": lambda: pictures.webp() + HTML,
    "a WebP with a program as XMP": lambda: pictures.webp(xmp=PHP),
    "a HEIC with a page behind it": lambda: pictures.heic() + pictures.box(b"free", HTML),
    "a PNG of 49 MP in 50 kB": lambda: raw_png(7_000, 7_000, rows(7_000, 7_000)),
    "a PNG of 1,000 frames": lambda: apng(1_000),
    "a WebP of 1,000 frames": lambda: animated_webp(1_000),
    "an MPO of 20 pictures": lambda: pictures.encoded(
        pictures.photo(), "MPO", save_all=True, append_images=[pictures.photo()] * 19
    ),
    "a JPEG whose EXIF points at itself": lambda: with_exif(exif_with(0x8769, 4, 1, 8, following=8)),
    "a JPEG whose EXIF wants 4 GB": lambda: with_exif(exif_with(0x0112, 2, 2**32 - 1, 8)),
    "a JPEG whose orientation is a text": lambda: with_exif(exif_with(0x0112, 2, 4, 0x41414141)),
    "a JPEG whose orientation is a fraction by zero": lambda: with_exif(exif_with(0x0112, 5, 1, 8)),
    "a JPEG whose EXIF is of no type": lambda: with_exif(exif_with(0x0112, 99, 1, 6)),
    "a JPEG whose EXIF ends at once": lambda: with_exif(b"Exif\0\0II*\0"),
    "a JPEG with 100 profiles": lambda: pictures.with_segment(
        pictures.jpeg(), 0xE2, b"ICC_PROFILE\0\1\x64" + bytes(4_000)
    ),
    "a PNG with rubbish as EXIF": lambda: pictures.with_chunk(pictures.png(), chunk(b"eXIf", CANARY * 9)),
    "a JPEG that claims 49 MP and holds none": lambda: pictures.resized_header(pictures.jpeg(), 7_000, 7_000),
    "a PNG that claims 49 MP and holds a row": lambda: raw_png(7_000, 7_000, rows(7_000, 1)),
    "a JPEG of 300 scans": lambda: many_scans(pictures.jpeg(progressive=True), 300),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_hostile_file_is_refused(name: str) -> None:
    assert isinstance(outcome(REFUSED[name]()), Rejected)


@pytest.mark.parametrize("name", CLEANED)
def test_what_a_picture_smuggles_is_left_behind(name: str) -> None:
    result = outcome(CLEANED[name]())
    assert isinstance(result, CleanImage)
    for contraband in (CANARY, b"<script", b"<?php", b"PK\x03\x04", b"Exif"):
        assert contraband not in result.data


@pytest.mark.parametrize("twentieth", range(1, 20))
@pytest.mark.parametrize("name", SOUND)
def test_a_picture_cut_short_is_refused_or_still_a_whole_picture(name: str, twentieth: int) -> None:
    data = SOUND[name]()
    result = outcome(data[: len(data) * twentieth // 20])
    assert isinstance(result, CleanImage | Rejected)
    if twentieth <= 10:
        assert isinstance(result, Rejected)


@pytest.mark.parametrize("twentieth", range(1, 20, 2))
@pytest.mark.parametrize("name", SOUND)
def test_a_picture_with_a_hole_is_refused_or_still_a_clean_picture(name: str, twentieth: int) -> None:
    data = SOUND[name]()
    at, length = len(data) * twentieth // 20, len(data) // 20
    outcome(data[:at] + bytes(length) + data[at + length :])


def test_more_bytes_than_any_picture_may_have_are_refused_as_too_large() -> None:
    data = pictures.jpeg()
    with pytest.raises(Rejected) as caught:
        clean(data + bytes(25 * 1024 * 1024 + 1 - len(data)))
    assert caught.value.code == "FILE_TOO_LARGE"


def test_a_picture_from_elsewhere_may_be_larger_than_an_upload() -> None:
    data = pictures.jpeg()
    assert clean(data + bytes(MAX_UPLOAD_BYTES)).width == SIZE[0]


def test_a_rejection_repeats_no_control_characters_of_the_picture() -> None:
    for name in ("a PNG with a broken checksum", "a PNG of rubbish data"):
        rejected = outcome(REFUSED[name]())
        assert isinstance(rejected, Rejected)
        assert rejected.detail.isascii()
        assert rejected.detail.isprintable()
        assert len(rejected.detail) <= 300


def test_the_files_here_are_what_they_say() -> None:
    with Image.open(io.BytesIO(apng(1_000))) as moving:
        assert moving.n_frames == 1_000  # type: ignore[attr-defined]
    with Image.open(io.BytesIO(animated_webp(1_000))) as moving:
        assert moving.n_frames == 1_000  # type: ignore[attr-defined]
