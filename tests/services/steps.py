"""Steps that the engine's tests take: work without waiting, start try-ons, look at rows and at what was sent."""

import io
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, TypeVar

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import connections
from django.test import override_settings

from django_genlook.budgets import Lane
from django_genlook.models import Generation, Photo, Product, Shopper
from django_genlook.models.clock import read_clock
from django_genlook.services import photos, try_ons, work
from tests.conftest import Clock

Status = Generation.Status

T = TypeVar("T")


def now() -> datetime:
    """The database's time, moved or not."""
    return read_clock("default")


@contextmanager
def genlook(**values: Any) -> Iterator[None]:
    """Change some of the ``GENLOOK`` setting."""
    with override_settings(GENLOOK={**settings.GENLOOK, **values}):
        yield


def drain(*lanes: Lane) -> int:
    """Do what is due now, in these lanes or in both, and return how much there was; wait for nothing."""
    done = 0
    while any(work.take_up(lane)[0] for lane in lanes or tuple(Lane)):
        done += 1
        assert done < 2_000, "there is always something left to do"
    return done


def see_through(row: Generation, clock: Clock, *, within: float = 3_600) -> Generation:
    """Work and move the clock until a try-on has ended."""
    passed = 0.0
    while True:
        drain()
        row.refresh_from_db()
        if row.is_over:
            return row
        assert passed < within, f"still {row.status} after {passed} s"
        clock.advance(5)
        passed += 5


def mirror(product: Any) -> Product:
    """The row that stands for a product of the example shop."""
    return Product.objects.get(source=f"shop.product:{product.pk}")


def in_step(product: Any) -> Product:
    """Bring a product of the example shop in step, and return its mirror."""
    drain(Lane.BACKGROUND)
    row = mirror(product)
    assert row.is_in_step, row.error_code
    return row


def ready_photo(shopper: Shopper | None, portrait: bytes) -> Photo:
    """A photo that Genlook has, of a shopper or a model photo."""
    photo = photos.accept(io.BytesIO(portrait), len(portrait), shopper=shopper)
    photos.upload(photo.pk)
    photo.refresh_from_db()
    assert photo.status == Photo.Status.READY, photo.error_code
    return photo


def ask_for(product: Any, photo: Photo, shopper: Shopper, **more: Any) -> Generation:
    """Start a try-on for a guest."""
    return try_ons.request(
        external_id=product.sku,
        photo_id=photo.pk,
        shoppers=[shopper],
        shopper=shopper,
        user=more.pop("user", AnonymousUser()),
        **more,
    )[0]


def at_once(count: int, act: Callable[[], T]) -> list[T | BaseException]:
    """Do something in so many threads at the same moment, each with a connection of its own; return what came of it."""
    results: list[T | BaseException] = []
    ready = threading.Barrier(count)

    def run() -> None:
        try:
            ready.wait(timeout=30)
            results.append(act())
        except BaseException as error:
            results.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert len(results) == count
    return results


def products_sent(sandbox: Any) -> list[str]:
    """The titles of the products that were posted, in order."""
    return [str(title_in(entry["body"])) for entry in sandbox.journal("POST", "/products")]


def title_in(body: Any) -> Any:
    """The title in a journalled body, whether it was JSON or a form."""
    if isinstance(body, dict):
        if "title" in body:
            return body["title"]
        for value in body.values():
            found = title_in(value)
            if found is not None:
                return found
    return None
