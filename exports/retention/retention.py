"""Retention runs: people who are kept longer than the rules allow are listed, announced, and erased.

Each run evaluates the rules for everybody again, so people with new activity drop out. The erasures of a run are a
batch: it survives a killed worker, can be cancelled, and checks each chunk again before it is erased. Restricted people
and people with an open request are left out and counted.
"""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass, field

from dateutil.relativedelta import relativedelta
from django.db import connection
from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from compliance.card.legal_basis_registry import AuthorizationType
from compliance.card.rules import NOT_RECORDED
from compliance.card.source_registry import SourceType
from contacts.jobs import batches, engine
from contacts.models import Batch, Contact
from contacts.models.batch import OPEN, State
from contacts.people.queries import ContactQuerySet
from exports.erasure import deletion_settings, erasure
from exports.models import RetentionCase, RetentionRule
from exports.requests import open_requests
from exports.retention.activity import InactiveSince
from salesconnect.lib.actor import Actor
from salesconnect.lib.database.sql import fill
from salesconnect.lib.database.transactions import act
from salesconnect.lib.errors import Conflict
from salesconnect.lib.outcome import Outcome

KIND = "retention"
RESTRICTED, OPEN_REQUEST, NO_LONGER_DUE = "restricted", "open_request", "no_longer_due"
Step = RetentionRule.Step
LIST = """
    INSERT INTO exports_retentioncase (rule_id, contact_id) SELECT %s, id FROM ({people}) AS found (id)
    ORDER BY id ON CONFLICT (rule_id, contact_id) DO NOTHING
"""


@dataclass(slots=True)
class RuleCount:
    """Numbers of one rule in a run: matching people, newly listed, newly warned, and due for erasure."""

    rule: RetentionRule
    meets: int = 0
    listed: int = 0
    warned: int = 0
    due: int = 0


@dataclass(slots=True)
class RetentionRun:
    """What a run did, or with `dry_run` would do. A person who is due under two rules counts once in `due`."""

    dry_run: bool
    rules: list[RuleCount] = field(default_factory=list)
    due: int = 0
    left_out: dict[str, int] = field(default_factory=dict)
    batch: Batch | None = None


def matching(rule: RetentionRule, now: dt.datetime, among: Collection[int] | None = None) -> ContactQuerySet:
    """Return the people who match a rule at a moment. `among` restricts the query to some ids, which makes it cheap."""
    found = Contact.objects.filter(_card_condition(rule))
    found = found if among is None else found.filter(pk__in=among)
    if rule.age_months:
        before = now - relativedelta(months=rule.age_months)
        column = "created_at" if rule.age_since == RetentionRule.Since.CREATED else "card__updated_at"
        found = found.filter(**{f"{column}__lt": before})
    if rule.inactive_months:
        before = now - relativedelta(months=rule.inactive_months)
        found = found.filter(InactiveSince(before, among), created_at__lt=before)
    return found


def due(now: dt.datetime, among: Collection[int] | None = None) -> ContactQuerySet:
    """Return the people to be erased: their warning period is over and they still match the rule; see `matching`."""
    condition = Q(pk__in=[])
    for rule in RetentionRule.objects.filter(active=True, step=Step.ERASE):
        over = rule.cases.filter(warned_at__lte=now - dt.timedelta(days=rule.warn_days))
        condition |= Q(pk__in=over.values("contact")) & Q(pk__in=matching(rule, now, among).values("pk"))
    return Contact.objects.filter(condition)


@act
def run(*, actor: Actor, dry_run: bool = False) -> RetentionRun:
    """List, warn, and order the erasure of those due. Raises `Forbidden`, and `Conflict` (`running`).

    Above the team's limit the erasure waits for a second administrator. An earlier order that still waits is cancelled,
    because it was about the people who were due then. A dry run only counts.
    """
    actor.require("edit_retention")
    if not dry_run:
        actor.require_recent("edit_retention")
        _one_at_a_time()
    now = timezone.now()
    outcome = RetentionRun(dry_run)
    for rule in RetentionRule.objects.filter(active=True):
        outcome.rules.append(_count(rule, now) if dry_run else _list(rule, now))
    people = due(now)
    open_request = Q(pk__in=open_requests.people_with_open_requests())
    restricted = Q(card__restricted_at__isnull=False)
    counts = {
        RESTRICTED: people.filter(restricted).count(),
        OPEN_REQUEST: people.filter(open_request).exclude(restricted).count(),
    }
    outcome.left_out = {reason: number for reason, number in counts.items() if number}
    free = people.exclude(restricted).exclude(open_request)
    outcome.due = free.count()
    if not dry_run:
        _withdraw_waiting()
        above = deletion_settings.current().approval_above
        outcome.batch = batches.order(free, KIND, actor=actor, refused=outcome.left_out, waits_above=above)
    return outcome


def cases_of(rule: RetentionRule) -> QuerySet[RetentionCase]:
    return rule.cases.select_related("contact__card", "contact__owner")


def warnings(contact_id: int) -> QuerySet[RetentionCase]:
    """Return the announced cases of one person, the oldest warning first."""
    found = RetentionCase.objects.filter(contact=contact_id, rule__active=True, warned_at__isnull=False)
    return found.exclude(rule__step=Step.LIST).select_related("rule").order_by("warned_at", "id")


def counts() -> dict[int, tuple[int, int]]:
    """Return for each rule how many people are listed, and for how many of them an erasure is announced."""
    found = RetentionCase.objects.values("rule").annotate(listed=Count("pk"), warned=Count("warned_at"))
    return {row["rule"]: (row["listed"], row["warned"]) for row in found}


def erase_chunk(contacts: ContactQuerySet, batch: Batch, actor: Actor) -> Outcome:
    """Erase the people of a chunk who are still due and have no open request; restricted ones are refused."""
    # Days may have passed since the order: it may have waited for an approval, or for a worker.
    asked, now = list(contacts.values_list("pk", flat=True)), timezone.now()
    waiting = set(open_requests.people_with_open_requests().filter(contact__in=asked))
    still = set(due(now, asked).filter(pk__in=asked).values_list("pk", flat=True))
    outcome = erasure.delete(
        Contact.objects.among(sorted(still - waiting)), actor=actor, batch_id=batch.pk, why=erasure.RETENTION
    )
    outcome.refused[OPEN_REQUEST] += len(still & waiting)
    outcome.refused[NO_LONGER_DUE] += len(set(asked) - still)
    outcome.refused = +outcome.refused  # drops the reasons with a count of zero
    return outcome


def _one_at_a_time() -> None:
    # The lock makes two runs that begin at once meet; it is held to the commit, when the batch of the first is visible.
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('salesconnect.retention'))")
    if Batch.objects.filter(kind=KIND, state__in=OPEN).exists():
        raise Conflict("running", _("A run is going on; wait until it has ended, or cancel it."))


def _withdraw_waiting() -> None:
    engine.end(Batch.objects.filter(kind=KIND), State.CANCELLED, among=[State.WAITING])


def _card_condition(rule: RetentionRule) -> Q:
    condition = Q()
    for path, slug, kind in (
        ("card__source_type", rule.source_type, SourceType),
        ("card__authorization_type", rule.authorization_type, AuthorizationType),
    ):
        if slug:
            condition &= Q(**{path: None if slug == NOT_RECORDED else kind.from_slug(slug)})
    return condition


def _list(rule: RetentionRule, now: dt.datetime) -> RuleCount:
    """Update the cases of a rule, set-based: drop people who no longer match, add new ones, warn."""
    found = matching(rule, now)
    count = RuleCount(rule)
    rule.cases.exclude(contact__in=found.values("pk")).delete()
    ids, params = found.ids_sql()
    with connection.cursor() as cursor:
        cursor.execute(
            fill(LIST, people=ids),
            [rule.pk, *params],
        )
        count.listed = cursor.rowcount
    count.meets = rule.cases.count()
    if rule.step != Step.LIST:
        count.warned = rule.cases.filter(warned_at=None).update(warned_at=Now())
    else:
        rule.cases.exclude(warned_at=None).update(warned_at=None)
    count.due = _due_under(rule, now)
    return count


def _count(rule: RetentionRule, now: dt.datetime) -> RuleCount:
    found, cases = matching(rule, now), rule.cases
    count = RuleCount(rule, meets=found.count())
    count.listed = found.exclude(pk__in=cases.values("contact")).count()
    if rule.step != Step.LIST:
        count.warned = found.exclude(pk__in=cases.exclude(warned_at=None).values("contact")).count()
    count.due = _due_under(rule, now)
    return count


def _due_under(rule: RetentionRule, now: dt.datetime) -> int:
    if rule.step != Step.ERASE:
        return 0
    over = rule.cases.filter(warned_at__lte=now - dt.timedelta(days=rule.warn_days))
    return matching(rule, now).filter(pk__in=over.values("contact")).count()
