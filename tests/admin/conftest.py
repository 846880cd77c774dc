"""Staff of every kind, products in every state, and the promise that no page of the admin asks Genlook anything."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.files.base import ContentFile
from django.db.models import F
from django.test import Client as Browser

from django_genlook.client import Client
from django_genlook.models import Generation, Photo, Product, ProductImage, Shopper
from django_genlook.models.clock import ahead, db_now
from django_genlook.models.storage import PrivateStorage


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **options: object) -> Client:
        raise AssertionError("A page of the admin was about to call Genlook.")

    monkeypatch.setattr(Client, "from_config", refuse)


@pytest.fixture
def staff(db: None) -> Callable[..., Browser]:
    """A browser that somebody of the staff with just these permissions is logged in to."""

    def log_in(*permissions: str, is_staff: bool = True) -> Browser:
        user = User.objects.create_user(f"staff-{User.objects.count()}", is_staff=is_staff)
        for name in permissions:
            label, codename = name.split(".")
            user.user_permissions.add(Permission.objects.get(content_type__app_label=label, codename=codename))
        browser = Browser()
        browser.force_login(user)
        return browser

    return log_in


@pytest.fixture
def own_product(garment: bytes, db: None) -> Callable[..., Product]:
    """Make a product that is kept in this app and in step with Genlook, but for the columns given."""
    count = iter(range(10_000))

    def make(*, images: int = 0, **columns: Any) -> Product:
        number = next(count)
        row = Product.objects.create(external_id=f"OWN-{number}", title=f"Coat {number}")
        for _ in range(images):
            ProductImage.objects.create(product=row, file=ContentFile(garment, name="coat.png"))
        Product.objects.filter(pk=row.pk).update(
            synced_revision=F("revision"), is_remote=True, synced_at=db_now(), remote={"externalId": f"OWN-{number}"}
        )
        set_columns(row, columns)
        return row

    return make


@pytest.fixture
def parked(own_product: Callable[..., Product]) -> Product:
    """A product that Genlook refused, in words that try to be markup."""
    return own_product(
        title="<script>alert('title')</script>",
        revision=5,
        synced_revision=4,
        parked_revision=5,
        error_code="VALIDATION_FAILED",
        error_message="<script>alert('vendor')</script>",
        error_details=[{"path": "products.0.<b>title</b>", "message": "<img src=x onerror=alert(1)>"}],
    )


@pytest.fixture
def model_photo(portrait: bytes, db: None) -> Callable[..., Photo]:
    """Make a model photo that is ready to be tried on with."""

    def make(label: str = "Anna", **columns: Any) -> Photo:
        name = PrivateStorage().save("genlook/photos/model.jpg", ContentFile(portrait))
        values = {"is_model": True, "label": label, "cleaned": name, "status": Photo.Status.READY, "image_id": "i/1"}
        photo = Photo.objects.create(**{**values, **columns})
        Photo.objects.filter(pk=photo.pk).update(expires_at=ahead(86_400))
        photo.refresh_from_db()
        return photo

    return make


@pytest.fixture
def shopper_photo(model_photo: Callable[..., Photo]) -> Photo:
    """A photo of a shopper, with a file that could be streamed."""
    return model_photo("of a shopper", is_model=False, shopper=Shopper.objects.create())


@pytest.fixture
def generation(
    own_product: Callable[..., Product], model_photo: Callable[..., Photo], portrait: bytes
) -> Callable[..., Generation]:
    """Make a try-on of staff that is completed, with a picture, but for the columns given."""

    def make(**columns: Any) -> Generation:
        name = PrivateStorage().save("genlook/results/result.jpg", ContentFile(portrait))
        product = columns.pop("product", None) or own_product()
        values = {
            "origin": Generation.Origin.STAFF,
            "status": Generation.Status.COMPLETED,
            "product": product,
            "external_id": product.external_id,
            "photo": columns.pop("photo", None) or model_photo(),
            "result": name,
            "is_charged": True,
        }
        return Generation.objects.create(**{**values, **columns})

    return make


def set_columns(row: Product, columns: dict[str, Any]) -> None:
    """Write columns as a worker does, past the receivers."""
    if columns:
        Product.objects.filter(pk=row.pk).update(**columns)
    row.refresh_from_db()


def words_of(answer: Any) -> str:
    """Return the page as text."""
    return str(answer.content.decode())


def messages_of(answer: Any) -> str:
    """Return what the messages of a page, or of the one it led to, say."""
    return " ".join(str(message) for message in answer.context["messages"])
