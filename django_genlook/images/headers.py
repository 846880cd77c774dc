"""Reads what the first bytes of a picture say: format, width, height. Decodes nothing, and every read is bounded.

Written by hand because it runs in the web process: Pillow's readers would do, with far more code open to a hostile
file. The decoding child runs this file too, so it imports the standard library only.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from typing import BinaryIO

INVALID = "INVALID_IMAGE"
UNSUPPORTED = "UNSUPPORTED_IMAGE_TYPE"
TOO_LARGE = "FILE_TOO_LARGE"

MAX_PIXELS = 50_000_000
MAX_SIDE = 12_000
MIN_SIDE = 64

_SNIFFED = 512  # bytes; enough for every magic number and to tell text from rubbish
_SHORTEST = 32  # bytes; below this no format has room for its dimensions
_MAX_STEPS = 2_000  # segments, fill bytes and stray bytes of a JPEG before its frame header
_MAX_BOXES = 64  # boxes of a HEIC before its "meta"
_MAX_META = 256 * 1024  # bytes; a phone's 48-tile photo needs 4 KiB

_HEVC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"}
_HEIF_MAJOR_BRANDS = _HEVC_BRANDS | {b"mif1", b"msf1"}
_OTHER_MAGIC = (
    (b"GIF8", "a GIF"),
    (b"%PDF", "a PDF"),
    (b"BM", "a BMP"),
    (b"II*\0", "a TIFF or raw photo"),
    (b"MM\0*", "a TIFF or raw photo"),
    (b"8BPS", "a Photoshop file"),
    (b"PK\x03\x04", "a zip archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\0\0\1\0", "an icon"),
    (b"\xff\x0a", "a JPEG XL"),
    (b"\0\0\0\x0cJXL ", "a JPEG XL"),
    (b"\0\0\0\x0cjP  ", "a JPEG 2000"),
    (b"RIFF", "a RIFF file that is no WebP"),
    (b"\xff\xfe", "text"),
    (b"\xfe\xff", "text"),
)


class Refused(Exception):
    """The picture cannot be used. ``code`` is one of Genlook's, ``detail`` is for staff and logs."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Header:
    """What the first bytes of a picture say of it. Sizes are in pixels, before any turning the camera asked for."""

    format: str  # "JPEG", "PNG", "WEBP" or "HEIC"
    width: int
    height: int


def read(file: BinaryIO) -> Header:
    """The format and the dimensions, both acceptable; the file's position afterwards is anywhere.

    Raises ``Refused``: ``INVALID_IMAGE`` for what is broken, too small or too big, ``UNSUPPORTED_IMAGE_TYPE`` for
    another kind of file. Source: https://docs.genlook.app/docs/tryon-api/errors and the specifications named below.
    """
    file.seek(0)
    start = file.read(_SNIFFED)
    if len(start) < _SHORTEST:
        raise Refused(INVALID, f"{len(start)} bytes are no picture")
    kind = _kind(start)
    try:
        width, height = _READERS[kind](file, start)
    except (struct.error, EOFError):
        raise Refused(INVALID, f"the header of the {kind} ends too early") from None
    check_dimensions(width, height)
    return Header(kind, width, height)


def check_dimensions(width: int, height: int) -> None:
    """Returns when a picture of this size (pixels) may be decoded, else raises ``Refused``."""
    if min(width, height) < MIN_SIDE:
        raise Refused(INVALID, f"{width} x {height} px is too small: at least {MIN_SIDE} px a side are needed")
    if max(width, height) > MAX_SIDE:
        raise Refused(INVALID, f"{width} x {height} px is too big: at most {MAX_SIDE} px a side are allowed")
    if width * height > MAX_PIXELS:
        raise Refused(INVALID, f"{width} x {height} px is too big: at most {MAX_PIXELS} px in all are allowed")


def read_clean(data: bytes, side: int) -> Header:
    """The header of a JPEG that holds a picture and nothing else; ``Refused`` for any other bytes.

    The decoding child has met a stranger's file, so its answer is not believed: only the segments that our own
    encoder writes may stand before the scan, the picture's one scan must run to the end marker, and that must be the
    end of the data. ``side`` is the most pixels a side may have.
    """
    position, size = 2, None
    try:
        if data[:2] != b"\xff\xd8":
            raise ValueError
        while True:
            mark, kind, length = struct.unpack_from(">BBH", data, position)
            if mark != 0xFF or not _only_pixels(kind, data[position + 4 : position + 2 + length]):
                raise ValueError
            if kind == 0xC0:
                height, width = struct.unpack_from(">HH", data, position + 5)
                size = width, height
            position += 2 + length
            if kind == 0xDA:
                break
        end = data.index(b"\xff\xd9", position) + 2
        if size is None or not 0 < max(size) <= side or min(size) < 1 or end != len(data):
            raise ValueError
    except (struct.error, ValueError):
        raise Refused(INVALID, "the decoder did not answer with a plain JPEG") from None
    return Header("JPEG", *size)


def _only_pixels(kind: int, payload: bytes) -> bool:
    if kind == 0xE0:  # JFIF, 14 bytes, without a thumbnail
        return payload[:5] == b"JFIF\0" and payload[12:] == b"\0\0"
    return kind in (0xC0, 0xC4, 0xDA, 0xDB, 0xDD)


def _kind(start: bytes) -> str:
    if start.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if start.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if start.startswith(b"RIFF") and start[8:12] == b"WEBP":
        return "WEBP"
    if start[4:8] == b"ftyp":
        return _heif_kind(start)
    name = next((name for magic, name in _OTHER_MAGIC if start.startswith(magic)), "")
    if name or _is_text(start):
        raise Refused(UNSUPPORTED, f"{name or 'text'}, where a JPEG, PNG, WebP or HEIC is needed")
    raise Refused(INVALID, "no known kind of file")


def _heif_kind(start: bytes) -> str:
    (length,) = struct.unpack_from(">I", start)
    major, compatible = start[8:12], start[16 : min(length, _SNIFFED)]
    brands = {major, *(compatible[i : i + 4] for i in range(0, len(compatible) - 3, 4))}
    if major not in _HEIF_MAJOR_BRANDS or not brands & _HEVC_BRANDS:
        raise Refused(UNSUPPORTED, "an AVIF, a video or the like, where a JPEG, PNG, WebP or HEIC is needed")
    if find_spec("pillow_heif") is None:
        raise Refused(UNSUPPORTED, "a HEIC, which needs: pip install 'django-genlook[heic]'")
    return "HEIC"


def _is_text(start: bytes) -> bool:
    try:
        text = start.decode()
    except UnicodeDecodeError as error:
        if error.start < len(start) - 3:  # not just a character cut in two
            return False
        text = start[: error.start].decode()
    return all(character.isprintable() or character in "\t\n\r\f\ufeff" for character in text)


def _jpeg(file: BinaryIO, start: bytes) -> tuple[int, int]:
    """Walks the segments to the frame header (ITU T.81, B.2)."""
    position = 2
    for _ in range(_MAX_STEPS):
        file.seek(position)
        mark, kind = _exactly(file, 2)
        if mark != 0xFF or kind == 0xFF:  # a stray byte, or one that fills up: decoders pass over both
            position += 1
        elif kind == 0x01 or 0xD0 <= kind <= 0xD7:  # a marker without a length
            position += 2
        elif kind in (0xD8, 0xD9, 0xDA):
            raise Refused(INVALID, "the JPEG has no frame header before its data")
        elif 0xC0 <= kind <= 0xCF and kind not in (0xC4, 0xC8, 0xCC):
            _, _, height, width = struct.unpack(">HBHH", _exactly(file, 7))
            return width, height
        else:
            position += 2 + max(2, int.from_bytes(_exactly(file, 2)))
    raise Refused(INVALID, "the JPEG has too many segments before its frame header")


def _png(file: BinaryIO, start: bytes) -> tuple[int, int]:
    """PNG specification, 11.2.2: the first chunk is IHDR."""
    length, kind, width, height = struct.unpack_from(">I4sII", start, 8)
    if (length, kind) != (13, b"IHDR"):
        raise Refused(INVALID, "the PNG does not begin with its header")
    return width, height


def _webp(file: BinaryIO, start: bytes) -> tuple[int, int]:
    """RFC 9649, 2.5 to 2.7: lossy, lossless and extended files each keep their size elsewhere."""
    kind = start[12:16]
    if kind == b"VP8X":
        return 1 + int.from_bytes(start[24:27], "little"), 1 + int.from_bytes(start[27:30], "little")
    if kind == b"VP8L" and start[20] == 0x2F:
        bits = int.from_bytes(start[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 " and start[23:26] == b"\x9d\x01\x2a":
        width, height = struct.unpack_from("<HH", start, 26)
        return width & 0x3FFF, height & 0x3FFF
    raise Refused(INVALID, "the WebP does not begin with a picture")


def _heic(file: BinaryIO, start: bytes) -> tuple[int, int]:
    """ISO/IEC 23008-12, 6.5.3: every picture has an ``ispe``. The largest bounds what a decoder may be asked for."""
    sizes = [
        struct.unpack_from(">II", payload, 4)
        for kind, iprp in _boxes(_meta(file), 4)
        if kind == b"iprp"
        for kind, ipco in _boxes(iprp, 0)
        if kind == b"ipco"
        for kind, payload in _boxes(ipco, 0)
        if kind == b"ispe"
    ]
    if not sizes:
        raise Refused(INVALID, "the HEIC says no dimensions")
    width, height = max(sizes, key=lambda size: size[0] * size[1])
    return width, height


def _meta(file: BinaryIO) -> bytes:
    position = 0
    for _ in range(_MAX_BOXES):
        file.seek(position)
        length, kind = struct.unpack(">I4s", _exactly(file, 8))
        head = 8
        if length == 1:
            (length,), head = struct.unpack(">Q", _exactly(file, 8)), 16
        if kind == b"meta":
            if length == 0 or length > _MAX_META:
                raise Refused(INVALID, "the header of the HEIC is too long")
            return _exactly(file, max(0, length - head))
        if length < head or length > 1 << 40:
            break
        position += length
    raise Refused(INVALID, "the HEIC has no header")


def _boxes(data: bytes, position: int) -> Iterator[tuple[bytes, bytes]]:
    while position < len(data):
        length, kind = struct.unpack_from(">I4s", data, position)
        if length < 8 or position + length > len(data):
            raise Refused(INVALID, "the header of the HEIC is broken")
        yield kind, data[position + 8 : position + length]
        position += length


def _exactly(file: BinaryIO, count: int) -> bytes:
    data = file.read(count)
    if len(data) < count:
        raise EOFError
    return data


_READERS = {"JPEG": _jpeg, "PNG": _png, "WEBP": _webp, "HEIC": _heic}
