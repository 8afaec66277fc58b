"""The SQL of an import: what a chunk of rows in the temporary table `incoming` means, and what it does.

`staging.stage` fills `incoming` with the rows as they were read; ASSESS replaces it by the rows as they meet what is
recorded. Every later statement asks that table alone what to do, so that a dry run and the real one cannot differ.
"""

from compliance.card.card_changes import AUTHORIZATION_COLUMNS, SOURCE_COLUMNS, Column, changes_sql
from compliance.card.legal_basis_registry import CONSENTS, AuthorizationType
from compliance.card.source_registry import SourceType
from compliance.card.staging import KEYS
from contacts.people.field_registry import DETAILS, SORTED
from salesconnect.lib.database.sql import listed, statement

OTHER, OTHER_SOURCE = (AuthorizationType.OTHER,), (SourceType.OTHER,)
# The address is what people are recognised by: another spelling of it changes nothing.
OVERWRITTEN = tuple(name for name in DETAILS if name != "email")
CARD = (*AUTHORIZATION_COLUMNS, *SOURCE_COLUMNS)


def _names(columns: tuple[Column, ...], prefix: str = "") -> str:
    return ", ".join(prefix + column.name for column in columns)


def _kept(columns: tuple[Column, ...]) -> str:
    """Return SQL for the values that the card will hold: those it has where processing is restricted."""
    return ", ".join(
        f"CASE WHEN restricted THEN old_{column.name} ELSE {column.name} END AS {column.name}" for column in columns
    )


def _said(name: str, type_name: str, codes: tuple[int, ...]) -> str:
    """Return SQL for a text of the card that only one type has: the row's, else what is recorded, else the file's."""
    said = f"coalesce(nullif(row.{name}, ''), nullif(old.{name}, ''), %({name})s, '')"
    return f"CASE WHEN type.{type_name} IN ({listed(codes)}) THEN {said} ELSE '' END"


# The temporary table has no statistics yet, so the planner would scan all contacts for each chunk instead of using the
# index for its 10,000 rows.
PLAN = "SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; SET LOCAL work_mem = '32MB'"

ASSESS = statement(
    __file__,
    "assess",
    row_details=", ".join(f"row.{name}" for name in (*DETAILS, *KEYS)),
    authorization_other=_said("authorization_other", "authorization_type", OTHER),
    consents=listed(CONSENTS),
    consent_purpose=_said("consent_purpose", "authorization_type", CONSENTS),
    source_other=_said("source_other", "source_type", OTHER_SOURCE),
    edits=" OR ".join(f"row.{name} <> '' AND row.{name} <> known.{name}" for name in OVERWRITTEN),
    old_card=", ".join(f"old.{column.name} AS old_{column.name}" for column in CARD),
    from_import=listed((SourceType.IMPORT,)),
    other=listed(OTHER),
    other_source=listed(OTHER_SOURCE),
    authorization=_names(AUTHORIZATION_COLUMNS),
    old_authorization=_names(AUTHORIZATION_COLUMNS, "old_"),
    source=_names(SOURCE_COLUMNS),
    old_source=_names(SOURCE_COLUMNS, "old_"),
    details=", ".join((*DETAILS, *KEYS)),
    kept_card=_kept(CARD),
)

REJECT_SEEN = statement(__file__, "reject_seen")
COUNT = """
    SELECT count(*) FILTER (WHERE contact_id IS NULL), count(*) FILTER (WHERE changes),
           count(*) FILTER (WHERE contact_id IS NOT NULL AND NOT changes),
           count(*) FILTER (WHERE suppressed), count(*) FILTER (WHERE ends_consent),
           count(*) FILTER (WHERE suppressed AND contact_id IS NULL)
    FROM incoming WHERE reason IS NULL
"""
REJECTED = "SELECT line, reason FROM incoming WHERE reason IS NOT NULL"

# Locked in the order of ids as by every other act, and still as they were when the rows were assessed.
LOCK = """
    WITH held AS MATERIALIZED (
        SELECT contact_id, version FROM compliance_compliancecard
        WHERE contact_id = ANY(ARRAY(SELECT contact_id FROM incoming WHERE changes)) ORDER BY contact_id FOR UPDATE
    )
    SELECT count(*), count(*) FILTER (WHERE (contact_id, version) IN (SELECT contact_id, version FROM held))
    FROM incoming WHERE changes
"""
EDITS = " || ".join(
    f"CASE WHEN i.{name} <> '' AND i.{name} <> c.{name}"
    f" THEN jsonb_build_object('{name}', jsonb_build_array(c.{name}, i.{name})) ELSE '{{}}' END"
    for name in OVERWRITTEN
)
RECORD = statement(
    __file__,
    "record_changes",
    edits=EDITS,
    authorization=changes_sql(AUTHORIZATION_COLUMNS, "card.", "i."),
    source=changes_sql(SOURCE_COLUMNS, "card.", "i."),
)
UPDATE_CONTACTS = statement(
    __file__,
    "update_contacts",
    details=", ".join(f"{name} = coalesce(nullif(i.{name}, ''), c.{name})" for name in OVERWRITTEN),
    sort_keys=", ".join(
        f"{key} = CASE WHEN i.{name} = '' THEN c.{key} ELSE i.{key} END" for name, key in SORTED.items()
    ),
)
UPDATE_CARDS = statement(
    __file__, "update_cards", columns=", ".join(f"{column.name} = i.{column.name}" for column in CARD)
)
SUPPRESS = """
    INSERT INTO compliance_suppression (address_hash, hash_key, reason, source)
    SELECT address_hash, %(hash_key)s, opt_out_reason, 'import' FROM incoming
    WHERE changes AND opts_out OR reason = 'erased' AND opted_out
    ORDER BY address_hash ON CONFLICT (address_hash) DO NOTHING
"""
