"""How many rows PostgreSQL takes its tables to have, corrected where it takes a table with many rows for an empty one.

Statistics that are gathered while none of a table's rows is committed say that it has none: beside the first chunk of
an import, after one that was rolled back, after everybody was erased. PostgreSQL then takes every index of the table
for equally good, and may look a row up by its key in an index that has the key last, which reads the whole index for
each row, also for its own foreign keys; or it compares each row of the table with each of another. No wording of a
statement prevents that. So whoever adds many rows in one transaction has the table's rows counted in it: that counts
the rows of the transaction too, and keeps others from gathering statistics without them until it ends.
"""

from django.db import connection

MANY = 100
"""So many rows added at once are a reason to look."""


def analyze_if_unknown(*tables: str) -> None:
    """Gather the statistics of those tables of which PostgreSQL knows no thousand rows though they fill some pages."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT salesconnect_learn_sizes(%s::regclass[])", [list(tables)])
