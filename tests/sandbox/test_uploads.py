"""Person photos: what is taken, what is refused, how they are cropped and how long they live."""

from __future__ import annotations

import zlib
from io import BytesIO

import pillow_heif
import pytest
import requests
from PIL import Image

from .conftest import Json, Talk, decoded, encoded, garment, paths, photo, refusal, shirt, try_on

DAY = 86400
MEGABYTE = 1024 * 1024


def send(sandbox: Talk, data: bytes, **fields: str) -> requests.Response:
    return sandbox.call("POST", "/images/upload", files={"file": ("me", data)}, data=fields)


def fetched(answer: requests.Response) -> Image.Image:
    picture = requests.get(answer.json()["imageUrl"], timeout=10)
    assert picture.status_code == 200
    return decoded(picture.content)


def heic() -> bytes:
    out = BytesIO()
    pillow_heif.from_pillow(decoded(photo())).save(out, format="HEIF")
    return out.getvalue()


def png_of_size(width: int, height: int) -> bytes:
    """A PNG of few bytes: black, one bit a pixel; above 100 million pixels it only claims to have them."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + name + data + zlib.crc32(name + data).to_bytes(4, "big")

    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + b"\x01\x00\x00\x00\x00"
    size = height * (1 + (width + 7) // 8) if width * height < 100_000_000 else 1
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(size))) + chunk(b"IEND", b"")
    )


def test_upload_answers_with_a_slashed_id_and_an_open_address(sandbox: Talk) -> None:
    answer = send(sandbox, photo())
    assert answer.status_code == 201
    assert set(answer.json()) == {"imageId", "imageUrl"}
    assert answer.json()["imageId"].count("/") >= 3
    assert fetched(answer).size == (400, 500)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "HEIC"])
def test_four_kinds_are_taken(sandbox: Talk, kind: str) -> None:
    data = heic() if kind == "HEIC" else encoded(decoded(photo()), kind)
    answer = send(sandbox, data, crop="false")
    assert answer.status_code == 201, answer.text
    red, green, blue = fetched(answer).convert("RGB").getpixel((200, 110))  # type: ignore[misc]
    assert red > 190 > green > blue, "the face is where it was"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "INVALID_IMAGE"),
        (b"\xff\xd8\xff", "INVALID_IMAGE"),
        (bytes(range(128, 256)), "INVALID_IMAGE"),
        (photo()[: len(photo()) // 2], "INVALID_IMAGE"),
        (encoded(decoded(photo()), "JPEG")[:600], "INVALID_IMAGE"),
        (png_of_size(60_000, 60_000), "INVALID_IMAGE"),
        (png_of_size(12_000, 12_000), "INVALID_IMAGE"),
        (png_of_size(8_100, 8_100), "INVALID_IMAGE"),
        (encoded(decoded(photo()), "GIF"), "UNSUPPORTED_IMAGE_TYPE"),
        (encoded(decoded(photo()), "BMP"), "UNSUPPORTED_IMAGE_TYPE"),
        (encoded(decoded(photo()), "TIFF"), "UNSUPPORTED_IMAGE_TYPE"),
        (b"<!DOCTYPE html><title>Not found</title>", "UNSUPPORTED_IMAGE_TYPE"),
        ("<svg xmlns='http://www.w3.org/2000/svg'>ü</svg>".encode() * 50, "UNSUPPORTED_IMAGE_TYPE"),
        (b"%PDF-1.7\n" + bytes(100), "UNSUPPORTED_IMAGE_TYPE"),
        (b"\0\0\0\x20ftypavif" + bytes(60), "UNSUPPORTED_IMAGE_TYPE"),
    ],
    ids=lambda value: value if isinstance(value, str) else repr(value[:12]),
)
def test_other_bytes_are_refused_by_their_own_code(sandbox: Talk, data: bytes, code: str) -> None:
    assert refusal(send(sandbox, data)) == (400, code)


def test_large_picture_within_the_limit_is_taken(sandbox: Talk) -> None:
    assert send(sandbox, png_of_size(6_000, 6_000)).status_code == 201


def test_ten_megabytes_are_the_limit(sandbox: Talk) -> None:
    picture = encoded(decoded(photo()), "JPEG")
    assert send(sandbox, picture + bytes(10 * MEGABYTE - len(picture))).status_code == 201
    assert refusal(send(sandbox, picture + bytes(10 * MEGABYTE - len(picture) + 1))) == (413, "FILE_TOO_LARGE")


def test_file_part_is_required(sandbox: Talk) -> None:
    other = sandbox.call("POST", "/images/upload", files={"photo": ("me.png", photo())})
    assert refusal(other) == (400, "FILE_REQUIRED")
    text = sandbox.call("POST", "/images/upload", files={"file": (None, "me.png")})
    assert refusal(text) == (400, "FILE_REQUIRED")
    assert refusal(sandbox.post("/images/upload", {"file": "me.png"})) == (400, "FILE_REQUIRED")


@pytest.mark.parametrize(
    ("fields", "offending"),
    [
        ({"crop": "yes"}, {"crop"}),
        ({"keepForDays": "2"}, {"keepForDays"}),
        ({"keepForDays": ""}, {"keepForDays"}),
        ({"retentionDays": "30"}, {"retentionDays"}),
        ({"externalUserId": ""}, {"externalUserId"}),
        ({"crop": "1", "keepForDays": "x", "customerId": "u" * 300}, {"crop", "keepForDays", "customerId"}),
    ],
)
def test_fields_are_checked(sandbox: Talk, fields: dict[str, str], offending: set[str]) -> None:
    answer = send(sandbox, photo(), **fields)
    assert (refusal(answer), paths(answer)) == ((400, "VALIDATION_FAILED"), offending)


def test_crop_to_four_by_five_follows_the_person(sandbox: Talk) -> None:
    person = decoded(photo())
    wide = Image.new("RGB", (1200, 500), "#406080")
    wide.paste(person, (750, 0))
    cropped = fetched(send(sandbox, encoded(wide)))
    assert cropped.size == (400, 500)
    red, green, _ = cropped.convert("RGB").getpixel((200, 110))  # type: ignore[misc]
    assert red > 200 > green, "the face is in the middle"
    tall = Image.new("RGB", (400, 1000), "#406080")
    tall.paste(person, (0, 0))
    assert fetched(send(sandbox, encoded(tall), crop="true")).size == (400, 500)
    assert fetched(send(sandbox, encoded(tall), crop="false")).size == (400, 1000)


def test_photo_is_turned_upright(sandbox: Talk) -> None:
    image = decoded(photo()).rotate(90, expand=True)
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: show rotated by 90 degrees clockwise
    out = BytesIO()
    image.resize((1000, 400)).save(out, "JPEG", exif=exif)
    assert fetched(send(sandbox, out.getvalue())).size == (400, 500)


@pytest.mark.parametrize(("fields", "days"), [({}, 7), ({"keepForDays": "1"}, 1), ({"retentionDays": "3"}, 3)])
def test_photo_is_gone_after_its_days(sandbox: Talk, fields: dict[str, str], days: int) -> None:
    sandbox.reset(rate_limit=0, result_url_seconds=30 * DAY)
    answer = send(sandbox, photo(), **fields)
    body: Json = try_on(shirt("http://127.0.0.1:9/x.png"), answer.json()["imageId"])
    sandbox.advance(days * DAY - 60)
    assert sandbox.post("/try-on", body).status_code == 201
    assert requests.get(answer.json()["imageUrl"], timeout=10).status_code == 200
    sandbox.advance(120)
    refused = sandbox.post("/try-on", body)
    assert (refusal(refused), paths(refused)) == ((400, "VALIDATION_FAILED"), {"person.image.source.id"})
    assert requests.get(answer.json()["imageUrl"], timeout=10).status_code == 404


def test_address_of_a_photo_expires_before_the_photo(sandbox: Talk) -> None:
    sandbox.reset(result_url_seconds=100)
    url = send(sandbox, photo()).json()["imageUrl"]
    assert requests.get(url, timeout=10).status_code == 200
    assert requests.get(f"{url[:-8]}.jpeg", timeout=10).status_code == 404
    sandbox.advance(101)
    assert requests.get(url, timeout=10).status_code == 403


def test_photo_belongs_to_its_account(sandbox: Talk) -> None:
    sandbox.reset(api_keys=["gk_a", "gk_b"])
    image_id = sandbox.upload(key="gk_a")
    answer = sandbox.post("/try-on", try_on(shirt("https://shop.example/a.png"), image_id), key="gk_b")
    assert refusal(answer) == (400, "VALIDATION_FAILED")


def test_upload_costs_nothing(sandbox: Talk) -> None:
    sandbox.reset(credits=0)
    sandbox.upload(garment())
    assert sandbox.ledger()["accepted"] == 0
