"""Shows staff what is in step with Genlook, what is not and why, and what trying on costs.

No page asks Genlook anything: actions mark rows, and a worker does the rest.
"""

from django_genlook.admin.generation import GenerationAdmin
from django_genlook.admin.photo import PhotoAdmin
from django_genlook.admin.product import ProductAdmin

__all__ = ["GenerationAdmin", "PhotoAdmin", "ProductAdmin"]
