"""Lets a shop describe its own product model to the app; keeps the registry of such descriptions."""

from __future__ import annotations  # django.core.files.File cannot be subscripted at run time

import hashlib
import html
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist, ImproperlyConfigured
from django.core.files.base import File
from django.db import models
from django.utils.html import strip_tags

A = TypeVar("A", bound="ProductAdapter")


@dataclass(frozen=True, slots=True)
class Content:
    """What an adapter says of one product now. ``images`` are stored files or addresses, the primary one first."""

    external_id: str
    title: str
    description: str
    images: Sequence[File[Any] | str]


class ProductAdapter:
    """Describes the rows of one product model; subclass it and decorate it with ``register``.

    ``external_id``, ``title``, ``description`` and ``images`` name a field, a dotted path, or a method of the adapter
    (which gets the row) or of the row. Each may be overridden by a method of the same name that takes the row.
    ``images`` may lead to one file or address, a queryset, a list, or a relation whose rows hold a file. ``watch``
    lists relations whose rows' changes count as a change of the product.
    """

    external_id: ClassVar[Any] = "pk"
    title: ClassVar[Any] = "name"
    description: ClassVar[Any] = "description"
    images: ClassVar[Any] = "images"
    watch: ClassVar[Sequence[str]] = ()

    def __init__(self, model: type[models.Model]) -> None:
        self.model = model

    def is_enabled(self, obj: Any) -> bool:
        """Return whether shoppers may try ``obj`` on; a disabled product is removed from Genlook."""
        return True

    def get_queryset(self) -> models.QuerySet[Any]:
        """Return the rows that are products, with what reading them needs prefetched."""
        return self.model._default_manager.all()

    def image_version(self, image: File[Any] | str) -> str:
        """Return a text that changes when the picture does: for a file its name, size and time of change."""
        if isinstance(image, str):
            return image
        name, storage = image.name or "", getattr(image, "storage", None)
        if storage is None:
            return name
        try:
            changed = storage.get_modified_time(name).isoformat()
        except NotImplementedError:
            changed = ""
        return f"{name}:{storage.size(name)}:{changed}"

    def read(self, obj: Any) -> Content:
        """Return what Genlook should hold for ``obj``; markup is stripped from the texts."""
        return Content(
            external_id=str(self._value(obj, "external_id") or "").strip(),
            title=_plain(self._value(obj, "title")),
            description=_plain(self._value(obj, "description")),
            images=list(_pictures(self._value(obj, "images"))),
        )

    def _value(self, obj: Any, what: str) -> Any:
        told = getattr(self, what)
        if callable(told):
            return told(obj)
        own = getattr(type(self), told, None)
        if callable(own):
            return getattr(self, told)(obj)
        return _follow(obj, told.split("."))


def register(model: str | type[models.Model]) -> Callable[[type[A]], type[A]]:
    """Decorate an adapter class to describe ``model`` (a class, or its label such as ``"catalogue.Product"``).

    Raises ``ImproperlyConfigured`` when the model already has an adapter.
    """

    def decorate(adapter_class: type[A]) -> type[A]:
        model_class = apps.get_model(model) if isinstance(model, str) else model
        if model_class in _registry:
            raise ImproperlyConfigured(f"{model_class._meta.label} already has an adapter.")
        _registry[model_class] = adapter_class(model_class)
        return adapter_class

    return decorate


def registered() -> dict[type[models.Model], ProductAdapter]:
    """Return the adapter of each registered model."""
    return dict(_registry)


def adapter_for(model: type[models.Model]) -> ProductAdapter | None:
    """Return the adapter of ``model`` or of the nearest of its parents, proxied models included."""
    for parent in model.__mro__:
        if parent in _registry:
            return _registry[parent]
    return None


def source_of(obj: models.Model) -> str:
    """Return the loose reference to a shop's own row: its registered model and key. Raises ``LookupError``."""
    adapter = adapter_for(type(obj))
    if adapter is None:
        raise LookupError(
            f"{type(obj)._meta.label} has no adapter; decorate one with django_genlook.adapters.register."
        )
    return source(adapter.model, obj.pk)


def source(model: type[models.Model], pk: object) -> str:
    """Return the loose reference to the row of ``model`` with key ``pk``."""
    return f"{model._meta.label_lower}:{pk}"


def resolve(reference: str) -> tuple[ProductAdapter | None, str]:
    """Return the adapter and the key behind a ``source``; no adapter when its model is no longer registered."""
    label, _, key = reference.partition(":")
    for model, adapter in _registry.items():
        if model._meta.label_lower == label:
            return adapter, key
    return None, key


def external_id_of(obj: models.Model) -> str:
    """Return the external id of a shop's own row. Raises ``LookupError`` when its model has no adapter."""
    adapter = adapter_for(type(obj))
    if adapter is None:
        return str(obj.external_id or "") if hasattr(obj, "external_id") else _no_adapter(obj)
    return str(adapter._value(obj, "external_id") or "").strip()


def digest(*parts: str) -> str:
    """Return a fingerprint of the parts, in which no two lists of parts are alike."""
    joined = "".join(f"{len(part)}:{part}" for part in parts)
    return hashlib.sha256(joined.encode()).hexdigest()


_registry: dict[type[models.Model], ProductAdapter] = {}


def _no_adapter(obj: models.Model) -> str:
    raise LookupError(f"{type(obj)._meta.label} has no adapter; decorate one with django_genlook.adapters.register.")


def _follow(obj: Any, path: Sequence[str]) -> Any:
    """Walk a dotted path; from a relation on, through each of its rows."""
    for place, step in enumerate(path):
        if obj is None:
            return None
        obj = getattr(obj, step)
        if isinstance(obj, models.Manager):
            return [_follow(row, path[place + 1 :]) for row in obj.all()]
        if callable(obj):
            obj = obj()
    return obj


def _pictures(value: Any) -> Iterator[File[Any] | str]:
    if not value:
        return
    if isinstance(value, str | File):
        yield value
    elif isinstance(value, models.Model):
        yield from _pictures(_file_field_of(value))
    elif isinstance(value, models.Manager):
        yield from _pictures(value.all())
    elif isinstance(value, Iterable):
        for item in value:
            yield from _pictures(item)
    else:
        raise TypeError(
            f"images led to {type(value).__name__}, which is neither a file, an address nor a list of them."
        )


def _file_field_of(row: models.Model) -> Any:
    for field in row._meta.get_fields():
        if isinstance(field, models.FileField):
            return getattr(row, field.attname)
    raise FieldDoesNotExist(f"{row._meta.label} has no file field; name it in the adapter's images path.")


def _plain(value: Any) -> str:
    # No database that shops use but SQLite stores a NUL, and nobody reads one.
    return html.unescape(strip_tags(str(value or ""))).replace("\0", "").strip()
