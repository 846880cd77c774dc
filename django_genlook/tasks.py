"""Gives services their Celery names. Each takes one id; a message that is lost, late or doubled does no harm."""

from celery import shared_task

from django_genlook import dispatch
from django_genlook.budgets import Later
from django_genlook.services import photos, products, results, try_ons
from django_genlook.services import sweep as sweeping


@shared_task(name=dispatch.PUSH_PRODUCT, ignore_result=True)
def push_product(pk: str) -> None:
    """Bring Genlook in step with one product, named by its key here or by the shop's row that it mirrors."""
    try:
        if pk.isdecimal():
            products.push(int(pk))
        else:
            products.push_mirror_of(pk)
    except Later:
        # It stays due; the sweep sends a message again when there is room.
        return


@shared_task(name=dispatch.UPLOAD_PHOTO, ignore_result=True)
def upload_photo(pk: str) -> None:
    """Clean one photo and lend it to Genlook."""
    try:
        photos.upload(pk)
    except Later as later:
        dispatch.nudge(dispatch.UPLOAD_PHOTO, pk, delay=later.seconds)


@shared_task(name=dispatch.SUBMIT_GENERATION, ignore_result=True)
def submit_generation(pk: str) -> None:
    """Send one try-on to Genlook."""
    try:
        try_ons.submit(pk)
    except Later as later:
        dispatch.nudge(dispatch.SUBMIT_GENERATION, pk, delay=later.seconds)


@shared_task(name=dispatch.POLL_GENERATION, ignore_result=True)
def poll_generation(pk: str) -> None:
    """Look at one running try-on and bring its picture home."""
    try:
        results.poll(pk)
    except Later as later:
        dispatch.nudge(dispatch.POLL_GENERATION, pk, delay=later.seconds)


@shared_task(name="django_genlook.sweep", ignore_result=True)
def sweep() -> None:
    """Take up what is due and end what is overdue; for Celery beat, every 30 seconds."""
    sweeping.sweep()
