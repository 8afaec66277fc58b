"""Statistics that take full tables for empty, and what reading then costs."""

from collections.abc import Sequence

from django.db import connection

EMPTY = """
    UPDATE pg_class SET reltuples = 0, relpages = 1 WHERE relname = ANY(%(tables)s) OR oid IN (
        SELECT i.indexrelid FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid WHERE c.relname = ANY(%(tables)s))
"""
BLOCKS = """
    SELECT sum(heap_blks_hit + heap_blks_read + idx_blks_hit + idx_blks_read)::bigint
    FROM pg_statio_user_tables WHERE relname = ANY(%(tables)s)
"""


def forget(tables: Sequence[str]) -> None:
    """Leave the statistics as they are of tables that were analysed when no row of theirs was committed."""
    with connection.cursor() as cursor:
        cursor.execute(EMPTY, {"tables": list(tables)})


def blocks_read(tables: Sequence[str]) -> int:
    """Return how many pages of these tables and their indexes were looked at, by statements, triggers and keys."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute("SELECT 1")
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(BLOCKS, {"tables": list(tables)})
        return int(cursor.fetchone()[0])
