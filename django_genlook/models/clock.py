"""The database's clock, the only one that stored times are compared with: hosts differ, the database is one."""

from datetime import datetime, timedelta
from typing import Any, cast

from django.db import connections
from django.db.models import DateTimeField, DurationField, ExpressionWrapper, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Now
from django.db.models.sql import Query


class DatabaseNow(Now):
    """The moment of the statement, in UTC, with what precision the database has. Tests put another class here."""

    def as_mysql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        return self.as_sql(compiler, connection, template="UTC_TIMESTAMP(6)", **extra)


def db_now() -> Combinable:
    """Return the expression for "now" in any query, default or update."""
    return DatabaseNow()


def ahead(seconds: float) -> Combinable:
    """Return the expression for ``seconds`` from now; a negative number lies in the past."""
    span = Value(timedelta(seconds=seconds), output_field=DurationField())
    return ExpressionWrapper(db_now() + span, output_field=DateTimeField())


def read_clock(using: str) -> datetime:
    """Return the database's time now; one query."""
    query = Query(None)
    query.add_annotation(DatabaseNow(), "now")
    compiler = query.get_compiler(connection=connections[using])
    return cast(datetime, next(iter(compiler.results_iter()))[0])
