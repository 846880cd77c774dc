"""Knows which shopper a session or a user is."""

from typing import Any
from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser
from django.contrib.sessions.backends.base import SessionBase
from django.db.models import Q, QuerySet

from django_genlook.models import Shopper

SESSION_KEY = "genlook_shopper"


def find(session: SessionBase | None, user: Any) -> QuerySet[Shopper]:
    """Return the shoppers that this session or user is; none for someone who has never tried anything on."""
    mine = Q(pk__in=[])
    subject = _subject(session)
    if subject is not None:
        # A subject that was joined to another account is no longer this session's.
        mine |= Q(pk=subject, user=None)
    if getattr(user, "is_authenticated", False):
        mine |= Q(user=user)
    return Shopper.objects.filter(mine)


def get_or_create(session: SessionBase | None, user: Any) -> Shopper:
    """Return the shopper of this session or user, made at the first POST; the session is told its subject."""
    mine = find(session, user)
    subject = _subject(session)
    found = (mine.filter(pk=subject).first() if subject else None) or mine.order_by("created_at").first()
    if found is None:
        found = Shopper.objects.create(user=user if getattr(user, "is_authenticated", False) else None)
        found.refresh_from_db()
    if session is not None and found.user_id is None:
        session[SESSION_KEY] = str(found.pk)
    return found


def join(session: SessionBase, user: AbstractBaseUser) -> None:
    """Give the shopper of a guest's session to the user who just logged in."""
    subject = _subject(session)
    if subject is not None:
        Shopper.objects.filter(pk=subject, user=None).update(user=user)


def _subject(session: SessionBase | None) -> UUID | None:
    try:
        return UUID(str(session[SESSION_KEY])) if session is not None and SESSION_KEY in session else None
    except ValueError:
        return None
