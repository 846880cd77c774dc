"""Knows how long try-ons take, from those that ended: when to look first, and how often after that."""

from datetime import timedelta

from django.db.models import Avg, F

from django_genlook.models import Generation

# Before anything is known. Genlook's usual time is about ten seconds, so the first looks come early and cheaply.
FIRST_LOOK = 3.0
SHORTEST = 1.0
SAMPLE = 20
FIRST_PAUSE = 1.5
GROWTH = 1.35
LONGEST = 2_400.0


def usual() -> float | None:
    """Return the mean seconds from sending to the finished picture over the last try-ons, ``None`` without any."""
    recent = Generation.objects.filter(status=Generation.Status.COMPLETED, finished_at__gt=F("sent_at"))
    latest = recent.order_by("-finished_at").values_list("pk", flat=True)[:SAMPLE]
    mean = Generation.objects.filter(pk__in=list(latest)).aggregate(mean=Avg(F("finished_at") - F("sent_at")))["mean"]
    return mean.total_seconds() if isinstance(mean, timedelta) else None


def first_look() -> float:
    """Return the seconds after which a result is worth a first look."""
    known = usual()
    return FIRST_LOOK if known is None else max(SHORTEST, min(known * 0.8, 30.0))


def next_look(looks: int) -> float:
    """Return the seconds until the next look after ``looks`` of them: soon at first, then ever more sparsely."""
    return float(min(FIRST_PAUSE * GROWTH ** min(looks, 64), LONGEST))
