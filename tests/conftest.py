"""What every tier of tests shares: the sandbox, pictures, shop products, and which services this machine must have."""

import importlib.util
import io
import os
import shutil
import socket
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.base import ContentFile
from PIL import Image, ImageDraw

from django_genlook import images
from django_genlook.models import clock as models_clock

pytest_plugins = ["django_genlook.testing"]

PORTS = {"postgres": 5432, "mariadb": 3306, "redis": 6379, "rabbitmq": 5672}


def is_there(service: str) -> bool:
    """Return whether a service that a test needs answers on this machine."""
    if service == "chromium":
        return shutil.which("chromium") is not None
    if service == "mariadb" and importlib.util.find_spec("MySQLdb") is None:
        return False
    with socket.socket() as probe:
        probe.settimeout(2)
        return probe.connect_ex(("127.0.0.1", PORTS[service])) == 0


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "needs(*services): skipped, or failed where required, when one does not answer")


def pytest_runtest_setup(item: pytest.Item) -> None:
    required = set(filter(None, os.environ.get("GENLOOK_TEST_REQUIRE", "").split(",")))
    for marker in item.iter_markers("needs"):
        for service in marker.args:
            if is_there(service):
                continue
            if service in required:
                pytest.fail(f"{service} does not answer, and GENLOOK_TEST_REQUIRE names it")
            pytest.skip(f"{service} does not answer on this machine")


@pytest.fixture(autouse=True)
def _clean_storage() -> Iterator[None]:
    yield
    stores: Any = settings.STORAGES
    for folder in (Path(settings.MEDIA_ROOT), Path(stores["genlook"]["OPTIONS"]["location"])):
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def garment() -> bytes:
    """A product picture: a red shirt on white, PNG."""
    picture = Image.new("RGB", (400, 500), "white")
    ImageDraw.Draw(picture).rectangle((100, 80, 300, 420), fill=(200, 20, 30))
    return _encoded(picture, "PNG")


@pytest.fixture
def portrait() -> bytes:
    """A photo of a person, as far as this suite is concerned, JPEG."""
    picture = Image.new("RGB", (480, 640), (90, 120, 160))
    ImageDraw.Draw(picture).ellipse((180, 60, 300, 220), fill=(224, 172, 105))
    return _encoded(picture, "JPEG")


@pytest.fixture
def make_product(garment: bytes, db: None) -> Callable[..., Any]:
    """Make a product of the example shop, with one picture unless ``images=0``."""
    from example_project.shop.models import Product, ProductImage

    count = iter(range(10_000))

    def make(*, images: int = 1, **fields: Any) -> Any:
        number = next(count)
        values = {"name": f"Shirt {number}", "slug": f"shirt-{number}", "sku": f"SKU-{number}", "price": "19.00"}
        product = Product.objects.create(**{**values, **fields})
        for _ in range(images):
            ProductImage.objects.create(product=product, original=ContentFile(garment, name="garment.png"))
        return product

    return make


@pytest.fixture
def quick_pictures(portrait: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures that are clean at once; what cleaning does is tested where ``images`` is."""

    def clean(data: bytes, **options: Any) -> images.CleanImage:
        return images.CleanImage(portrait, 480, 640)

    monkeypatch.setattr(images, "clean", clean)


class Clock:
    """The database's clock, stopped, and moved on instead of waited for; the sandbox's clock goes with it."""

    def __init__(self) -> None:
        self.offset = 0.0
        # In the middle of a second that has not come yet: what a test did before it had a clock lies in the past.
        self.began = datetime.now(UTC).replace(microsecond=500_000) + timedelta(seconds=1)
        self.followers: list[Callable[[float], None]] = []

    def advance(self, seconds: float) -> None:
        """Move every clock on; what runs out meanwhile has run out."""
        self.offset += seconds
        for follower in self.followers:
            follower(seconds)

    def __str__(self) -> str:
        moment = self.began + timedelta(seconds=self.offset)
        return moment.replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds")


@pytest.fixture
def clock(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A clock to move; it stands in for the one expression that every stored time is compared with."""
    moved = Clock()
    if "genlook_sandbox" in request.fixturenames:
        moved.followers.append(request.getfixturevalue("genlook_sandbox").advance)

    class MovedNow(models_clock.DatabaseNow):
        def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
            return self.as_sql(compiler, connection, template=f"'{moved}'", **extra)

        def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
            return self.as_sql(compiler, connection, template=f"TIMESTAMPTZ '{moved}+00'", **extra)

        def as_mysql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
            return self.as_sql(compiler, connection, template=f"CAST('{moved}' AS DATETIME(6))", **extra)

    monkeypatch.setattr(models_clock, "DatabaseNow", MovedNow)
    return moved


def _encoded(picture: Image.Image, kind: str) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind)
    return out.getvalue()
