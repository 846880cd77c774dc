"""A try-on from the press of the button to its picture: one credit, one row, and an end to everything."""

import io
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, User

from django_genlook import budgets, images
from django_genlook.client import Client
from django_genlook.client.answers import GenerationState
from django_genlook.conf import get_config
from django_genlook.exceptions import GenlookError, Rejected, problem_for
from django_genlook.models import Generation, Photo, Product, RequestSlot, Shopper, Usage
from django_genlook.models.storage import PrivateStorage
from django_genlook.services import endings, photos, results, sweep, try_ons
from django_genlook.testing import Sandbox
from tests.conftest import Clock
from tests.services.steps import (
    Status,
    ask_for,
    at_once,
    drain,
    genlook,
    in_step,
    mirror,
    now,
    ready_photo,
    see_through,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("quick_pictures")]

Make = Callable[..., Any]


class Setting:
    """A product in step, and a shopper with a photo that Genlook has."""

    def __init__(self, product: Any, shopper: Shopper, photo: Photo) -> None:
        self.product = product
        self.shopper = shopper
        self.photo = photo

    def ask(self, **more: Any) -> Generation:
        return ask_for(self.product, self.photo, self.shopper, **more)


@pytest.fixture
def setting(genlook_sandbox: Sandbox, make_product: Make, portrait: bytes) -> Setting:
    product, shopper = make_product(sku="TRIED"), Shopper.objects.create()
    in_step(product)
    return Setting(product, shopper, ready_photo(shopper, portrait))


def used() -> set[int]:
    return set(Usage.objects.values_list("used", flat=True))


def refused(act: Callable[[], Any]) -> str:
    with pytest.raises(GenlookError) as error:
        act()
    return error.value.code


class TestStarting:
    def test_a_double_click_is_one_row_and_one_credit(self, genlook_sandbox: Sandbox, setting: Setting) -> None:
        assert setting.ask().pk == setting.ask().pk
        assert Generation.objects.count() == 1
        assert used() == {1}

    def test_many_clicks_at_the_same_moment_are_one_row_and_one_credit(
        self, genlook_sandbox: Sandbox, setting: Setting, clock: Clock
    ) -> None:
        rows = at_once(16, setting.ask)
        assert {row.pk for row in rows if isinstance(row, Generation)} == {Generation.objects.get().pk}
        assert not [row for row in rows if isinstance(row, BaseException)]
        assert used() == {1}
        see_through(Generation.objects.get(), clock)
        assert genlook_sandbox.ledger()["accepted"] == 1

    def test_many_workers_at_the_same_moment_send_it_once(self, genlook_sandbox: Sandbox, setting: Setting) -> None:
        row = setting.ask()
        outcomes = at_once(8, lambda: try_ons.submit(row.pk))
        assert not [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
        assert genlook_sandbox.ledger()["accepted"] == 1

    def test_a_finished_one_is_given_back_and_a_new_one_only_when_asked_for(
        self, genlook_sandbox: Sandbox, setting: Setting, clock: Clock
    ) -> None:
        first = see_through(setting.ask(), clock)
        assert setting.ask().pk == first.pk
        assert setting.ask(is_again=True).pk != first.pk

    def test_a_finished_one_is_not_given_back_once_the_product_changed(
        self, genlook_sandbox: Sandbox, setting: Setting, clock: Clock
    ) -> None:
        first = see_through(setting.ask(), clock)
        clock.advance(1)
        setting.product.name = "Another"
        setting.product.save()
        in_step(setting.product)
        assert setting.ask().pk != first.pk

    def test_a_guest_has_five_a_day_a_user_twenty_and_staff_no_quota(
        self, genlook_sandbox: Sandbox, setting: Setting, clock: Clock
    ) -> None:
        def start(user: Any) -> None:
            row = setting.ask(user=user, is_again=True)
            Generation.objects.filter(pk=row.pk).update(status=Status.COMPLETED, active_key=None)

        def count(user: Any) -> int:
            for number in range(25):
                try:
                    start(user)
                except GenlookError as error:
                    assert error.code == "limit_reached"
                    assert error.retry_after is not None
                    assert 0 < error.retry_after <= 86_400
                    return number
            return 25

        assert count(AnonymousUser()) == 5
        assert count(User.objects.create_user("user")) == 20
        assert count(User.objects.create_user("staff", is_staff=True)) == 25

    def test_a_network_quota_counts_over_shoppers_and_needs_trusted_proxies(
        self, genlook_sandbox: Sandbox, setting: Setting
    ) -> None:
        quotas = {"network": "1/d", "guest": None}
        with genlook(QUOTAS=quotas):
            assert setting.ask(address="192.0.2.1")
        Generation.objects.update(active_key=None, status=Status.FAILED)
        with genlook(QUOTAS=quotas, TRUSTED_PROXIES=1):
            setting.ask(address="192.0.2.1")
            Generation.objects.update(active_key=None, status=Status.FAILED)
            assert refused(lambda: setting.ask(address="192.0.2.1")) == "limit_reached"
            assert setting.ask(address="192.0.2.2")
        assert not Usage.objects.filter(scope__contains="192.0.2").exists()

    def test_the_shops_own_budget_refuses_as_unavailable_and_takes_no_quota(
        self, genlook_sandbox: Sandbox, setting: Setting
    ) -> None:
        with genlook(CREDITS_PER_DAY=0):
            assert refused(setting.ask) == "try_on_unavailable"
        with genlook(CREDITS_PER_MONTH=0):
            assert refused(setting.ask) == "try_on_unavailable"
        assert used() <= {0}
        assert not Generation.objects.exists()

    def test_no_schedule_of_shoppers_passes_the_days_budget(
        self, genlook_sandbox: Sandbox, make_product: Make, portrait: bytes, setting: Setting
    ) -> None:
        shoppers = [Shopper.objects.create() for _ in range(12)]
        pairs = iter([(shopper, ready_photo(shopper, portrait)) for shopper in shoppers])
        lock = threading.Lock()

        def start() -> Generation:
            with lock:
                shopper, photo = next(pairs)
            return ask_for(setting.product, photo, shopper)

        with genlook(CREDITS_PER_DAY=4):
            outcomes = at_once(12, start)
        assert sum(isinstance(outcome, Generation) for outcome in outcomes) == 4
        assert Generation.objects.count() == 4
        assert Usage.objects.get(scope="credits:day").used == 4

    @pytest.mark.parametrize("what", ["product", "hidden product", "photo", "foreign photo"])
    def test_what_is_not_there_or_not_theirs_is_not_found(
        self, genlook_sandbox: Sandbox, setting: Setting, portrait: bytes, what: str
    ) -> None:
        if what == "product":
            setting.product.sku = "NEVER"
        elif what == "hidden product":
            setting.product.is_public = False
            setting.product.save()
            in_step(setting.product)
        elif what == "photo":
            setting.photo.delete()
        else:
            setting.photo = ready_photo(Shopper.objects.create(), portrait)
        photo = setting.photo
        photo.pk = photo.pk or "00000000-0000-0000-0000-000000000000"
        assert refused(setting.ask) == "not_found"

    def test_a_parked_product_is_refused(self, genlook_sandbox: Sandbox, setting: Setting) -> None:
        setting.product.images.all().delete()
        drain()
        assert mirror(setting.product).is_parked
        assert refused(setting.ask) == "product_problem"

    def test_a_photo_that_was_rejected_or_expired_is_refused_with_its_own_code(
        self, genlook_sandbox: Sandbox, setting: Setting, clock: Clock
    ) -> None:
        clock.advance(7 * 86_400)
        assert refused(setting.ask) == "photo_expired"
        Photo.objects.update(status=Photo.Status.REJECTED, error_code="INVALID_IMAGE")
        assert refused(setting.ask) == "INVALID_IMAGE"

    @pytest.mark.parametrize("setting_off", [{"ENABLED": False}, {"GUESTS": False}, {"STORAGE": "nowhere"}])
    def test_what_is_switched_off_is_unavailable(
        self, genlook_sandbox: Sandbox, setting: Setting, setting_off: dict[str, Any]
    ) -> None:
        with genlook(**setting_off):
            assert refused(setting.ask) == "try_on_unavailable"

    def test_guests_off_leaves_users(self, genlook_sandbox: Sandbox, setting: Setting) -> None:
        with genlook(GUESTS=False):
            assert setting.ask(user=User.objects.create_user("user"))


class TestSending:
    def test_it_is_committed_as_being_sent_before_a_byte_leaves(
        self, genlook_sandbox: Sandbox, setting: Setting, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        row = setting.ask()
        seen: list[Any] = []
        create = Client.create_try_on

        def watching(self: Client, **kwargs: Any) -> Any:
            seen.extend(at_once(1, lambda: Generation.objects.get(pk=row.pk).status))
            return create(self, **kwargs)

        monkeypatch.setattr(Client, "create_try_on", watching)
        try_ons.submit(row.pk)
        assert seen == [Status.SENDING]

    def test_genlook_learns_the_subject_and_nothing_else_about_the_person(
        self, genlook_sandbox: Sandbox, setting: Setting
    ) -> None:
        with genlook(EXTERNAL_ID_PREFIX="demo-", WATERMARK=False, KEEP_DAYS=3, AI_LABEL=True):
            setting.product.save()
            Product.objects.update(external_id="TRIED")
            try_ons.submit(setting.ask().pk)
        [entry] = genlook_sandbox.journal("POST", "/try-on")
        assert entry["body"] == {
            "products": [{"externalId": "demo-TRIED"}],
            "person": {"image": {"source": {"id": setting.photo.image_id}}},
            "externalUserId": str(setting.shopper.pk),
            "output": {"watermark": False, "keepForDays": 3, "aiLabel": True},
        }

    def test_it_waits_for_its_photo(
        self, genlook_sandbox: Sandbox, setting: Setting, portrait: bytes, clock: Clock
    ) -> None:
        setting.photo = photos.accept(io.BytesIO(portrait), len(portrait), shopper=setting.shopper)
        row = setting.ask()
        try_ons.submit(row.pk)
        row.refresh_from_db()
        assert row.status == Status.QUEUED
        assert genlook_sandbox.journal("POST", "/try-on") == []
        photos.upload(setting.photo.pk)
        # The photo wakes it; it does not wait for its next look.
        try_ons.submit(row.pk)
        row.refresh_from_db()
        assert row.status == Status.PROCESSING

    def test_a_rejected_photo_fails_it_with_the_same_code_and_no_credit(
        self, genlook_sandbox: Sandbox, setting: Setting, portrait: bytes, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(data: bytes, **options: Any) -> Any:
            raise Rejected("broken inside", code="INVALID_IMAGE")

        monkeypatch.setattr(images, "clean", broken)
        setting.photo = photos.accept(io.BytesIO(portrait), len(portrait), shopper=setting.shopper)
        row = setting.ask()
        drain()
        row.refresh_from_db()
        assert (row.status, row.error_code, row.is_charged) == (Status.FAILED, "INVALID_IMAGE", False)
        assert used() == {0}
        assert genlook_sandbox.ledger()["charged"] == 0

    def test_a_photo_that_expired_meanwhile_or_was_forgotten_fails_it_with_no_credit(
        self, genlook_sandbox: Sandbox, setting: Setting, clock: Clock
    ) -> None:
        row = setting.ask()
        Photo.objects.update(expires_at=Photo.objects.get().created_at)
        try_ons.submit(row.pk)
        row.refresh_from_db()
        assert (row.status, row.error_code, row.is_charged) == (Status.FAILED, "photo_expired", False)
        Photo.objects.update(expires_at=None, status=Photo.Status.QUEUED)
        row = setting.ask()
        photos.forget(Photo.objects.get())
        try_ons.submit(row.pk)
        row.refresh_from_db()
        assert (row.status, row.error_code, row.is_charged) == (Status.FAILED, "photo_expired", False)
        assert used() == {0}

    def test_a_product_deleted_meanwhile_fails_it_with_no_credit(
        self, genlook_sandbox: Sandbox, setting: Setting
    ) -> None:
        row = setting.ask()
        setting.product.delete()
        try_ons.submit(row.pk)
        row.refresh_from_db()
        assert (row.status, row.error_code, row.is_charged) == (Status.FAILED, "product_problem", False)

    def test_a_product_that_genlook_let_expire_is_sent_and_the_try_on_once_more(
        self, genlook_sandbox: Sandbox, setting: Setting, clock: Clock
    ) -> None:
        row = setting.ask()
        with Client.from_config(get_config()) as client:
            client.delete_product("TRIED")
        assert see_through(row, clock).status == Status.COMPLETED
        assert genlook_sandbox.ledger()["accepted"] == 1
        posts = [entry["path"] for entry in genlook_sandbox.journal("POST")]
        assert posts[-3:] == ["/try-on", "/products", "/try-on"]
        assert mirror(setting.product).remote["validForDays"] is None

    def test_a_product_that_stays_unknown_fails_it_as_a_problem_of_the_product(
        self, genlook_sandbox: Sandbox, setting: Setting, clock: Clock
    ) -> None:
        genlook_sandbox.fail({"path": "/try-on", "fault": "error", "code": "PRODUCT_NOT_FOUND"})
        row = see_through(setting.ask(), clock)
        assert row.status == Status.FAILED
        assert problem_for(row.error_code).shopper_code == "product_problem"
        assert len(genlook_sandbox.journal("POST", "/try-on")) == 2
        assert used() == {0}

    def test_a_product_that_cannot_be_sent_again_fails_it_as_a_problem_of_the_product(
        self, genlook_sandbox: Sandbox, setting: Setting, clock: Clock
    ) -> None:
        genlook_sandbox.fail(
            {"path": "/try-on", "fault": "error", "code": "PRODUCT_NOT_FOUND"},
            {"method": "POST", "path": "/products", "fault": "error", "code": "VALIDATION_FAILED"},
        )
        row = see_through(setting.ask(), clock)
        assert (row.status, row.error_code, row.is_charged) == (Status.FAILED, "product_problem", False)

    def test_it_waits_for_a_product_that_cannot_be_sent_just_now(
        self, genlook_sandbox: Sandbox, setting: Setting, clock: Clock
    ) -> None:
        genlook_sandbox.fail(
            {"path": "/try-on", "fault": "error", "code": "PRODUCT_NOT_FOUND", "times": 1},
            {"method": "POST", "path": "/products", "fault": "html", "status": 503, "times": 1},
        )
        row = see_through(setting.ask(), clock, within=400)
        assert row.status == Status.COMPLETED

    def test_a_slot_that_went_stale_on_the_way_is_taken_anew(
        self, genlook_sandbox: Sandbox, setting: Setting, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        row = setting.ask()
        monkeypatch.setattr(budgets, "SLOT_LIFE", -1.0)
        before = RequestSlot.objects.count()
        try_ons.submit(row.pk)
        assert RequestSlot.objects.count() == before + 2

    def test_without_a_fresh_slot_nothing_leaves_and_it_is_queued_again(
        self, genlook_sandbox: Sandbox, setting: Setting, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        row = setting.ask()
        monkeypatch.setattr(budgets, "SLOT_LIFE", -1.0)
        with genlook(RATE_LIMIT=RequestSlot.objects.count() + 1, RATE_HEADROOM=1), pytest.raises(budgets.Later):
            try_ons.submit(row.pk)
        row.refresh_from_db()
        assert row.status == Status.QUEUED
        assert row.lease_token is None
        assert genlook_sandbox.journal("POST", "/try-on") == []

    def test_staff_try_ons_use_the_background_lane_and_shoppers_the_other(
        self, genlook_sandbox: Sandbox, setting: Setting, portrait: bytes, clock: Clock
    ) -> None:
        user = User.objects.create_user("staff", is_staff=True)
        model = ready_photo(None, portrait)
        RequestSlot.objects.all().delete()
        [row] = try_ons.start_for_staff([(mirror(setting.product), model)], user)
        assert row.origin == Generation.Origin.STAFF
        assert row.requested_by == user
        see_through(row, clock)
        assert set(RequestSlot.objects.values_list("is_background", flat=True)) == {True}
        RequestSlot.objects.all().delete()
        see_through(setting.ask(), clock)
        assert set(RequestSlot.objects.values_list("is_background", flat=True)) == {False}
        assert "externalUserId" not in genlook_sandbox.journal("POST", "/try-on")[0]["body"]

    def test_a_staff_try_on_counts_towards_the_budget_and_a_spent_one_ends_the_list(
        self, genlook_sandbox: Sandbox, setting: Setting, portrait: bytes
    ) -> None:
        user = User.objects.create_user("staff", is_staff=True)
        pairs = [(mirror(setting.product), ready_photo(None, portrait)) for _ in range(3)]
        with genlook(CREDITS_PER_DAY=2):
            assert len(try_ons.start_for_staff(pairs, user)) == 2
            assert refused(lambda: try_ons.start_for_staff(pairs[2:], user)) == "try_on_unavailable"

    def test_a_failed_one_of_staff_can_be_started_anew(
        self, genlook_sandbox: Sandbox, setting: Setting, portrait: bytes, clock: Clock
    ) -> None:
        user = User.objects.create_user("staff", is_staff=True)
        genlook_sandbox.fail({"path": "/try-on", "fault": "fail_generation", "times": 1})
        [row] = try_ons.start_for_staff([(mirror(setting.product), ready_photo(None, portrait))], user)
        assert see_through(row, clock).status == Status.FAILED
        assert see_through(try_ons.again(row, user), clock).status == Status.COMPLETED
        row.photo = None
        assert refused(lambda: try_ons.again(row, user)) == "not_found"


class TestTheResult:
    @pytest.fixture
    def running(self, genlook_sandbox: Sandbox, setting: Setting) -> Generation:
        row = setting.ask()
        try_ons.submit(row.pk)
        row.refresh_from_db()
        assert row.status == Status.PROCESSING
        return row

    @pytest.fixture
    def answers(self, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
        """What Genlook says of a generation, in turn; after that the truth."""
        planned: list[dict[str, Any]] = []
        get = Client.get_generation

        def answer(self: Client, generation_id: str) -> GenerationState:
            return GenerationState(generation_id, **planned.pop(0)) if planned else get(self, generation_id)

        monkeypatch.setattr(Client, "get_generation", answer)
        return planned

    def test_it_is_stored_once_in_private_storage_and_charged(
        self, genlook_sandbox: Sandbox, running: Generation, clock: Clock
    ) -> None:
        row = see_through(running, clock)
        assert row.status == Status.COMPLETED
        assert row.is_charged
        assert row.active_key is None
        assert PrivateStorage().read(row.result.name).startswith(b"\xff\xd8")
        assert used() == {1}
        results.poll(row.pk)
        assert len(genlook_sandbox.journal("GET", "/generations/")) == 1

    @pytest.mark.parametrize(
        ("code", "shown"),
        [(None, "try_on_failed"), ("SOMETHING_NEW", "try_on_failed"), ("INVALID_IMAGE", "INVALID_IMAGE")],
    )
    def test_one_that_genlook_failed_ends_failed_and_uncharged(
        self, genlook_sandbox: Sandbox, setting: Setting, clock: Clock, code: str | None, shown: str
    ) -> None:
        genlook_sandbox.fail({"path": "/try-on", "fault": "fail_generation", "error_code": code})
        row = see_through(setting.ask(), clock)
        assert row.status == Status.FAILED
        assert row.is_charged is False
        assert row.error_code == (code or "try_on_failed")
        assert problem_for(row.error_code).shopper_code == shown
        assert used() == {0}
        assert genlook_sandbox.ledger()["charged"] == 0

    def test_a_picture_of_the_product_that_genlook_cannot_fetch_is_sent_as_bytes_and_generated_once_more(
        self, genlook_sandbox: Sandbox, setting: Setting, clock: Clock
    ) -> None:
        fault = {"path": "/try-on", "fault": "fail_generation", "error_code": "PRODUCT_IMAGE_FETCH_FAILED"}
        genlook_sandbox.fail({**fault, "times": 1})
        row = see_through(setting.ask(), clock)
        assert row.status == Status.COMPLETED
        ledger = genlook_sandbox.ledger()
        assert (ledger["accepted"], ledger["charged"]) == (2, 1)
        assert mirror(setting.product).is_sent_as_bytes
        assert used() == {1}

    def test_it_is_generated_once_more_and_never_twice(
        self, genlook_sandbox: Sandbox, setting: Setting, clock: Clock
    ) -> None:
        fault = {"path": "/try-on", "fault": "fail_generation", "error_code": "PRODUCT_IMAGE_FETCH_FAILED"}
        genlook_sandbox.fail(fault)
        row = see_through(setting.ask(), clock)
        assert row.status == Status.FAILED
        assert row.is_charged is False
        assert problem_for(row.error_code).shopper_code == "product_problem"
        assert genlook_sandbox.ledger()["accepted"] == 2
        assert used() == {0}

    @pytest.mark.parametrize("status", ["PENDING", "PROCESSING", "SOMETHING_NEW", "completed"])
    def test_a_status_that_is_not_the_end_is_looked_at_again(
        self, running: Generation, answers: list[dict[str, Any]], clock: Clock, status: str
    ) -> None:
        answers += [{"status": status}] * 3
        assert see_through(running, clock).status == Status.COMPLETED

    def test_completed_without_an_address_is_looked_at_again(
        self, running: Generation, answers: list[dict[str, Any]], clock: Clock
    ) -> None:
        answers += [{"status": "COMPLETED"}] * 2
        row = see_through(running, clock)
        assert row.status == Status.COMPLETED
        assert row.result

    def test_an_address_that_expired_before_the_download_is_asked_for_again(
        self, genlook_sandbox: Sandbox, running: Generation, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        download = results.download_image  # type: ignore[attr-defined]

        def late(url: str, **options: Any) -> bytes:
            monkeypatch.setattr(results, "download_image", download)
            genlook_sandbox.advance(3_601)
            return bytes(download(url, **options))

        monkeypatch.setattr(results, "download_image", late)
        row = see_through(running, clock)
        assert row.status == Status.COMPLETED
        assert len(genlook_sandbox.journal("GET", "/generations/")) == 2

    @pytest.mark.parametrize(
        ("path", "fault"),
        [
            ("/generations/*", {"fault": "html"}),
            ("/generations/*", {"fault": "garbage"}),
            ("/generations/*", {"fault": "empty"}),
            ("/generations/*", {"fault": "reset_before"}),
            ("/generations/*", {"fault": "drop_reply"}),
            ("/files/*", {"fault": "html", "status": 503}),
            ("/files/*", {"fault": "html", "status": 404}),
            ("/files/*", {"fault": "empty"}),
            ("/files/*", {"fault": "reset_before"}),
        ],
    )
    def test_a_look_or_a_download_that_fails_is_done_again(
        self, genlook_sandbox: Sandbox, running: Generation, clock: Clock, path: str, fault: dict[str, Any]
    ) -> None:
        genlook_sandbox.fail({"method": "GET", "path": path, "times": 2, **fault})
        row = see_through(running, clock)
        assert row.status == Status.COMPLETED
        assert genlook_sandbox.ledger()["accepted"] == 1

    def test_a_picture_that_cannot_be_cleaned_is_not_stored(
        self, running: Generation, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        clean = images.clean

        def broken(data: bytes, **options: Any) -> Any:
            monkeypatch.setattr(images, "clean", clean)
            raise Rejected("not a picture", code="INVALID_IMAGE")

        monkeypatch.setattr(images, "clean", broken)
        clock.advance(5)
        drain()
        running.refresh_from_db()
        assert running.status == Status.DOWNLOADING
        assert not running.result
        assert see_through(running, clock).status == Status.COMPLETED

    def test_storage_that_is_down_loses_no_picture(
        self, genlook_sandbox: Sandbox, running: Generation, clock: Clock
    ) -> None:
        with genlook(STORAGE="nowhere"):
            for _ in range(5):
                clock.advance(30)
                drain()
            running.refresh_from_db()
            assert running.status == Status.DOWNLOADING
            assert running.error_code == "storage_unavailable"
        row = see_through(running, clock)
        assert row.status == Status.COMPLETED
        assert row.error_code == ""
        assert genlook_sandbox.ledger()["accepted"] == 1

    def test_one_that_genlook_does_not_know_is_looked_for_three_times_over_a_minute(
        self, genlook_sandbox: Sandbox, running: Generation, clock: Clock
    ) -> None:
        genlook_sandbox.fail({"path": "/generations/*", "fault": "error", "code": "GENERATION_NOT_FOUND"})
        clock.advance(5)
        for looks in (1, 2, 3):
            assert drain() == 1
            assert len(genlook_sandbox.journal("GET", "/generations/")) == looks
            running.refresh_from_db()
            assert running.is_over == (looks == 3)
            clock.advance(31)
        assert running.error_code == "GENERATION_NOT_FOUND"
        assert running.is_charged

    def test_one_that_comes_back_after_a_look_is_not_lost(
        self, genlook_sandbox: Sandbox, running: Generation, clock: Clock
    ) -> None:
        genlook_sandbox.fail({"path": "/generations/*", "fault": "error", "code": "FORBIDDEN", "times": 2})
        assert see_through(running, clock).status == Status.COMPLETED

    def test_a_generation_that_never_ends_is_looked_at_ever_more_rarely_and_ended_after_a_day(
        self, genlook_sandbox: Sandbox, setting: Setting, clock: Clock
    ) -> None:
        genlook_sandbox.fail({"path": "/try-on", "fault": "stuck_generation"})
        row = setting.ask()
        try_ons.submit(row.pk)
        began, looked_at = clock.offset, []
        while clock.offset - began < 86_390:
            row.refresh_from_db()
            assert row.next_attempt_at is not None
            clock.advance((row.next_attempt_at - now()).total_seconds() + 0.01)
            assert drain() == 1
            looked_at.append(clock.offset - began)
            try_ons.lease_ran_out()
            endings.end_overdue(600)
            assert clock.offset - began >= 86_390 or not Generation.objects.get().is_over
        assert 5 <= sum(at <= 300 for at in looked_at) <= 15
        assert len(genlook_sandbox.journal("GET", "/generations/")) == len(looked_at) <= 65
        clock.advance(60)
        sweep.sweep()
        row.refresh_from_db()
        assert (row.status, row.error_code, row.is_charged) == (Status.FAILED, "outcome_unknown", True)
        assert used() == {1}

    def test_a_look_without_a_slot_is_no_look(
        self, genlook_sandbox: Sandbox, running: Generation, clock: Clock
    ) -> None:
        clock.advance(5)
        budgets.pause_window(10)
        with pytest.raises(budgets.Later):
            results.poll(running.pk)
        running.refresh_from_db()
        assert (running.lease_token, running.looks) == (None, 0)
        assert see_through(running, clock).status == Status.COMPLETED

    @pytest.mark.parametrize(
        ("code", "pause"), [("INVALID_API_KEY", 61), ("RATE_LIMITED", 65), ("INSUFFICIENT_CREDITS", 5)]
    )
    def test_a_look_that_meets_a_pause_is_done_again_when_the_pause_is_over(
        self, genlook_sandbox: Sandbox, running: Generation, clock: Clock, code: str, pause: int
    ) -> None:
        genlook_sandbox.fail({"path": "/generations/*", "fault": "error", "code": code, "times": 1})
        clock.advance(5)
        drain()
        running.refresh_from_db()
        assert (running.status, running.error_code, running.attempts) == (Status.PROCESSING, code, 0)
        assert len(genlook_sandbox.journal("GET", "/generations/")) == 1
        clock.advance(pause)
        sweep.probe()
        assert see_through(running, clock).status == Status.COMPLETED

    def test_a_picture_that_cannot_be_deleted_is_no_longer_named(
        self, genlook_sandbox: Sandbox, running: Generation, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def resisting(self: PrivateStorage, name: str) -> None:
            raise GenlookError("no", code="storage_unavailable")

        row = see_through(running, clock)
        monkeypatch.setattr(PrivateStorage, "delete", resisting)
        try_ons.cancel_or_leave(row)
        row.refresh_from_db()
        assert not row.result

    def test_a_picture_whose_row_another_worker_ended_is_thrown_away(
        self, genlook_sandbox: Sandbox, running: Generation, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        download = results.download_image  # type: ignore[attr-defined]

        def slow(url: str, **options: Any) -> bytes:
            clock.advance(86_401)
            endings.end_overdue(600)
            return bytes(download(url, **options))

        monkeypatch.setattr(results, "download_image", slow)
        clock.advance(5)
        results.poll(running.pk)
        running.refresh_from_db()
        assert running.status == Status.FAILED
        assert stored("genlook/results") == []

    def test_a_day_ends_it_even_while_the_key_is_refused(
        self, genlook_sandbox: Sandbox, running: Generation, clock: Clock
    ) -> None:
        budgets.open_breaker(budgets.BreakerName.AUTH, "INVALID_API_KEY")
        clock.advance(86_401)
        endings.end_overdue(600)
        running.refresh_from_db()
        assert running.status == Status.FAILED

    def test_the_first_look_comes_when_a_result_is_likely(
        self, genlook_sandbox: Sandbox, make_product: Make, portrait: bytes, clock: Clock
    ) -> None:
        genlook_sandbox.reset(generation_seconds=20)
        product, shopper = make_product(), Shopper.objects.create()
        in_step(product)
        photo = ready_photo(shopper, portrait)
        assert see_through(ask_for(product, photo, shopper), clock).status == Status.COMPLETED
        looks = len(genlook_sandbox.journal("GET", "/generations/"))
        assert looks > 1
        second = ask_for(product, photo, shopper, is_again=True)
        try_ons.submit(second.pk)
        clock.advance(15)
        assert drain() == 0
        clock.advance(10)
        assert drain() == 1
        assert len(genlook_sandbox.journal("GET", "/generations/")) == looks + 1
        second.refresh_from_db()
        assert second.status == Status.COMPLETED

    def test_results_are_dropped_when_their_days_are_over_and_their_rows_stay(
        self, genlook_sandbox: Sandbox, running: Generation, clock: Clock
    ) -> None:
        row = see_through(running, clock)
        name = row.result.name
        clock.advance(7 * 86_400 - 10)
        sweep.sweep()
        assert PrivateStorage().exists(str(name))
        clock.advance(20)
        sweep.sweep()
        row.refresh_from_db()
        assert not row.result
        assert row.status == Status.COMPLETED
        assert not PrivateStorage().exists(str(name))


class TestCancelling:
    def test_an_unsent_one_is_cancelled_and_given_back_once(self, genlook_sandbox: Sandbox, setting: Setting) -> None:
        row = setting.ask()
        try_ons.cancel_or_leave(row)
        try_ons.cancel_or_leave(row)
        row.refresh_from_db()
        assert (row.status, row.is_charged, row.shopper) == (Status.CANCELLED, False, None)
        assert used() == {0}
        drain()
        assert genlook_sandbox.journal("POST", "/try-on") == []

    def test_cancelling_at_the_moment_of_sending_leaves_exactly_one_outcome(
        self, genlook_sandbox: Sandbox, setting: Setting, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        row = setting.ask()
        begin = try_ons._begin

        def cancelled_first(*args: Any) -> None:
            try_ons.cancel_or_leave(row)
            begin(*args)

        monkeypatch.setattr(try_ons, "_begin", cancelled_first)
        try_ons.submit(row.pk)
        row.refresh_from_db()
        assert row.status == Status.CANCELLED
        assert genlook_sandbox.ledger()["accepted"] == 0
        assert used() == {0}

    def test_no_picture_is_fetched_of_one_that_was_deleted_while_it_ran(
        self, genlook_sandbox: Sandbox, setting: Setting, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def never(*args: Any, **options: Any) -> bytes:
            raise AssertionError("fetched although its shopper deleted it")

        monkeypatch.setattr(results, "download_image", never)
        row = setting.ask()
        try_ons.submit(row.pk)
        try_ons.cancel_or_leave(row)
        row = see_through(row, clock)
        assert (row.status, row.is_charged, row.shopper) == (Status.COMPLETED, True, None)
        assert not row.result
        assert used() == {1}
        assert stored("genlook/results") == []

    def test_no_picture_stays_of_one_that_was_deleted_during_the_download(
        self, genlook_sandbox: Sandbox, setting: Setting, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        row = setting.ask()
        try_ons.submit(row.pk)
        complete = endings.complete

        def late(*args: Any, **columns: Any) -> bool:
            try_ons.cancel_or_leave(row)
            return complete(*args, **columns)

        monkeypatch.setattr(endings, "complete", late)
        row = see_through(row, clock)
        assert not row.result
        assert stored("genlook/results") == []

    def test_deleting_a_finished_one_deletes_its_picture_and_keeps_the_bill(
        self, genlook_sandbox: Sandbox, setting: Setting, clock: Clock
    ) -> None:
        row = see_through(setting.ask(), clock)
        try_ons.cancel_or_leave(row)
        row.refresh_from_db()
        assert (row.status, row.is_charged, row.shopper) == (Status.COMPLETED, True, None)
        assert not row.result
        assert stored("genlook/results") == []


def stored(folder: str) -> list[str]:
    """The private files below a folder."""
    from django.core.files.storage import storages

    try:
        return storages["genlook"].listdir(folder)[1]
    except FileNotFoundError:
        return []
