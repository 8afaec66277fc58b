"""A clock that the test moves: Python's and the database's together.

Each act of the machine is a transaction of its own for whoever asks the database's time, though all of an example is
one transaction that is rolled back: `now()` answers when the act began.
"""

import datetime as dt

import time_machine
from django.db import connection

TRANSACTION_NOW = "CURRENT_TIMESTAMP"
# Found before PostgreSQL's own functions, but not where a table is to be created.
FUNCTIONS = """
    CREATE SCHEMA moved;
    CREATE FUNCTION moved.now() RETURNS timestamptz LANGUAGE sql STABLE AS
        $$ SELECT current_setting('moved.began')::timestamptz $$;
    CREATE FUNCTION moved.transaction_timestamp() RETURNS timestamptz LANGUAGE sql STABLE AS
        $$ SELECT current_setting('moved.began')::timestamptz $$;
    CREATE FUNCTION moved.statement_timestamp() RETURNS timestamptz LANGUAGE sql STABLE AS
        $$ SELECT pg_catalog.statement_timestamp() + current_setting('moved.by')::interval $$;
    CREATE FUNCTION moved.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS
        $$ SELECT pg_catalog.clock_timestamp() + current_setting('moved.by')::interval $$;
"""
DEFAULTS = """
    SELECT kind.relname, attname, pg_get_expr(adbin, adrelid) FROM pg_attrdef
    JOIN pg_class kind ON kind.oid = adrelid JOIN pg_attribute ON attrelid = adrelid AND attnum = adnum
    WHERE pg_get_expr(adbin, adrelid) ~ '(CURRENT_TIMESTAMP|now\\(\\)|(clock|statement)_timestamp\\(\\))'
    AND relnamespace = 'public'::regnamespace AND NOT relispartition
"""
SEEN_FIRST = "SET LOCAL search_path = public, moved, pg_catalog"
BEGIN = """
    SELECT set_config('moved.by', %(by)s, true),
           set_config('moved.began', (pg_catalog.clock_timestamp() + %(by)s::interval)::text, true)
"""


def make_movable() -> None:
    """Let every default and statement of the running transaction ask the clock that is moved."""
    with connection.cursor() as cursor:
        cursor.execute(FUNCTIONS)
        cursor.execute(DEFAULTS)
        defaults = cursor.fetchall()
        cursor.execute(SEEN_FIRST)
        cursor.execute(BEGIN, {"by": "0 seconds"})
        for table, column, told in defaults:
            moved = told.replace(TRANSACTION_NOW, "now()")
            cursor.execute(f'ALTER TABLE "{table}" ALTER COLUMN "{column}" SET DEFAULT {moved}')


class Clock:
    """The time of one example; it begins now."""

    def __init__(self) -> None:
        self.moved = dt.timedelta()
        self.python = time_machine.travel(dt.datetime.now(dt.UTC))
        self.traveller = self.python.start()
        self.move()

    def move(self, by: dt.timedelta = dt.timedelta(milliseconds=1)) -> dt.datetime:
        """Let time pass, and begin an act; returns when."""
        self.moved += by
        self.traveller.shift(by)
        with connection.cursor() as cursor:
            cursor.execute(BEGIN, {"by": f"{self.moved.total_seconds()} seconds"})
        return self.now()

    def now(self) -> dt.datetime:
        """Return the database's time, by which everything is dated."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT clock_timestamp()")
            return cursor.fetchone()[0]

    def stop(self) -> None:
        """Give the time back."""
        self.python.stop()
