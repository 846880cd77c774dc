"""Draws an opened picture anew: upright, sRGB, on white, without anything but its pixels.

Runs in the limited child only. Imports Pillow, never Django.
"""

import warnings
from io import BytesIO

from PIL import Image, ImageCms

from django_genlook.images import headers

_PILLOW_NAMES = {"JPEG": ["JPEG"], "PNG": ["PNG"], "WEBP": ["WEBP"], "HEIC": ["HEIF"]}
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_ORIENTATION = 0x0112  # EXIF


def prepare(kind: str) -> None:
    """Loads what decoding this format takes, so that a broken installation shows before any picture is opened."""
    Image.MAX_IMAGE_PIXELS = headers.MAX_PIXELS
    warnings.simplefilter("ignore")  # Pillow remarks on harmless oddities of real photographs
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    Image.preinit()
    if kind == "HEIC":
        import pillow_heif

        pillow_heif.register_heif_opener(decode_threads=1, thumbnails=False, depth_images=False, aux_images=False)
    elif kind == "WEBP":
        from PIL import WebPImagePlugin  # noqa: F401


def redraw(data: bytes, kind: str, *, side: int, quality: int) -> bytes:
    """A JPEG of at most ``side`` px, drawn from the first frame.

    Raises ``Refused`` when Pillow reads other dimensions than the header promised, and whatever Pillow raises for
    broken data.
    """
    source = Image.open(BytesIO(data), formats=_PILLOW_NAMES[kind])
    headers.check_dimensions(*source.size)
    if kind == "JPEG":
        source.draft(None, _fit(source.size, side))
    source.load()
    turn = _turn(source)
    profile = source.info.get("icc_profile")
    drawn = _resizable(source)
    del source  # up to 200 MB
    target = _fit(drawn.size, side)
    if drawn.size != target:
        drawn = drawn.resize(target, Image.Resampling.LANCZOS, reducing_gap=3.0)
    canvas = _on_white(drawn, profile)
    if turn is not None:
        canvas = canvas.transpose(turn)
    out = BytesIO()
    canvas.save(out, "JPEG", quality=quality)
    return out.getvalue()


def _fit(size: tuple[int, int], side: int) -> tuple[int, int]:
    """Rounded down: ``draft`` takes the whole-number quotient of the sizes, which one pixel more would halve."""
    longest = max(size)
    if longest <= side:
        return size
    return max(1, size[0] * side // longest), max(1, size[1] * side // longest)


def _turn(picture: Image.Image) -> Image.Transpose | None:
    try:
        return _TURNS.get(picture.getexif().get(_ORIENTATION, 1))
    except Exception:  # EXIF is a format of its own, broken in its own ways; the pixels may still be good
        return None


def _resizable(picture: Image.Image) -> Image.Image:
    """The picture as L, LA, RGB, RGBA or CMYK, which Pillow can scale smoothly."""
    if picture.mode.startswith("I;16"):
        key = picture.info.get("transparency")
        picture = picture.point(lambda value: value * (1 / 256)).convert("L")
        picture.info = {} if key is None else {"transparency": key >> 8}
    if picture.has_transparency_data:
        return picture if picture.mode in ("LA", "RGBA") else picture.convert("RGBA")
    if picture.mode == "1":
        return picture.convert("L")
    return picture if picture.mode in ("L", "RGB", "CMYK") else picture.convert("RGB")


def _on_white(picture: Image.Image, profile: bytes | None) -> Image.Image:
    alpha = None
    if picture.mode in ("LA", "RGBA"):
        alpha = picture.getchannel("A")
        picture = picture.convert(picture.mode[:-1])
    canvas = Image.new("RGB", picture.size, "white")
    canvas.paste(_in_srgb(picture, profile), mask=alpha)
    return canvas


def _in_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    if profile:
        try:
            converted = ImageCms.profileToProfile(
                picture, BytesIO(profile), ImageCms.createProfile("sRGB"), outputMode="RGB"
            )
        except (ImageCms.PyCMSError, OSError, TypeError, ValueError):
            converted = None  # a broken profile, or one for another kind of picture: its colours are a guess anyway
        if converted is not None:
            return converted
    return picture.convert("RGB")
