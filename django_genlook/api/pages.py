"""Cuts a long list into pages whose addresses stay right while new rows arrive."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from django.conf import settings
from django.utils.dateparse import parse_datetime
from rest_framework.exceptions import NotFound
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request


class NewestFirst(CursorPagination):
    """Pages of ``created_at``, newest first; ``next`` and ``previous`` are paths."""

    page_size = 20
    page_size_query_param = None
    max_page_size = None
    cursor_query_param = "cursor"
    ordering = ("-created_at", "-pk")

    def decode_cursor(self, request: Request) -> Any:
        cursor = super().decode_cursor(request)
        if cursor is not None and cursor.position is not None and not _is_time(str(cursor.position)):
            raise NotFound(self.invalid_cursor_message)
        return cursor

    def encode_cursor(self, cursor: Any) -> str:
        url = urlsplit(super().encode_cursor(cursor))
        return urlunsplit(("", "", url.path, url.query, ""))


def _is_time(position: str) -> bool:
    """Return whether this is a time as we write it into a cursor, and not something for the database to trip over."""
    try:
        moment = parse_datetime(position)
    except ValueError:
        return False
    offset = timedelta(0) if settings.USE_TZ else None
    return moment is not None and str(moment) == position and moment.utcoffset() == offset
