"""A ``GenlookError`` that escapes a view reaches a person: as a message, as JSON, or as a page."""

from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import User
from django.contrib.messages.constants import DEFAULT_TAGS
from django.test import AsyncClient, Client

from django_genlook.exceptions import CODES

pytestmark = pytest.mark.django_db

PAGE = "http://testserver/page/?size=42"


@pytest.fixture(autouse=True)
def shop(settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.middleware.urls"
    ours = "django_genlook.middleware.GenlookErrorMiddleware"
    settings.MIDDLEWARE = [*(name for name in settings.MIDDLEWARE if name != ours), ours]


@pytest.mark.parametrize("code", CODES)
def test_each_code_becomes_a_message_on_the_page_before(client: Client, code: str) -> None:
    problem = CODES[code]
    answer = client.get(f"/fail/{code}/", headers={"Referer": PAGE, "Accept": "text/html"})
    assert (answer.status_code, answer["Location"]) == (302, PAGE)
    assert "Retry-After" not in answer
    told = client.get("/page/").content.decode()
    assert told == f"{DEFAULT_TAGS[problem.level]}: {problem.shopper}"


@pytest.mark.parametrize("code", CODES)
def test_each_code_becomes_json_for_a_script(client: Client, code: str) -> None:
    problem = CODES[code]
    answer = client.get(f"/fail/{code}/", headers={"Referer": PAGE, "Accept": "application/json"})
    assert answer.status_code == problem.status
    assert answer.json() == {"code": problem.shopper_code, "message": str(problem.shopper), "status": problem.status}
    assert ("Retry-After" in answer) == (problem.status in (429, 503))
    assert client.get("/page/").content == b""


@pytest.mark.parametrize("code", CODES)
def test_each_code_becomes_a_page_with_the_tables_status_when_there_is_no_way_back(client: Client, code: str) -> None:
    problem = CODES[code]
    answer = client.get(f"/fail/{code}/")
    assert answer.status_code == problem.status
    assert answer["Content-Type"].startswith("text/html")
    assert str(problem.shopper) in answer.content.decode()
    assert "VENDOR" not in answer.content.decode()
    assert ("Retry-After" in answer) == (problem.status in (429, 503))


@pytest.mark.parametrize(
    ("accept", "is_json"),
    [
        ("application/json", True),
        ("application/json, text/plain, */*", True),
        ("text/html;q=0.5, application/json", True),
        ("text/html;q=0.5, application/json;q=0.6", True),
        ("application/*", True),
        ("application/json;q=0.5, text/html", False),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", False),
        ("application/json;q=0, */*", False),
        ("*/*", False),
        ("image/png", False),
        ("", False),
        ("nonsense;;q=x", False),
    ],
)
def test_json_is_for_whoever_prefers_it(client: Client, accept: str, is_json: bool) -> None:
    answer = client.get("/fail/limit_reached/", headers={"Accept": accept})
    assert (answer["Content-Type"] == "application/json") == is_json
    assert answer.status_code == 429
    assert {"Accept", "Cookie", "Referer"} <= set(answer["Vary"].split(", "))
    assert answer["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize(
    "referer",
    [
        "https://evil.example/", "http://testserver.evil.example/", "http://evil.example@testserver.evil/",
        "//evil.example/", "///evil.example", "http:///evil.example", "http:evil.example", "javascript:alert(1)",
        "data:text/html,x", "ftp://testserver/page/", "http://testserver:81/page/", "http://[", "/page/", "page", "",
        "http://testserver\\@evil.example/", "http://testserver/" + "x" * 20_000,
    ],
)  # fmt: skip
def test_there_is_no_way_back_to_another_host(client: Client, referer: str) -> None:
    answer = client.get("/fail/limit_reached/", headers={"Referer": referer})
    assert answer.status_code == 429
    assert "Location" not in answer


def test_from_a_secure_page_there_is_no_way_to_an_insecure_one(client: Client) -> None:
    assert client.get("/fail/limit_reached/", secure=True, headers={"Referer": PAGE}).status_code == 429
    back = PAGE.replace("http:", "https:")
    assert client.get("/fail/limit_reached/", secure=True, headers={"Referer": back})["Location"] == back


@pytest.mark.parametrize(
    ("path", "referer"),
    [
        ("/fail/limit_reached/", "/fail/limit_reached/"),
        ("/fail/limit_reached/?a=1", "/fail/limit_reached/?a=1"),
        ("/fail/limit_reached/?a=%C3%A4%20b", "/fail/limit_reached/?a=%c3%a4+b"),
        ("/fail/limit_reached/", "/fail/limit%5Freached/"),
        ("/fail/limit_reached/", "/fail/limit_reached/#there"),
        ("/fail/limit_reached/", "/fail/limit_reached/?"),
    ],
)
def test_there_is_no_way_back_to_the_very_address_that_failed(client: Client, path: str, referer: str) -> None:
    for method in (client.get, client.post):
        answer = method(path, headers={"Referer": f"http://testserver{referer}"})
        assert answer.status_code == 429, answer.headers


def test_another_query_is_another_page(client: Client) -> None:
    back = "http://testserver/fail/limit_reached/?a=2"
    assert client.get("/fail/limit_reached/?a=1", headers={"Referer": back})["Location"] == back
    assert client.get("/fail/limit_reached/", headers={"Referer": "http://testserver"}).status_code == 302


def test_a_host_that_is_not_ours_gets_the_page_too(client: Client, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["testserver"]
    settings.MIDDLEWARE = settings.MIDDLEWARE[-1:]
    answer = client.get("/fail/limit_reached/", headers={"Host": "evil.example", "Referer": "http://evil.example/"})
    assert answer.status_code == 429


def test_without_messages_or_sessions_it_still_answers(client: Client, settings: Any) -> None:
    settings.MIDDLEWARE = settings.MIDDLEWARE[-1:]
    assert client.get("/fail/limit_reached/", headers={"Referer": PAGE})["Location"] == PAGE
    assert client.get("/fail/limit_reached/").status_code == 429


def test_staff_read_cause_and_remedy_and_never_in_a_shoppers_json(client: Client, admin_user: User) -> None:
    client.force_login(admin_user)
    problem = CODES["INVALID_API_KEY"]
    told = f"{problem.cause} {problem.remedy}"
    client.get("/fail/INVALID_API_KEY/", headers={"Referer": PAGE})
    assert client.get("/page/").content.decode() == f"error: {told}"
    assert client.get("/fail/INVALID_API_KEY/").context["message"] == told
    answer = client.get("/fail/INVALID_API_KEY/", headers={"Accept": "application/json"})
    assert answer.json()["message"] == str(problem.shopper)


def test_the_pause_is_told_when_the_error_has_one(client: Client) -> None:
    assert client.get("/rendering/")["Retry-After"] == "7"


def test_what_is_no_error_of_ours_is_left_alone(client: Client) -> None:
    with pytest.raises(ZeroDivisionError):
        client.get("/crash/")


def test_staff_find_the_cause_in_the_log(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    client.get("/fail/VALIDATION_FAILED/")
    assert "code=VALIDATION_FAILED status=502: VENDOR WORDS" in caplog.text


@pytest.mark.parametrize("view", ["fail", "later"])
def test_under_asgi_it_is_the_same_for_both_kinds_of_views(view: str, admin_user: User) -> None:
    async def ask() -> list[Any]:
        client = AsyncClient()
        await client.aforce_login(admin_user)
        path = f"/{view}/limit_reached/"
        return [
            await client.get(path),
            await client.get(path, headers={"Accept": "application/json"}),
            await client.get(path, headers={"Referer": PAGE}),
            await client.get("/page/"),
        ]

    page, script, redirect, before = async_to_sync(ask)()
    assert (page.status_code, script.status_code, redirect.status_code) == (429, 429, 302)
    assert script.json()["code"] == "limit_reached"
    assert redirect["Location"] == PAGE
    assert before.content.decode() == f"warning: {CODES['limit_reached'].cause} {CODES['limit_reached'].remedy}"


@pytest.mark.parametrize("view", ["fail", "later"])
def test_asynchronous_views_under_wsgi_are_covered_too(client: Client, view: str) -> None:
    assert client.get(f"/{view}/photo_expired/").status_code == 410
