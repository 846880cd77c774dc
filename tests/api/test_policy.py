"""Who is let in: CSRF for guests too, tokens, sessions; and what every answer carries."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils.translation import get_language
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from django_genlook.models import Generation, Photo, Product, Shopper, Usage
from tests.api.conftest import SKU, Browser, nobodys, refused

pytestmark = pytest.mark.django_db

UNSAFE = [
    ("post", "photos/"),
    ("post", "try-ons/"),
    ("delete", f"photos/{nobodys()}/"),
    ("delete", f"try-ons/{nobodys()}/"),
]
HOSTILE = "tests.api.hostile_settings"
TAKEN = {
    "photos/": {"GET", "HEAD", "POST"},
    f"photos/{nobodys()}/": {"GET", "HEAD", "DELETE"},
    "try-ons/": {"GET", "HEAD", "POST"},
    f"try-ons/{nobodys()}/": {"GET", "HEAD", "DELETE"},
    f"try-ons/{nobodys()}/image/": {"GET", "HEAD"},
    f"products/{SKU}/": {"GET", "HEAD"},
}
METHODS = ("POST", "DELETE", "PUT", "PATCH", "OPTIONS", "TRACE", "BREW")


class TokenOfShop(BaseAuthentication):
    """What a token shop puts into API_AUTHENTICATION: ``Authorization: Token <user name>``."""

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        scheme, _, name = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Token":
            return None
        user = User.objects.filter(username=name).first()
        if user is None:
            raise AuthenticationFailed("No such token.")
        return user, name

    def authenticate_header(self, request: Request) -> str:
        return "Token"


@pytest.fixture
def token_shop(settings: Any) -> None:
    settings.GENLOOK = {**settings.GENLOOK, "API_AUTHENTICATION": ["tests.api.test_policy.TokenOfShop"]}


@pytest.mark.parametrize(("method", "path"), UNSAFE)
@pytest.mark.parametrize("who", ["stranger", "guest", "user"])
def test_without_the_csrf_token_nothing_unsafe_is_done_for_guests_either(
    guest: Browser, user: Browser, method: str, path: str, who: str
) -> None:
    browser = {"stranger": Browser(), "guest": guest, "user": user}[who]
    if who != "stranger":
        browser.has_photo()
        browser.headers()
    answer = getattr(browser.client, method)(f"/genlook/{path}")
    refused(answer, 403, "csrf_failed")


@pytest.mark.parametrize(("method", "path"), UNSAFE)
def test_a_request_from_another_site_is_refused_although_it_has_the_token(
    guest: Browser, method: str, path: str
) -> None:
    headers = {**guest.headers()["headers"], "Origin": "https://evil.example"}
    refused(getattr(guest.client, method)(f"/genlook/{path}", headers=headers), 403, "csrf_failed")


def test_a_form_field_carries_the_token_as_well_as_the_header(guest: Browser, picture: Callable[..., bytes]) -> None:
    photo = str(guest.has_photo().pk)
    token = guest.headers()["headers"]["X-CSRFToken"]
    form = {"product": SKU, "photo": photo, "csrfmiddlewaretoken": token}
    assert guest.client.post("/genlook/try-ons/", form).status_code == 202
    refused(guest.client.post("/genlook/try-ons/", {**form, "csrfmiddlewaretoken": "x"}), 403, "csrf_failed")


def test_a_token_needs_neither_cookie_nor_csrf(
    user: Browser, token_shop: None, picture: Callable[..., bytes], rf: Any
) -> None:
    client = Client(enforce_csrf_checks=True, headers={"Authorization": "Token ada"})
    photo = _upload(client, picture())
    assert photo.status_code == 201
    assert Shopper.objects.get().user == user.user
    asked = {"product": SKU, "photo": photo.json()["id"]}
    started = client.post("/genlook/try-ons/", asked, content_type="application/json")
    assert started.status_code == 202
    assert client.get(f"/genlook/try-ons/{started.json()['id']}/").status_code == 200
    assert client.delete(f"/genlook/photos/{photo.json()['id']}/").status_code == 204
    assert "sessionid" not in client.cookies
    assert Usage.objects.filter(scope=f"user:{user.user.pk}").exists()  # type: ignore[union-attr]


def test_in_a_token_shop_a_request_without_one_is_a_session_with_csrf(
    guest: Browser, token_shop: None, picture: Callable[..., bytes]
) -> None:
    refused(_upload(guest.client, picture()), 403, "csrf_failed")
    assert guest.upload(picture()).status_code == 201


def test_a_wrong_token_is_told_how_to_identify_and_gets_nothing(
    guest: Browser, token_shop: None, picture: Callable[..., bytes]
) -> None:
    answer = Client(headers={"Authorization": "Token nobody"}).get("/genlook/photos/")
    refused(answer, 401, "not_authenticated")
    assert answer["WWW-Authenticate"] == "Token"


def test_a_token_does_not_draw_on_the_session_beside_it(guest: Browser, user: Browser, token_shop: None) -> None:
    photo = guest.has_photo()
    answer = guest.get(f"photos/{photo.pk}/", headers={"Authorization": "Token ada"})
    refused(answer, 404, "not_found")


def test_a_user_who_was_deactivated_is_a_guest(user: Browser) -> None:
    photo = user.has_photo()
    User.objects.filter(pk=user.user.pk).update(is_active=False)  # type: ignore[union-attr]
    refused(user.get(f"photos/{photo.pk}/"), 404, "not_found")


def test_without_session_middleware_a_guest_is_told_that_try_on_is_unavailable(
    product: Product, settings: Any, picture: Callable[..., bytes]
) -> None:
    settings.MIDDLEWARE = ["django.middleware.csrf.CsrfViewMiddleware"]
    browser = Browser()
    assert browser.get(f"products/{SKU}/").json()["available"]
    assert browser.get("photos/").json() == []
    refused(browser.upload(picture()), 503, "try_on_unavailable")
    refused(browser.post_json("try-ons/", {"product": SKU, "photo": str(nobodys())}), 404, "not_found")
    assert not Shopper.objects.exists()
    assert not Photo.objects.exists()


@pytest.mark.parametrize(
    ("path", "method"), [(path, method) for path, taken in TAKEN.items() for method in METHODS if method not in taken]
)
def test_a_method_that_an_address_does_not_take_is_refused_in_the_same_shape(
    guest: Browser, path: str, method: str
) -> None:
    answer = guest.client.generic(method, f"/genlook/{path}", **guest.headers())
    refused(answer, 405, "invalid_request")
    assert set(answer["Allow"].split(", ")) == TAKEN[path]


@pytest.mark.parametrize("accept", ["text/html", "image/png", "application/xml;q=0.1", "*/*", "", "nonsense"])
def test_json_is_answered_whatever_is_asked_for(guest: Browser, accept: str) -> None:
    for path in (f"products/{SKU}/?format=api", "photos/?format=xml"):
        answer = guest.get(path, headers={"Accept": accept})
        assert answer.status_code == 200
        assert answer["Content-Type"] == "application/json"


def test_the_json_is_plain_and_compact(guest: Browser) -> None:
    row = guest.has_try_on(external_id="Größe 42")
    content = guest.get(f"try-ons/{row.pk}/").content.decode()
    assert '"product":"Größe 42",' in content


def test_nothing_is_kept_in_a_cache_and_everything_depends_on_the_cookie(
    guest: Browser, picture: Callable[..., bytes], settings: Any
) -> None:
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "SecurityMiddleware" not in name]
    done = guest.has_try_on(Generation.Status.COMPLETED)
    for answer in (
        guest.get(f"products/{SKU}/"),
        guest.get("photos/"),
        guest.get("try-ons/"),
        guest.get(f"try-ons/{done.pk}/"),
        guest.get(f"try-ons/{done.pk}/image/"),
        guest.get(f"try-ons/{nobodys()}/"),
        guest.upload(picture()),
        guest.upload(b""),
        guest.client.post("/genlook/photos/"),
        guest.delete(f"try-ons/{done.pk}/"),
    ):
        assert answer["Cache-Control"] == "private, no-store"
        assert "Cookie" in answer["Vary"]
        assert answer["X-Content-Type-Options"] == "nosniff"


def test_the_words_are_in_the_language_of_the_request(guest: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    def translated(message: str) -> str:
        return f"{get_language()}: {message}"

    monkeypatch.setattr("django.utils.translation._trans.gettext", translated)
    answer = guest.get(f"photos/{nobodys()}/", headers={"Accept-Language": "de"})
    assert answer.json()["message"].startswith("de: ")
    refusal = guest.client.post("/genlook/photos/", headers={"Accept-Language": "de"})
    assert refusal.json()["message"].startswith("de: ")


def test_the_shops_rest_framework_settings_change_nothing() -> None:
    """The whole suite of the API once more, in a shop whose REST_FRAMEWORK is as hostile as can be."""
    if os.environ.get("DJANGO_SETTINGS_MODULE") == HOSTILE:
        pytest.skip("this is that suite")
    folder = Path(__file__).parent
    command = [sys.executable, "-W", "error", "-m", "pytest", str(folder), "-q", "-n", "0",
               "--ds", HOSTILE, "-p", "no:cacheprovider"]  # fmt: skip
    # On SQLite whatever this run is on: two runs would share one test database anywhere else.
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": HOSTILE, "GENLOOK_TEST_DATABASE": "sqlite"}
    for name in [name for name in environment if name.startswith(("PYTEST_", "COV_", "COVERAGE_"))]:
        environment.pop(name)
    done = subprocess.run(
        command, cwd=django_settings.BASE_DIR.parent, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
    assert " passed" in done.stdout


def _upload(client: Client, data: bytes) -> Any:
    file = SimpleUploadedFile("photo.jpg", data, "image/jpeg")
    return client.post("/genlook/photos/", {"photo": file, "consent": "true"})
