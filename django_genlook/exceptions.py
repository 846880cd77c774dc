"""What can go wrong, what a person is told about it, and whether to try again.

A caller catches a class when it wants to react (``OutOfCredits``), reads ``code`` when it wants to know exactly, and
asks ``problem`` for the words. The codes in capitals are Genlook's (https://docs.genlook.app/docs/tryon-api/errors);
those in snake_case are ours.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import Any, NamedTuple

from django.contrib.messages import constants as levels
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

# Seconds towards a shopper: when nobody says how long, and at most.
USUAL_PAUSE = 60
LONGEST_PAUSE = 31 * 86_400


class Detail(NamedTuple):
    """One offending field of a refused body: its dotted path and Genlook's words about it."""

    path: str
    message: str


class GenlookError(Exception):
    """Base of every anticipated failure. ``code`` is Genlook's, or one of ours; texts come from ``CODES``.

    ``detail`` is for staff and logs, never for a shopper. ``http_status`` is what Genlook answered, ``retry_after``
    the pause it asked for in seconds, ``details`` the fields it refused.
    """

    code = "UNKNOWN"

    def __init__(
        self,
        detail: str = "",
        *,
        code: str | None = None,
        http_status: int | None = None,
        retry_after: float | None = None,
        details: Sequence[Detail] = (),
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        if code is not None:
            self.code = code
        self.http_status = http_status
        self.retry_after = retry_after
        self.details = tuple(details)

    def __str__(self) -> str:
        return f"{self.code}: {self.detail}" if self.detail else self.code

    @property
    def problem(self) -> "Problem":
        """The row of the table that tells people, and the worker, what this failure means."""
        return problem_for(self.code, self.http_status)

    def answer(self) -> tuple[dict[str, Any], dict[str, str]]:
        """Return what a shopper's browser is answered: the body in Genlook's shape, and headers that go with it.

        The words are the table's. ``details`` are in it only when this app itself refused the request: Genlook's own
        are for staff.
        """
        problem = self.problem
        body: dict[str, Any] = {
            "code": problem.shopper_code, "message": str(problem.shopper), "status": problem.status,
        }  # fmt: skip
        if self.details and self.code == "invalid_request" and self.http_status is None:
            body["details"] = [item._asdict() for item in self.details]
        if self.retry_after is None and problem.status not in (429, 503):
            return body, {}
        pause = USUAL_PAUSE if self.retry_after is None else min(max(1, self.retry_after), LONGEST_PAUSE)
        return body, {"Retry-After": str(math.ceil(pause))}


class NotSent(GenlookError):
    """The request never left: refused, no such host, connect time-out, TLS. Safe to send again."""

    code = "not_sent"


class OutcomeUnknown(GenlookError):
    """The request left and no usable answer came back: Genlook may or may not have acted on it."""

    code = "outcome_unknown"


class ServerFault(GenlookError):
    """Genlook answered that it failed."""

    code = "server_fault"


class RateLimited(GenlookError):
    """Too much was asked in too short a time, of Genlook or of this shop; ``retry_after`` says when to come back."""

    code = "RATE_LIMITED"


class CredentialsRejected(GenlookError):
    """Genlook does not accept this shop's key."""

    code = "INVALID_API_KEY"


class OutOfCredits(GenlookError):
    """Nothing is left to pay a try-on with."""

    code = "INSUFFICIENT_CREDITS"


class Rejected(GenlookError):
    """What was sent is not acceptable; sending the same again will not help."""

    code = "invalid_request"


class NotFound(GenlookError):
    """It does not exist, or belongs to somebody else."""

    code = "not_found"


class ProtocolError(OutcomeUnknown):
    """An answer came whose body is not what Genlook documents, so what it did stays unknown."""

    code = "protocol_error"


class Reaction(Enum):
    """What the worker does with a row after a failure."""

    PARK = "park"  # stop until the row changes or a person asks again; a photo or try-on ends here
    HOLD = "hold"  # stays due; goes out when the pause that this failure began is over
    BACK_OFF = "back off"  # again after a growing, jittered delay
    WINDOW = "window"  # again when the request window lets it through
    SHRINK = "shrink"  # once more with smaller pictures, then park
    PUSH = "push"  # send the product, then once more
    DOUBT = "doubt"  # may have been done: never sent again
    DONE = "done"  # what was wanted is already so


@dataclass(frozen=True, slots=True)
class Rule:
    """A reaction, and for ``BACK_OFF`` its delays in seconds: full jitter below ``first``·2ⁿ, at most ``cap``.

    ``limit`` retries end a round (``None``: no end); ``again`` begins a new round after so many seconds, without it the
    row is parked. No delay is shorter than ``floor``.
    """

    reaction: Reaction
    first: float = 0
    cap: float = 0
    limit: int | None = None
    floor: float = 0
    again: float | None = None

    def delay(self, attempt: int, jitter: float) -> float | None:
        """Return the seconds to wait before retry number ``attempt`` (from 1), or ``None`` when none is left.

        ``jitter`` is a random number in [0, 1).
        """
        if self.limit is not None:
            if attempt > self.limit and self.again is None:
                return None
            place = (attempt - 1) % (self.limit + 1)
            if place == self.limit and self.again is not None:
                return self.again
            attempt = place + 1
        return max(self.floor, jitter * min(self.cap, self.first * 2.0 ** min(attempt, 32)))


PARK = Rule(Reaction.PARK)
HOLD = Rule(Reaction.HOLD)
WINDOW = Rule(Reaction.WINDOW)
DOUBT = Rule(Reaction.DOUBT)
DONE = Rule(Reaction.DONE)
SHRINK = Rule(Reaction.SHRINK)
PUSH = Rule(Reaction.PUSH)
BACK_OFF = Rule(Reaction.BACK_OFF, first=4, cap=300, floor=1)
SERVER_ROUNDS = Rule(Reaction.BACK_OFF, first=2, cap=300, limit=3, floor=1, again=3600)
AMBIGUOUS_ROUNDS = Rule(Reaction.BACK_OFF, first=2, cap=300, limit=3, floor=45, again=3600)
THREE_TIMES = Rule(Reaction.BACK_OFF, first=2, cap=60, limit=3, floor=1)
QUOTA = Rule(Reaction.BACK_OFF, first=4, cap=60, limit=5, floor=1)
NEVER_LEFT = Rule(Reaction.BACK_OFF, first=1, cap=300, floor=0.5)
ONCE_MORE = Rule(Reaction.BACK_OFF, first=4, cap=10, limit=1, floor=1)


@dataclass(frozen=True, slots=True)
class Problem:
    """One row of the table: the words for each kind of person, and the rule for each kind of work.

    ``shopper`` is the sentence a shopper reads, with ``shopper_code`` and ``status`` in the API; ``cause`` and
    ``remedy`` are for staff; ``level`` is a level of ``django.contrib.messages``.
    """

    error: type[GenlookError]
    shopper: Promise
    shopper_code: str
    status: int
    cause: Promise
    remedy: Promise
    product: Rule = PARK
    photo: Rule = PARK
    try_on: Rule = PARK
    level: int = field(default=levels.ERROR)


_UNAVAILABLE = _("Virtual try-on is not available right now. Please come back a little later.")
_BUSY = _("Many people are trying things on right now. Please try again in a minute.")
_FAILED = _("Your picture could not be made this time. Please try again.")
_UNSURE = _("Something went wrong on the way and your picture did not arrive. Please try again.")
_PRODUCT = _("This item cannot be tried on at the moment.")
_NOT_FOUND = _("We could not find that. It may have been deleted.")
_OUR_BUG = _("Please report this with the details below: the app should not have sent such a request.")
_KEY = _("Set GENLOOK_API_KEY to a valid key from Genlook's dashboard; what is waiting goes out by itself.")

CODES: Mapping[str, Problem] = MappingProxyType({
    # Credentials and authorization
    "MISSING_API_KEY": Problem(
        CredentialsRejected, _UNAVAILABLE, "try_on_unavailable", 503,
        _("No API key is configured."), _KEY,
        HOLD, HOLD, HOLD,
    ),
    "INVALID_API_KEY": Problem(
        CredentialsRejected, _UNAVAILABLE, "try_on_unavailable", 503,
        _("Genlook does not accept the API key: it is wrong, was revoked, or the account is inactive."), _KEY,
        HOLD, HOLD, HOLD,
    ),
    "ACCOUNT_NOT_FOUND": Problem(
        CredentialsRejected, _UNAVAILABLE, "try_on_unavailable", 503,
        _("Genlook does not know the account behind the API key."), _KEY,
        HOLD, HOLD, HOLD,
    ),
    "FORBIDDEN": Problem(
        Rejected, _NOT_FOUND, "not_found", 404,
        _("This product or try-on belongs to another Genlook account."),
        _("Check that the API key is the one these products were sent with."),
    ),
    # Validation
    "VALIDATION_FAILED": Problem(
        Rejected, _FAILED, "try_on_failed", 502,
        _("Genlook refused the content of the request; the fields are listed in the details."),
        _("Correct the fields named in the details, then send again."),
    ),
    "EXTERNAL_ID_REQUIRED": Problem(
        Rejected, _FAILED, "try_on_failed", 502,
        _("The product has no external id."), _("Give the product an id (such as its SKU)."),
    ),
    "PRODUCT_IMAGES_REQUIRED": Problem(
        Rejected, _PRODUCT, "product_problem", 502,
        _("The product has no picture."), _("Add at least one picture of the product."),
    ),
    "CUSTOMER_IMAGE_REQUIRED": Problem(
        Rejected, _FAILED, "try_on_failed", 502, _("The try-on was sent without a photo of a person."), _OUR_BUG,
    ),
    "FILE_REQUIRED": Problem(
        Rejected, _FAILED, "try_on_failed", 502, _("The upload was sent without a file."), _OUR_BUG,
    ),
    "MULTIPART_FILE_NOT_FOUND": Problem(
        Rejected, _FAILED, "try_on_failed", 502, _("A picture named in the request was not attached to it."), _OUR_BUG,
    ),
    "INVALID_IMAGE_INPUT": Problem(
        Rejected, _FAILED, "try_on_failed", 502, _("A picture was named without a source."), _OUR_BUG,
    ),
    "INVALID_IMAGE": Problem(
        Rejected, _("This picture is broken, too small, or has too many pixels. Please choose another photo."),
        "INVALID_IMAGE", 422,
        _("The picture is broken, too small, or too large in pixels."), _("Replace the picture with an intact one."),
    ),
    "UNSUPPORTED_IMAGE_TYPE": Problem(
        Rejected, _("This file is not a photo we can use. Please choose a JPEG, PNG, WebP or HEIC picture."),
        "UNSUPPORTED_IMAGE_TYPE", 415,
        _("The file is not a JPEG, PNG, WebP or HEIC picture."), _("Replace the file with a picture of these formats."),
    ),
    "CUSTOMER_IMAGE_FETCH_FAILED": Problem(
        Rejected, _("This picture cannot be read. Please choose another photo."),
        "CUSTOMER_IMAGE_FETCH_FAILED", 422,
        _("Genlook could not download the photo of the person."), _OUR_BUG,
        try_on=ONCE_MORE,
    ),
    "PRODUCT_IMAGE_FETCH_FAILED": Problem(
        Rejected, _PRODUCT, "product_problem", 409,
        _("Genlook could not download a picture of the product."),
        _("Check that the picture's address is public; it is sent as a file the next time."),
    ),
    "FILE_TOO_LARGE": Problem(
        Rejected, _("This photo is too large. Please choose one below 10 MB."), "FILE_TOO_LARGE", 413,
        _("A picture is above 10 MB."), _("Replace it with a smaller one."),
        SHRINK, SHRINK,
    ),
    # Billing
    "INSUFFICIENT_CREDITS": Problem(
        OutOfCredits, _UNAVAILABLE, "try_on_unavailable", 503,
        _("The Genlook account has no credits left."),
        _("Top up in Genlook's dashboard; try-ons start again by themselves within five minutes."),
        HOLD, HOLD, HOLD,
    ),
    "QUOTA_EXCEEDED": Problem(
        OutOfCredits, _UNAVAILABLE, "try_on_unavailable", 503,
        _("A quota of the Genlook account is used up; this usually passes."),
        _("Wait, or ask Genlook to raise the quota if it lasts."),
        BACK_OFF, QUOTA, QUOTA, level=levels.WARNING,
    ),
    # Rate
    "RATE_LIMITED": Problem(
        RateLimited, _BUSY, "try_on_unavailable", 503,
        _("More requests than the Genlook account allows in a minute."),
        _("Nothing to do: requests go out as soon as there is room."),
        WINDOW, WINDOW, WINDOW, level=levels.WARNING,
    ),
    # Not found
    "PRODUCT_NOT_FOUND": Problem(
        NotFound, _PRODUCT, "product_problem", 404,
        _("Genlook does not know this product, or let it expire."), _("It is sent again by itself."),
        PUSH, PARK, PUSH, level=levels.WARNING,
    ),
    "GENERATION_NOT_FOUND": Problem(
        NotFound, _UNSURE, "outcome_unknown", 502,
        _("Genlook does not know this try-on."), _("Start it again."),
    ),
    "ROUTE_NOT_FOUND": Problem(
        NotFound, _UNAVAILABLE, "try_on_unavailable", 503,
        _("The address of Genlook's API is wrong."), _("Check BASE_URL in the GENLOOK setting."),
        BACK_OFF, BACK_OFF, BACK_OFF,
    ),
    # Conflict
    "RESERVED_EXTERNAL_ID": Problem(
        Rejected, _PRODUCT, "product_problem", 502,
        _("External ids that begin with “_anon_” are reserved by Genlook."), _("Give the product another id."),
    ),
    # Server
    "INTERNAL_ERROR": Problem(
        ServerFault, _UNAVAILABLE, "try_on_unavailable", 503,
        _("Genlook had an internal error."),
        _("It is tried again by itself; contact Genlook's support if it lasts."),
        SERVER_ROUNDS, THREE_TIMES, DOUBT,
    ),
    # Ours: the wire
    "not_sent": Problem(
        NotSent, _UNAVAILABLE, "try_on_unavailable", 503,
        _("Genlook could not be reached."), _("Check the network and BASE_URL; it is tried again by itself."),
        NEVER_LEFT, NEVER_LEFT, NEVER_LEFT, level=levels.WARNING,
    ),
    "outcome_unknown": Problem(
        OutcomeUnknown, _UNSURE, "outcome_unknown", 502,
        _("The request was sent, but no usable answer came back."),
        _("Products and photos are sent again; a try-on never is, since it may have cost a credit."),
        AMBIGUOUS_ROUNDS, THREE_TIMES, DOUBT, level=levels.WARNING,
    ),
    "protocol_error": Problem(
        ProtocolError, _UNSURE, "outcome_unknown", 502,
        _("Genlook's answer was not of the documented form."),
        _("Check BASE_URL and any proxy on the way; contact Genlook's support if it lasts."),
        AMBIGUOUS_ROUNDS, THREE_TIMES, DOUBT,
    ),
    "server_fault": Problem(
        ServerFault, _UNSURE, "outcome_unknown", 502,
        _("Genlook, or a proxy before it, failed without saying why."), _("It is tried again by itself."),
        AMBIGUOUS_ROUNDS, THREE_TIMES, DOUBT, level=levels.WARNING,
    ),
    "timed_out": Problem(
        OutcomeUnknown, _UNSURE, "outcome_unknown", 502,
        _("Genlook gave up waiting for the request."), _("It is tried again by itself."),
        AMBIGUOUS_ROUNDS, THREE_TIMES, DOUBT, level=levels.WARNING,
    ),
    "unknown_refusal": Problem(
        Rejected, _FAILED, "try_on_failed", 502,
        _("Genlook refused the request for a reason this version does not know."),
        _("Read the details, and look for a newer version of django-genlook."),
    ),
    "unknown_credentials": Problem(
        CredentialsRejected, _UNAVAILABLE, "try_on_unavailable", 503,
        _("Genlook does not accept the credentials."), _KEY,
        HOLD, HOLD, HOLD,
    ),
    "unknown_billing": Problem(
        OutOfCredits, _UNAVAILABLE, "try_on_unavailable", 503,
        _("Genlook refuses for a reason to do with billing."), _("Look at the account in Genlook's dashboard."),
        BACK_OFF, QUOTA, HOLD,
    ),
    # Ours: towards the shopper
    "try_on_unavailable": Problem(
        GenlookError, _UNAVAILABLE, "try_on_unavailable", 503,
        _("Try-on is switched off, has no key, or Genlook did not take the request in time."),
        _("Look at the messages above the list of products."), level=levels.WARNING,
    ),
    "try_on_failed": Problem(
        GenlookError, _FAILED, "try_on_failed", 502,
        _("Genlook could not make this picture."), _("Start it again; look at the pictures if it fails again."),
    ),
    "limit_reached": Problem(
        RateLimited, _("You have used all your try-ons for now. Please come back later."), "limit_reached", 429,
        _("The quota of try-ons is used up."), _("Raise QUOTAS or the credit caps in the GENLOOK setting."),
        level=levels.WARNING,
    ),
    "not_found": Problem(
        NotFound, _NOT_FOUND, "not_found", 404, _("There is no such object, or it is another shopper's."),
        _("Nothing to do."), level=levels.WARNING,
    ),
    "consent_required": Problem(
        Rejected, _("Please agree to the use of your photo first."), "consent_required", 400,
        _("The photo was sent without consent."), _("Send consent=true when the shopper has ticked the box."),
        level=levels.WARNING,
    ),
    "photo_expired": Problem(
        NotFound, _("Your photo has expired. Please add it again."), "photo_expired", 410,
        _("The photo is past its lifetime."), _("Upload it again."), level=levels.WARNING,
    ),
    "product_problem": Problem(
        Rejected, _PRODUCT, "product_problem", 409,
        _("The product is not in step with Genlook."), _("Look at its last error in the list of products."),
        level=levels.WARNING,
    ),
    "invalid_request": Problem(
        Rejected, _("Something is missing in this request. Please reload the page and try again."),
        "invalid_request", 400,
        _("The request lacks a field or has one of the wrong type."), _("See the details."), level=levels.WARNING,
    ),
    # Ours: a product that is not fit to be sent
    "external_id_invalid": Problem(
        Rejected, _PRODUCT, "product_problem", 409,
        _("The external id is unusable: 1 to 255 characters, no control characters, no outer slash, not “.” or “..”."),
        _("Give the product another id."),
    ),
    "external_id_duplicate": Problem(
        Rejected, _PRODUCT, "product_problem", 409,
        _("Another product already has this external id."), _("Give each product an id of its own."),
    ),
    "image_missing": Problem(
        Rejected, _PRODUCT, "product_problem", 409,
        _("The file of a picture cannot be read from the shop's storage."), _("Upload the picture again."),
    ),
    "image_url_refused": Problem(
        Rejected, _PRODUCT, "product_problem", 409,
        _("The address of a picture is not usable: public https, no user name, at most 2,048 characters."),
        _("Correct the picture's address."),
    ),
    "adapter_failed": Problem(
        Rejected, _PRODUCT, "product_problem", 409,
        _("The shop's own description of the product (its ProductAdapter) failed."),
        _("Correct the adapter, then press “Send to Genlook now”."),
    ),
    "storage_unavailable": Problem(
        GenlookError, _UNAVAILABLE, "try_on_unavailable", 503,
        _("The private storage for pictures is not configured or does not answer."),
        _("Add the alias that `manage.py check` prints to STORAGES."),
        NEVER_LEFT, NEVER_LEFT, NEVER_LEFT,
    ),
})  # fmt: skip

SYNONYMS: Mapping[str, str] = MappingProxyType(
    {
        # The Errors page still says "customer" where the 1.4.0 API says "person".
        "PERSON_IMAGE_REQUIRED": "CUSTOMER_IMAGE_REQUIRED",
        "PERSON_IMAGE_FETCH_FAILED": "CUSTOMER_IMAGE_FETCH_FAILED",
    }
)


def problem_for(code: str, http_status: int | None = None) -> Problem:
    """Return the table's row for ``code``; for a code it does not know, the one for that class of HTTP status."""
    known = CODES.get(SYNONYMS.get(code, code))
    return known if known is not None else CODES[fallback_code(http_status)]


def fallback_code(http_status: int | None) -> str:
    """Return the code of the row that stands for every failure that is known by its HTTP status alone."""
    match http_status:
        case None:
            return "try_on_failed"
        case 401:
            return "unknown_credentials"
        case 402:
            return "unknown_billing"
        case 408:
            return "timed_out"
        case 425 | 429:
            return "RATE_LIMITED"
        case status if 400 <= status < 500:
            return "unknown_refusal"
        case status if status >= 500:
            return "server_fault"
        case _:
            return "protocol_error"
