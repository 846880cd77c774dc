"""What the worker gets for a sound picture, whatever its kind."""

import random
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image

from django_genlook import images
from django_genlook.exceptions import Rejected
from django_genlook.images import clean, process
from tests.images import pictures
from tests.images.pictures import CANARY, CORNERS, SIZE, cleaned, distance, seen_corners

RED, GREEN = CORNERS["red"], CORNERS["green"]
ENCODERS: dict[str, Callable[..., bytes]] = {
    "JPEG": pictures.jpeg,
    "PNG": pictures.png,
    "WEBP": pictures.webp,
    "HEIC": pictures.heic,
}
UPRIGHT = ["red", "green", "blue", "yellow"]
# What the four corners of a stored picture become when it is shown as its EXIF orientation asks.
TURNED = {
    1: UPRIGHT,
    2: ["green", "red", "yellow", "blue"],
    3: ["yellow", "blue", "green", "red"],
    4: ["blue", "yellow", "red", "green"],
    5: ["red", "blue", "green", "yellow"],
    6: ["blue", "red", "yellow", "green"],
    7: ["yellow", "green", "blue", "red"],
    8: ["green", "yellow", "red", "blue"],
}


def flat(colour: Any, mode: str = "RGB", size: tuple[int, int] = SIZE) -> Image.Image:
    return Image.new(mode, size, colour)


def middle(image: Image.Image) -> tuple[float, ...]:
    seen = image.getpixel((image.width // 2, image.height // 2))
    assert isinstance(seen, tuple)
    return seen


@pytest.mark.parametrize("name", ENCODERS)
def test_a_sound_picture_keeps_its_size_and_colours(name: str) -> None:
    image = cleaned(ENCODERS[name](pictures.corners()))
    assert image.size == SIZE
    assert seen_corners(image) == UPRIGHT
    seen = image.getpixel((10, 10))
    assert isinstance(seen, tuple)
    assert distance(seen, RED) < 8


@pytest.mark.parametrize("orientation", TURNED)
def test_a_photo_comes_out_upright(orientation: int) -> None:
    image = cleaned(pictures.jpeg(pictures.corners(), exif=pictures.exif(orientation)))
    assert seen_corners(image) == TURNED[orientation]
    assert image.size == (SIZE if orientation < 5 else SIZE[::-1])


@pytest.mark.parametrize("name", ENCODERS)
def test_every_format_is_turned_upright_once(name: str) -> None:
    image = cleaned(ENCODERS[name](pictures.corners(), exif=pictures.exif(6)))
    assert seen_corners(image) == TURNED[6]
    assert image.size == SIZE[::-1]


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_orientation_that_does_not_exist_is_none(orientation: int) -> None:
    image = cleaned(pictures.jpeg(pictures.corners(), exif=pictures.exif(orientation)))
    assert seen_corners(image) == UPRIGHT


def test_a_turned_photo_is_scaled_by_its_longest_side() -> None:
    image = cleaned(pictures.jpeg(pictures.corners((3000, 1500)), exif=pictures.exif(6)))
    assert image.size == (1024, 2048)
    assert seen_corners(image) == TURNED[6]


@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize(
    ("size", "result"),
    [((2048, 1000), (2048, 1000)), ((2049, 1000), (2048, 999)), ((5000, 2500), (2048, 1024)), ((64, 4096), (32, 2048))],
)
def test_a_big_picture_is_scaled_down_in_its_proportions(
    name: str, size: tuple[int, int], result: tuple[int, int]
) -> None:
    assert cleaned(ENCODERS[name](pictures.corners(size))).size == result


def test_a_smaller_picture_can_be_asked_for_and_a_small_one_is_never_enlarged() -> None:
    data = pictures.jpeg(pictures.corners((1000, 500)))
    assert cleaned(data, side=500).size == (500, 250)
    assert cleaned(data, side=12_000).size == (1000, 500)


def test_quality_decides_about_the_bytes() -> None:
    data = pictures.jpeg(Image.effect_noise((300, 300), 80).convert("RGB"))
    assert len(clean(data, quality=40).data) < len(clean(data, quality=90).data) / 2


@pytest.mark.parametrize("options", [{"side": 63}, {"side": 12_001}, {"quality": 0}, {"quality": 96}])
def test_what_cannot_be_asked_for_is_an_error_of_the_caller(options: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"side|quality"):
        clean(pictures.jpeg(), **options)


def test_the_worst_picture_at_the_default_size_stays_below_what_genlook_takes() -> None:
    noise = Image.frombytes("RGB", (2048, 2048), random.Random(1).randbytes(2048 * 2048 * 3))
    assert len(clean(pictures.jpeg(noise, quality=95, subsampling=0)).data) < 10_000_000


# Every mode a decoder may hand over, and what its middle must look like.
MODES: dict[str, tuple[Callable[[], bytes], tuple[int, int, int]]] = {
    "grey JPEG": (lambda: pictures.jpeg(flat(120, "L")), (120, 120, 120)),
    "CMYK JPEG": (lambda: pictures.jpeg(flat((0, 255, 255, 0), "CMYK")), (255, 0, 0)),
    "progressive JPEG": (lambda: pictures.jpeg(flat(RED), progressive=True), RED),
    "black and white PNG": (lambda: pictures.png(flat(1, "1")), (255, 255, 255)),
    "grey PNG": (lambda: pictures.png(flat(77, "L")), (77, 77, 77)),
    "16-bit grey PNG": (lambda: pictures.png(flat(77 * 257, "I;16")), (77, 77, 77)),
    "16-bit RGB PNG": (
        lambda: pictures.raw_png(
            64, 64, pictures.chunk(b"IDAT", zlib.compress((b"\0" + b"\xdc\0\x1e\0\x1e\0" * 64) * 64)), depth=16
        ),
        RED,
    ),
    "interlaced PNG": (
        lambda: pictures.raw_png(64, 64, pictures.chunk(b"IDAT", pictures.zeros(64 * 200)), interlaced=1),
        (0, 0, 0),
    ),
    "palette PNG": (lambda: pictures.png(flat(RED).quantize(4)), RED),
    "palette PNG, its colour transparent": (
        lambda: pictures.png(flat(RED).quantize(4), transparency=b"\0" * 4),
        (255, 255, 255),
    ),
    "palette PNG, half transparent": (
        lambda: pictures.png(flat((0, 0, 0)).quantize(4), transparency=b"\x80" * 4),
        (127, 127, 127),
    ),
    "transparent PNG": (lambda: pictures.png(flat((200, 0, 0, 0), "RGBA")), (255, 255, 255)),
    "half transparent PNG": (lambda: pictures.png(flat((0, 0, 0, 128), "RGBA")), (127, 127, 127)),
    "transparent grey PNG": (lambda: pictures.png(flat((9, 0), "LA")), (255, 255, 255)),
    "PNG with a key colour": (lambda: pictures.png(flat(RED), transparency=RED), (255, 255, 255)),
    "PNG with another key colour": (lambda: pictures.png(flat(RED), transparency=GREEN), RED),
    "grey PNG with a key": (lambda: pictures.png(flat(9, "L"), transparency=9), (255, 255, 255)),
    "16-bit grey PNG with a key": (lambda: pictures.png(flat(2570, "I;16"), transparency=2570), (255, 255, 255)),
    "transparent WebP": (lambda: pictures.webp(flat((200, 0, 0, 0), "RGBA")), (255, 255, 255)),
    "half transparent lossless WebP": (
        lambda: pictures.webp(flat((0, 0, 0, 128), "RGBA"), lossless=True),
        (127, 127, 127),
    ),
    "transparent HEIC": (lambda: pictures.heic(flat((200, 0, 0, 0), "RGBA")), (255, 255, 255)),
    "grey HEIC": (lambda: pictures.heic(flat(77, "L")), (77, 77, 77)),
    "12-bit HEIC": (lambda: pictures.heic(flat(77 * 257, "I;16")), (77, 77, 77)),
}


@pytest.mark.parametrize("name", MODES)
def test_every_kind_of_pixel_becomes_rgb_on_white(name: str) -> None:
    make, expected = MODES[name]
    assert distance(middle(cleaned(make())), expected) < 8


def test_a_scaled_transparent_picture_has_no_dark_rim() -> None:
    image = flat((0, 0, 0, 0), "RGBA", (3000, 3000))
    image.paste((255, 255, 255, 255), (0, 0, 1501, 3000))
    assert min(low for low, _ in cleaned(pictures.png(image)).getextrema()) > 245  # type: ignore[misc]


@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP"])
def test_a_colour_profile_is_applied_and_dropped(name: str) -> None:
    image = cleaned(ENCODERS[name](flat((255, 0, 0)), icc_profile=pictures.swapped_profile()))
    seen = middle(image)
    assert seen[1] > 200
    assert seen[0] < 60


BAD_PROFILES = {
    "empty": b"\0",
    "rubbish": random.Random(1).randbytes(600),
    "cut short": pictures.swapped_profile()[:200],
    "its table damaged": pictures.swapped_profile()[:132] + b"\xff" * 300,
    "of another colour space": pictures.swapped_profile().replace(b"RGB XYZ ", b"CMYKLab "),
}


@pytest.mark.parametrize("name", BAD_PROFILES)
@pytest.mark.parametrize("encoder", ["JPEG", "PNG", "WEBP"])
def test_a_broken_colour_profile_is_ignored(name: str, encoder: str) -> None:
    image = cleaned(ENCODERS[encoder](flat(RED), icc_profile=BAD_PROFILES[name]))
    assert distance(middle(image), RED) < 8


def test_an_rgb_profile_on_a_grey_or_cmyk_picture_is_ignored() -> None:
    profile = pictures.swapped_profile()
    assert distance(middle(cleaned(pictures.jpeg(flat(120, "L"), icc_profile=profile))), (120, 120, 120)) < 8
    assert (
        distance(middle(cleaned(pictures.jpeg(flat((0, 255, 255, 0), "CMYK"), icc_profile=profile))), (255, 0, 0)) < 8
    )


FRAMES = [flat(RED), flat(GREEN), flat((0, 0, 255))]
MOVING = {
    "PNG": lambda: pictures.png(FRAMES[0], save_all=True, append_images=FRAMES[1:]),
    "WebP": lambda: pictures.webp(FRAMES[0], save_all=True, append_images=FRAMES[1:]),
    "MPO": lambda: pictures.encoded(FRAMES[0], "MPO", save_all=True, append_images=FRAMES[1:]),
    "HEIC": lambda: pictures.heic(FRAMES[0], append_images=FRAMES[1:]),
}


@pytest.mark.parametrize("name", MOVING)
def test_of_several_frames_the_first_is_kept(name: str) -> None:
    assert distance(middle(cleaned(MOVING[name]())), RED) < 8


def test_only_the_picture_shown_first_is_decoded_from_a_heic_sequence() -> None:
    data = pictures.heic(FRAMES[0], append_images=FRAMES[1:], primary_index=1)
    assert distance(middle(cleaned(data)), GREEN) < 8


def xmp() -> bytes:
    return b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><who>' + CANARY + b"</who></x:xmpmeta>"


def tell_tale_jpeg() -> bytes:
    thumbnail = pictures.jpeg(Image.new("RGB", (64, 64), "red"), comment=CANARY)
    data = pictures.jpeg(exif=pictures.exif(1), comment=CANARY, icc_profile=pictures.swapped_profile() + CANARY)
    for kind, payload in [
        (0xE1, b"http://ns.adobe.com/xap/1.0/\0" + xmp()),
        (0xED, b"Photoshop 3.0\0" + b"8BIM\x04\x04\0\0" + CANARY),
        (0xE3, CANARY),
        (0xE0, b"JFXX\0\x10" + thumbnail),
    ]:
        data = pictures.with_segment(data, kind, payload)
    return data


def tell_tale_png() -> bytes:
    texts = [
        pictures.chunk(b"tEXt", b"Comment\0" + CANARY),
        pictures.chunk(b"zTXt", b"Note\0\0" + zlib.compress(CANARY)),
        pictures.chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp()),
        pictures.chunk(b"prVt", CANARY),
    ]
    return pictures.with_chunk(pictures.png(exif=pictures.exif(1)), *texts)


TELL_TALE: dict[str, Callable[[], bytes]] = {
    "JPEG": tell_tale_jpeg,
    "PNG": tell_tale_png,
    "WEBP": lambda: pictures.webp(exif=pictures.exif(1), xmp=xmp()),
    "HEIC": lambda: pictures.heic(exif=pictures.exif(1), xmp=xmp()),
}


@pytest.mark.parametrize("name", TELL_TALE)
def test_what_a_picture_tells_of_a_person_is_gone(name: str) -> None:
    data = TELL_TALE[name]() + b"trailing " + CANARY
    assert data.count(CANARY) >= 3
    image = cleaned(data)  # looks for the canary
    assert image.size == SIZE


def test_an_answer_of_the_child_with_anything_but_a_picture_in_it_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    sound = clean(pictures.jpeg()).data
    answers = {
        "EXIF": pictures.with_segment(sound, 0xE1, pictures.exif()),
        "a comment": pictures.with_segment(sound, 0xFE, CANARY),
        "a thumbnail": pictures.with_segment(sound, 0xE0, b"JFIF\0\1\1\0\0\1\0\1\1\1abc"),
        "trailing data": sound + CANARY,
        "a second picture": sound + sound,
        "too many pixels": pictures.jpeg(pictures.photo((2049, 64))),
        "no end": sound[:-2],
        "no data": sound[:40],
        "nothing": b"",
        "a page": b"<html>" * 99,
        "a PNG": pictures.png(),
    }
    for name, answer in answers.items():
        monkeypatch.setattr(process, "decode", lambda data, answer=answer, **options: answer)
        with pytest.raises(Rejected) as caught:
            clean(b"")
        assert caught.value.code == "INVALID_IMAGE", name
    monkeypatch.setattr(process, "decode", lambda data, **options: sound)
    assert clean(b"").data == sound


def test_one_picture_is_decoded_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    sound = clean(pictures.jpeg()).data
    held = []

    def decode(data: bytes, **options: int) -> bytes:
        held.append(images._one_at_a_time.locked())
        return sound

    monkeypatch.setattr(process, "decode", decode)
    clean(b"")
    assert held == [True]
    assert not images._one_at_a_time.locked()


def test_the_lock_is_free_again_after_a_rejection() -> None:
    with pytest.raises(Rejected):
        clean(b"no picture")
    assert not images._one_at_a_time.locked()


def test_results_are_values() -> None:
    one = images.CleanImage(b"x", 1, 2)
    assert one == images.CleanImage(b"x", 1, 2)
    for value in (one, images.Header("PNG", 1, 2)):
        with pytest.raises(AttributeError):
            value.width = 3  # type: ignore[misc]
