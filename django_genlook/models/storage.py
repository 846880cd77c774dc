"""Where photos and result pictures rest: the shop's private storage, looked up at each use."""

from __future__ import annotations  # django.core.files.File cannot be subscripted at run time

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import IO, Any

from django.core.files.base import File
from django.core.files.storage import InvalidStorageError, Storage, storages
from django.utils.deconstruct import deconstructible

from django_genlook.conf import get_config
from django_genlook.exceptions import GenlookError


@deconstructible(path="django_genlook.models.storage.PrivateStorage")
class PrivateStorage(Storage):
    """The storage that ``GENLOOK["STORAGE"]`` names, without public addresses.

    A missing file is a ``FileNotFoundError``; a missing alias, and whatever else goes wrong behind it, is a
    ``GenlookError`` with code ``storage_unavailable``.
    """

    @contextmanager
    def _target(self) -> Iterator[Storage]:
        alias = get_config().STORAGE
        try:
            yield storages[alias]
        except FileNotFoundError:
            raise
        except InvalidStorageError as error:
            raise GenlookError(f"STORAGES has no alias {alias!r}.", code="storage_unavailable") from error
        except Exception as error:  # each backend has exceptions of its own; none of them may reach a shopper
            raise GenlookError(f"{type(error).__name__}: {error}", code="storage_unavailable") from error

    def open(self, name: str, mode: str = "rb") -> File[Any]:
        with self._target() as target:
            return target.open(name, mode)

    def read(self, name: str | None) -> bytes:
        """Return the whole content of ``name``."""
        if not name:
            raise FileNotFoundError("The row names no file.")
        with self._target() as target, target.open(name) as file:
            content: bytes = file.read()
            return content

    def save(self, name: str | None, content: IO[Any], max_length: int | None = None) -> str:
        with self._target() as target:
            return target.save(name, content, max_length)

    def delete(self, name: str) -> None:
        with self._target() as target:
            target.delete(name)

    def exists(self, name: str) -> bool:
        with self._target() as target:
            return target.exists(name)

    def size(self, name: str) -> int:
        with self._target() as target:
            return target.size(name)

    def listdir(self, path: str) -> tuple[list[str], list[str]]:
        with self._target() as target:
            return target.listdir(path)

    def get_modified_time(self, name: str) -> datetime:
        with self._target() as target:
            return target.get_modified_time(name)

    def url(self, name: str | None) -> str:
        raise ValueError("Private pictures have no address of their own; a view streams them to their owner.")
