"""Turns whatever a person uploads into a clean picture, or says why not.

``inspect`` is for the request: it looks at the first bytes and decodes nothing. ``clean`` is for the worker: it has the
picture decoded by a child process that is limited in memory, time and files, and returns it drawn anew.
"""

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from django_genlook.images import headers
from django_genlook.images.headers import MAX_PIXELS, MAX_SIDE, MIN_SIDE, Header

if TYPE_CHECKING:
    from django_genlook.exceptions import Rejected

__all__ = [
    "CLEAN_SIDE",
    "MAX_PIXELS",
    "MAX_SIDE",
    "MAX_UPLOAD_BYTES",
    "MIN_SIDE",
    "CleanImage",
    "Header",
    "clean",
    "inspect",
]

MAX_UPLOAD_BYTES = 10 * 1024 * 1024
CLEAN_SIDE = 2_048  # px of the longest side of a cleaned picture

_one_at_a_time = threading.Lock()


@dataclass(frozen=True, slots=True)
class CleanImage:
    """A picture drawn by us: JPEG, sRGB, RGB, upright, no metadata. Sizes are in pixels."""

    data: bytes
    width: int
    height: int


def inspect(file: BinaryIO, size: int) -> Header:
    """The format and dimensions of an upload worth keeping for the worker; ``file`` is at position 0 afterwards.

    Cheap enough for a request: reads a few hundred bytes (of a HEIC at most 256 KiB), decodes nothing. A picture that
    passes may still turn out broken in ``clean``.

    ``file`` is seekable, ``size`` its length in bytes. Raises ``Rejected`` with the code ``FILE_TOO_LARGE`` (more than
    ``MAX_UPLOAD_BYTES``), ``UNSUPPORTED_IMAGE_TYPE`` (no JPEG, PNG, WebP or HEIC, or a HEIC without pillow-heif) or
    ``INVALID_IMAGE`` (empty, broken, under ``MIN_SIDE`` or over ``MAX_SIDE`` px a side, over ``MAX_PIXELS``).
    Source: https://docs.genlook.app/docs/tryon-api/endpoints/upload-image
    """
    try:
        if size > MAX_UPLOAD_BYTES:
            raise headers.Refused(headers.TOO_LARGE, f"{size} bytes; at most {MAX_UPLOAD_BYTES} are allowed")
        return headers.read(file)
    except headers.Refused as refusal:
        raise _rejected(refusal) from None
    finally:
        file.seek(0)


def clean(data: bytes, *, side: int = CLEAN_SIDE, quality: int = 90) -> CleanImage:
    """The picture drawn anew: only its pixels are left, upright, in sRGB, on white, the first frame of several.

    Takes about 0.2 s and a child process; one at a time in a process, others wait. ``data`` may be larger than an
    upload, up to 25 MiB, for pictures that come from Genlook or a shop's own server. ``side`` is the most pixels a
    side of the result may have (a smaller picture keeps its size), ``quality`` is JPEG's, 1 to 95.

    Raises ``Rejected`` (codes as for ``inspect``) when the picture is broken or hostile, or needs more memory or time
    than the child may take. Raises ``OSError`` when no child could be run: the picture may be good, try again later.
    """
    from django_genlook.images import process

    if not (headers.MIN_SIDE <= side <= headers.MAX_SIDE and 1 <= quality <= 95):
        raise ValueError(f"side={side}, quality={quality}")
    try:
        with _one_at_a_time:
            jpeg = process.decode(data, side=side, quality=quality)
        header = headers.read_clean(jpeg, side)
    except headers.Refused as refusal:
        raise _rejected(refusal) from None
    return CleanImage(jpeg, header.width, header.height)


def _rejected(refusal: headers.Refused) -> "Rejected":
    from django_genlook.exceptions import Rejected  # the child runs this file too, and must not load Django

    return Rejected(refusal.detail, code=refusal.code)
