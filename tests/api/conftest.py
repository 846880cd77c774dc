"""Browsers with cookies and CSRF checks, and what they own."""

import io
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.test import Client
from PIL import Image

from django_genlook.models import Generation, Photo, Product, Shopper
from django_genlook.models.clock import ahead, db_now
from django_genlook.models.storage import PrivateStorage

SKU = "SHIRT-1"
DAY = 86_400


@pytest.fixture(autouse=True)
def _own_urls(settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.api.urls"


class Browser:
    """A visitor with cookies of their own, who sends the CSRF token with every unsafe request."""

    def __init__(self, user: User | None = None) -> None:
        self.client = Client(enforce_csrf_checks=True)
        self.user = user
        if user is not None:
            self.client.force_login(user)
        self._token = ""

    def get(self, path: str, **extra: Any) -> Any:
        return self.client.get(f"/genlook/{path}", **extra)

    def post(self, path: str, data: Any = None, *, content_type: str = "", **extra: Any) -> Any:
        kind: dict[str, Any] = {"content_type": content_type} if content_type else {}
        return self.client.post(f"/genlook/{path}", data, **kind, **self.headers(), **extra)

    def send(self, path: str, body: bytes, kind: str, **extra: Any) -> Any:
        """POST ``body`` as it is; the usual ``post`` encodes it by the charset of ``kind``."""
        return self.client.generic("POST", f"/genlook/{path}", body, kind, **self.headers(), **extra)

    def post_json(self, path: str, data: Any, **extra: Any) -> Any:
        return self.post(path, data, content_type="application/json", **extra)

    def delete(self, path: str, **extra: Any) -> Any:
        return self.client.delete(f"/genlook/{path}", **self.headers(), **extra)

    def upload(self, data: bytes, **fields: Any) -> Any:
        file = io.BytesIO(data)
        file.name = "photo.jpg"
        return self.post("photos/", {"photo": file, "consent": "true", **fields})

    def headers(self) -> dict[str, Any]:
        if not self._token:
            self._token = self.get(f"products/{SKU}/").json()["csrf_token"]
        return {"headers": {"X-CSRFToken": self._token}}

    @property
    def shopper(self) -> Shopper:
        """The shopper that this browser is, made as a first POST would make it."""
        session = self.client.session
        if self.user is not None:
            return Shopper.objects.get_or_create(user=self.user)[0]
        if "genlook_shopper" not in session:
            session["genlook_shopper"] = str(Shopper.objects.create().pk)
            session.save()
            self.client.cookies["sessionid"] = str(session.session_key)
        return Shopper.objects.get(pk=session["genlook_shopper"])

    def has_photo(self, **columns: Any) -> Photo:
        """Give this browser a photo that is ready."""
        ready = {"status": Photo.Status.READY, "image_id": "img_1", "expires_at": ahead(DAY), "consent_at": db_now()}
        photo = Photo.objects.create(shopper=self.shopper, **{**ready, **columns})
        photo.refresh_from_db()
        return photo

    def has_try_on(self, status: str = Generation.Status.QUEUED, **columns: Any) -> Generation:
        """Give this browser a try-on; a completed one with its picture."""
        if status == Generation.Status.COMPLETED and "result" not in columns:
            columns["result"] = PrivateStorage().save(f"genlook/results/{uuid4()}.jpg", ContentFile(b"\xff\xd8picture"))
        product = Product.objects.get(external_id=SKU)
        columns = {"product": product, "external_id": SKU, "status": status, **columns}
        row = Generation.objects.create(shopper=self.shopper, **columns)
        row.refresh_from_db()
        return row


@pytest.fixture
def product(db: None) -> Product:
    row = Product.objects.create(
        external_id=SKU, title="Shirt", is_remote=True, synced_revision=1, synced_at=ahead(-DAY), source="shop:1"
    )
    row.refresh_from_db()
    return row


@pytest.fixture
def guest(product: Product) -> Browser:
    return Browser()


@pytest.fixture
def user(product: Product, django_user_model: type[User]) -> Browser:
    return Browser(django_user_model.objects.create_user("ada", password="x"))


@pytest.fixture
def picture() -> Callable[..., bytes]:
    """Make an encoded picture."""

    def make(size: tuple[int, int] = (96, 128), kind: str = "JPEG") -> bytes:
        out = io.BytesIO()
        Image.new("RGB", size, (90, 120, 160)).save(out, kind)
        return out.getvalue()

    return make


def refused(response: Any, status: int, code: str) -> dict[str, Any]:
    """Assert that ``response`` is a refusal in Genlook's shape, and return its body."""
    body: dict[str, Any] = response.json()
    assert (response.status_code, body["code"], body["status"]) == (status, code, status), body
    assert body["message"]
    assert set(body) <= {"code", "message", "status", "details"}
    assert response["Content-Type"] == "application/json"
    return body


def nobodys() -> UUID:
    """An id that no row has; always the same, since pytest-xdist compares the names of tests."""
    return UUID("5e1f9a52-7d0c-4b5e-9f0e-2f6d1c3b4a59")
