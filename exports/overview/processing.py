"""The record of processing activities (GDPR art. 30(1)): what the product can tell about itself, and the team's texts.

Each section is one letter of the article. Generated facts come from settings and present figures, so they are always up
to date. What no program can know is text of the team, stored in versions.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.humanize.templatetags.humanize import intcomma
from django.db import transaction
from django.db.models import Count, Exists, OuterRef
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from compliance.card.legal_basis_registry import ARTICLES, CONSENTS, AuthorizationType
from compliance.card.rules import NOT_RECORDED
from compliance.card.source_registry import SourceType
from compliance.imports import working
from compliance.models import ComplianceCard
from contacts.models import User
from contacts.people.field_registry import FIELDS
from exports.erasure import deletion_settings
from exports.files.csv_export import KEEP_FILES
from exports.models import RetentionRule
from exports.overview import figures
from exports.overview.figures import Figures
from exports.overview.models import ProcessingTexts
from salesconnect.lib.actor import Actor
from salesconnect.lib.errors import Invalid
from salesconnect.lib.outcome import Outcome
from unsubscribes.crm import provider_registry
from unsubscribes.mail import team
from unsubscribes.merging import unmerge
from unsubscribes.models import SyncConnection

TEXTS = ("address", "representatives", "purposes", "people", "recipients", "transfers", "limits", "measures")
PURPOSES = 10


@dataclass(frozen=True, slots=True)
class RecordSection:
    """One letter of the article: generated facts, the team's own texts, and required information that is missing."""

    letter: str
    title: str
    facts: list[str] = field(default_factory=list)
    own: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


def texts() -> ProcessingTexts:
    """Return the team's texts in force; empty, unsaved ones before anybody has written some."""
    return ProcessingTexts.objects.first() or ProcessingTexts()


@transaction.atomic
def change(values: Mapping[str, str], *, actor: Actor) -> Outcome:
    """Store a new version of the team's texts; absent names keep their text. Raises `Invalid`."""
    actor.require_recent("edit_team")
    limit = ProcessingTexts.LIMIT
    errors = {
        name: [_("Use at most %(limit)d characters.") % {"limit": limit}]
        for name in TEXTS
        if len(values.get(name, "")) > limit
    }
    if errors:
        raise Invalid(errors)
    present = texts()
    new = {name: values.get(name, getattr(present, name)).strip() for name in TEXTS}
    if all(getattr(present, name) == text for name, text in new.items()):
        return Outcome(unchanged=1)
    ProcessingTexts.objects.create(**new, user_id=actor.user_id, actor_name=actor.name)
    return Outcome(changed=1)


def record(*, actor: Actor) -> list[RecordSection]:
    """Return the present record in the active language."""
    actor.require("view_people")
    own, numbers = texts(), figures.now()
    return [
        RecordSection(
            "a", _("Controller"), _controller(), _lines(own.address, own.representatives), _no_controller(own)
        ),
        RecordSection(
            "b",
            _("Purposes and legal bases"),
            _purposes(numbers),
            _lines(own.purposes),
            _unless(own.purposes, _("What the data are used for")),
        ),
        RecordSection("c", _("People and data"), _people(numbers), _lines(own.people)),
        RecordSection("d", _("Recipients"), _recipients(), _lines(own.recipients)),
        RecordSection(
            "e",
            _("Transfers to third countries"),
            [],
            _lines(own.transfers),
            _unless(own.transfers, _("Whether data go to third countries, and that none do")),
        ),
        RecordSection("f", _("Time limits for erasure"), _limits(), _lines(own.limits), _no_limits(own)),
        RecordSection(
            "g",
            _("Security measures"),
            _measures(),
            _lines(own.measures),
            _unless(own.measures, _("Measures outside of this system, such as backups and access to the premises")),
        ),
    ]


def gaps(sections: list[RecordSection]) -> int:
    return sum(len(section.missing) for section in sections)


def body(sections: list[RecordSection]) -> list[dict[str, Any]]:
    return [
        {
            "article": f"30(1)({section.letter})",
            "title": section.title,
            "facts": section.facts,
            "own": section.own,
            "missing": section.missing,
        }
        for section in sections
    ]


def _lines(*written: str) -> list[str]:
    return [line.strip() for text in written for line in text.splitlines() if line.strip()]


def _unless(said: str, demanded: str) -> list[str]:
    return [] if said.strip() else [demanded]


def _no_controller(own: ProcessingTexts) -> list[str]:
    ours = team.current()
    missing = _unless(ours.company_name, _("Name of the controller (settings, mail)"))
    missing += _unless(own.address, _("Address of the controller"))
    missing += _unless(ours.contact_address, _("Address for questions (settings, mail)"))
    representatives = _("Joint controller, representative and data protection officer, or that there are none")
    return missing + _unless(own.representatives, representatives)


def _no_limits(own: ProcessingTexts) -> list[str]:
    """Return what is missing: a retention rule that erases, or a text, must say for how long data is kept."""
    erases = RetentionRule.objects.filter(active=True, step=RetentionRule.Step.ERASE).exists()
    return [] if erases or own.limits.strip() else [_("For how long people are kept: no rule erases anybody")]


def _controller() -> list[str]:
    ours = team.current()
    facts = [ours.company_name] if ours.company_name else []
    if ours.contact_address:
        facts.append(_("Contact: %(address)s") % {"address": ours.contact_address})
    return [*facts, _("System: Sales Connect at %(url)s") % {"url": settings.SITE_URL}]


def _purposes(numbers: Figures) -> list[str]:
    labels = {choice.slug: str(choice.label) for choice in AuthorizationType} | {NOT_RECORDED: _("Not recorded")}
    articles = {kind.slug: letter for kind, letter in ARTICLES.items()}
    facts = []
    for slug, number in numbers[figures.AUTHORIZATION].items():
        if number:
            article = " " + _("(art. 6(1)(%(letter)s))") % {"letter": articles[slug]} if articles.get(slug) else ""
            facts.append(f"{labels[slug]}{article}: {_count(number)}")
    consents = ComplianceCard.objects.filter(authorization_type__in=CONSENTS)
    given = consents.values_list("consent_purpose").annotate(n=Count("pk")).order_by("-n", "consent_purpose")
    for purpose, number in given[:PURPOSES]:
        facts.append(
            _("Purpose consented to: %(purpose)s, %(people)s") % {"purpose": purpose, "people": _count(number)}
        )
    return facts


def _people(numbers: Figures) -> list[str]:
    sources = {choice.slug: str(choice.label) for choice in SourceType} | {NOT_RECORDED: _("Not recorded")}
    came = ", ".join(
        f"{sources[slug]} {intcomma(number)}" for slug, number in numbers[figures.SOURCE].items() if number
    )
    facts = [
        _("People with whom the team does business or wants to: %(people)s") % {"people": _count(numbers["total"][""])},
        _("About them: %(details)s") % {"details": ", ".join(str(field.label) for field in FIELDS)},
        _("Legal basis with day and purpose of a consent, source, unsubscribes and re-consents with their evidence"),
        _("Mail to them and what became of it; their records in %(crm)s; what was done with their data")
        % {"crm": provider_registry.spoken_of()},
        _("Users of the system: name, email address, role, sign-in, acts"),
    ]
    return [*facts, _("Sources: %(sources)s") % {"sources": came}] if came else facts


def _recipients() -> list[str]:
    roles = User.objects.filter(is_active=True).values_list("role").annotate(n=Count("pk")).order_by()
    named = ", ".join(f"{User.Role(role).label} {number}" for role, number in sorted(roles))
    facts = [_("Users of the system: %(roles)s") % {"roles": named}] if named else []
    connection = SyncConnection.objects.first()
    if connection is not None and connection.state != SyncConnection.State.OFF:
        org = urlsplit(connection.instance_url or connection.login_url).hostname or connection.login_url
        crm = provider_registry.of(connection).name
        facts.append(_("%(crm)s (%(org)s): who unsubscribed") % {"crm": crm, "org": org})
    host = urlsplit(settings.EMAIL_URL).hostname if settings.EMAIL_URL else None
    facts.append(_("Mail server: %(host)s") % {"host": host} if host else _("No mail server: mail stays in the outbox"))
    return facts


def _limits() -> list[str]:
    months = deletion_settings.current().erased_months
    return [
        _("Deletion takes effect at once; a keyed hash of an address that had said no stays, with dates and codes"),
        ngettext(
            "Of who asked to be erased a keyed hash of the address is kept for %(n)d month, so that nobody brings the "
            "person back; the id of a record in %(crm)s at most as long",
            "Of who asked to be erased a keyed hash of the address is kept for %(n)d months, so that nobody brings the "
            "person back; the id of a record in %(crm)s at most as long",
            months,
        )
        % {"n": months, "crm": provider_registry.spoken_of()},
        _("Files of bulk exports: %(days)d days") % {"days": KEEP_FILES.days},
        _("Files and rejected rows of imports: %(days)d days") % {"days": working.KEPT_DAYS},
        _("What is needed to undo a merge: %(days)d days") % {"days": unmerge.UNDO_DAYS},
        *map(_rule, RetentionRule.objects.filter(active=True)),
    ]


def _rule(rule: RetentionRule) -> str:
    periods = []
    if rule.age_months:
        words = ngettext("%(n)d month %(since)s", "%(n)d months %(since)s", rule.age_months)
        periods.append(words % {"n": rule.age_months, "since": rule.get_age_since_display()})
    if rule.inactive_months:
        words = ngettext("inactive for %(n)d month", "inactive for %(n)d months", rule.inactive_months)
        periods.append(words % {"n": rule.inactive_months})
    step = rule.get_step_display()
    if rule.step == RetentionRule.Step.ERASE:
        words = ngettext("%(step)s after %(n)d day", "%(step)s after %(n)d days", rule.warn_days)
        step = words % {"step": step, "n": rule.warn_days}
    return f"{rule.name}: {', '.join(periods)}; {step}"


def _measures() -> list[str]:
    facts = [
        _("Three roles with their rights, checked in every act"),
        _two_steps(),
        _("A history that is only added to; the database itself refuses changes"),
        _("Unsubscribed addresses are known by a keyed hash; secrets of other services are encrypted"),
        _("Mail passes one gate that asks for unsubscribes at the moment of sending"),
        _("Every export is on record"),
        _("Consent cannot be stored without day and purpose, whatever the door"),
    ]
    return [*facts, _("Connections are encrypted (https)")] if settings.HTTPS else facts


def _two_steps() -> str:
    users = User.objects.filter(is_active=True)
    with_one = users.filter(Exists(Authenticator.objects.filter(user=OuterRef("pk"), type="totp"))).count()
    total = users.count()
    words = ngettext("Two-step sign-in: %(n)d of %(total)d user", "Two-step sign-in: %(n)d of %(total)d users", total)
    return words % {"n": with_one, "total": total}


def _count(number: int) -> str:
    return ngettext("%(n)s person", "%(n)s people", number) % {"n": intcomma(number)}
