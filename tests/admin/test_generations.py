"""The list of try-ons: read-only, a shopper's without a trace of the person, a failed one of staff to try again."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext

from django_genlook import budgets
from django_genlook.budgets import BreakerName
from django_genlook.exceptions import CODES
from django_genlook.models import Generation, Photo, Product, Shopper
from tests.admin.conftest import messages_of, words_of

LIST = "/admin/genlook/generation/"
VIEW, START = "genlook.view_generation", "genlook.add_generation"


@pytest.fixture
def shoppers(generation: Callable[..., Generation], shopper_photo: Photo) -> Generation:
    """A completed try-on of a shopper who has an account."""
    user = User.objects.create_user("erika.mustermann", email="erika@example.com")
    Shopper.objects.update(user=user)
    return generation(origin=Generation.Origin.SHOPPER, shopper=shopper_photo.shopper, photo=shopper_photo)


@pytest.fixture
def failed(generation: Callable[..., Generation]) -> Generation:
    """A try-on of staff that failed."""
    return generation(
        status=Generation.Status.FAILED,
        result="",
        is_charged=False,
        error_code="outcome_unknown",
        error_message="<script>alert('vendor')</script>",
    )


def pages_of(row: Generation) -> list[str]:
    return [LIST, f"{LIST}{row.pk}/change/"]


def test_a_try_on_of_staff_shows_its_state_who_started_it_and_its_picture(
    generation: Callable[..., Generation], admin_user: User, admin_client: Browser
) -> None:
    row = generation(requested_by=admin_user)

    for address in pages_of(row):
        page = words_of(admin_client.get(address))
        assert "gl-state gl-completed" in page
        assert "Coat 0" in page
        assert admin_user.username in page
        assert f"{LIST}{row.pk}/picture/" in page


def test_the_picture_is_streamed_so_that_no_cache_keeps_it_and_nothing_in_it_runs(
    generation: Callable[..., Generation], portrait: bytes, staff: Callable[..., Browser]
) -> None:
    answer = staff(VIEW).get(f"{LIST}{generation().pk}/picture/")

    assert b"".join(answer) == portrait
    assert answer.headers["Content-Type"] == "image/jpeg"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert answer.headers["Cache-Control"] == "private, no-store"
    answer.close()


def test_of_a_shoppers_try_on_neither_picture_nor_photo_nor_person_is_shown(
    shoppers: Generation, admin_client: Browser
) -> None:
    for address in pages_of(shoppers):
        page = words_of(admin_client.get(address))
        secrets = ("/picture/", shoppers.result.name, shoppers.shopper_id, shoppers.photo_id, "erika", "of a shopper")
        for secret in secrets:
            assert str(secret) not in page
    assert admin_client.get(f"{LIST}{shoppers.pk}/picture/").status_code == 404


@pytest.mark.parametrize(
    "lookup", ["shopper", "shopper__user", "photo", "result__startswith", "generation_id", "remote"]
)
def test_the_list_cannot_be_asked_whose_a_try_on_is(lookup: str, shoppers: Generation, admin_client: Browser) -> None:
    answer = admin_client.get(LIST, {lookup: str(shoppers.shopper_id)})
    assert answer.status_code in (302, 400)


@pytest.mark.parametrize("column", ["status=FAILED", "origin__exact=STAFF", "is_charged__exact=0"])
def test_the_list_can_be_filtered(column: str, failed: Generation, shoppers: Generation, admin_client: Browser) -> None:
    name, _, value = column.partition("=")
    answer = admin_client.get(LIST, {name if "__" in name else f"{name}__exact": value})
    assert [row.pk for row in answer.context["cl"].result_list] == [failed.pk]


def test_a_try_on_can_be_neither_added_nor_changed_nor_deleted(failed: Generation, admin_client: Browser) -> None:
    assert admin_client.get(f"{LIST}add/").status_code == 403
    assert admin_client.post(f"{LIST}{failed.pk}/change/", {"status": "COMPLETED"}).status_code == 403
    assert admin_client.post(f"{LIST}{failed.pk}/delete/", {"post": "yes"}).status_code == 403
    admin_client.post(LIST, {"action": "delete_selected", "_selected_action": failed.pk, "post": "yes"})
    failed.refresh_from_db()
    assert failed.status == Generation.Status.FAILED


def test_the_queries_of_the_list_do_not_grow_with_it(
    generation: Callable[..., Generation], admin_user: User, admin_client: Browser, django_assert_num_queries: Any
) -> None:
    generation(requested_by=admin_user)
    with CaptureQueriesContext(connection) as few:
        admin_client.get(LIST)
    for _ in range(6):
        generation(requested_by=admin_user)
    with django_assert_num_queries(len(few.captured_queries)):
        admin_client.get(LIST)


def test_a_failure_is_told_in_words_with_its_remedy(failed: Generation, admin_client: Browser) -> None:
    problem = CODES["outcome_unknown"]
    assert str(problem.cause) in words_of(admin_client.get(LIST))

    page = words_of(admin_client.get(f"{LIST}{failed.pk}/change/"))

    assert str(problem.cause) in page
    assert str(problem.remedy) in page
    assert "<script>alert(" not in page
    assert "&lt;script&gt;alert(&#x27;vendor&#x27;)" in page


def test_only_a_running_try_on_has_its_page_look_again(
    generation: Callable[..., Generation], admin_client: Browser
) -> None:
    running = generation(status=Generation.Status.PROCESSING, result="")
    done = generation()
    assert 'http-equiv="refresh"' in words_of(admin_client.get(f"{LIST}{running.pk}/change/"))
    assert 'http-equiv="refresh"' not in words_of(admin_client.get(f"{LIST}{done.pk}/change/"))


@pytest.mark.parametrize("permissions", [(), ("genlook.view_product", START)])
def test_without_the_permission_to_see_try_ons_nothing_of_them_is_reached(
    permissions: tuple[str, ...],
    failed: Generation,
    generation: Callable[..., Generation],
    staff: Callable[..., Browser],
) -> None:
    browser = staff(*permissions)
    for address in (*pages_of(failed), f"{LIST}{generation().pk}/picture/"):
        assert browser.get(address).status_code == 403
    assert browser.post(f"{LIST}{failed.pk}/again/").status_code == 403
    assert Generation.objects.count() == 2


# --- trying again -------------------------------------------------------------------------------------------------


def test_a_failed_try_on_of_staff_can_be_started_again_from_its_page(failed: Generation, admin_client: Browser) -> None:
    address = f"{LIST}{failed.pk}/again/"
    assert f'action="{address}"' in words_of(admin_client.get(f"{LIST}{failed.pk}/change/"))

    answer = admin_client.post(address, follow=True)

    new = Generation.objects.exclude(pk=failed.pk).get()
    assert (new.product, new.photo, new.status) == (failed.product, failed.photo, Generation.Status.QUEUED)
    assert new.requested_by == answer.context["user"]
    assert answer.redirect_chain == [(f"{LIST}{new.pk}/change/", 302)]
    assert "1 try-on was started again." in messages_of(answer)


def test_the_action_starts_failed_ones_of_staff_and_leaves_the_others(
    failed: Generation, shoppers: Generation, generation: Callable[..., Generation], admin_client: Browser
) -> None:
    Generation.objects.filter(pk=shoppers.pk).update(status=Generation.Status.FAILED)
    rows = [failed, shoppers, generation()]

    answer = admin_client.post(
        LIST, {"action": "try_again", "_selected_action": [str(row.pk) for row in rows]}, follow=True
    )

    assert "1 try-on was started again." in messages_of(answer)
    assert "2 were left out: only failed try-ons of staff" in messages_of(answer)
    assert Generation.objects.filter(status=Generation.Status.QUEUED).count() == 1


def test_starting_again_needs_the_permission_to_start(failed: Generation, staff: Callable[..., Browser]) -> None:
    browser = staff(VIEW, "genlook.change_generation", "genlook.delete_generation")

    assert "/again/" not in words_of(browser.get(f"{LIST}{failed.pk}/change/"))
    assert "try_again" not in words_of(browser.get(LIST))
    assert browser.post(f"{LIST}{failed.pk}/again/").status_code == 403
    browser.post(LIST, {"action": "try_again", "_selected_action": str(failed.pk)})
    assert Generation.objects.count() == 1


def test_starting_again_takes_a_post_and_a_failed_one_of_staff(
    failed: Generation, shoppers: Generation, generation: Callable[..., Generation], admin_client: Browser
) -> None:
    Generation.objects.filter(pk=shoppers.pk).update(status=Generation.Status.FAILED)
    assert admin_client.get(f"{LIST}{failed.pk}/again/").status_code == 405
    for row in (shoppers, generation()):
        assert admin_client.post(f"{LIST}{row.pk}/again/").status_code == 404
    assert not Generation.objects.filter(status=Generation.Status.QUEUED).exists()


def test_a_failure_to_start_again_is_told_through_the_table(failed: Generation, admin_client: Browser) -> None:
    budgets.open_breaker(BreakerName.AUTH, "INVALID_API_KEY")

    answer = admin_client.post(f"{LIST}{failed.pk}/again/", follow=True)

    problem = CODES["INVALID_API_KEY"]
    assert f"{problem.cause} {problem.remedy}" in messages_of(answer)
    assert Generation.objects.count() == 1


def test_one_whose_product_is_gone_says_so_and_the_next_is_started(
    failed: Generation, generation: Callable[..., Generation], admin_client: Browser
) -> None:
    other = generation(status=Generation.Status.FAILED, result="")
    Product.objects.filter(generations=failed).delete()

    answer = admin_client.post(
        LIST, {"action": "try_again", "_selected_action": [str(failed.pk), str(other.pk)]}, follow=True
    )

    assert str(CODES["not_found"].cause) in messages_of(answer)
    assert "1 try-on was started again." in messages_of(answer)
