"""What the results look like: the garment lies on the person's torso."""

from __future__ import annotations

import functools

import pytest
import requests
from PIL import Image, ImageChops, ImageDraw, ImageStat

from .conftest import Json, Shop, Talk, decoded, encoded, garment, shirt, try_on

Colour = tuple[int, int, int]


@functools.cache
def astronaut() -> Image.Image:
    """A real waist-up portrait: the face is at (225, 130), the chest below y = 240."""
    from skimage import data

    return Image.fromarray(data.astronaut())  # type: ignore[no-untyped-call]


def result(sandbox: Talk, product: Json, person: Image.Image, **output: object) -> Image.Image:
    image_id = sandbox.upload(encoded(person), crop="false")
    done = sandbox.finish(sandbox.start(try_on(product, image_id, output=output)))
    assert done["status"] == "COMPLETED", done
    return decoded(requests.get(done["resultImageUrl"], timeout=10).content).convert("RGB")


def mean(image: Image.Image, box: tuple[int, int, int, int]) -> Colour:
    red, green, blue = ImageStat.Stat(image.crop(box)).mean
    return round(red), round(green), round(blue)


def changed(before: Image.Image, after: Image.Image, box: tuple[int, int, int, int]) -> float:
    """Give the mean difference of two pictures within a box; JPEG alone stays below 6."""
    return max(ImageStat.Stat(ImageChops.difference(before, after).crop(box)).mean)


def test_garment_lies_on_the_torso_of_a_real_portrait(sandbox: Talk, shop: Shop) -> None:
    url = shop.offer("/green.png", garment("#10a040"))
    picture = result(sandbox, shirt(url), astronaut(), watermark=False)
    assert picture.size == (512, 512)
    for box in ((150, 290, 190, 330), (270, 290, 310, 330), (150, 400, 190, 440)):
        red, green, blue = mean(picture, box)
        assert green > red + 60, "the chest is green now"
        assert green > blue + 40
    assert changed(astronaut(), picture, (170, 60, 290, 190)) < 6, "the face is as it was"
    assert changed(astronaut(), picture, (0, 0, 512, 60)) < 6, "the background is as it was"


def test_white_ground_goes_and_white_inside_stays(sandbox: Talk, shop: Shop) -> None:
    dotted = Image.new("RGB", (400, 400), "white")
    draw = ImageDraw.Draw(dotted)
    draw.rectangle((100, 40, 300, 390), fill="#10a040")
    draw.rectangle((10, 40, 390, 120), fill="#10a040")
    draw.ellipse((150, 150, 250, 250), fill="white")
    url = shop.offer("/dotted.jpg", encoded(dotted, "JPEG"))
    person = astronaut()
    picture = result(sandbox, shirt(url), person, watermark=False)
    whiter = ImageChops.subtract(picture, person).convert("L").point([255 if value > 60 else 0 for value in range(256)])
    # The dot is the middle of the garment's width and the only place that became much lighter.
    box = whiter.getbbox()
    assert box is not None
    middle = (box[0] + box[2]) // 2
    assert 180 < middle < 290
    assert min(mean(picture, (middle - 5, 355, middle + 5, 365))) > 200
    below_sleeve = mean(picture, (20, 470, 50, 500))
    assert changed(person, picture, (20, 470, 50, 500)) < 12, f"no white block beside the shirt, but {below_sleeve}"


def test_transparent_ground_goes(sandbox: Talk, shop: Shop) -> None:
    cut = Image.new("RGBA", (300, 400), (255, 0, 255, 0))
    ImageDraw.Draw(cut).rectangle((60, 40, 240, 380), fill=(16, 160, 64, 255))
    url = shop.offer("/cut.png", encoded(cut))
    picture = result(sandbox, shirt(url), Image.new("RGB", (400, 500), "#90a0b0"), watermark=False)
    red, green, blue = picture.split()
    assert ImageChops.subtract(green, red).point([0] * 100 + [255] * 156).getbbox() is not None
    purple = ImageChops.subtract(ImageChops.darker(red, blue), green)
    assert purple.point([0] * 40 + [255] * 216).getbbox() is None, "the hidden colour of the ground never shows"


def test_pale_shirt_on_white_is_cut_out_too(sandbox: Talk, shop: Shop) -> None:
    pale = Image.new("RGB", (400, 400), "white")
    draw = ImageDraw.Draw(pale)
    draw.rectangle((100, 40, 300, 390), fill="#efefec")
    draw.rectangle((10, 40, 390, 120), fill="#efefec")
    person = Image.new("RGB", (400, 500), "#204060")
    picture = result(sandbox, shirt(shop.offer("/pale.png", encoded(pale))), person, watermark=False)
    assert min(mean(picture, (190, 350, 210, 370))) > 180, "the shirt is there"
    assert changed(person, picture, (75, 380, 105, 410)) < 12, "the white ground beside it is not"


def test_sandbox_mark_is_always_there_and_the_logo_only_when_wanted(sandbox: Talk, shop: Shop) -> None:
    url = f"{shop.origin}/red.png"
    person = Image.new("RGB", (400, 500), "#90a0b0")
    plain = result(sandbox, shirt(url), person, watermark=False)
    marked = result(sandbox, shirt(url), person, watermark=True)
    left, right = (0, 470, 50, 500), (340, 470, 400, 500)
    assert changed(person, plain, right) > 20
    assert changed(person, plain, left) < 6
    assert changed(person, marked, left) > 20


def test_every_kind_of_photo_becomes_a_result(sandbox: Talk, shop: Shop) -> None:
    url = f"{shop.origin}/red.png"
    for person in (
        astronaut().convert("L"),
        astronaut().convert("RGBA"),
        astronaut().quantize(16),
        Image.new("RGB", (1, 1), "blue"),
        Image.new("RGB", (2000, 3), "blue"),
        Image.new("RGB", (3, 2000), (224, 172, 140)),
        Image.new("I;16", (60, 90)),
    ):
        width, height = result(sandbox, shirt(url), person).size
        assert max(width, height) <= 1600
        assert abs(width / height - person.width / person.height) < 0.05 * person.width / person.height or 3 in (
            person.width,
            person.height,
        )


@pytest.mark.parametrize("size", [(1, 1), (3, 900), (900, 3)])
def test_every_size_of_garment_is_drawn(sandbox: Talk, shop: Shop, size: tuple[int, int]) -> None:
    url = shop.offer("/odd.png", encoded(Image.new("RGB", size, "red")))
    assert result(sandbox, shirt(url), astronaut()).size == (512, 512)
    blank = shop.offer("/blank.png", encoded(Image.new("RGBA", (100, 100), (0, 0, 0, 0))))
    assert result(sandbox, shirt(blank), astronaut()).size == (512, 512)


def test_first_picture_of_the_product_is_drawn(sandbox: Talk, shop: Shop) -> None:
    sources = [shop.offer("/green.png", garment("#10a040")), f"{shop.origin}/red.png"]
    product = shirt("unused", images=[{"source": {"url": url}} for url in sources])
    red, green, _ = mean(result(sandbox, product, astronaut()), (150, 290, 190, 330))
    assert green > red
    assert "/red.png" not in shop.asked
