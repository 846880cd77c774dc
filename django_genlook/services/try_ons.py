"""Takes in try-ons, sends each at most once, and cancels them."""

import logging
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID, uuid4

from django.db import IntegrityError, router, transaction

from django_genlook import adapters, budgets, dispatch
from django_genlook.budgets import Cap, Lane, Later
from django_genlook.client import Client, StartedGeneration
from django_genlook.conf import get_config
from django_genlook.exceptions import GenlookError, NotFound, Reaction, Rejected
from django_genlook.models import Generation, Photo, Product, Shopper
from django_genlook.models.clock import ahead, db_now
from django_genlook.models.leases import CLEAN
from django_genlook.services import calls, durations, endings, limits, products

logger = logging.getLogger("django_genlook.services")

Status = Generation.Status

# How long an unsent try-on waits before it looks again for its photo or its product.
LOOK_AGAIN = 1.0
UNKNOWN_FOR = 15 * 60


def request(
    *,
    external_id: str,
    photo_id: UUID | str,
    shoppers: Iterable[Shopper],
    shopper: Shopper,
    user: Any,
    address: str = "",
    is_again: bool = False,
) -> tuple[Generation, bool]:
    """Start a try-on for a shopper and return it, with whether it is new; the same one again while it is running.

    One that is done, of the same photo and the product as it is now, is returned too, unless ``is_again``.
    ``shoppers`` are all that this person is, ``shopper`` the one that new rows belong to. Raises ``GenlookError``:
    ``not_found`` for an unknown product or photo, the photo's own code when it was rejected, ``photo_expired``,
    ``product_problem``, ``limit_reached``, ``try_on_unavailable``.
    """
    limits.check_available(user)
    product = find_product(external_id)
    mine = list(shoppers)
    photo = Photo.objects.filter(pk=photo_id, shopper__in=mine).first()
    if photo is None:
        raise NotFound("No such photo.", code="not_found")
    _check_photo(photo)
    _check_product(product)
    done = None if is_again else _done(product, photo, mine)
    if done is not None:
        return done, False
    caps = limits.caps_for_shopper(shopper, user, address) + limits.caps_for_credits()
    return _accept(product, photo, caps, origin=Generation.Origin.SHOPPER, shopper=shopper)


def allowance(product: Product, *, shopper: Shopper | None, user: Any, address: str = "") -> int | None:
    """Return how many more try-ons this person may start now, ``None`` when nothing limits them; changes nothing.

    Raises ``GenlookError`` when it is none: ``product_problem``, ``limit_reached``, ``try_on_unavailable``.
    """
    limits.check_available(user)
    _check_product(product)
    if limits.remaining(limits.caps_for_credits()) == 0:
        raise GenlookError("The shop's credit budget is used up.", code="try_on_unavailable")
    left = limits.remaining(limits.caps_for_shopper(shopper, user, address))
    if left == 0:
        raise GenlookError("The quota of try-ons is used up.", code="limit_reached")
    return left


def start_for_staff(products_and_photos: Iterable[tuple[Product, Photo]], user: Any) -> list[Generation]:
    """Start one try-on for each pair with a model photo, and return those that were accepted.

    Raises ``GenlookError`` when none may be started; a budget that ends half-way ends the list.
    """
    limits.check_available(user)
    started: list[Generation] = []
    for product, photo in products_and_photos:
        try:
            generation, _ = _accept(
                product, photo, limits.caps_for_credits(), origin=Generation.Origin.STAFF, requested_by=user
            )
        except GenlookError:
            if not started:
                raise
            break
        started.append(generation)
    return started


def again(generation: Generation, user: Any) -> Generation:
    """Start a failed try-on of staff anew, with the same product and photo, and return the new one."""
    if generation.product is None or generation.photo is None or not generation.photo.is_model:
        raise NotFound("Its product or photo is gone.", code="not_found")
    return start_for_staff([(generation.product, generation.photo)], user)[0]


def find_product(external_id: str) -> Product:
    """Return the product that shoppers may try on by this id. Raises ``NotFound``."""
    product = Product.objects.filter(external_id=external_id, is_deleted=False, is_enabled=True).first()
    if product is None:
        raise NotFound("No such product.", code="not_found")
    return product


def submit(pk: UUID | str) -> None:
    """Send one try-on to Genlook, if it is due and nobody else is at it. Raises ``Later`` without a request slot."""
    if calls.is_held_back(is_try_on=True):
        return
    token = Generation.objects.unsent().claim(pk, calls.TRY_ON_LEASE)
    if token is None:
        return
    row = Generation.objects.select_related("photo", "product").get(pk=pk)
    lane = Lane.BACKGROUND if row.origin == Generation.Origin.STAFF else Lane.SHOPPER
    try:
        if not _is_ready(row, token, lane):
            return
        answer = calls.ask(lane, lambda client: _send(row, client), before=lambda: _begin(row, token))
    except Later:
        # Nothing left, so it may be queued again even if it was marked as being sent.
        if not Generation.objects.move(pk, token, Status.SENDING, Status.QUEUED, sent_at=None):
            Generation.objects.settle(pk, token)
        raise
    except LeaseLost:
        return
    except GenlookError as error:
        _settle_failure(row, token, error)
        return
    first_look = durations.first_look()
    columns = {**CLEAN, "generation_id": answer.generation_id, "next_attempt_at": ahead(first_look), "looks": 0}
    # An answer that outlasted the lease settles the doubt that began when the lease ran out.
    in_doubt = Generation.objects.filter(pk=pk, status=Status.UNKNOWN)
    if Generation.objects.move(pk, token, Status.SENDING, Status.PROCESSING, **columns) or in_doubt.update(
        status=Status.PROCESSING, **columns
    ):
        logger.info("generation=%s state=PROCESSING", pk)
        dispatch.nudge(dispatch.POLL_GENERATION, pk, delay=first_look)


class LeaseLost(Exception):
    """Another worker, or a cancellation, was faster; nothing was sent."""


def cancel_or_leave(generation: Generation) -> None:
    """Take a try-on away from its shopper: an unsent one is cancelled uncharged, a picture is deleted.

    A row without names stays, since it says what was paid.
    """
    with transaction.atomic(using=router.db_for_write(Generation)):
        unsent = Generation.objects.filter(pk=generation.pk, status=Status.QUEUED)
        if unsent.update(
            status=Status.CANCELLED, active_key=None, is_charged=False, finished_at=db_now(), lease_token=None
        ):
            budgets.release(generation.reservations)
            logger.info("generation=%s state=CANCELLED", generation.pk)
        Generation.objects.filter(pk=generation.pk).update(shopper=None, active_key=None, result="")
    endings.delete_file(generation.result.name or "")


def _accept(product: Product, photo: Photo, caps: Sequence[Cap], **columns: Any) -> tuple[Generation, bool]:
    owner = columns.get("shopper") or columns.get("requested_by")
    key = adapters.digest(str(columns["origin"]), str(owner.pk if owner else ""), str(product.pk), str(photo.pk))
    running = Generation.objects.filter(active_key=key).first()
    if running is not None:
        return running, False
    periods = budgets.open_periods(caps)
    try:
        with transaction.atomic(using=router.db_for_write(Generation)):
            reservations = budgets.reserve(periods)
            generation = Generation.objects.create(
                pk=uuid4(), product=product, external_id=product.external_id or "", photo=photo, active_key=key,
                reservations=reservations, **columns,
            )  # fmt: skip
    except budgets.Full as full:
        raise limits.refusal(full) from None
    except IntegrityError:
        running = Generation.objects.filter(active_key=key).first()
        if running is None:
            raise NotFound("The photo or the product was just deleted.", code="not_found") from None
        return running, False
    generation.refresh_from_db()
    logger.info("generation=%s state=QUEUED origin=%s", generation.pk, generation.origin)
    dispatch.nudge(dispatch.SUBMIT_GENERATION, generation.pk)
    return generation, True


def _check_photo(photo: Photo) -> None:
    if photo.status == Photo.Status.REJECTED:
        raise Rejected("The photo was rejected.", code=photo.error_code)
    if not Photo.objects.usable().filter(pk=photo.pk).exists():
        raise NotFound("The photo has expired.", code="photo_expired")


def _check_product(product: Product) -> None:
    if product.is_parked:
        raise Rejected(product.error_code, code="product_problem")


def _done(product: Product, photo: Photo, shoppers: Sequence[Shopper]) -> Generation | None:
    """Return the newest finished try-on of these two, if its picture is here and the product has not changed since."""
    if not product.is_in_step:
        return None
    rows = Generation.objects.filter(
        product=product, photo=photo, shopper__in=shoppers, status=Status.COMPLETED, sent_at__gte=product.synced_at
    )
    return rows.exclude(result="").order_by("-created_at").first()


def _is_ready(row: Generation, token: UUID, lane: Lane) -> bool:
    """Return whether the try-on can be sent; if not, it has been settled: waiting, or failed."""
    if Generation.objects.filter(pk=row.pk, created_at__lt=ahead(-get_config().TRY_ON_DEADLINE)).exists():
        endings.fail(row, token, Status.QUEUED, GenlookError("Not sent in time.", code="try_on_unavailable"))
        return False
    photo, product = row.photo, row.product
    if photo is None or (
        photo.status == Photo.Status.READY and not Photo.objects.usable().filter(pk=photo.pk).exists()
    ):
        endings.fail(row, token, Status.QUEUED, NotFound("The photo is gone.", code="photo_expired"))
        return False
    if photo.status in (Photo.Status.REJECTED, Photo.Status.EXPIRED):
        code = photo.error_code if photo.status == Photo.Status.REJECTED else "photo_expired"
        endings.fail(row, token, Status.QUEUED, Rejected("The photo cannot be used.", code=code or "INVALID_IMAGE"))
        return False
    if photo.status == Photo.Status.QUEUED:
        Generation.objects.settle(row.pk, token, next_attempt_at=ahead(LOOK_AGAIN))
        return False
    if product is None or product.is_deleted:
        endings.fail(row, token, Status.QUEUED, Rejected("The product is gone.", code="product_problem"))
        return False
    if product.synced_revision < row.awaited_revision:
        return _push_first(row, token, product, lane)
    return True


def _push_first(row: Generation, token: UUID, product: Product, lane: Lane) -> bool:
    products.push(product.pk, lane)
    product.refresh_from_db()
    if product.synced_revision >= row.awaited_revision:
        return bool(Generation.objects.held(row.pk, token).update(lease_until=ahead(calls.TRY_ON_LEASE)))
    if product.is_parked:
        endings.fail(row, token, Status.QUEUED, Rejected(product.error_code, code="product_problem"))
    else:
        Generation.objects.settle(row.pk, token, next_attempt_at=ahead(LOOK_AGAIN))
    return False


def _begin(row: Generation, token: UUID) -> None:
    """Commit that it is being sent: whoever finds a SENDING row later knows that a byte may have left."""
    if not Generation.objects.move(
        row.pk, token, Status.QUEUED, Status.SENDING,
        keep_lease=True, sent_at=db_now(), lease_until=ahead(calls.TRY_ON_LEASE),
    ):  # fmt: skip
        raise LeaseLost
    logger.info("generation=%s state=SENDING", row.pk)


def _send(row: Generation, client: Client) -> StartedGeneration:
    config = get_config()
    assert row.photo is not None  # noqa: S101 (seen by _is_ready)
    return client.create_try_on(
        product=config.EXTERNAL_ID_PREFIX + row.external_id,
        image_id=row.photo.image_id,
        external_user_id="" if row.shopper_id is None else str(row.shopper_id),
        watermark=config.WATERMARK,
        keep_for_days=config.KEEP_DAYS,
        ai_label=config.AI_LABEL,
    )


def _settle_failure(row: Generation, token: UUID, error: GenlookError) -> None:
    rule = error.problem.try_on
    row.refresh_from_db(fields=["status"])
    if rule.reaction is Reaction.DOUBT and row.status == Status.SENDING:
        if Generation.objects.move(
            row.pk, token, Status.SENDING, Status.UNKNOWN, next_attempt_at=ahead(UNKNOWN_FOR), **calls.describe(error)
        ):
            logger.error("generation=%s state=UNKNOWN code=%s", row.pk, error.code)
        return
    if rule.reaction is Reaction.PUSH and not row.is_product_resent and row.product_id is not None:
        awaited = products.send_again(row.product_id)
        resent = {"next_attempt_at": None, "is_product_resent": True, "awaited_revision": awaited or 0}
        columns: dict[str, Any] | None = {**calls.describe(error), **resent}
    else:
        columns = calls.after(error, rule, row.attempts)
    if columns is None:
        endings.fail(row, token, row.status, error)
    elif Generation.objects.move(row.pk, token, row.status, Status.QUEUED, **columns):
        logger.warning("generation=%s state=QUEUED code=%s", row.pk, error.code)
        dispatch.nudge(dispatch.SUBMIT_GENERATION, row.pk, delay=LOOK_AGAIN)


def lease_ran_out() -> None:
    """Turn try-ons that a worker left behind while sending into UNKNOWN: a byte may have left, so never QUEUED."""
    lost = Generation.objects.filter(status=Status.SENDING, lease_until__lt=db_now())
    for pk in list(lost.values_list("pk", flat=True)):
        if lost.filter(pk=pk).update(
            status=Status.UNKNOWN, lease_token=None, lease_until=None, next_attempt_at=ahead(UNKNOWN_FOR),
            error_code="outcome_unknown", error_message="The worker ended while the try-on was being sent.",
        ):  # fmt: skip
            logger.error("generation=%s state=UNKNOWN code=outcome_unknown", pk)
