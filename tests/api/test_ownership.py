"""Whose is it? Each address, asked by its owner and by everybody else."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User

from django_genlook.models import Generation, Photo, Product, Shopper
from django_genlook.models.clock import ahead
from tests.api.conftest import DAY, Browser, nobodys, refused

pytestmark = pytest.mark.django_db

ROUTES = [
    ("get", "photos/{photo}/"),
    ("get", "try-ons/{try_on}/"),
    ("get", "try-ons/{try_on}/image/"),
    ("delete", "photos/{photo}/"),
    ("delete", "try-ons/{try_on}/"),
]


@pytest.fixture
def people(product: Product, django_user_model: type[User]) -> dict[str, Browser]:
    make = django_user_model.objects.create_user
    return {
        "a guest": Browser(),
        "another guest": Browser(),
        "ada": Browser(make("ada")),
        "bob": Browser(make("bob")),
        "staff": Browser(django_user_model.objects.create_superuser("admin")),
    }


def things_of(browser: Browser) -> dict[str, Any]:
    return {"photo": browser.has_photo().pk, "try_on": browser.has_try_on(Generation.Status.COMPLETED).pk}


@pytest.mark.parametrize(("method", "route"), ROUTES)
@pytest.mark.parametrize("owner", ["a guest", "ada", "staff"])
def test_only_its_owner_sees_or_deletes_it_and_all_others_get_the_answer_for_nothing(
    people: dict[str, Browser], method: str, route: str, owner: str
) -> None:
    path = route.format(**things_of(people[owner]))
    missing = route.format(photo=nobodys(), try_on=nobodys())
    for name, browser in people.items():
        if name == owner:
            continue
        for has_things in (False, True):
            if has_things:
                things_of(browser)
            foreign = getattr(browser, method)(path)
            refused(foreign, 404, "not_found")
            assert foreign.content == getattr(browser, method)(missing).content, name
    assert getattr(people[owner], method)(path).status_code in (200, 204)


@pytest.mark.parametrize(("method", "route"), ROUTES)
@pytest.mark.parametrize("identity", ["nonsense", "1", "{{{photo}}}", "urn:uuid:{photo}", "{photo}%00", "%F0%9F%91%95"])
def test_what_is_no_id_gets_the_same_answer_too(
    people: dict[str, Browser], method: str, route: str, identity: str
) -> None:
    owner = people["a guest"]
    things = things_of(owner)
    path = route.format(photo=identity.format(**things), try_on=identity.format(photo=things["try_on"]))
    answer = getattr(owner, method)(path)
    refused(answer, 404, "not_found")
    assert answer.content == getattr(owner, method)(route.format(photo=nobodys(), try_on=nobodys())).content


@pytest.mark.parametrize("address", ["photos/", "try-ons/"])
def test_the_lists_hold_ones_own_only(people: dict[str, Browser], address: str) -> None:
    for browser in people.values():
        things_of(browser)
    for browser in people.values():
        listed = browser.get(address).json()
        rows = listed if isinstance(listed, list) else listed["results"]
        model = Photo if address == "photos/" else Generation
        assert [row["id"] for row in rows] == [str(model.objects.get(shopper=browser.shopper).pk)]


@pytest.mark.parametrize("browser", ["a guest", "ada", "staff"])
def test_model_photos_and_try_ons_of_staff_are_nobodys(people: dict[str, Browser], browser: str) -> None:
    photo = Photo.objects.create(shopper=None, is_model=True, status="READY", expires_at=ahead(DAY))
    row = Generation.objects.create(origin="STAFF", external_id="x", requested_by=people["staff"].user)
    asker = people[browser]
    for has_things in (False, True):
        if has_things:
            things_of(asker)
        refused(asker.get(f"photos/{photo.pk}/"), 404, "not_found")
        refused(asker.delete(f"photos/{photo.pk}/"), 404, "not_found")
        refused(asker.get(f"try-ons/{row.pk}/"), 404, "not_found")
        refused(asker.delete(f"try-ons/{row.pk}/"), 404, "not_found")
    assert Photo.objects.filter(pk=photo.pk).exists()


def test_logging_out_takes_the_things_of_the_account_out_of_sight(people: dict[str, Browser]) -> None:
    ada = people["ada"]
    things = things_of(ada)
    ada.client.logout()
    refused(ada.get("photos/{photo}/".format(**things)), 404, "not_found")


def test_a_guests_shopper_that_joined_an_account_is_no_longer_the_sessions(
    people: dict[str, Browser], picture: Callable[..., bytes]
) -> None:
    guest, ada = people["a guest"], people["ada"]
    photo = guest.upload(picture()).json()["id"]
    Shopper.objects.filter(pk=guest.shopper.pk).update(user=ada.user)
    refused(guest.get(f"photos/{photo}/"), 404, "not_found")
    assert ada.get(f"photos/{photo}/").status_code == 200


def test_a_subject_that_is_forged_into_the_session_data_is_not_enough_to_crash(product: Product) -> None:
    browser = Browser()
    _ = browser.shopper
    session = browser.client.session
    session["genlook_shopper"] = "not a uuid"
    session.save()
    assert browser.get("photos/").json() == []
