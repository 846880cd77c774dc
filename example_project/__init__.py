"""A small clothes shop that offers virtual try-on; what ``make demo`` runs."""

from example_project.celery import app as celery_app

__all__ = ["celery_app"]
