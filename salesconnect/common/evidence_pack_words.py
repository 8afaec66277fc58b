"""The texts of a pack's printable page, in the active language."""

import datetime as dt
from itertools import islice

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from compliance.card.legal_basis_registry import AuthorizationType
from compliance.card.source_registry import SourceType
from compliance.card.words import authorization_words, source_words
from contacts.people.field_registry import DETAILS
from exports.pack.contents import Contents, document_path, has_document
from exports.pack.printing import DatedEntry, PrintedPage, PrintedSection
from salesconnect.common.history_words import describe, field_label, reason_words, source_label
from unsubscribes.crm import provider_registry
from unsubscribes.mail import team
from unsubscribes.models import ConsentEvidence, Message, OutboxEntry, SyncRecord
from unsubscribes.opt_outs.of_person import PersonOptOut

PRINTED = 1_000
"""At most this many events and mails are printed; the JSON files have all of them."""


def page(contents: Contents) -> PrintedPage:
    person = contents.person
    sections = (
        _person(contents),
        _card(contents),
        _unsubscribes(contents),
        *_evidence(contents),
        _mails(contents),
        _salesforce(contents),
        _history(contents),
        _proof(contents),
    )
    words = {"company": team.name(team.current()), "time": _time(timezone.now())}
    return PrintedPage(
        title=str(person),
        lead=_("What %(company)s holds of this person, on what ground, and what was done. As of %(time)s.") % words,
        language=get_language() or "en",
        foot=_("Person %(number)d, as of %(time)s") % {"number": person.pk, "time": words["time"]},
        sections=[section for section in sections if section.pairs or section.texts or section.lines],
    )


def _person(contents: Contents) -> PrintedSection:
    person = contents.person
    pairs = [(capfirst(field_label(name)), str(getattr(person, name))) for name in DETAILS if getattr(person, name)]
    if person.owner:
        pairs.append((_("Owner"), str(person.owner)))
    pairs += [(_("Created"), _time(person.created_at)), (_("Last changed"), _time(person.card.updated_at))]
    merged = [str(number) for number in contents.numbers if number != person.pk]
    if merged:
        pairs.append((_("Merged records"), ", ".join(merged)))
    return PrintedSection(_("Contact details"), pairs=pairs)


def _card(contents: Contents) -> PrintedSection:
    card = contents.person.card
    basis = {
        "authorization_type": AuthorizationType(card.authorization_type).slug if card.authorization_type else None,
        "authorization_other": card.authorization_other,
    }
    source = {
        "source_type": SourceType(card.source_type).slug if card.source_type else None,
        "source_other": card.source_other,
    }
    pairs = [(_("Authorization"), authorization_words(basis))]
    if card.consent_date:
        pairs.append((_("Date of Consent"), date_format(card.consent_date)))
        pairs.append((_("Purpose of Processing"), card.consent_purpose))
    pairs.append((_("Source"), source_words(source)))
    if card.restricted_at:
        pairs.append((_("Processing restricted since"), _time(card.restricted_at)))
    if card.informed_at:
        pairs.append((_("Informed (art. 14)"), _time(card.informed_at)))
    answer = [str(contents.verdict.label), *(str(reason.text) for reason in contents.verdict.reasons)]
    pairs.append((_("May this person be contacted?"), "\n".join(answer)))
    return PrintedSection(_("Compliance"), pairs=pairs)


def _unsubscribes(contents: Contents) -> PrintedSection:
    none = [] if contents.said else [_("This person has never unsubscribed.")]
    return PrintedSection(_("Unsubscribe History"), texts=none, lines=[_said(entry) for entry in contents.said])


def _said(entry: PersonOptOut) -> DatedEntry:
    what = _("Unsubscribed") if entry.kind == "unsubscribed" else _("Resubscribed")
    notes = [source_label(entry.source) if entry.source else "", reason_words(entry.reason), entry.actor]
    return DatedEntry(_time(entry.at), what, " · ".join(note for note in notes if note))


def _evidence(contents: Contents) -> list[PrintedSection]:
    return [
        PrintedSection(
            _("Evidence of consent %(number)d") % {"number": record.pk},
            pairs=[
                (_("Date of the new consent"), date_format(record.consent_date)),
                (_("How it was given"), record.get_channel_display()),
                (_("Words agreed to"), record.wording),
                (_("Purpose of Processing"), record.purpose),
                *([(_("Reference"), record.reference)] if record.reference else []),
                *([(_("Document"), _document(record))] if record.file else []),
                (_("Recorded"), f"{_time(record.created_at)} · {record.actor_name}"),
            ],
        )
        for record in contents.evidence
    ]


def _document(record: ConsentEvidence) -> str:
    if has_document(record):
        return document_path(record)
    words = _("Missing from the store. Recorded as %(name)s with SHA-256 %(hash)s.")
    return words % {"name": record.file_name, "hash": record.sha256}


def _mails(contents: Contents) -> PrintedSection:
    lines = [_mail(message) for message in islice(contents.mails, PRINTED)]
    return PrintedSection(_("Mail"), texts=[] if lines else [_("No mail was written to this person.")], lines=lines)


def _mail(message: Message) -> DatedEntry:
    why = "" if message.why == Message.Reason.OUTBOX else message.why_in_words  # the state says the same
    notes = (message.state_in_words, why, message.email)
    return DatedEntry(_time(message.sent_at or message.created_at), message.subject, " · ".join(n for n in notes if n))


def _salesforce(contents: Contents) -> PrintedSection:
    lines = [line for record in contents.records for line in _record(record)]
    return PrintedSection(provider_registry.spoken_of(), lines=lines)


def _record(record: SyncRecord) -> list[DatedEntry]:
    out = _("opted out of mail") if record.opted_out else _("not opted out of mail")
    deleted = _("deleted there") if record.deleted else ""
    first = DatedEntry(
        _time(record.synced_at), f"{record.sobject} {record.sf_id}", " · ".join(n for n in (out, deleted) if n)
    )
    return [first, *(_entry(entry) for entry in record.entries.all())]


def _entry(entry: OutboxEntry) -> DatedEntry:
    words = _("Written: opted out of mail") if entry.desired else _("Written: not opted out of mail")
    return DatedEntry(
        _time(entry.finished_at or entry.created_at), words, f"{entry.get_state_display()} {entry.code}".strip()
    )


def _history(contents: Contents) -> PrintedSection:
    lines = [
        DatedEntry(_time(event.at), describe(event), _place(event.id, leaf.seal_number if leaf else None))
        for event, leaf in islice(contents.events, PRINTED)
    ]
    more = [_("Only the first %(number)d events are printed; history.json holds all.") % {"number": PRINTED}]
    return PrintedSection(_("History"), texts=more if len(lines) == PRINTED else [], lines=lines)


def _place(event: int, seal: int | None) -> str:
    if seal is None:
        return _("Event %(event)d, not sealed yet") % {"event": event}
    return _("Event %(event)d, in seal %(seal)d") % {"event": event, "seal": seal}


def _proof(contents: Contents) -> PrintedSection:
    return PrintedSection(
        _("Proof"),
        texts=[
            _("For each event a file in the folder proofs shows that it was not changed since it was sealed."),
            _("To verify one, offline: python -I verify_proof.py proofs/NUMBER.json --root ROOT"),
            _("ROOT is the root of the event’s seal, from somewhere that the keeper of the history cannot change."),
        ],
    )


def _time(at: dt.datetime) -> str:
    return date_format(timezone.localtime(at), "DATETIME_FORMAT")
