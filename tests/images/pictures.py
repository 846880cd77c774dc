"""Makes pictures of every kind, sound and otherwise, and says what a clean one looks like."""

import io
import struct
import zlib
from collections.abc import Iterator
from typing import Any

from PIL import Image, ImageCms

from django_genlook.exceptions import Rejected
from django_genlook.images import CleanImage, clean

CANARY = b"CANARY-7f3a9c"
SIZE = (96, 128)
CORNERS = {"red": (220, 30, 30), "green": (30, 180, 30), "blue": (30, 30, 220), "yellow": (220, 220, 30)}


def photo(size: tuple[int, int] = SIZE) -> Image.Image:
    """A soft picture without sharp edges, which every encoder keeps well."""
    across = Image.linear_gradient("L").resize(size)
    along = Image.linear_gradient("L").rotate(90).resize(size)
    return Image.merge("RGB", (across, along, Image.new("L", size, 90)))


def corners(size: tuple[int, int] = SIZE) -> Image.Image:
    """Red, green / blue, yellow: every turning and mirroring of it looks different."""
    width, height = size
    image = Image.new("RGB", size)
    for number, colour in enumerate(CORNERS.values()):
        left, top = number % 2 * (width // 2), number // 2 * (height // 2)
        image.paste(colour, (left, top, left + width // 2 + 1, top + height // 2 + 1))
    return image


def seen_corners(image: Image.Image) -> list[str]:
    """The names of the colours in the four corners, row by row."""
    width, height = image.size
    names = []
    for y in (height // 4, 3 * height // 4):
        for x in (width // 4, 3 * width // 4):
            seen = image.getpixel((x, y))
            assert isinstance(seen, tuple)
            names.append(min(CORNERS, key=lambda name: distance(CORNERS[name], seen)))
    return names


def distance(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    """The largest difference of two colours in any channel."""
    return max(abs(a - b) for a, b in zip(one, other, strict=True))


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    """``kind`` is Pillow's name of the format, or HEIF."""
    if kind == "HEIF":
        import pillow_heif

        heif = pillow_heif.from_pillow(image)
        for further in options.pop("append_images", ()):
            heif.add_from_pillow(further)
        out = io.BytesIO()
        heif.save(out, **{"quality": 80, **options})
        return out.getvalue()
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def jpeg(image: Image.Image | None = None, **options: Any) -> bytes:
    return encoded(image or photo(), "JPEG", **{"quality": 92, **options})


def png(image: Image.Image | None = None, **options: Any) -> bytes:
    return encoded(image or photo(), "PNG", **options)


def webp(image: Image.Image | None = None, **options: Any) -> bytes:
    return encoded(image or photo(), "WEBP", **{"method": 0, **options})


def heic(image: Image.Image | None = None, **options: Any) -> bytes:
    return encoded(image or photo(), "HEIF", **options)


def segment(kind: int, payload: bytes) -> bytes:
    return b"\xff" + bytes([kind]) + struct.pack(">H", len(payload) + 2) + payload


def with_segment(data: bytes, kind: int, payload: bytes) -> bytes:
    """A JPEG with one more segment, put first."""
    return data[:2] + segment(kind, payload) + data[2:]


def sof(width: int, height: int, kind: int = 0xC0) -> bytes:
    """The beginning of a JPEG that claims this size, and no data."""
    frame = struct.pack(">BHHB", 8, height, width, 3) + bytes((1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1))
    return b"\xff\xd8" + segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0") + segment(kind, frame)


def resized_header(data: bytes, width: int, height: int) -> bytes:
    """A baseline JPEG whose frame header lies about its size."""
    at = data.index(b"\xff\xc0") + 5
    return data[:at] + struct.pack(">HH", height, width) + data[at + 4 :]


def chunk(kind: bytes, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload)) + kind + payload + struct.pack(">I", zlib.crc32(kind + payload))


def raw_png(width: int, height: int, *chunks: bytes, depth: int = 8, colour: int = 2, interlaced: int = 0) -> bytes:
    """A PNG put together by hand: its header, these chunks, its end."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + b"".join(chunks) + chunk(b"IEND", b"")


def with_chunk(data: bytes, *chunks: bytes) -> bytes:
    """A PNG with more chunks, put behind its header."""
    return data[:33] + b"".join(chunks) + data[33:]


def zeros(count: int) -> bytes:
    """This many zeros, compressed, without ever holding them."""
    packer = zlib.compressobj(9)
    parts = [packer.compress(bytes(min(1 << 20, count - at))) for at in range(0, count, 1 << 20)]
    return b"".join([*parts, packer.flush()])


def riff(*chunks: tuple[bytes, bytes]) -> bytes:
    body = b"".join(kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2) for kind, data in chunks)
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def vp8x(width: int, height: int, flags: int = 0) -> tuple[bytes, bytes]:
    sizes = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return b"VP8X", bytes((flags, 0, 0, 0)) + sizes


def box(kind: bytes, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload) + 8) + kind + payload


def ftyp(major: bytes, *brands: bytes) -> bytes:
    return box(b"ftyp", major + bytes(4) + b"".join(brands))


def ispe(width: int, height: int) -> bytes:
    return box(b"ispe", struct.pack(">III", 0, width, height))


def heic_header(*properties: bytes) -> bytes:
    """A HEIC with these properties and nothing in it."""
    meta = box(b"meta", bytes(4) + box(b"iprp", box(b"ipco", b"".join(properties))))
    return ftyp(b"heic", b"mif1", b"heic") + meta + box(b"mdat", bytes(64))


def exif(orientation: int | None = None, place: bool = True) -> bytes:
    """An EXIF block with canaries, a position on Earth and, if asked for, an orientation."""
    data = Image.Exif()
    if orientation is not None:
        data[0x0112] = orientation
    data[0x010E] = CANARY.decode()  # ImageDescription
    data[0x013B] = CANARY.decode()  # Artist
    if place:
        gps = data.get_ifd(0x8825)
        gps[1], gps[2], gps[3], gps[4] = "N", (52.0, 31.0, 12.0), "E", (13.0, 24.0, 18.0)
        gps[0x1D] = CANARY.decode()
    return data.tobytes()


def swapped_profile() -> bytes:
    """A sound profile in which red and green have changed places: a red picture that carries it means green."""
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    entries = {bytes(data[at : at + 4]): at for at in range(132, 132 + 12 * struct.unpack_from(">I", data, 128)[0], 12)}
    red, green = entries[b"rXYZ"], entries[b"gXYZ"]
    data[red + 4 : red + 12], data[green + 4 : green + 12] = data[green + 4 : green + 12], data[red + 4 : red + 12]
    return bytes(data)


def outcome(data: bytes) -> CleanImage | Rejected:
    """What ``clean`` makes of it. Anything but a clean picture or a rejection is an error of ours."""
    try:
        result = clean(data)
    except Rejected as rejected:
        assert rejected.code in {"INVALID_IMAGE", "UNSUPPORTED_IMAGE_TYPE", "FILE_TOO_LARGE"}
        assert rejected.detail
        return rejected
    assert_clean(result)
    return result


def cleaned(data: bytes, **options: Any) -> Image.Image:
    """The clean picture, opened, after a look at the promises that hold for each."""
    result = clean(data, **options)
    assert_clean(result)
    return Image.open(io.BytesIO(result.data))


def assert_clean(result: CleanImage) -> None:
    """An upright RGB JPEG with nothing in it but a picture."""
    image = Image.open(io.BytesIO(result.data))
    image.load()
    assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (result.width, result.height))
    assert max(image.size) <= 2048
    assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    assert not image.getexif()
    assert CANARY not in result.data
    kinds = [kind for kind, _ in segments(result.data)]
    assert set(kinds) <= {0xE0, 0xDB, 0xC0, 0xC4, 0xDA}
    assert result.data.index(b"\xff\xd9") == len(result.data) - 2


def segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The segments of a sound JPEG up to its data."""
    position, kind = 2, 0
    while kind != 0xDA:
        _, kind, length = struct.unpack_from(">BBH", data, position)
        yield kind, data[position + 4 : position + 2 + length]
        position += 2 + length
