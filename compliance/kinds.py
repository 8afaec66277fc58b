"""How many people there are of each kind, now and at any past moment: by ground, source, opt-out, day of consent."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Case, F, Min, Sum, Value, When

from compliance.models import CardTally
from compliance.rules import AuthorizationType, SourceType

# The state before a moment is the present one, without those of the people whom something happened to since, and with
# what the events before the moment say of these. An event holds [from, to]; that of the creation holds values alone.
# Whoever was created and neither deleted nor merged into somebody afterwards was there.
PAST = """
    WITH touched AS MATERIALIZED (
        SELECT DISTINCT contact_id FROM contacts_contactevent WHERE at >= %(moment)s
    ), said AS (
        SELECT contact_id, at, id, action,
            changes ? 'into' AS gone,
            changes ? 'authorization_type' AS on_ground, changes ? 'consent_date' AS on_date,
            changes ? 'source_type' AS on_source,
            CASE jsonb_typeof(changes->'authorization_type') WHEN 'array' THEN changes->'authorization_type'->>1
                ELSE changes->>'authorization_type' END AS ground,
            CASE jsonb_typeof(changes->'consent_date') WHEN 'array' THEN changes->'consent_date'->>1
                ELSE changes->>'consent_date' END AS consent_date,
            CASE jsonb_typeof(changes->'source_type') WHEN 'array' THEN changes->'source_type'->>1
                ELSE changes->>'source_type' END AS source,
            action = 'unsubscribed' OR action = 'created' AND changes->'suppressed' = 'true' AS says_no
        FROM contacts_contactevent WHERE at < %(moment)s AND contact_id IN (SELECT contact_id FROM touched)
    ), folded AS (
        SELECT contact_id,
            (array_agg(NOT (action = 'deleted' OR gone) ORDER BY at DESC, id DESC)
                FILTER (WHERE action IN ('created', 'deleted', 'merged', 'unmerged')))[1] AS there,
            (array_agg(ground ORDER BY at DESC, id DESC) FILTER (WHERE on_ground))[1] AS ground,
            (array_agg(source ORDER BY at DESC, id DESC) FILTER (WHERE on_source))[1] AS source,
            (array_agg(consent_date ORDER BY at DESC, id DESC) FILTER (WHERE on_date))[1] AS consent_date,
            coalesce((array_agg(says_no ORDER BY at DESC, id DESC)
                FILTER (WHERE action IN ('created', 'unsubscribed', 'resubscribed')))[1], false) AS unsubscribed
        FROM said GROUP BY contact_id
    ), kinds AS (
        SELECT authorization_type::int, source_type::int, unsubscribed, consent_date, number FROM compliance_cardtally
        UNION ALL
        SELECT authorization_type, source_type, unsubscribed, consent_date, -1 FROM compliance_compliancecard
        WHERE contact_id IN (SELECT contact_id FROM touched)
        UNION ALL
        SELECT array_position(%(grounds)s, ground), array_position(%(sources)s, source), unsubscribed,
            consent_date::date, 1
        FROM folded WHERE there
    )
    SELECT authorization_type, source_type, unsubscribed, consent_date, sum(number)::bigint
    FROM kinds GROUP BY 1, 2, 3, 4 HAVING sum(number) <> 0
"""


@dataclass(frozen=True, slots=True)
class Kind:
    """What people of one kind have in common, in the card's codes, and how many they are."""

    authorization_type: int | None
    source_type: int | None
    unsubscribed: bool
    consent_date: dt.date | None
    number: int


def present(edges: Sequence[dt.date] = ()) -> list[Kind]:
    """Return the kinds of people there are now.

    Consents between two `edges` are one kind, with one of their days; without edges each day is a kind of its own.
    """
    between = Case(*(When(consent_date__lt=edge, then=Value(place)) for place, edge in enumerate(sorted(edges), 1)))
    grouped = {"between": between} if edges else {"between": F("consent_date")}
    counted = (
        CardTally.objects.values("authorization_type", "source_type", "unsubscribed", **grouped)
        .annotate(given=Min("consent_date"), total=Sum("number"))
        .exclude(total=0)
        .order_by()
    )
    names = ("authorization_type", "source_type", "unsubscribed", "given", "total")
    return [Kind(*row) for row in counted.values_list(*names)]


def before(moment: dt.datetime) -> list[Kind]:
    """Return the kinds of people there were right before `moment`, from the events; what it costs grows with the
    number of people whom something happened to since.
    """
    values: dict[str, Any] = {"moment": moment, "grounds": AuthorizationType.slugs(), "sources": SourceType.slugs()}
    with connection.cursor() as cursor:
        cursor.execute(PAST, values)
        return [Kind(*row) for row in cursor]
