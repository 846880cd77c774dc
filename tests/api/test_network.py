"""Which network a shopper comes from: only what trusted proxies wrote counts."""

from typing import Any

import pytest
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from django_genlook.api.identity import network_of
from django_genlook.models import Usage
from tests.api.conftest import SKU, Browser, refused


@pytest.mark.parametrize(
    ("proxies", "header", "network"),
    [
        (0, "203.0.113.7", ""),
        (1, None, ""),
        (1, "", ""),
        (1, "203.0.113.7", "203.0.113.7"),
        (1, "6.6.6.6, 203.0.113.7", "203.0.113.7"),
        (2, "6.6.6.6, 203.0.113.7, 10.0.0.1", "203.0.113.7"),
        (2, "10.0.0.1", ""),
        (1, "203.0.113.7:50123", "203.0.113.7"),
        (1, "[2001:db8:1:2:3::4]:443", "2001:db8:1:2::/64"),
        (1, "2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        (1, "fe80::1%eth0", "fe80::/64"),
        (1, "::ffff:203.0.113.7", "203.0.113.7"),
        (1, "unknown", ""),
        (1, "203.0.113.7,", ""),
        (1, "999.1.1.1", ""),
    ],
)
def test_the_address_is_what_the_outermost_trusted_proxy_saw(
    settings: Any, proxies: int, header: str | None, network: str
) -> None:
    settings.GENLOOK = {"TRUSTED_PROXIES": proxies}
    more: dict[str, Any] = {} if header is None else {"HTTP_X_FORWARDED_FOR": header}
    assert network_of(Request(APIRequestFactory().get("/", **more))) == network


@pytest.mark.django_db
def test_a_network_has_one_quota_for_all_its_guests(guest: Browser, settings: Any) -> None:
    settings.GENLOOK = {**settings.GENLOOK, "TRUSTED_PROXIES": 1, "QUOTAS": {"network": "2/d", "guest": "2/d"}}

    def ask(browser: Browser, address: str) -> Any:
        body = {"product": SKU, "photo": str(browser.has_photo().pk)}
        return browser.post_json("try-ons/", body, HTTP_X_FORWARDED_FOR=f"1.2.3.4, {address}")

    assert ask(guest, "203.0.113.7").status_code == 202
    assert ask(Browser(), "203.0.113.7").status_code == 202
    refused(ask(Browser(), "203.0.113.7"), 429, "limit_reached")
    assert Browser().get(f"products/{SKU}/", HTTP_X_FORWARDED_FOR="203.0.113.7").json()["available"] is False
    assert ask(Browser(), "203.0.113.8").status_code == 202
    assert not [scope for scope in Usage.objects.values_list("scope", flat=True) if "203.0" in scope]
