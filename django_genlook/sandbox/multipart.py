"""Reads ``multipart/form-data`` out of a body that is already in memory."""

from __future__ import annotations

import re
from dataclasses import dataclass

MAX_PARTS = 100
MAX_HEADERS = 8192

_PARAMETER = re.compile(r';\s*([A-Za-z*]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^;]*)')


class MalformedForm(Exception):
    """The body is not the multipart form that its content type promises."""


@dataclass(frozen=True)
class Part:
    """One part of a form; ``filename`` is None for a plain text field."""

    name: str
    filename: str | None
    content_type: str
    data: bytes


def parameters(header: str) -> dict[str, str]:
    """Give the ``key=value`` parameters of a header such as Content-Type, keys in lower case."""
    found = {}
    for key, value in _PARAMETER.findall(header):
        text = value.strip()
        if text.startswith('"'):
            text = re.sub(r"\\(.)", r"\1", text[1:-1])
        found[key.lower()] = text
    return found


def read_form(content_type: str, body: bytes) -> list[Part]:
    """Give the parts of a form in their order; raise ``MalformedForm`` when it is none."""
    boundary = parameters(content_type).get("boundary", "")
    if not 1 <= len(boundary) <= 200 or not boundary.isascii():
        raise MalformedForm("no usable boundary")
    delimiter = b"\r\n--" + boundary.encode()
    pieces = (b"\r\n" + body).split(delimiter, MAX_PARTS + 1)
    if len(pieces) < 2 or not pieces[-1].startswith(b"--"):
        raise MalformedForm(f"the closing boundary is missing, or there are more than {MAX_PARTS} parts")
    return [_read_part(piece) for piece in pieces[1:-1]]


def _read_part(piece: bytes) -> Part:
    opening, _, rest = piece.partition(b"\r\n")
    if opening.strip(b" \t"):
        raise MalformedForm("a boundary does not end its line")
    end = rest.find(b"\r\n\r\n", 0, MAX_HEADERS)
    if end < 0:
        raise MalformedForm("a part has no headers")
    headers = {}
    for line in rest[:end].decode("utf-8", "replace").split("\r\n"):
        key, _, value = line.partition(":")
        headers[key.strip().lower()] = value.strip()
    disposition = parameters(headers.get("content-disposition", ""))
    if "name" not in disposition:
        raise MalformedForm("a part has no name")
    return Part(
        name=disposition["name"],
        filename=disposition.get("filename"),
        content_type=headers.get("content-type", ""),
        data=rest[end + 4 :],
    )
