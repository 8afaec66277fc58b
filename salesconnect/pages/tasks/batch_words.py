"""Texts about bulk changes: what was ordered, and the result."""

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from contacts.jobs.acts import ACTS
from contacts.models import Batch
from unsubscribes.models import Message


def number(n: int) -> str:
    return number_format(n, use_l10n=True, force_grouping=True)


def headline(batch: Batch) -> str:
    """Return what was ordered, such as “Authorization: Contract”."""
    declared = ACTS.get(batch.kind)
    return declared.headline(batch) if declared else batch.kind


def result(batch: Batch) -> str:
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
    return " ".join([ACTS[batch.kind].done(batch.changed) % {"n": number(batch.changed)}, *_rest(batch)])


def refusal(reason: str) -> str:
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
    for declared in ACTS.values():
        words |= {code: str(said) for code, said in declared.refusals.items()}
    return words.get(reason) or str(dict(Message.Reason.choices).get(reason, reason)).removesuffix(".")


def undoable(batch: Batch) -> bool:
    """Tell whether the kind of batch can be undone and anything was changed."""
    return ACTS[batch.kind].undoable and bool(batch.changed)


def _rest(batch: Batch) -> list[str]:
    parts = []
    if batch.unchanged:
        parts.append(ngettext("%(n)s was unchanged.", "%(n)s were unchanged.", batch.unchanged) % _n(batch.unchanged))
    if refused := sum(batch.refused.values()):
        parts.append(ngettext("%(n)s was refused.", "%(n)s were refused.", refused) % _n(refused))
    return parts


def _n(n: int) -> dict[str, str]:
    return {"n": number(n)}
