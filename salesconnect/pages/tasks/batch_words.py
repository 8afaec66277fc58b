"""Bulk orders in words: what was ordered, and what came of it."""

from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from compliance.card.rules import AuthorizationType, SourceType
from contacts.jobs.batches import KINDS
from contacts.models import Batch
from salesconnect.common.history_words import authorization_words, source_words


def number(n: int) -> str:
    """Return a number with the thousands of the reader's language."""
    return number_format(n, use_l10n=True, force_grouping=True)


def headline(batch: Batch) -> str:
    """Return what was ordered, in words: “Authorization: Contract”."""
    params = batch.params
    match batch.kind:
        case "authorization":
            return _("Authorization: %(words)s") % {"words": authorization_words(_slugs("authorization", params))}
        case "source":
            return _("Source: %(words)s") % {"words": source_words(_slugs("source", params))}
        case "undo":
            return _("Undo of bulk change %(number)s") % {"number": batch.undoes_id}
    return str(_kinds().get(batch.kind, batch.kind))


def result(batch: Batch) -> str:
    """Return in one sentence what came of an order."""
    if batch.state == Batch.State.FAILED:
        return _("%(task)s failed: %(error)s") % {"task": headline(batch), "error": _(batch.error)}
    if batch.state == Batch.State.CANCELLED:
        return _("%(task)s was cancelled.") % {"task": headline(batch)}
    if batch.state == Batch.State.WAITING:
        return _("%(n)s people: another administrator has to approve it under Tasks.") % {"n": number(batch.total)}
    if not batch.ended:
        return _("%(n)s people: working on it. You can go on meanwhile.") % {"n": number(batch.total)}
    if not batch.changed:
        return _("Nothing had to change.") if batch.unchanged else _("Nothing was changed.")
    return " ".join([_changed(batch.kind, batch.changed) % {"n": number(batch.changed)}, *_rest(batch)])


def refusal(reason: str) -> str:
    """Return why people were left as they are."""
    words = {
        "unsubscribed": _("unsubscribed"),
        "no_address": _("no email address"),
        "no_authorization": _("no authorization recorded"),
        "policy": _("not allowed by the team's policy"),
        "not_found": _("not there any more"),
        "restricted": _("processing is restricted"),
        "changed_since": _("changed by somebody since"),
        "open_request": _("waiting for an answer to a request"),
        "no_longer_due": _("no longer due"),
    }
    return words.get(reason, reason)


def undoable(batch: Batch) -> bool:
    """Tell whether the order is of a kind that can be undone, and has changed somebody."""
    return KINDS[batch.kind].undoable and bool(batch.changed)


def _kinds() -> dict[str, str]:
    return {
        "mail": pgettext("task", "Mail"),
        "unsubscribe": pgettext("task", "Unsubscribe"),
        "informed": pgettext("task", "Mark as told where the data comes from"),
        "reviewed": pgettext("task", "Mark legal bases as reviewed"),
        "export": pgettext("task", "Export"),
        "delete": pgettext("task", "Delete"),
        "retention": pgettext("task", "Retention"),
    }


def _changed(kind: str, n: int) -> str:
    words = {
        "authorization": ngettext("Authorization set for %(n)s person.", "Authorization set for %(n)s people.", n),
        "source": ngettext("Source set for %(n)s person.", "Source set for %(n)s people.", n),
        "unsubscribe": ngettext("%(n)s person unsubscribed.", "%(n)s people unsubscribed.", n),
        "export": ngettext("The file with %(n)s person is ready.", "The file with %(n)s people is ready.", n),
        "delete": ngettext("%(n)s person deleted.", "%(n)s people deleted.", n),
        "informed": ngettext("%(n)s person marked as told.", "%(n)s people marked as told.", n),
        "reviewed": ngettext("%(n)s legal basis marked as reviewed.", "%(n)s legal bases marked as reviewed.", n),
        "retention": ngettext("%(n)s person erased.", "%(n)s people erased.", n),
        "mail": ngettext("%(n)s mail written.", "%(n)s mails written.", n),
        "undo": ngettext("Undone for %(n)s person.", "Undone for %(n)s people.", n),
    }
    return words.get(kind) or ngettext("%(n)s person changed.", "%(n)s people changed.", n)


def _rest(batch: Batch) -> list[str]:
    """Return who was not changed, in words."""
    parts = []
    if batch.unchanged:
        parts.append(ngettext("%(n)s was so already.", "%(n)s were so already.", batch.unchanged) % _n(batch.unchanged))
    if refused := sum(batch.refused.values()):
        parts.append(ngettext("%(n)s was refused.", "%(n)s were refused.", refused) % _n(refused))
    return parts


def _n(n: int) -> dict[str, str]:
    return {"n": number(n)}


def _slugs(half: str, params: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters of an order as the history names them."""
    kind: Any = AuthorizationType if half == "authorization" else SourceType
    values = {name: params.get(name) for name in ("consent_date", "consent_purpose")}
    return values | {
        f"{half}_type": kind(params["type"]).slug if params.get("type") else None,
        f"{half}_other": params.get("other"),
    }
