"""What an adapter says of a product, and how its pictures travel: addresses as addresses, everything else as bytes."""

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, storages
from django.db import models

from django_genlook import images
from django_genlook.adapters import Content, ProductAdapter, digest
from django_genlook.client import PictureBytes, PictureUrl
from django_genlook.conf import get_config
from django_genlook.exceptions import GenlookError
from django_genlook.models import Shopper
from django_genlook.services import catalogue
from django_genlook.testing import Sandbox
from example_project.shop.models import Product as ShopProduct
from example_project.shop.models import ProductImage
from example_project.shop.tryon import ProductTryOn
from tests.conftest import Clock
from tests.services.steps import Status, ask_for, drain, genlook, in_step, mirror, ready_photo, see_through

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("quick_pictures")]

Make = Callable[..., Any]
REAL = "https://api.genlook.app/tryon/v1"


class Gallery:
    """A web server with one picture, which it shows to chosen visitors only."""

    def __init__(self, picture: bytes) -> None:
        self.visitors: list[str] = []
        self.is_open_to: Callable[[str], bool] = lambda agent: True
        gallery = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                agent = self.headers.get("User-Agent", "")
                gallery.visitors.append(agent)
                body = picture if gallery.is_open_to(agent) else b""
                self.send_response(200 if body else 404)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/shirt.png"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def gallery(garment: bytes, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gallery]:
    """The pictures of every product hang there."""
    made = Gallery(garment)
    monkeypatch.setattr(ProductTryOn, "images", lambda self, obj: [made.url])
    yield made
    made.close()


def refused(act: Callable[[], Any]) -> str:
    with pytest.raises(GenlookError) as error:
        act()
    return error.value.code


def picture(image: Any, *, as_bytes: bool = False) -> Any:
    return catalogue.picture(image, as_bytes=as_bytes, side=images.CLEAN_SIDE)


class TestPictures:
    def test_an_address_travels_as_an_address(
        self, genlook_sandbox: Sandbox, make_product: Make, gallery: Gallery
    ) -> None:
        in_step(make_product(images=0))
        [entry] = genlook_sandbox.journal("POST", "/products")
        assert entry["body"]["images"] == [{"source": {"url": gallery.url}}]
        assert gallery.visitors == []

    def test_one_that_genlook_cannot_fetch_travels_as_bytes_and_the_try_on_succeeds(
        self, genlook_sandbox: Sandbox, make_product: Make, gallery: Gallery, portrait: bytes, clock: Clock
    ) -> None:
        gallery.is_open_to = lambda agent: agent.startswith("django-genlook")
        product, shopper = make_product(images=0), Shopper.objects.create()
        in_step(product)
        row = see_through(ask_for(product, ready_photo(shopper, portrait), shopper), clock)
        assert row.status == Status.COMPLETED
        assert genlook_sandbox.ledger()["charged"] == 1
        assert genlook_sandbox.ledger()["accepted"] == 2

    def test_one_that_nobody_can_fetch_parks_the_product_and_fails_the_try_on(
        self, genlook_sandbox: Sandbox, make_product: Make, gallery: Gallery, portrait: bytes, clock: Clock
    ) -> None:
        gallery.is_open_to = lambda agent: False
        product, shopper = make_product(images=0), Shopper.objects.create()
        in_step(product)
        row = see_through(ask_for(product, ready_photo(shopper, portrait), shopper), clock)
        assert (row.status, row.error_code, row.is_charged) == (Status.FAILED, "product_problem", False)
        assert mirror(product).is_parked
        assert mirror(product).error_code == "image_missing"

    @pytest.mark.parametrize(
        "url",
        [
            "http://cdn.example.com/a.png", "https://127.0.0.1/a.png", "https://10.0.0.1/a.png", "https://u:p@a.com/a",
            "https://localhost/a", "file:///etc/passwd", "a.png", "", "https://cdn.example.com/" + "a" * 2_048,
        ],
    )  # fmt: skip
    def test_an_address_that_is_not_public_is_refused(self, url: str) -> None:
        with genlook(BASE_URL=REAL):
            assert refused(lambda: picture(url)) == "image_url_refused"
            assert refused(lambda: picture(url, as_bytes=True)) == "image_url_refused"

    def test_a_public_address_is_taken_as_it_is(self) -> None:
        with genlook(BASE_URL=REAL):
            assert picture("https://cdn.example.com/a.png") == PictureUrl("https://cdn.example.com/a.png")

    def test_a_stored_file_with_a_public_address_travels_as_that(self, garment: bytes) -> None:
        class Bucket(FileSystemStorage):
            def url(self, name: str | None) -> str:
                return f"https://cdn.example.com/{name}"

        with genlook(BASE_URL=REAL):
            assert picture(stored(Bucket(), garment)) == PictureUrl("https://cdn.example.com/a.png")

    @pytest.mark.parametrize(
        "address",
        ["/media/a.png", "http://cdn.example.com/a.png", "https://s3.example.com/a.png?X-Amz-Signature=1", None],
    )
    def test_a_stored_file_without_a_lasting_public_address_travels_as_bytes(
        self, garment: bytes, address: str | None, portrait: bytes
    ) -> None:
        class Bucket(FileSystemStorage):
            def url(self, name: str | None) -> str:
                if address is None:
                    raise NotImplementedError
                return address

        with genlook(BASE_URL=REAL):
            assert picture(stored(Bucket(), garment)) == PictureBytes(portrait)

    def test_a_file_that_vanished_is_said_to_be_missing(self, garment: bytes) -> None:
        image = stored(storages["default"], garment)
        storages["default"].delete("a.png")
        assert refused(lambda: picture(image)) == "image_missing"
        assert refused(lambda: _fingerprint(image)) == "image_missing"

    def test_a_shops_storage_that_fails_is_tried_again_and_not_parked(
        self, genlook_sandbox: Sandbox, make_product: Make, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def down(self: FileSystemStorage, name: str) -> int:
            raise ConnectionError("bucket")

        product = make_product()
        with monkeypatch.context() as broken:
            broken.setattr(FileSystemStorage, "size", down)
            drain()
            assert mirror(product).error_code == "storage_unavailable"
            assert not mirror(product).is_parked
        with monkeypatch.context() as broken:
            broken.setattr(FileSystemStorage, "_open", down)
            clock.advance(301)
            drain()
            assert mirror(product).error_code == "storage_unavailable"
        clock.advance(301)
        in_step(product)

    def test_no_process_to_clean_in_is_tried_again_and_not_parked(
        self, genlook_sandbox: Sandbox, make_product: Make, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def no_process(data: bytes, **options: Any) -> Any:
            raise BlockingIOError(11, "Resource temporarily unavailable")

        monkeypatch.setattr(images, "clean", no_process)
        product = make_product()
        drain()
        assert not mirror(product).is_parked
        assert mirror(product).next_attempt_at is not None


def stored(storage: Any, content: bytes) -> Any:
    storages["default"].save("a.png", ContentFile(content))
    field = models.FileField(storage=storage)
    return field.attr_class(SimpleNamespace(), field, "a.png")  # type: ignore[arg-type]


def _fingerprint(image: Any) -> str:
    content = Content("A", "", "", [image])
    return catalogue.fingerprint(ProductAdapter(ShopProduct), content, get_config())


class TestAdapters:
    def read(self, product: Any, **told: Any) -> Any:
        adapter = type("Told", (ProductAdapter,), {"external_id": "sku", **told})
        return adapter(ShopProduct).read(product)

    def test_a_field_a_path_a_method_of_the_adapter_and_one_of_the_row_all_tell(self, make_product: Make) -> None:
        product = make_product(name="Shirt")
        assert self.read(product, title="name").title == "Shirt"
        assert self.read(product, title="cover.product.name").title == "Shirt"
        assert self.read(product, title="get_absolute_url").title == product.get_absolute_url()
        assert self.read(product, title=lambda self, obj: obj.name.upper()).title == "SHIRT"
        assert self.read(product, title="shout", shout=lambda self, obj: obj.name + "!").title == "Shirt!"
        assert self.read(make_product(images=0), title="cover.alt").title == ""

    def test_a_wrong_path_says_what_is_wrong(self, make_product: Make) -> None:
        with pytest.raises(AttributeError, match="colour"):
            self.read(make_product(), title="colour")

    @pytest.mark.parametrize("path", ["images", "images.original", "cover", "cover.original"])
    def test_pictures_are_found_behind_relations_rows_and_fields(self, make_product: Make, path: str) -> None:
        product = make_product()
        [image] = self.read(product, images=path).images
        assert image == product.images.get().original

    def test_pictures_may_be_addresses_lists_or_querysets_in_their_order(self, make_product: Make) -> None:
        product = make_product(images=2)
        assert self.read(product, images=lambda self, obj: "https://a.example/x").images == ["https://a.example/x"]
        assert self.read(product, images=lambda self, obj: ["a", ["b", None]]).images == ["a", "b"]
        assert len(self.read(product, images=lambda self, obj: obj.images.all()).images) == 2
        assert self.read(product, images=lambda self, obj: None).images == []

    def test_a_row_with_an_empty_file_has_no_picture(self, make_product: Make) -> None:
        product = make_product(images=0)
        ProductImage.objects.bulk_create([ProductImage(product=product)])
        assert self.read(product, images="images").images == []

    def test_what_is_no_picture_is_named(self, make_product: Make) -> None:
        with pytest.raises(TypeError, match="int"):
            self.read(make_product(), images=lambda self, obj: 7)
        with pytest.raises(Exception, match="no file field"):
            self.read(make_product(), images=lambda self, obj: obj)

    @pytest.mark.parametrize(
        ("told", "plain"),
        [
            ("<p>Soft &amp; warm</p>", "Soft & warm"),
            ("<script>alert(1)</script>", "alert(1)"),
            (None, ""),
            ("a\x00b", "ab"),
            ("  x ", "x"),
        ],
    )
    def test_texts_are_plain(self, make_product: Make, told: Any, plain: str) -> None:
        assert self.read(make_product(), description=lambda self, obj: told).description == plain

    def test_a_picture_that_was_written_over_is_another_picture(self, make_product: Make, portrait: bytes) -> None:
        adapter = ProductAdapter(ShopProduct)
        image = make_product().images.get().original
        before = adapter.image_version(image)
        assert adapter.image_version(image) == before
        with image.storage.open(image.name, "wb") as file:
            file.write(portrait)
        assert adapter.image_version(image) != before

    def test_a_storage_without_times_and_a_file_without_a_storage_have_versions_too(self, make_product: Make) -> None:
        class Timeless(FileSystemStorage):
            def get_modified_time(self, name: str) -> Any:
                raise NotImplementedError

        adapter = ProductAdapter(ShopProduct)
        image = make_product().images.get().original
        image.storage = Timeless()
        assert adapter.image_version(image).startswith(image.name)
        assert adapter.image_version(ContentFile(b"x", name="y")) == "y"
        assert adapter.image_version("https://a.example/x") == "https://a.example/x"

    def test_by_default_every_row_is_a_product(self, make_product: Make) -> None:
        adapter = ProductAdapter(ShopProduct)
        product = make_product()
        assert list(adapter.get_queryset()) == [product]
        assert adapter.is_enabled(product)
        assert adapter.read(product).external_id == str(product.pk)

    def test_a_fingerprint_tells_apart_what_only_looks_alike_when_joined(self) -> None:
        assert digest("ab", "c") != digest("a", "bc")
        assert digest("a") != digest("a", "")
