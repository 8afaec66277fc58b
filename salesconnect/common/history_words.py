"""Events as sentences in the active language."""

from collections.abc import Callable, Mapping
from typing import Any

from django.utils.formats import date_format
from django.utils.text import get_text_list
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from compliance.card.legal_basis_registry import AuthorizationType
from compliance.card.source_registry import SourceType
from compliance.card.words import authorization_words, day, label, source_words
from compliance.models import Suppression
from compliance.suppression import opt_out_source_registry
from compliance.suppression.suppression import ADDRESS_CHANGED
from contacts.events import history
from contacts.models import ContactEvent
from contacts.people.field_registry import BY_NAME, DETAILS
from salesconnect.lib.slug_choices import SlugChoices
from unsubscribes.crm.reading.rules import attribution
from unsubscribes.models import Message

Changes = Mapping[str, Any]
OLD, NEW = 0, 1
# The order in which changes are listed; JSON objects in the database have none.
ORDER = (*DETAILS, "owner", "authorization_type", "authorization_other", "consent_date", "consent_purpose")
NOTHING = (None, "")
# Values that events carry only so that past states can be calculated; they are not shown.
NOT_TOLD = {"owner_id", "basis_since", "reviewed_on"}
LABELS = {
    "owner": gettext_lazy("Owner"),
    "consent_date": gettext_lazy("Date of Consent"),
    "consent_purpose": gettext_lazy("Purpose of Processing"),
    "authorization_type": gettext_lazy("Authorization"),
    "authorization_other": gettext_lazy("Description of the authorization"),
    "source_type": gettext_lazy("Source"),
    "source_other": gettext_lazy("Description of the source"),
}


def describe(event: ContactEvent, undoes: int | None = None) -> str:
    """Return an event as a sentence, such as “Anna Berg set Authorization to Contract, in bulk change 12”.

    `undoes` is the id of the bulk change that the event's bulk change undoes.
    """
    return SENTENCES.get(event.action, _other)(event) + _in_batch(event, undoes)


def outcome(event: ContactEvent) -> str:
    """Return the result of an edit for the toast, such as “Authorization is now Contract”."""
    if event.action == history.AUTHORIZATION and "authorization_type" in event.changes:
        return _("Authorization is now %(words)s") % {"words": authorization_words(_side(event.changes, NEW))}
    if event.action == history.SOURCE and "source_type" in event.changes:
        return _("Source is now %(words)s") % {"words": source_words(_side(event.changes, NEW))}
    return _("Changed: %(changes)s") % {"changes": _each(event.changes)}


def before(event: ContactEvent) -> str:
    """Return the legal basis or source that an event replaced; empty for any other event."""
    if event.action == history.AUTHORIZATION and "authorization_type" in event.changes:
        return authorization_words(_side(event.changes, OLD))
    if event.action == history.SOURCE and "source_type" in event.changes:
        return source_words(_side(event.changes, OLD))
    return ""


def reason_words(reason: str) -> str:
    """Return the reason of an opt-out: codes in words, free text unchanged."""
    if told := attribution(reason):
        words = {"crm": told.crm, "who": told.who, "when": date_format(localtime(told.at), "DATETIME_FORMAT")}
        exact = _("In %(crm)s by %(who)s, %(when)s")
        latest = _("In %(crm)s, %(when)s at the latest; the record was last changed by %(who)s")
        return (exact if told.exact else latest) % words
    return {ADDRESS_CHANGED: _("Address changed"), history.MERGED: _("Merged")}.get(reason, reason)


def source_label(source: str) -> str:
    """Return the source of an opt-out or opt-in in words."""
    return _("Re-consent") if source == "re_consent" else str(dict(Suppression.Source.choices).get(source, source))


def field_label(name: str) -> str:
    if name in LABELS:
        return str(LABELS[name])
    return str(BY_NAME[name].label)


def _created(event: ContactEvent) -> str:
    changes, sentences = event.changes, [_("%(actor)s created this person") % {"actor": event.actor_name}]
    sentences[0] += _from_file(event)
    if changes.get("authorization_type"):
        sentences.append(_("Authorization: %(words)s") % {"words": authorization_words(changes)})
    if changes.get("source_type"):
        sentences.append(_("Source: %(words)s") % {"words": source_words(changes)})
    if changes.get("suppressed"):
        sentences.append(_("Unsubscribed from the first moment"))
    if changes.get("erased_before"):
        sentences.append(_("The person had asked to be erased before and was taken in knowingly"))
    return ". ".join(sentences)


def _edited(event: ContactEvent) -> str:
    words = {"actor": event.actor_name, "changes": _each(event.changes)}
    return _("%(actor)s changed %(changes)s") % words + _from_file(event)


def _authorization(event: ContactEvent) -> str:
    if "authorization_type" not in event.changes:
        return _edited(event)
    words = authorization_words(_side(event.changes, NEW))
    return _("%(actor)s set Authorization to %(words)s") % {"actor": event.actor_name, "words": words}


def _source(event: ContactEvent) -> str:
    if "source_type" not in event.changes:
        return _edited(event)
    words = source_words(_side(event.changes, NEW))
    return _("%(actor)s set Source to %(words)s") % {"actor": event.actor_name, "words": words}


def _unsubscribed(event: ContactEvent) -> str:
    source = _side(event.changes, NEW).get("source") or Suppression.Source.MANUAL
    words = {"actor": event.actor_name, "source": source_label(source)}
    by_user = source in opt_out_source_registry.GIVEN_BY_USERS
    sentence = _("%(actor)s unsubscribed this person (%(source)s)") if by_user else _("Unsubscribed (%(source)s)")
    if "earlier_address" in event.changes:
        sentence = _("Unsubscribed in answer to a mail to an earlier address (%(source)s)")
    return _with_reason(sentence % words, event.changes)


def _resubscribed(event: ContactEvent) -> str:
    return _("%(actor)s removed the unsubscribe, on the ground of a new consent") % {"actor": event.actor_name}


def _mailed(event: ContactEvent) -> str:
    words = {"actor": event.actor_name, "subject": _side(event.changes, NEW).get("subject")}
    if words["subject"]:
        return _("%(actor)s sent the mail “%(subject)s”") % words
    return _("%(actor)s sent a mail") % words


def _mail_held(event: ContactEvent) -> str:
    words = {"actor": event.actor_name, "reason": _reason_of_mail(event, "held")}
    if words["reason"]:
        return _("A mail by %(actor)s was held back: %(reason)s") % words
    return _("A mail by %(actor)s was held back") % words


def _mail_failed(event: ContactEvent) -> str:
    words = {"actor": event.actor_name, "reason": _reason_of_mail(event, "failed")}
    if words["reason"]:
        return _("A mail by %(actor)s failed: %(reason)s") % words
    return _("A mail by %(actor)s failed") % words


def _mail_arrived(event: ContactEvent) -> str:
    words = {"actor": event.actor_name}
    return _("A mail by %(actor)s that had come back was delivered at a later attempt") % words


def _mail_allowed(event: ContactEvent) -> str:
    words = {"actor": event.actor_name}
    return _("%(actor)s let mail go to this person again, though the last ones did not arrive") % words


def _reason_of_mail(event: ContactEvent, fate: str) -> str:
    reason = str(_side(event.changes, NEW).get(fate) or "")
    return str(dict(Message.Reason.choices).get(reason, reason)).removesuffix(".")


def _exported(event: ContactEvent) -> str:
    pack = "pack" in event.changes
    sentence = _("%(actor)s took this person’s evidence pack") if pack else _("%(actor)s exported this person")
    return _with_reason(sentence % {"actor": event.actor_name}, event.changes)


def _merged(event: ContactEvent) -> str:
    words = {"actor": event.actor_name, "number": _side(event.changes, NEW).get("into")}
    if words["number"]:
        return _("%(actor)s merged this record into person %(number)s") % words
    return _("%(actor)s merged another record of this person into this one") % words


def _unmerged(event: ContactEvent) -> str:
    return _("%(actor)s took back the merge of two records") % {"actor": event.actor_name}


def _restricted(event: ContactEvent) -> str:
    return _with_reason(_("%(actor)s restricted the processing") % {"actor": event.actor_name}, event.changes)


def _unrestricted(event: ContactEvent) -> str:
    sentence = _("%(actor)s lifted the restriction of processing") % {"actor": event.actor_name}
    return _with_reason(sentence, event.changes)


def _looked_alike(_event: ContactEvent) -> str:
    return _("The address looks like one that said no")


def _looked_apart(_event: ContactEvent) -> str:
    return _("The address no longer looks like one that said no")


def _told_apart(event: ContactEvent) -> str:
    words = {"actor": event.actor_name}
    return _("%(actor)s decided that this is another person than the one who said no") % words


def _informed(event: ContactEvent) -> str:
    how = _side(event.changes, NEW).get("how")
    if how == "mail":
        return _("Informed by mail about the source of the data (GDPR art. 14)")
    if how == "came_back":
        return _("The notice about the source of the data came back: not informed yet (GDPR art. 14)")
    sentence = _("%(actor)s marked this person as informed about the source of the data (GDPR art. 14)") % {
        "actor": event.actor_name
    }
    return _with_reason(sentence, event.changes)


def _reviewed(event: ContactEvent) -> str:
    if _side(event.changes, NEW).get("note"):
        return _("%(actor)s reviewed the legitimate interest and wrote a balancing note") % {"actor": event.actor_name}
    return _with_reason(_("%(actor)s reviewed the legal basis") % {"actor": event.actor_name}, event.changes)


def _deleted(event: ContactEvent) -> str:
    return _("%(actor)s deleted this person") % {"actor": event.actor_name}


def _requested(event: ContactEvent) -> str:
    said = _side(event.changes, NEW)
    words = {"actor": event.actor_name, "number": said.get("request") or "–", "handler": said.get("handler")}
    handed = _("%(actor)s handed request %(number)s over to %(handler)s")
    sentences = {
        "extended": _("%(actor)s extended request %(number)s"),
        "paused": _("%(actor)s paused request %(number)s"),
        "resumed": _("%(actor)s resumed request %(number)s"),
        "identity": _("%(actor)s noted in request %(number)s how the identity was checked"),
        "handler": handed if said.get("handler") else _("%(actor)s left request %(number)s to nobody"),
    }
    registered = _("%(actor)s registered request %(number)s of this person")
    return next((sentences[name] for name in sentences if name in said), registered) % words


def _viewed(event: ContactEvent) -> str:
    words = {"actor": event.actor_name, "number": _side(event.changes, NEW).get("request") or "–"}
    return _("%(actor)s looked at this person in request %(number)s") % words


def _answered(event: ContactEvent) -> str:
    words = {"actor": event.actor_name, "number": _side(event.changes, NEW).get("request") or "–"}
    return _("%(actor)s answered request %(number)s") % words


def _scrubbed(event: ContactEvent) -> str:
    return _("Words in earlier entries that named a person erased by %(actor)s are gone") % {"actor": event.actor_name}


def _corrected(event: ContactEvent) -> str:
    changed = {name: change for name, change in event.changes.items() if name in LABELS}
    if not changed:
        return _("%(actor)s corrected a stored record that did not match") % {"actor": event.actor_name}
    words = {"actor": event.actor_name, "changes": _each(changed)}
    return _("%(actor)s corrected the card to match its history: %(changes)s") % words


def _other(event: ContactEvent) -> str:
    return f"{event.actor_name}: {event.action}"


def _with_reason(sentence: str, changes: Changes) -> str:
    reason = reason_words(_side(changes, NEW).get("reason") or "")
    return _("%(sentence)s: %(reason)s") % {"sentence": sentence, "reason": reason} if reason else sentence


def _side(changes: Changes, side: int) -> dict[str, Any]:
    """Return the `OLD` or `NEW` values of the changes; entries that are not `[old, new]` are left out."""
    return {name: change[side] for name, change in changes.items() if isinstance(change, list)}


def _each(changes: Changes) -> str:
    named = sorted(set(changes) - NOT_TOLD, key=lambda name: ORDER.index(name) if name in ORDER else len(ORDER))
    items = [_change(name, *changes[name]) for name in named if isinstance(changes[name], list)]
    if not items:
        return _("details that are no longer held")
    return items[0] if len(items) == 1 else get_text_list(items, _("and"))


def _change(name: str, old: Any, new: Any) -> str:
    words = {"field": field_label(name), "old": _value(name, old), "new": _value(name, new)}
    if old in NOTHING:
        return _("%(field)s from empty to “%(new)s”") % words
    if new in NOTHING:
        return _("%(field)s from “%(old)s” to empty") % words
    return _("%(field)s from “%(old)s” to “%(new)s”") % words


def _value(name: str, value: Any) -> str:
    kinds: dict[str, type[SlugChoices]] = {"authorization_type": AuthorizationType, "source_type": SourceType}
    if name in kinds:
        return label(kinds[name], value)
    return day(value) if name == "consent_date" and value else str(value)


def _from_file(event: ContactEvent) -> str:
    words = {"file": event.changes.get("file"), "line": event.changes.get("line")}
    if words["file"] and words["line"]:
        return _(" from import “%(file)s”, row %(line)s") % words
    if words["line"]:
        return _(" from an import, row %(line)s") % words
    return ""


def _in_batch(event: ContactEvent, undoes: int | None) -> str:
    words = {"batch": event.batch_id, "undone": undoes}
    if event.batch_id is None:
        return ""
    if undoes is not None:
        return _(", in bulk change %(batch)s, which takes back bulk change %(undone)s") % words
    if event.action == history.EXPORTED:
        return _(", in bulk export %(batch)s") % words
    if event.action in {history.MAILED, history.MAIL_HELD, history.MAIL_FAILED, history.MAIL_ARRIVED}:
        return _(", in bulk mail %(batch)s") % words
    return _(", in bulk change %(batch)s") % words


SENTENCES: dict[str, Callable[[ContactEvent], str]] = {
    history.CREATED: _created,
    history.EDITED: _edited,
    history.AUTHORIZATION: _authorization,
    history.SOURCE: _source,
    history.UNSUBSCRIBED: _unsubscribed,
    history.RESUBSCRIBED: _resubscribed,
    history.MAILED: _mailed,
    history.MAIL_HELD: _mail_held,
    history.MAIL_FAILED: _mail_failed,
    history.MAIL_ARRIVED: _mail_arrived,
    history.MAIL_ALLOWED: _mail_allowed,
    history.EXPORTED: _exported,
    history.DELETED: _deleted,
    history.MERGED: _merged,
    history.UNMERGED: _unmerged,
    history.RESTRICTED: _restricted,
    history.UNRESTRICTED: _unrestricted,
    history.INFORMED: _informed,
    history.REVIEWED: _reviewed,
    history.CORRECTED: _corrected,
    history.SCRUBBED: _scrubbed,
    history.REQUESTED: _requested,
    history.VIEWED: _viewed,
    history.ANSWERED: _answered,
    history.LOOKED_ALIKE: _looked_alike,
    history.LOOKED_APART: _looked_apart,
    history.TOLD_APART: _told_apart,
}
