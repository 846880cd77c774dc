"""Turns a product save or delete into one service call, inside the shop's own transaction."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.apps import apps
from django.contrib.auth.models import AbstractBaseUser
from django.contrib.auth.signals import user_logged_in
from django.db import models, transaction
from django.db.models.signals import m2m_changed, post_delete, post_save
from django.http import HttpRequest

from django_genlook import adapters
from django_genlook.models import Product, ProductImage
from django_genlook.services import products, shoppers

logger = logging.getLogger("django_genlook.receivers")

_paused: ContextVar[bool] = ContextVar("genlook_paused", default=False)


@contextmanager
def paused() -> Iterator[None]:
    """Mark nothing inside the block, for bulk imports; ``genlook_sync`` finds the changes afterwards."""
    token = _paused.set(True)
    try:
        yield
    finally:
        _paused.reset(token)


def connect() -> None:
    """Listen to every concrete, child and proxy class of each registered model, and to the relations it watches."""
    for model, adapter in adapters.registered().items():
        for kind in _kinds_of(model):
            post_save.connect(on_save, sender=kind, dispatch_uid=f"genlook-save-{kind._meta.label}")
            post_delete.connect(on_delete, sender=kind, dispatch_uid=f"genlook-delete-{kind._meta.label}")
        for name in adapter.watch:
            _watch(model, name)
    for own in (Product, ProductImage):
        post_save.connect(on_own_save, sender=own, dispatch_uid=f"genlook-own-save-{own._meta.label}")
        post_delete.connect(on_own_delete, sender=own, dispatch_uid=f"genlook-own-delete-{own._meta.label}")
    user_logged_in.connect(on_login, dispatch_uid="genlook-login")


def on_save(sender: type[models.Model], instance: models.Model, raw: bool = False, **kwargs: Any) -> None:
    """Mark the product as changed, in the shop's transaction when it opened one."""
    if not (raw or _paused.get()):
        products.changed([adapters.source_of(instance)])


def on_delete(sender: type[models.Model], instance: models.Model, **kwargs: Any) -> None:
    """Leave a tombstone for the product."""
    if not _paused.get():
        products.deleted([adapters.source_of(instance)])


def on_own_save(sender: type[models.Model], instance: Any, raw: bool = False, **kwargs: Any) -> None:
    """Mark a product that is kept in this app as changed, by itself or by one of its pictures."""
    if not raw:
        products.changed_here(instance.pk if isinstance(instance, Product) else instance.product_id)


def on_own_delete(sender: type[models.Model], instance: Any, **kwargs: Any) -> None:
    """Leave a tombstone for a product that was kept in this app; a picture that went changes its product."""
    if isinstance(instance, ProductImage):
        products.changed_here(instance.product_id)
    elif not instance.is_deleted:
        products.deleted_here(instance)


def on_login(sender: Any, request: HttpRequest | None, user: AbstractBaseUser, **kwargs: Any) -> None:
    """Give what a guest tried on to the account that the guest logs in to."""
    session = getattr(request, "session", None)
    if session is not None:
        shoppers.join(session, user)


def _kinds_of(model: type[models.Model]) -> list[type[models.Model]]:
    return [kind for kind in apps.get_models(include_auto_created=False) if issubclass(kind, model)]


def _watch(model: type[models.Model], name: str) -> None:
    field = model._meta.get_field(name)
    uid = f"genlook-watch-{model._meta.label}-{name}"
    through = getattr(field, "through", None) or getattr(getattr(field, "remote_field", None), "through", None)
    if through is not None:
        m2m_changed.connect(_many_to_many_watcher(model, field), sender=through, weak=False, dispatch_uid=uid)
        return
    related: Any = field.related_model
    column: str = field.remote_field.attname if field.auto_created else ""  # type: ignore[union-attr]
    if not column:
        raise TypeError(f"watch={name!r}: {model._meta.label}.{name} is not a reverse relation or many-to-many.")
    watcher = _row_watcher(model, column)
    for signal in (post_save, post_delete):
        signal.connect(watcher, sender=related, weak=False, dispatch_uid=f"{uid}-{id(signal)}")


def _row_watcher(model: type[models.Model], column: str) -> Callable[..., None]:
    def on_row(sender: Any, instance: models.Model, using: str, raw: bool = False, **kwargs: Any) -> None:
        pk = getattr(instance, column)
        if pk is not None and not raw:
            _collect([adapters.source(model, pk)], using)

    return on_row


def _many_to_many_watcher(model: type[models.Model], field: Any) -> Callable[..., None]:
    def on_links(sender: Any, instance: Any, action: str, pk_set: set[Any] | None, using: str, **kwargs: Any) -> None:
        if action not in {"post_add", "post_remove", "pre_clear"} or pk_set == set():
            return
        if isinstance(instance, model):
            keys = [instance.pk]
        elif pk_set is not None:
            keys = list(pk_set)
        else:
            # A clear from the other side names no products, so they are read while the links still exist.
            keys = list(model._default_manager.filter(**{field.name: instance}).values_list("pk", flat=True))
        _collect([adapters.source(model, pk) for pk in keys], using)

    return on_links


def _collect(references: list[str], using: str) -> None:
    """Mark watched products in one UPDATE after commit: a lock taken now could meet the shop's own in another order."""
    if _paused.get():
        return
    connection = transaction.get_connection(using)
    if connection.run_on_commit:
        savepoints, last, *_ = connection.run_on_commit[-1]
        if isinstance(last, _MarkAfterCommit) and savepoints == set(connection.savepoint_ids):
            last.references.update(references)
            return
    transaction.on_commit(_MarkAfterCommit(references), using=using, robust=True)


class _MarkAfterCommit:
    """Marks what was collected in a transaction, and in the same savepoint of it, once it is committed."""

    def __init__(self, references: list[str]) -> None:
        self.references = set(references)
        self.__qualname__ = type(self).__qualname__  # Django names a robust callback that fails by it

    def __call__(self) -> None:
        products.related_changed(self.references)
