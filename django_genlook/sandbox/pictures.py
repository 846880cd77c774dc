"""Reads the pictures that are sent, and crops and writes those that are served."""

from __future__ import annotations

import importlib
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO

from PIL import Image, ImageDraw, ImageFont, ImageOps

from .codes import Refusal
from .person import find_face

MIN_BYTES = 24
MAX_PIXELS = 60_000_000
MAX_SIDE = 1600
PORTRAIT = 4 / 5

_HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
_OTHER_FORMATS = (b"GIF8", b"BM", b"II*\0", b"MM\0*", b"%PDF", b"\0\0\1\0", b"8BPS", b"PK\3\4")


@dataclass(frozen=True)
class Picture:
    """The bytes of a picture and their media type."""

    data: bytes
    content_type: str


def picture_type(data: bytes) -> str:
    """Give the media type the bytes begin as; ``INVALID_IMAGE`` or ``UNSUPPORTED_IMAGE_TYPE`` otherwise."""
    if len(data) < MIN_BYTES:
        raise Refusal("INVALID_IMAGE", "The image is too small.")
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "image/webp"
    if data[4:8] == b"ftyp":
        if data[8:12] in _HEIC_BRANDS:
            return "image/heic"
        raise Refusal("UNSUPPORTED_IMAGE_TYPE")
    if data.startswith(_OTHER_FORMATS) or _is_text(data[:512]):
        raise Refusal("UNSUPPORTED_IMAGE_TYPE")
    raise Refusal("INVALID_IMAGE", "The image is malformed.")


def open_picture(data: bytes) -> Image.Image:
    """Decode a picture upright as RGB or RGBA, at most 1600 pixels long, or refuse it."""
    kind = picture_type(data)
    if kind == "image/heic" and not _can_read_heic():
        return _heic_placeholder()
    try:
        with Image.open(BytesIO(data), formats=[kind.rpartition("/")[2].upper().replace("HEIC", "HEIF")]) as image:
            if image.width * image.height > MAX_PIXELS:
                raise Refusal("INVALID_IMAGE", "The image has too many pixels.")
            image.draft("RGB", (MAX_SIDE, MAX_SIDE))
            image.load()
            upright = ImageOps.exif_transpose(image)
    except Refusal:
        raise
    except Exception as error:  # a decoder fed with broken bytes may raise nearly anything
        raise Refusal("INVALID_IMAGE", "The image is malformed.") from error
    has_alpha = "A" in upright.getbands() or "transparency" in upright.info
    upright = upright.convert("RGBA" if has_alpha else "RGB")
    upright.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.LANCZOS)
    return upright


def check_picture(data: bytes) -> None:
    """Refuse bytes that are no picture of the four kinds."""
    open_picture(data)


def store_picture(data: bytes, *, crop: bool) -> Picture:
    """Give what an upload keeps: the photo cropped to 4:5 around the person, without ``crop`` the very bytes sent."""
    image = open_picture(data)
    kind = picture_type(data)
    portrait = crop_to_portrait(image) if crop else image
    if portrait.size == image.size and kind != "image/heic":
        return Picture(data, kind)
    return write_jpeg(portrait)


def crop_to_portrait(image: Image.Image) -> Image.Image:
    """Cut to 4:5: to the sides around the face, below from the top."""
    width, height = image.size
    if abs(width / height - PORTRAIT) < 0.01:
        return image
    face = find_face(image)
    if width / height > PORTRAIT:
        wanted = max(1, round(height * PORTRAIT))
        left = min(max(0, round(face.center_x - wanted / 2)), width - wanted)
        return image.crop((left, 0, left + wanted, height))
    wanted = max(1, round(width / PORTRAIT))
    top = min(max(0, round(face.top - face.height)), height - wanted)
    return image.crop((0, top, width, top + wanted))


def write_jpeg(image: Image.Image) -> Picture:
    """Encode as JPEG; what is transparent becomes white."""
    if image.mode == "RGBA":
        ground = Image.new("RGB", image.size, "white")
        ground.paste(image, mask=image.getchannel("A"))
        image = ground
    out = BytesIO()
    image.convert("RGB").save(out, "JPEG", quality=90)
    return Picture(out.getvalue(), "image/jpeg")


def _is_text(start: bytes) -> bool:
    with suppress(UnicodeDecodeError):
        text = start[:-3].decode() if len(start) == 512 else start.decode()
        return all(char.isprintable() or char.isspace() for char in text)
    return False


def _can_read_heic() -> bool:
    try:
        importlib.import_module("pillow_heif").register_heif_opener()
    except ImportError:
        return False
    return True


def _heic_placeholder() -> Image.Image:
    image = Image.new("RGB", (640, 800), "#8a8f98")
    draw = ImageDraw.Draw(image)
    draw.text((320, 400), "HEIC", fill="white", anchor="mm", font=ImageFont.load_default(96))
    return image
