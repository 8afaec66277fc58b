"""The acts on mail: write to people, resolve messages that were held back, failed or are unknown, save templates."""

from collections import Counter
from typing import Literal

from django.utils import timezone
from django.utils.translation import gettext as _

from contacts.models import Contact
from contacts.people.queries import ContactQuerySet
from salesconnect.lib.actor import Actor
from salesconnect.lib.database.transactions import act
from salesconnect.lib.errors import Conflict, Invalid, Missing
from salesconnect.lib.kick import kick
from salesconnect.lib.outcome import Outcome
from unsubscribes.mail import failures, gate, informing_mail, mail_events, team
from unsubscribes.mail.compose import Draft, MailContext, RenderedMail, clean_html, render
from unsubscribes.mail.gate import GateDecision
from unsubscribes.models import TEMPLATE_NAME_LIMIT, MailTemplate, Message

MessageState, MessageReason = Message.State, Message.Reason
Resolution = Literal["resend", "sent"]
RESOLVABLE: dict[Resolution, tuple[str, ...]] = {
    "resend": (MessageState.UNKNOWN, MessageState.HELD, MessageState.FAILED),
    "sent": (MessageState.UNKNOWN,),
}


@act
def write(contacts: ContactQuerySet, draft: Draft, *, actor: Actor, batch_id: int | None = None) -> Outcome:
    """Write a message to each of `contacts`; those that the gate holds back are stored as held, and count as refused.

    Raises `Forbidden` without the right, and `Invalid` when the draft cannot be sent to anybody.
    """
    messages = _write(contacts, draft, actor=actor, batch_id=batch_id)
    held = Counter(message.reason for message in messages if message.state == MessageState.HELD)
    return Outcome(changed=len(messages) - held.total(), refused=held)


@act
def write_to_one(contact_id: int, draft: Draft, *, actor: Actor) -> Message:
    """Write to one person and return the message, waiting to be sent or held back. Raises as `write`, and `Missing`."""
    messages = _write(Contact.objects.visible_to(actor).filter(pk=contact_id), draft, actor=actor, batch_id=None)
    if not messages:
        raise Missing
    if messages[0].state == MessageState.QUEUED:
        kick("unsubscribes.send_mail", messages[0].pk)
    return messages[0]


@act
def resolve(message_id: int, resolution: Resolution, *, actor: Actor) -> Message:
    """Resolve a message: resend one that is unknown, held back or failed, or mark an unknown one as sent.

    The gate decides anew about a resent message; if it was held back for undelivered mail, those failures are deleted.
    Raises `Missing`, and `Conflict` (`not_stopped`) if the message is in no such state.
    """
    actor.require("mail_people")
    informing_mail.lock_card(message_id)
    message = Message.objects.select_for_update().filter(pk=message_id).first()
    if message is None:
        raise Missing
    if message.state not in RESOLVABLE[resolution]:
        raise Conflict("not_stopped", _("There is nothing to decide about this mail, or not any more."))
    if resolution == "resend":
        if message.reason == MessageReason.UNDELIVERABLE:
            failures.allow(message.contact_id, actor=actor)
        message.state, message.reason, message.attempts, message.not_before = MessageState.QUEUED, "", 0, timezone.now()
        kick("unsubscribes.send_mail", message.pk)
    else:
        message.state, message.reason, message.sent_at = (
            MessageState.SENT,
            MessageReason.MARKED_SENT,
            message.claimed_at,
        )
    message.decided_by = actor.name
    message.save(update_fields=["state", "reason", "attempts", "not_before", "sent_at", "decided_by"])
    if message.state == MessageState.SENT:
        mail_events.sent(message, by=actor)
        informing_mail.mark_reader_informed(message)
    return message


@act
def keep_template(name: str, draft: Draft, *, actor: Actor) -> MailTemplate:
    """Save a draft as the template of this name, replacing an earlier one. Raises `Invalid`."""
    actor.require("mail_people")
    name = " ".join(name.split())
    if not 0 < len(name) <= TEMPLATE_NAME_LIMIT:
        raise Invalid(
            {"name": [_("Give the template a name of at most %(limit)d characters.") % {"limit": TEMPLATE_NAME_LIMIT}]}
        )
    draft.check()
    values = {
        "subject": draft.subject,
        "body": draft.body,
        "body_html": clean_html(draft.body_html),
        "actor_name": actor.name,
        "informs": False,
    }
    return MailTemplate.objects.update_or_create(name=name, defaults=values)[0]


def remove_template(template_id: int, *, actor: Actor) -> Outcome:
    """Delete a template; mails that were written with it stay as they are."""
    actor.require("mail_people")
    return Outcome(changed=MailTemplate.objects.filter(pk=template_id).delete()[0])


def mail_context(actor: Actor, language: str) -> MailContext:
    settings = team.current()
    return MailContext(actor.name, team.name(settings), team.words(settings, language))


def _write(contacts: ContactQuerySet, draft: Draft, *, actor: Actor, batch_id: int | None) -> list[Message]:
    actor.require("mail_people")
    draft.check()
    around, informs = mail_context(actor, draft.language), informing_mail.is_notice(draft)
    messages = [
        _message(decision, render(draft, decision.contact, around), draft.language, actor, batch_id)
        for decision in gate.decide(contacts, informs=informs)
    ]
    for message in messages:
        message.informs = informs
    Message.objects.bulk_create(messages, batch_size=1_000)
    mail_events.held([message for message in messages if message.state == MessageState.HELD])
    return messages


def _message(
    decision: GateDecision, rendered: RenderedMail, language: str, actor: Actor, batch_id: int | None
) -> Message:
    return Message(
        contact=decision.contact,
        batch_id=batch_id,
        user_id=actor.user_id,
        actor_name=actor.name,
        door=actor.door,
        email=decision.contact.email,
        language=language,
        subject=rendered.subject,
        text=rendered.text,
        html=rendered.html,
        state=MessageState.HELD if decision.reason else MessageState.QUEUED,
        reason=decision.reason,
    )
