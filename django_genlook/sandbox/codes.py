"""The 24 error codes of the Genlook API, and the exception that turns into an error answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Detail = dict[str, str]

#: code -> (HTTP status, message)
CODES: dict[str, tuple[int, str]] = {
    "MISSING_API_KEY": (401, "The x-api-key header is missing."),
    "INVALID_API_KEY": (401, "The API key is wrong, revoked, or its account is inactive."),
    "FORBIDDEN": (403, "This belongs to another account."),
    "VALIDATION_FAILED": (400, "The request body is invalid."),
    "EXTERNAL_ID_REQUIRED": (400, "externalId is required."),
    "PRODUCT_IMAGES_REQUIRED": (400, "A product needs at least one image."),
    "CUSTOMER_IMAGE_REQUIRED": (400, "An image of the person is required."),
    "FILE_REQUIRED": (400, "The form has no file part named 'file'."),
    "MULTIPART_FILE_NOT_FOUND": (400, "A fileKey has no file part of that name."),
    "INVALID_IMAGE_INPUT": (400, "An image needs either url or fileKey."),
    "INVALID_IMAGE": (400, "The image is too small or malformed."),
    "UNSUPPORTED_IMAGE_TYPE": (400, "Only JPEG, PNG, WebP and HEIC images are supported."),
    "CUSTOMER_IMAGE_FETCH_FAILED": (400, "The person's image could not be downloaded."),
    "PRODUCT_IMAGE_FETCH_FAILED": (400, "The product's image could not be downloaded."),
    "FILE_TOO_LARGE": (413, "An image may have at most 10 MB."),
    "INSUFFICIENT_CREDITS": (402, "The account has no credits left."),
    "QUOTA_EXCEEDED": (402, "The account's quota is exceeded."),
    "RATE_LIMITED": (429, "Too many requests."),
    "PRODUCT_NOT_FOUND": (404, "No such product, or it has expired."),
    "GENERATION_NOT_FOUND": (404, "No such generation."),
    "ACCOUNT_NOT_FOUND": (404, "No such account."),
    "ROUTE_NOT_FOUND": (404, "No such route."),
    "RESERVED_EXTERNAL_ID": (409, "An externalId must not start with _anon_."),
    "INTERNAL_ERROR": (500, "Something went wrong."),
}


class Refusal(Exception):
    """A request is answered with ``code``; ``details`` names every offending field by its dotted path."""

    def __init__(
        self,
        code: str,
        message: str | None = None,
        *,
        status: int | None = None,
        details: Sequence[Detail] = (),
        retry_after: float | str | None = None,
    ) -> None:
        known_status, known_message = CODES.get(code, (400, code))
        super().__init__(code)
        self.code = code
        self.message = known_message if message is None else message
        self.status = known_status if status is None else status
        self.details = list(details)
        self.retry_after = retry_after

    @property
    def body(self) -> dict[str, Any]:
        """The JSON of the error answer."""
        body: dict[str, Any] = {"code": self.code, "message": self.message, "status": self.status}
        if self.details:
            body["details"] = self.details
        return body
