"""A shop whose ``REST_FRAMEWORK`` would break any view that trusted it."""

from typing import Any

from tests.settings import *  # noqa: F403

HERE = "tests.api.hostile"
REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_RENDERER_CLASSES": [f"{HERE}.Shouting"],
    "DEFAULT_PARSER_CLASSES": [f"{HERE}.Swallowing"],
    "DEFAULT_AUTHENTICATION_CLASSES": [f"{HERE}.EverybodyIsAda"],
    "DEFAULT_PERMISSION_CLASSES": [f"{HERE}.Nobody"],
    "DEFAULT_THROTTLE_CLASSES": [f"{HERE}.NeverAgain"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": f"{HERE}.Stubborn",
    "DEFAULT_METADATA_CLASS": f"{HERE}.Chatty",
    "DEFAULT_VERSIONING_CLASS": "rest_framework.versioning.AcceptHeaderVersioning",
    "ALLOWED_VERSIONS": ["99"],
    "DEFAULT_PAGINATION_CLASS": "rest_framework.pagination.LimitOffsetPagination",
    "PAGE_SIZE": 1,
    "EXCEPTION_HANDLER": f"{HERE}.handle_badly",
    "UNAUTHENTICATED_USER": None,
    "NON_FIELD_ERRORS_KEY": "product",
    "URL_FORMAT_OVERRIDE": "cursor",
    "FORMAT_SUFFIX_KWARG": "pk",
    "DATETIME_FORMAT": "%Y",
    "STRICT_JSON": False,
    "UNICODE_JSON": False,
    "COMPACT_JSON": False,
    "UPLOADED_FILES_USE_URL": False,
    "VIEW_NAME_FUNCTION": f"{HERE}.handle_badly",
}
