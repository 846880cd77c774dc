"""A shop that forgot to mount the API."""

from typing import Any

urlpatterns: list[Any] = []
