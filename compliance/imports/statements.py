"""The SQL of an import: what a chunk of rows in the temporary table `incoming` means, and what it does.

`staging.stage` fills `incoming` with the rows as they were read; ASSESS replaces it by the rows as they meet what is
recorded. Every later statement asks that table alone what to do, so that a dry run and the real one cannot differ.
"""

from compliance.card.rules import AuthorizationType, SourceType
from compliance.card.services import AUTHORIZATION_COLUMNS, SOURCE_COLUMNS, Column, changes_sql
from compliance.card.staging import KEYS
from contacts.events import history
from contacts.people.fields import DETAILS, SORTED

CONSENT, OTHER = int(AuthorizationType.CONSENT), int(AuthorizationType.OTHER)
IMPORT, OTHER_SOURCE = int(SourceType.IMPORT), int(SourceType.OTHER)
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


def _said(name: str, type_name: str, code: int) -> str:
    """Return SQL for a text of the card that only one type has: the row's, else what is recorded, else the file's."""
    said = f"coalesce(nullif(row.{name}, ''), nullif(old.{name}, ''), %({name})s, '')"
    return f"CASE WHEN type.{type_name} = {code} THEN {said} ELSE '' END"


# Without statistics the planner would rather read the whole table of people for each chunk than look 10,000 up.
PLAN = "SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; SET LOCAL work_mem = '32MB'"

# Blank cells say nothing. A mapped column overwrites; the values for all rows (parameters) only fill what is not
# recorded. People whose processing is restricted are left alone, but for a "no", which is always taken.
ASSESS = f"""
    DROP TABLE IF EXISTS pg_temp.rows_read;
    ALTER TABLE incoming RENAME TO rows_read;
    CREATE TEMPORARY TABLE incoming ON COMMIT DROP AS
    WITH met AS (
        SELECT row.line, {", ".join(f"row.{name}" for name in (*DETAILS, *KEYS))}, row.opted_out, row.opt_out_reason,
               type.authorization_type, {_said("authorization_other", "authorization_type", OTHER)} authorization_other,
               CASE WHEN type.authorization_type = {CONSENT}
                    THEN coalesce(row.consent_date, old.consent_date, %(consent_date)s) END AS consent_date,
               {_said("consent_purpose", "authorization_type", CONSENT)} AS consent_purpose,
               type.source_type, {_said("source_other", "source_type", OTHER_SOURCE)} AS source_other,
               known.id AS contact_id, old.version, coalesce(old.unsubscribed, false) AS unsubscribed,
               coalesce(old.authorization_type = {CONSENT}, false) AS consented,
               old.restricted_at IS NOT NULL AS restricted,
               row.consent_date IS NOT NULL OR row.consent_purpose <> '' AS says_consent,
               row.authorization_other <> '' AS says_authorization_other, row.source_other <> '' AS says_source_other,
               known.id IS NOT NULL AND ({
    " OR ".join(f"row.{name} <> '' AND row.{name} <> known.{name}" for name in OVERWRITTEN)
}) AS edits,
               {", ".join(f"old.{column.name} AS old_{column.name}" for column in CARD)}
        FROM rows_read row
        LEFT JOIN contacts_contact known ON known.email_key = row.email_key AND NOT (known.email_key = '')
        LEFT JOIN compliance_compliancecard old ON old.contact_id = known.id
        CROSS JOIN LATERAL (SELECT
            coalesce(row.authorization_type, old.authorization_type, %(authorization_type)s) AS authorization_type,
            coalesce(row.source_type, old.source_type, %(source_type)s,
                     CASE WHEN known.id IS NULL THEN {IMPORT}::smallint END) AS source_type
        ) type
    ), judged AS (
        SELECT *,
            CASE WHEN restricted THEN 'restricted'
                 WHEN contact_id IS NULL AND EXISTS (
                     SELECT FROM compliance_erasedaddress e
                     WHERE e.address_hash = ANY (met.address_hashes) AND e.until > now()) THEN 'erased'
                 WHEN authorization_type = {CONSENT} AND consent_date IS NULL THEN 'consent_date'
                 WHEN authorization_type = {CONSENT} AND consent_purpose = '' THEN 'consent_purpose'
                 WHEN says_consent AND authorization_type IS DISTINCT FROM {CONSENT} THEN 'no_consent'
                 WHEN says_authorization_other AND authorization_type IS DISTINCT FROM {OTHER} THEN 'not_other'
                 WHEN says_source_other AND source_type IS DISTINCT FROM {OTHER_SOURCE} THEN 'not_other'
            END AS reason,
            contact_id IS NOT NULL AND ({_names(AUTHORIZATION_COLUMNS)})
                IS DISTINCT FROM ({_names(AUTHORIZATION_COLUMNS, "old_")}) AS authorises,
            contact_id IS NOT NULL AND ({_names(SOURCE_COLUMNS)})
                IS DISTINCT FROM ({_names(SOURCE_COLUMNS, "old_")}) AS sources,
            contact_id IS NOT NULL AND opted_out AND NOT unsubscribed AS opts_out
        FROM met
    )
    SELECT line, {", ".join((*DETAILS, *KEYS))}, {_kept(CARD)}, opted_out, opt_out_reason, contact_id, version, reason,
           NOT restricted AND edits AS edits, NOT restricted AND authorises AS authorises,
           NOT restricted AND sources AS sources, opts_out,
           reason IS NULL AND (edits OR authorises OR sources OR opts_out) OR restricted AND opts_out AS changes,
           consented AND authorization_type <> {CONSENT} AS ends_consent,
           contact_id IS NOT NULL OR reason IS NOT NULL AS taken,
           unsubscribed OR opted_out OR contact_id IS NULL AND EXISTS (
               SELECT FROM compliance_suppression s
               WHERE s.address_hash = ANY (judged.address_hashes || judged.folded_hashes)
               AND (s.folded OR s.address_hash = ANY (judged.address_hashes))
           ) AS suppressed
    FROM judged
"""

# The first row of an address counts, in this chunk or an earlier one; a rejected row does not make it taken. Who was
# deleted since the import began is not brought back, unless somebody else did so meanwhile.
REJECT_SEEN = """
    UPDATE incoming SET reason = 'erased', taken = true WHERE line = ANY(ARRAY(
        SELECT line FROM incoming CROSS JOIN unnest(address_hashes) AS own (hash) CROSS JOIN LATERAL (
            SELECT erased FROM compliance_importseen WHERE job_id = %(job)s AND address_hash = own.hash OFFSET 0
        ) s
        WHERE contact_id IS NULL AND reason IS NULL AND s.erased
        AND EXISTS (SELECT FROM compliance_importseen WHERE job_id = %(job)s AND erased)
    ));
    WITH met AS (
        INSERT INTO compliance_importseen AS seen (job_id, address_hash)
        SELECT DISTINCT %(job)s::bigint, address_hash FROM incoming
        WHERE reason IS NULL AND address_hash IS NOT NULL ORDER BY address_hash
        ON CONFLICT (job_id, address_hash) DO UPDATE SET erased = false WHERE seen.erased RETURNING address_hash
    )
    UPDATE incoming SET reason = 'duplicate', taken = true, changes = false
    WHERE reason IS NULL AND address_hash IS NOT NULL AND (
        address_hash NOT IN (SELECT address_hash FROM met) OR line NOT IN (
            SELECT min(line) FROM incoming WHERE reason IS NULL AND address_hash IS NOT NULL GROUP BY address_hash
        )
    );
    UPDATE incoming SET changes = false WHERE reason = 'restricted' AND changes AND line NOT IN (
        SELECT min(line) FROM incoming WHERE reason = 'restricted' AND changes GROUP BY contact_id
    )
"""
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
RECORD = f"""
    INSERT INTO contacts_contactevent ({history.COLUMNS})
    SELECT i.contact_id, %(batch_id)s, %(actor_id)s, act.action, %(door)s, %(actor_name)s,
           act.changes || jsonb_build_object('file', %(file)s::text, 'line', i.line)
    FROM incoming i JOIN contacts_contact c ON c.id = i.contact_id
    JOIN compliance_compliancecard card ON card.contact_id = i.contact_id
    CROSS JOIN LATERAL (VALUES
        (i.edits, '{history.EDITED}', {EDITS}),
        (i.authorises, '{history.AUTHORIZATION}', {changes_sql(AUTHORIZATION_COLUMNS, "card.", "i.")}),
        (i.sources, '{history.SOURCE}', {changes_sql(SOURCE_COLUMNS, "card.", "i.")}),
        (i.opts_out, '{history.UNSUBSCRIBED}', jsonb_build_object('source', jsonb_build_array(NULL, 'import'))
            || CASE WHEN i.opt_out_reason = '' THEN '{{}}'
                    ELSE jsonb_build_object('reason', jsonb_build_array(NULL, i.opt_out_reason)) END)
    ) act (happens, action, changes)
    WHERE i.changes AND act.happens ORDER BY i.contact_id
"""
UPDATE_CONTACTS = f"""
    UPDATE contacts_contact c SET
        {", ".join(f"{name} = coalesce(nullif(i.{name}, ''), c.{name})" for name in OVERWRITTEN)},
        {", ".join(f"{key} = CASE WHEN i.{name} = '' THEN c.{key} ELSE i.{key} END" for name, key in SORTED.items())}
    FROM incoming i WHERE i.changes AND i.edits AND c.id = i.contact_id
"""
UPDATE_CARDS = f"""
    UPDATE compliance_compliancecard card SET
        {", ".join(f"{column.name} = i.{column.name}" for column in CARD)},
        sort_last = CASE WHEN i.last_name = '' OR NOT i.edits THEN card.sort_last ELSE i.sort_last END,
        sort_first = CASE WHEN i.first_name = '' OR NOT i.edits THEN card.sort_first ELSE i.sort_first END,
        basis_since = CASE WHEN i.authorises THEN %(today)s::date ELSE card.basis_since END,
        reviewed_on = CASE WHEN NOT i.authorises THEN card.reviewed_on END,
        unsubscribed = card.unsubscribed OR i.opted_out, version = card.version + 1, updated_at = now()
    FROM incoming i WHERE i.changes AND card.contact_id = i.contact_id
"""
SUPPRESS = """
    INSERT INTO compliance_suppression (address_hash, hash_key, reason, source)
    SELECT address_hash, %(hash_key)s, opt_out_reason, 'import' FROM incoming
    WHERE changes AND opts_out OR reason = 'erased' AND opted_out
    ORDER BY address_hash ON CONFLICT (address_hash) DO NOTHING
"""
