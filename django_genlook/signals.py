"""The events promised to others; each is sent after commit with ``send_robust``, so a broken listener harms nobody.

=========================  ======================================================================
``product_synced``         ``product``: Genlook now holds this content (or no longer holds it)
``product_sync_failed``    ``product``, ``code``: it was parked and needs a person
``generation_completed``   ``generation``: its picture is stored
``generation_failed``      ``generation``, ``code``: it ended without one
``credits_low``            ``balance`` (credits or ``None``): try-ons are paused until a top-up
``shopper_erased``         ``subject``: everything of this shopper is gone, here and at Genlook
=========================  ======================================================================

The ``sender`` is the model's class.
"""

from django.dispatch import Signal

product_synced = Signal()
product_sync_failed = Signal()
generation_completed = Signal()
generation_failed = Signal()
credits_low = Signal()
shopper_erased = Signal()
