"""Genlook's endpoints, one method each."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from types import TracebackType
from urllib.parse import quote

from django_genlook.client import answers, payloads
from django_genlook.client.answers import (
    GenerationState,
    ProductPage,
    ProductStats,
    RemoteProduct,
    StartedGeneration,
    UploadedImage,
)
from django_genlook.client.payloads import JSON, UNSET, Picture, TryOnProduct, Unset
from django_genlook.client.transport import Answer
from django_genlook.client.wire import Wire
from django_genlook.conf import Config, Secret
from django_genlook.exceptions import ProtocolError, Rejected

# Total seconds for a call, from the first byte to the last; read at each call.
CALL_DEADLINE = 15.0
TRY_ON_DEADLINE = 20.0
UPLOAD_DEADLINE = 60.0
SYNC_DEADLINE = 100.0

# What is not listed may leave some pages empty.
EMPTY_PAGES = 20


class Client:
    """Speaks to Genlook for one key: one method for each endpoint, nothing retried, nothing cached.

    Every method raises a ``GenlookError`` and nothing else: ``NotSent`` when the request never left, ``OutcomeUnknown``
    when it left and no answer came in time (of it, ``ProtocolError`` when one came that is not the documented one), and
    the class of Genlook's code otherwise. Redirects are not followed. Proxies are taken from the environment, a
    ``.netrc`` is not.

    A client may be shared by threads, for it keeps no state but its connections; one for each thread is as good. Not by
    processes: open it after a fork.

    https://docs.genlook.app/docs/tryon-api/introduction
    """

    def __init__(self, *, base_url: str, api_key: Secret, sandbox: bool = False) -> None:
        """Take the address of the API and its key; nothing is sent yet.

        ``base_url`` is https; plain http goes to this machine only, and with ``sandbox`` to a private network too.
        Raises ``ImproperlyConfigured`` for any other address. A key that is missing or cannot be one is refused when it
        is used.
        """
        self._wire = Wire(base_url, api_key, sandbox)

    @classmethod
    def from_config(cls, config: Config) -> "Client":
        """Return a client for the settings."""
        return cls(base_url=config.BASE_URL, api_key=config.API_KEY, sandbox=config.SANDBOX)

    def __repr__(self) -> str:
        return f"<Client {self._wire.base_url}>"

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections; the client may be used again, and opens new ones."""
        self._wire.close()

    # Photos

    def upload_image(
        self, image: bytes, *, crop: bool | None = None, external_user_id: str = "", keep_for_days: int | None = None
    ) -> UploadedImage:
        """Return Genlook's id of a person photo, good for any number of try-ons until it expires. Uses no credit.

        ``image`` is a JPEG, PNG, WebP or HEIC of at most 10 MB. ``crop=False`` keeps the framing, where Genlook would
        cut to 4:5 around the person. ``external_user_id`` is an opaque id without personal data, by which the photo can
        be erased. ``keep_for_days`` is 1, 3 or 7. What is ``None`` is left to Genlook.

        https://docs.genlook.app/docs/tryon-api/endpoints/upload-image
        """
        if not image:
            raise Rejected("There is no photo.", code="FILE_REQUIRED")
        form: dict[str, str] = {}
        if crop is not None:
            form["crop"] = "true" if crop else "false"
        if external_user_id:
            form["externalUserId"] = payloads.opaque(external_user_id, "external user id", answers.ID_LIMIT)
        if keep_for_days is not None:
            form["keepForDays"] = str(keep_for_days)
        files = {"file": payloads.file_part("photo", image)}
        answer = self._wire.call("POST", "/images/upload", seconds=UPLOAD_DEADLINE, data=form, files=files)
        return answers.parse_image(answer.body)

    # Products

    def save_product(
        self,
        external_id: str,
        *,
        title: str | None = None,
        description: str | None = None,
        images: Sequence[Picture] | None = None,
        valid_for_days: int | Unset | None = UNSET,
        metadata: Mapping[str, JSON] | None = None,
    ) -> RemoteProduct:
        """Create the product at Genlook, or change the fields that are given, and return it as Genlook has it now.

        ``images`` replaces all pictures, the first is the main one; a new product needs one. ``valid_for_days`` is how
        many days (1 to 365) the product outlives its last use, ``None`` keeps it for ever, left out it is unchanged.
        Raises ``Rejected`` before sending for an id, a picture or metadata that cannot be accepted.

        https://docs.genlook.app/docs/tryon-api/endpoints/create-product
        """
        if not external_id:
            raise Rejected("The product has no external id.", code="EXTERNAL_ID_REQUIRED")
        payloads.external_id(external_id)
        if external_id.startswith(payloads.RESERVED_PREFIX):
            raise Rejected("The external id begins with “_anon_”.", code="RESERVED_EXTERNAL_ID")
        form = payloads.product(external_id, title, description, images, any_url=self._wire.nearby)
        if not isinstance(valid_for_days, Unset):
            form.document["validForDays"] = valid_for_days
        if metadata is not None:
            form.document["metadata"] = metadata
        return answers.parse_product(self._send("/products", form, CALL_DEADLINE).body)

    def list_products(self, *, limit: int = 50, cursor: str = "") -> ProductPage:
        """Return at most ``limit`` (1 to 200) products, from where ``cursor`` of the page before points.

        https://docs.genlook.app/docs/tryon-api/endpoints/list-products
        """
        query = {"limit": str(limit)}
        if cursor:
            query["cursor"] = payloads.opaque(cursor, "cursor", answers.CURSOR_LIMIT)
        return answers.parse_page(self._wire.call("GET", "/products", params=query, seconds=CALL_DEADLINE).body)

    def iter_products(self, *, limit: int = 200) -> Iterator[RemoteProduct]:
        """Yield every product Genlook lists (one-shot products are not), ``limit`` a request, and come to an end.

        Raises ``ProtocolError`` when the pages lead back to one that was read already, or to nothing but empty ones.
        """
        cursor = ""
        used = {cursor}
        empty = 0
        while True:
            page = self.list_products(limit=limit, cursor=cursor)
            yield from page.items
            cursor = page.next_cursor
            if not cursor:
                return
            empty = 0 if page.items else empty + 1
            if cursor in used or empty > EMPTY_PAGES:
                raise ProtocolError("The list of products comes to no end.")
            used.add(cursor)

    def get_product(self, external_id: str) -> RemoteProduct:
        """Return one product. Raises ``NotFound`` with the code ``PRODUCT_NOT_FOUND`` when it expired or never was.

        https://docs.genlook.app/docs/tryon-api/endpoints/create-product
        """
        path = f"/products/{_quoted(payloads.external_id(external_id))}"
        return answers.parse_product(
            self._wire.call("GET", path, template="/products/{id}", seconds=CALL_DEADLINE).body
        )

    def delete_product(self, external_id: str) -> None:
        """Remove a product; generations that were made of it stay. Raises ``NotFound`` when there is none.

        https://docs.genlook.app/docs/tryon-api/endpoints/create-product
        """
        path = f"/products/{_quoted(payloads.external_id(external_id))}"
        self._wire.call("DELETE", path, template="/products/{id}", seconds=CALL_DEADLINE)

    def product_stats(
        self, external_id: str, *, since: datetime | None = None, until: datetime | None = None
    ) -> ProductStats:
        """Return how often a product was tried on from ``since`` to ``until``, both inclusive and aware.

        The counts are some seconds late.

        https://docs.genlook.app/docs/tryon-api/endpoints/product-stats
        """
        path = f"/products/{_quoted(payloads.external_id(external_id))}/stats"
        query = {name: payloads.timestamp(moment) for name, moment in (("from", since), ("to", until)) if moment}
        return answers.parse_stats(
            self._wire.call("GET", path, template="/products/{id}/stats", params=query, seconds=CALL_DEADLINE).body
        )

    # Try-ons

    def create_try_on(
        self,
        *,
        product: TryOnProduct | str,
        image_id: str,
        external_user_id: str = "",
        watermark: bool | None = None,
        keep_for_days: int | None = None,
        ai_label: bool | None = None,
    ) -> StartedGeneration:
        """Start a generation, which costs a credit, and return its id.

        ``product`` is the external id of one that Genlook knows, or the product itself; ``image_id`` is that of an
        uploaded photo. ``external_user_id`` makes the generation erasable. ``watermark=False`` leaves the account's
        logo off the picture, which Genlook keeps for ``keep_for_days`` (1, 3, 7). What is ``None`` is left to Genlook.

        Never send again after ``OutcomeUnknown``: there is no idempotency key, so that might be a second credit. Raises
        ``NotFound`` with the code ``PRODUCT_NOT_FOUND`` when the product has to be saved first.

        https://docs.genlook.app/docs/tryon-api/endpoints/create-try-on
        """
        form = self._try_on(product, image_id, external_user_id, watermark, keep_for_days, ai_label)
        answer = self._send("/try-on", form, TRY_ON_DEADLINE, fresh=True)
        return answers.parse_started(answer.body, product if isinstance(product, str) else product.external_id)

    def create_try_on_sync(
        self,
        *,
        product: TryOnProduct | str,
        image_id: str,
        external_user_id: str = "",
        watermark: bool | None = None,
        keep_for_days: int | None = None,
        ai_label: bool | None = None,
    ) -> GenerationState:
        """Start a generation and wait up to 90 s for it; return it as it is then, finished or still running.

        Arguments and failures are those of ``create_try_on``. A generation that still runs is read on with
        ``get_generation``.

        https://docs.genlook.app/docs/tryon-api/endpoints/create-try-on
        """
        form = self._try_on(product, image_id, external_user_id, watermark, keep_for_days, ai_label)
        answer = self._send("/try-on/sync", form, SYNC_DEADLINE, fresh=True)
        return answers.parse_sync(answer.body, answer.status)

    def get_generation(self, generation_id: str) -> GenerationState:
        """Return how far a generation is, and once it is completed a fresh, short-lived address of its picture.

        A failed generation is an answer, not an exception. Raises ``NotFound`` with the code ``GENERATION_NOT_FOUND``
        for one that is unknown or another account's.

        https://docs.genlook.app/docs/tryon-api/endpoints/generation-status
        """
        path = f"/generations/{_quoted(payloads.segment(generation_id, 'generation id'))}"
        answer = self._wire.call("GET", path, template="/generations/{id}", seconds=CALL_DEADLINE)
        return answers.parse_generation(answer.body, generation_id)

    # Account

    def credit_balance(self) -> int:
        """Return the credits that are left.

        https://docs.genlook.app/docs/tryon-api/endpoints/check-credits
        """
        return answers.parse_credits(self._wire.call("GET", "/account/credits", seconds=CALL_DEADLINE).body)

    def delete_customer(self, external_user_id: str) -> None:
        """Erase the photos and results at Genlook that were sent with this id; done is done, also a second time.

        https://docs.genlook.app/docs/tryon-api/endpoints/delete-customer
        """
        path = f"/customers/{_quoted(payloads.segment(external_user_id, 'external user id'))}"
        self._wire.call("DELETE", path, template="/customers/{id}", seconds=CALL_DEADLINE)

    def _try_on(
        self,
        product: TryOnProduct | str,
        image_id: str,
        external_user_id: str,
        watermark: bool | None,
        keep_for_days: int | None,
        ai_label: bool | None,
    ) -> payloads.Form:
        form = payloads.try_on(product, image_id, external_user_id, any_url=self._wire.nearby)
        output = {"watermark": watermark, "keepForDays": keep_for_days, "aiLabel": ai_label}
        if given := {name: value for name, value in output.items() if value is not None}:
            form.document["output"] = given
        return form

    def _send(self, path: str, form: payloads.Form, seconds: float, *, fresh: bool = False) -> Answer:
        body = payloads.encode(form.document)
        if form.files:
            seconds = max(seconds, UPLOAD_DEADLINE)
            return self._wire.call("POST", path, seconds=seconds, fresh=fresh, data={"data": body}, files=form.files)
        headers = {"Content-Type": "application/json"}
        return self._wire.call("POST", path, seconds=seconds, fresh=fresh, data=body, headers=headers)


def _quoted(value: str) -> str:
    return quote(value, safe="")
