"""Rows, leases, the clock and the private storage: the ground that the services stand on."""

import io
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage
from django.db import IntegrityError, connection
from django.test import override_settings
from django.test.utils import CaptureQueriesContext

from django_genlook.exceptions import GenlookError
from django_genlook.models import Generation, Photo, Product, ProductImage, Shopper
from django_genlook.models.clock import DatabaseNow, ahead, db_now, read_clock
from django_genlook.models.storage import PrivateStorage
from tests.conftest import Clock
from tests.services.steps import at_once, genlook

pytestmark = pytest.mark.django_db(transaction=True)


class TestTheClock:
    def test_it_is_the_databases_and_in_utc(self) -> None:
        told = read_clock("default")
        assert told.tzinfo is not None
        assert abs(told - datetime.now(UTC)) < timedelta(minutes=5)

    def test_a_stored_moment_compares_with_it_to_the_fraction_of_a_second(self, clock: Clock) -> None:
        row = Product.objects.create(external_id="A")
        Product.objects.update(next_attempt_at=ahead(1.5))
        assert not Product.objects.filter(next_attempt_at__lte=db_now()).exists()
        clock.advance(1.2)
        assert not Product.objects.filter(next_attempt_at__lte=db_now()).exists()
        clock.advance(0.4)
        assert Product.objects.filter(pk=row.pk, next_attempt_at__lte=db_now()).exists()
        assert Product.objects.filter(next_attempt_at__gt=ahead(-5)).exists()

    @pytest.mark.parametrize("zone", ["Pacific/Auckland", "America/St_Johns"])
    def test_the_shops_time_zone_moves_nothing(self, zone: str) -> None:
        with override_settings(TIME_ZONE=zone):
            row = Product.objects.create(external_id="A")
            Product.objects.filter(pk=row.pk).update(next_attempt_at=ahead(30))
            row.refresh_from_db()
            assert row.next_attempt_at is not None
            wait = row.next_attempt_at - read_clock("default")
            assert timedelta(seconds=20) < wait <= timedelta(seconds=30)
            assert abs(row.created_at - datetime.now(UTC)) < timedelta(minutes=5)

    def test_the_moved_clock_of_the_tests_moves_defaults_and_queries_alike(self, clock: Clock) -> None:
        clock.advance(86_400)
        row = Product.objects.create(external_id="A")
        row.refresh_from_db()
        assert timedelta(hours=23) < row.created_at - datetime.now(UTC) < timedelta(hours=25)
        assert abs(row.created_at - read_clock("default")) < timedelta(minutes=1)

    def test_only_this_clock_is_compared_with_what_is_stored(self) -> None:
        root = Path(__file__).parents[2] / "django_genlook"
        rooms = [*root.glob("*.py"), *root.glob("models/*.py"), *root.glob("services/*.py")]
        other = re.compile(r"timezone\.now|datetime\.(now|utcnow)|time\.time\(")
        offenders = [path.name for path in rooms if other.search(path.read_text())]
        assert offenders == []

    def test_mariadb_is_asked_for_utc_with_microseconds(self) -> None:
        class Compiler:
            def compile(self, *args: Any) -> Any:
                raise AssertionError("the expression has no parts")

        assert DatabaseNow().as_mysql(Compiler(), connection) == ("UTC_TIMESTAMP(6)", [])


class TestLeases:
    def test_a_claim_is_one_statement_and_gives_one_worker_the_row(self) -> None:
        pk = Product.objects.create(external_id="A").pk
        with CaptureQueriesContext(connection) as queries:
            assert Product.objects.due().claim(pk, 30)
        assert len(queries) == 1
        outcomes = at_once(8, lambda: Product.objects.due().claim(Product.objects.create(external_id=None).pk, 30))
        assert len(set(outcomes)) == 8

    def test_of_many_workers_one_gets_it(self) -> None:
        pk = Product.objects.create(external_id="A").pk
        tokens = at_once(12, lambda: Product.objects.due().claim(pk, 30))
        assert len([token for token in tokens if token is not None]) == 1

    def test_only_the_token_settles(self, clock: Clock) -> None:
        pk = Product.objects.create(external_id="A").pk
        token = Product.objects.due().claim(pk, 30)
        assert token is not None
        assert not Product.objects.settle(pk, uuid4(), title="stolen")
        assert Product.objects.settle(pk, token, title="mine")
        assert not Product.objects.settle(pk, token, title="again")
        row = Product.objects.get(pk=pk)
        assert (row.title, row.lease_token, row.lease_until) == ("mine", None, None)

    def test_rows_are_taken_up_longest_due_first(self, clock: Clock) -> None:
        rows = [Product.objects.create(external_id=f"P{number}") for number in range(4)]
        for row, wait in zip(rows, (30, 10, None, 99), strict=True):
            Product.objects.filter(pk=row.pk).update(next_attempt_at=None if wait is None else ahead(wait))
        clock.advance(40)
        assert Product.objects.due().oldest(10) == [rows[2].pk, rows[1].pk, rows[0].pk]
        assert Product.objects.due().oldest(2) == [rows[2].pk, rows[1].pk]

    def test_a_try_on_moves_only_from_where_it_is(self) -> None:
        row = Generation.objects.create(external_id="A")
        token = Generation.objects.unsent().claim(row.pk, 30)
        assert token is not None
        assert not Generation.objects.move(row.pk, token, "SENDING", "PROCESSING")
        assert Generation.objects.move(row.pk, token, "QUEUED", "SENDING", keep_lease=True)
        assert Generation.objects.move(row.pk, token, "SENDING", "PROCESSING")
        assert not Generation.objects.move(row.pk, token, "PROCESSING", "COMPLETED")


class TestRows:
    def test_a_running_try_on_is_unique_by_its_key_and_ended_ones_are_not(self) -> None:
        Generation.objects.create(external_id="A", active_key="k")
        with pytest.raises(IntegrityError):
            Generation.objects.create(external_id="A", active_key="k")
        for _ in range(2):
            Generation.objects.create(external_id="A", active_key=None)

    def test_the_rows_name_themselves_without_telling_too_much(self) -> None:
        shopper = Shopper.objects.create()
        rows = [
            Product(external_id="A"),
            Product(title="T", external_id="A"),
            Product(source="shop.product:1"),
            ProductImage(file="x.png"),
            shopper,
            Photo(label="Ada"),
        ]
        names = [str(row) for row in rows]
        assert names == ["A", "T", "shop.product:1", "x.png", str(shopper.pk), "Ada"]

    def test_a_product_says_how_it_stands(self) -> None:
        row = Product(revision=3, synced_revision=3)
        assert row.is_in_step
        assert not row.is_parked
        row.revision = 4
        assert not row.is_in_step
        row.parked_revision = 4
        assert row.is_parked

    def test_an_expired_photo_is_not_usable_and_a_queued_one_is(self, clock: Clock) -> None:
        queued, ready = Photo.objects.create(), Photo.objects.create(status=Photo.Status.READY)
        Photo.objects.filter(pk=ready.pk).update(expires_at=ahead(60))
        assert set(Photo.objects.usable()) == {queued, ready}
        clock.advance(61)
        assert set(Photo.objects.usable()) == {queued}
        assert set(Photo.objects.past_lifetime()) == {ready}


class TestPrivateStorage:
    def test_it_is_looked_up_at_each_use(self, tmp_path: Path) -> None:
        storage = PrivateStorage()
        with genlook(STORAGE="nowhere"), pytest.raises(GenlookError, match="nowhere") as missing:
            storage.save("a.txt", ContentFile(b"x"))
        assert missing.value.code == "storage_unavailable"
        name = storage.save("a.txt", ContentFile(b"x"))
        assert storage.read(name) == b"x"
        assert storage.exists(name)
        assert storage.size(name) == 1
        with storage.open(name) as file:
            assert file.read() == b"x"
        storage.delete(name)
        with pytest.raises(FileNotFoundError):
            storage.read(name)
        with pytest.raises(FileNotFoundError):
            storage.read("")

    @pytest.mark.parametrize("act", ["save", "open", "read", "delete", "exists", "size"])
    def test_whatever_a_backend_raises_is_one_failure_of_ours(self, act: str) -> None:
        path = f"{__name__}.FullDisk"
        with override_settings(STORAGES={**settings.STORAGES, "genlook": {"BACKEND": path}}):
            storage = PrivateStorage()
            with pytest.raises(GenlookError) as full:
                storage.save("a", io.BytesIO(b"x")) if act == "save" else getattr(storage, act)("a")
        assert full.value.code == "storage_unavailable"

    def test_a_private_file_has_no_address(self) -> None:
        with pytest.raises(ValueError, match="no address"):
            PrivateStorage().url("a")

    def test_a_migration_holds_no_setting(self) -> None:
        path, args, kwargs = PrivateStorage().deconstruct()  # type: ignore[attr-defined]
        assert (path, args, kwargs) == ("django_genlook.models.storage.PrivateStorage", (), {})


class FullDisk(FileSystemStorage):
    def _fail(self, *args: Any, **kwargs: Any) -> Any:
        raise OSError(28, "No space left on device")

    open = save = delete = exists = size = _fail
