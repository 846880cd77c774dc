"""A local stand-in for Genlook's try-on API, to develop and to test against: ``python -m django_genlook.sandbox``.

It keeps everything in memory, takes any image address it is given, and belongs on a developer's machine only. What a
test may set, break and read is under ``/_sandbox/`` (``control``, ``faults``). Where Genlook's documentation leaves a
question open, the sandbox answers it as follows; most of it can be turned round with a fault.

Accounts: each API key is an account of its own. A generation of another account is ``FORBIDDEN``, and so is another
account's one-shot product; any other ``externalId`` may exist in two accounts, so it is just ``PRODUCT_NOT_FOUND``.

Order of checks: route, key, rate limit, size and form of the body, fields, credits, product, pictures.

Rate limit: a sliding window of 60 s without a burst allowance. A refused request does not count; ``Retry-After`` is in
whole seconds.

Answers: POSTs 201, ``DELETE /products`` 200 with a JSON body, ``/try-on/sync`` 200 also for a generation that fails
within the hold (``status`` ``FAILED``), and it takes multipart. The last page has ``nextCursor`` null.

Sizes: 10 MB is 10 * 1024 * 1024 bytes. A JSON body above 1 MB, or any body above 64 MB, is ``FILE_TOO_LARGE`` as well.
An ``externalId`` or ``externalUserId`` has 1 to 255 characters, JSON at most 64 levels.

Pictures: bytes of another known format, or text, are ``UNSUPPORTED_IMAGE_TYPE``; what cannot be told or read is
``INVALID_IMAGE``. HEIC is decoded if ``pillow_heif`` is there, else a placeholder stands for it. A product picture that
is downloaded but unreadable fails the generation with ``PRODUCT_IMAGE_FETCH_FAILED``; only the first one is fetched,
anew for each generation.

Try-ons: a ``person`` without an image in it is ``CUSTOMER_IMAGE_REQUIRED``. An unknown, expired or erased ``imageId``
is ``VALIDATION_FAILED`` on its field. An empty ``images`` is ``PRODUCT_IMAGES_REQUIRED``. A credit is taken when a
generation is accepted and given back when it fails. ``watermark`` is on when left out.

Lives: changing a product starts its clock again, as using it does. A link to a picture that has expired is 403, to a
deleted one 404. When a result is deleted, its generation stays ``COMPLETED`` with ``resultImageUrl`` null; a generation
that runs while its person is erased ends ``FAILED`` without a code.
"""
