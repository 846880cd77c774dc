"""What the decoding child relies on when a header has lied to it; tried in this process, on harmless pictures."""

import io

import pytest
from PIL import Image, UnidentifiedImageError

from django_genlook.images import child, headers, picture
from tests.images import pictures

GIF = pictures.encoded(pictures.photo(), "GIF")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_no_decoder_but_the_one_for_its_format_ever_sees_a_picture(kind: str) -> None:
    with pytest.raises(UnidentifiedImageError):
        picture.redraw(GIF, kind, side=2048, quality=90)
    other = pictures.png() if kind != "PNG" else pictures.jpeg()
    with pytest.raises(UnidentifiedImageError):
        picture.redraw(other, kind, side=2048, quality=90)


@pytest.mark.parametrize("size", [(63, 64), (12_001, 64), (9_000, 8_000)])
def test_the_size_that_pillow_reads_is_judged_again(size: tuple[int, int]) -> None:
    with pytest.raises(headers.Refused):
        picture.redraw(pictures.raw_png(*size, depth=1, colour=0), "PNG", side=2048, quality=90)


def test_a_bomb_warning_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    picture.prepare("PNG")
    with pytest.raises(Image.DecompressionBombWarning):
        Image.open(io.BytesIO(pictures.raw_png(10_000, 5_001, pictures.chunk(b"IDAT", b""))))


def test_a_message_stays_one_line_of_harmless_characters(capsys: pytest.CaptureFixture[str]) -> None:
    child._say("refused INVALID_IMAGE a\nready\x1b[2J\u202e\x00é" + "x" * 999)
    said = capsys.readouterr().err
    assert said.startswith("refused INVALID_IMAGE a?ready?[2J???x")
    assert len(said) == 301
    assert said.endswith("x\n")
