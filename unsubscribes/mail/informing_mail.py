"""Mail that informs people that we hold their data (GDPR art. 14), and marks them as informed when it is sent."""

from django.db import transaction
from django.utils import timezone

from compliance.card import card_changes
from compliance.review import informing
from contacts.models import Contact
from salesconnect.lib.actor import Actor, system
from salesconnect.lib.errors import Missing
from salesconnect.lib.outcome import Outcome
from unsubscribes.mail.compose import Draft, clean_html
from unsubscribes.models import MailTemplate, Message


def is_notice(draft: Draft) -> bool:
    """Tell whether a draft equals a template that an administrator has marked as the information, word for word."""
    html = clean_html(draft.body_html)
    return MailTemplate.objects.filter(informs=True, subject=draft.subject, body=draft.body, body_html=html).exists()


def template() -> MailTemplate | None:
    """Return the template that informs; the newest, if there are several, such as one per language."""
    return MailTemplate.objects.filter(informs=True).order_by("-updated_at").first()


@transaction.atomic
def use(template_id: int, *, informs: bool, actor: Actor) -> Outcome:
    """Mark a template as the information, or unmark it. Raises `Forbidden` and `Missing`.

    Mail with its text is sent regardless of the policy, so this takes the right to edit the policy.
    """
    actor.require_recent("edit_policy")
    found = MailTemplate.objects.filter(pk=template_id)
    if not found.exists():
        raise Missing
    changed = found.exclude(informs=informs).update(informs=informs, updated_at=timezone.now())
    return Outcome(changed=changed, unchanged=1 - changed)


def lock_card(message_id: int) -> None:
    """Lock the card of the message's person, whom a merge may have changed; cards are locked before messages."""
    card_changes.lock(Contact.objects.filter(pk__in=Message.objects.filter(pk=message_id).values("contact_id")))


def mark_reader_informed(message: Message) -> None:
    """Mark the recipient of a sent message as informed, if the message informs."""
    if message.informs:
        informing.mark(Contact.objects.filter(pk=message.contact_id), actor=system(), how=informing.BY_MAIL)


def unmark_reader_informed(message: Message) -> None:
    """Undo that after the message came back, unless another sent message informed the person."""
    others = Message.objects.filter(contact_id=message.contact_id, informs=True, state=Message.State.SENT)
    if message.informs and not others.exclude(pk=message.pk).exists():
        informing.withdraw_after_bounce(message.contact_id, actor=system())
