"""Whatever is sent, it is refused with a sentence, before anything is kept; never a 500."""

import io
import json
import struct
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpRequest, HttpResponse

from django_genlook.api.bodies import CappingUploadHandler
from django_genlook.images import MAX_UPLOAD_BYTES
from django_genlook.models import Generation, Photo, Shopper
from tests.api.conftest import SKU, Browser, refused

pytestmark = pytest.mark.django_db

MIB = 1024 * 1024
BOUNDARY = "frontier"
MULTIPART = f"multipart/form-data; boundary={BOUNDARY}"


def png_that_says(width: int, height: int) -> bytes:
    """A few bytes whose header promises a huge picture."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in ((b"IHDR", header), (b"IDAT", b""), (b"IEND", b""))
    )
    return b"\x89PNG\r\n\x1a\n" + chunks


def form(*parts: tuple[str, bytes]) -> bytes:
    """A multipart body made of header lines and content, as given."""
    body = b""
    for headers, content in parts:
        body += f"--{BOUNDARY}\r\n{headers}\r\n\r\n".encode() + content + b"\r\n"
    return body + f"--{BOUNDARY}--\r\n".encode()


CONSENT = ('Content-Disposition: form-data; name="consent"', b"true")

SECOND_FILE = ('Content-Disposition: form-data; name="b"; filename="b"', b"x")


def photo_part(content: bytes, more: str = "") -> tuple[str, bytes]:
    return (f'Content-Disposition: form-data; name="photo"; filename="p.jpg"{more}', content)


def nothing_was_kept() -> None:
    assert not Photo.objects.exists()
    assert not Shopper.objects.exists()
    assert not Generation.objects.exists()


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (b"just some words, quite a few of them, but no picture at all", 415, "UNSUPPORTED_IMAGE_TYPE"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", 415, "UNSUPPORTED_IMAGE_TYPE"),
        (b"GIF89a" + b"\0" * 100, 415, "UNSUPPORTED_IMAGE_TYPE"),
        (b"", 422, "INVALID_IMAGE"),
        (b"\xff\xd8\xff", 422, "INVALID_IMAGE"),
        (png_that_says(20_000, 20_000), 422, "INVALID_IMAGE"),
        (png_that_says(10_000, 9_000), 422, "INVALID_IMAGE"),
        (png_that_says(3, 3), 422, "INVALID_IMAGE"),
    ],
    ids=["text", "svg", "gif", "empty", "three bytes", "huge sides", "too many pixels", "too small"],
)
def test_a_file_that_is_no_usable_picture_is_refused_in_the_request(
    guest: Browser, data: bytes, status: int, code: str
) -> None:
    refused(guest.upload(data), status, code)
    nothing_was_kept()


def test_one_byte_above_ten_mebibytes_is_too_large_and_ten_are_not(
    guest: Browser, picture: Callable[..., bytes]
) -> None:
    data = picture()
    most = data + b"\0" * (MAX_UPLOAD_BYTES - len(data))
    refused(guest.upload(most + b"\0"), 413, "FILE_TOO_LARGE")
    nothing_was_kept()
    assert guest.upload(most).status_code == 201


class Unread:
    """A body that must not be touched."""

    def read(self, *args: Any) -> bytes:
        raise AssertionError("the body was read")

    readline = read


@pytest.mark.parametrize("length", [str(40 * MIB), str(MAX_UPLOAD_BYTES + 64 * 1024 + 1), "9" * 5000])
def test_forty_megabytes_by_their_header_are_refused_unread(guest: Browser, length: str) -> None:
    answer = guest.post("photos/", b"", content_type=MULTIPART, CONTENT_LENGTH=length, **{"wsgi.input": Unread()})
    refused(answer, 413, "FILE_TOO_LARGE")
    nothing_was_kept()


@pytest.mark.parametrize("path", ["try-ons/", f"products/{SKU}/"])
def test_where_no_file_belongs_a_large_body_is_refused_unread(guest: Browser, path: str) -> None:
    length = str(64 * 1024 + 1)
    answer = guest.post(path, b"", content_type="application/json", CONTENT_LENGTH=length, **{"wsgi.input": Unread()})
    refused(answer, 400, "invalid_request")


def test_forty_megabytes_that_say_they_are_few_are_cut_off_and_leave_no_file_behind(
    guest: Browser, picture: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, settings: Any
) -> None:
    """A server that counts for itself would stop them; under ASGI nobody does, see test_asgi."""
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path)
    monkeypatch.setattr("django_genlook.api.views.PhotosView.most_bytes", 100 * MIB)
    seen: list[int] = []
    receive = CappingUploadHandler.receive_data_chunk

    def count(self: CappingUploadHandler, raw_data: bytes, start: int) -> bytes:
        seen.append(len(raw_data))
        return receive(self, raw_data, start)

    monkeypatch.setattr(CappingUploadHandler, "receive_data_chunk", count)
    refused(guest.upload(picture() + b"\0" * (40 * MIB)), 413, "FILE_TOO_LARGE")
    assert sum(seen) <= MAX_UPLOAD_BYTES + 2 * CappingUploadHandler.chunk_size
    assert list(tmp_path.iterdir()) == []
    nothing_was_kept()


def test_many_small_files_do_not_add_up_to_more_than_one_photo_may_be(
    guest: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("django_genlook.api.views.PhotosView.most_bytes", 100 * MIB)
    files = {f"f{number}": SimpleUploadedFile("a.jpg", b"\0" * (3 * MIB)) for number in range(5)}
    refused(guest.post("photos/", {**files, "consent": "true"}), 413, "FILE_TOO_LARGE")


def test_a_body_of_unknown_length_is_refused(guest: Browser) -> None:
    answer = guest.post(
        "photos/", b"", content_type=MULTIPART, CONTENT_LENGTH="", HTTP_TRANSFER_ENCODING="chunked",
    )  # fmt: skip
    refused(answer, 400, "invalid_request")


@pytest.mark.parametrize("length", ["abc", "-1", "1.5", "٣", "1 000"])
def test_a_content_length_that_is_no_number_is_refused(guest: Browser, length: str) -> None:
    refused(guest.post("photos/", b"", content_type=MULTIPART, CONTENT_LENGTH=length), 400, "invalid_request")
    answer = guest.post("try-ons/", b"", content_type="application/json", CONTENT_LENGTH=length)
    refused(answer, 400, "invalid_request")


def test_files_go_to_djangos_own_handlers_and_not_to_the_shops(
    guest: Browser, picture: Callable[..., bytes], settings: Any
) -> None:
    settings.FILE_UPLOAD_HANDLERS = ["tests.api.test_bad_input.LeakingHandler"]
    assert guest.upload(picture()).status_code == 201


class LeakingHandler:
    """Stands for a shop's handler that sends files to a public place."""

    def __init__(self, request: HttpRequest) -> None:
        raise AssertionError("the photo was handed to the shop's own upload handler")


def test_a_body_that_a_middleware_of_the_shop_parsed_first_is_still_checked(
    guest: Browser, picture: Callable[..., bytes], settings: Any
) -> None:
    settings.MIDDLEWARE = ["tests.api.test_bad_input.nosy_middleware", *settings.MIDDLEWARE]
    assert guest.upload(picture()).status_code == 201
    refused(guest.upload(b"only text, in a form that was parsed before us"), 415, "UNSUPPORTED_IMAGE_TYPE")


def nosy_middleware(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    def middleware(request: HttpRequest) -> HttpResponse:
        _ = request.POST
        return get_response(request)

    return middleware


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (MULTIPART, form(CONSENT)),
        (MULTIPART, form(CONSENT, ('Content-Disposition: form-data; name="photo"', b"a text field"))),
        (MULTIPART, form(CONSENT, photo_part(b"x" * 99), photo_part(b"x" * 99))),
        (MULTIPART, form(CONSENT, ('Content-Disposition: form-data; name="other"; filename="a"', b"x" * 99))),
        (MULTIPART, form(CONSENT, photo_part(b"x" * 99), SECOND_FILE)),
        (MULTIPART, form(CONSENT, photo_part(b"!" * 99, "\r\nContent-Transfer-Encoding: base64"))),
        (MULTIPART, form(*[(f'Content-Disposition: form-data; name="{n}"', b"1") for n in range(1100)])),
        (MULTIPART, form(*[(f'Content-Disposition: form-data; name="f"; filename="{n}"', b"1") for n in range(150)])),
        (MULTIPART, b"no boundary in sight"),
        (MULTIPART, b"--frontier\r\n"),
        (MULTIPART, b""),
        ("multipart/form-data", form(CONSENT)),
        ("multipart/form-data; boundary=", form(CONSENT)),
        ("multipart/form-data; boundary=" + "x" * 210, form(CONSENT)),
        (MULTIPART + "; charset=zlib", form(CONSENT)),
    ],
    ids=[
        "no photo", "text for photo", "two photos", "another name", "a second file",
        "broken base64", "1100 fields", "150 files", "no parts", "cut off", "nothing", "no boundary",
        "empty boundary", "long boundary", "codec as charset",
    ],
)  # fmt: skip
def test_a_broken_form_is_an_invalid_request(guest: Browser, kind: str, body: bytes) -> None:
    refused(guest.send("photos/", body, kind), 400, "invalid_request")
    nothing_was_kept()


def test_a_file_name_in_no_known_encoding_is_no_crash(guest: Browser) -> None:
    part = photo_part(b"only text, and a strange name for it, but long enough", "; filename*=zlib''x")
    refused(guest.send("photos/", form(CONSENT, part), MULTIPART), 415, "UNSUPPORTED_IMAGE_TYPE")


@pytest.mark.parametrize(
    "kind", ["application/json", "text/plain", "image/jpeg", "application/x-www-form-urlencoded", "", "x" * 400]
)
def test_a_photo_in_another_wrapping_is_an_unsupported_type(guest: Browser, kind: str) -> None:
    answer = guest.send("photos/", b"x" * 99, kind)
    refused(answer, 415, "invalid_request")


def test_a_field_larger_than_the_shop_allows_in_memory_is_refused(guest: Browser, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    body = form(CONSENT, ('Content-Disposition: form-data; name="a"', b"a" * 2000))
    refused(guest.post("photos/", body, content_type=MULTIPART), 400, "invalid_request")
    big = json.dumps({"product": "a" * 2000})
    refused(guest.post("try-ons/", big, content_type="application/json"), 400, "invalid_request")


VALID = {"product": SKU, "photo": "0b0c1a1c-2a1f-4c8e-8e6c-0d6f3e5b7a11"}
WRONG: list[dict[str, Any]] = [
    {"product": None}, {"product": ""}, {"product": "   "}, {"product": []}, {"product": {"a": 1}},
    {"product": True}, {"product": "a\0b"}, {"product": "\ud800"}, {"product": "x" * 256},
    {"photo": None}, {"photo": ""}, {"photo": "x"}, {"photo": []}, {"photo": {}}, {"photo": 1.5},
    {"photo": -1}, {"photo": 10**60}, {"photo": "\0"}, {"photo": "\ud800"},
    {"again": "perhaps"}, {"again": None}, {"again": []}, {"again": {}}, {"again": 10**60},
]  # fmt: skip


@pytest.mark.parametrize(
    "body",
    [
        b"{", b"", b"nul", b"NaN", b"[" * 60_000, b'{"a":' * 10_000, b"\xff\xfe{}", b"\x00", b"1" * 6000,
        b'"text"', b"[]", b"null", b"12", b'{"product": 1e999, "photo": Infinity}', '{"product": "x"}'.encode("utf-16"),
        json.dumps({}).encode(),
        *(json.dumps({**VALID, **changed}).encode() for changed in WRONG),
    ],
    ids=lambda body: repr(body[:60]),
)  # fmt: skip
def test_json_that_is_broken_or_of_the_wrong_type_is_an_invalid_request(guest: Browser, body: bytes) -> None:
    _ = guest.shopper
    refused(guest.send("try-ons/", body, "application/json"), 400, "invalid_request")


def test_numbers_that_json_does_not_have_are_no_json(guest: Browser) -> None:
    body = '{"product": NaN, "photo": "%s"}' % guest.has_photo().pk  # noqa: UP031 (braces)
    refused(guest.send("try-ons/", body.encode(), "application/json"), 400, "invalid_request")


@pytest.mark.parametrize("charset", ["zlib", "rot13", "hex", "utf-7", "utf-16", "no-such-codec", "idna"])
def test_a_charset_is_no_way_to_smuggle_anything_in(guest: Browser, charset: str) -> None:
    kind = f"application/json; charset={charset}"
    photo = guest.has_photo()
    answer = guest.send("try-ons/", json.dumps({**VALID, "photo": str(photo.pk)}).encode(), kind)
    assert answer.status_code == 202
    refused(guest.send("try-ons/", b"x\x9c\x03\x00", kind), 400, "invalid_request")


def test_what_is_wrong_is_said_by_field(guest: Browser) -> None:
    _ = guest.shopper
    body = refused(guest.post_json("try-ons/", {"photo": "x", "again": False}), 400, "invalid_request")
    assert [detail["path"] for detail in body["details"]] == ["product", "photo"]
    assert all(detail["message"] for detail in body["details"])


@pytest.mark.parametrize("body", [b"product=%FF%FE&photo=%00", b"product=a%00b&photo=x", b"&" * 2000, b"=" * 100])
def test_a_broken_plain_form_is_an_invalid_request(guest: Browser, body: bytes) -> None:
    _ = guest.shopper
    answer = guest.post("try-ons/", body, content_type="application/x-www-form-urlencoded")
    refused(answer, 400, "invalid_request")


@pytest.mark.parametrize(
    "external_id", ["%00", "a%00b", "x" * 256, "x" * 5000, "%20", "%ED%A0%80", "nothing", "a/b/c", "..%2F.."]
)
def test_an_address_of_no_product_is_not_found(guest: Browser, external_id: str) -> None:
    refused(guest.get(f"products/{external_id}/"), 404, "not_found")


@pytest.mark.parametrize("external_id", ["%00", "a%00b", "x" * 256])
def test_what_no_product_can_be_called_never_reaches_the_database(
    guest: Browser, external_id: str, django_assert_num_queries: Any
) -> None:
    """PostgreSQL takes no NUL in a text, and raises."""
    with django_assert_num_queries(0):
        refused(guest.get(f"products/{external_id}/"), 404, "not_found")


@pytest.mark.parametrize(
    "cursor",
    [
        "x", "é", "cD0lMDA=", "cD14", "cD0yMDI2LTAxLTAx", "cD0yMDI2LTAxLTAxIDAwOjAwOjAw",  # x, a date, naive
        "cD0wMDAxLTAxLTAxIDAwOjAwOjAwJTJCMTQ6MDA=",  # the first day of all, fourteen hours too early
        "cD0yMDI2LTEzLTQxIDAwOjAwOjAwJTJCMDA6MDA=",  # the 41st of month 13
        "bz0tMQ==", "cj14", "bz0=",
    ],
)  # fmt: skip
def test_a_cursor_that_is_not_ours_is_not_found(guest: Browser, cursor: str) -> None:
    guest.has_try_on()
    refused(guest.get(f"try-ons/?cursor={cursor}"), 404, "not_found")


def test_a_temporary_file_of_a_refused_photo_does_not_stay(
    guest: Browser, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path)
    made = []
    named = tempfile.NamedTemporaryFile

    def note(*args: Any, **kwargs: Any) -> Any:
        made.append(args)
        return named(*args, **kwargs)

    monkeypatch.setattr("django.core.files.uploadedfile.tempfile.NamedTemporaryFile", note)
    refused(guest.upload(b"text " * MIB), 415, "UNSUPPORTED_IMAGE_TYPE")
    assert made
    assert list(tmp_path.iterdir()) == []


def test_a_broken_connection_is_no_crash(guest: Browser) -> None:
    class Broken(io.BytesIO):
        def read(self, *args: Any) -> bytes:
            raise OSError("connection reset")

    broken = {"CONTENT_LENGTH": "20", "wsgi.input": Broken()}
    refused(guest.send("try-ons/", b"", "", CONTENT_TYPE="application/json", **broken), 400, "invalid_request")
    refused(guest.send("photos/", b"", "", CONTENT_TYPE=MULTIPART, **broken), 400, "invalid_request")
