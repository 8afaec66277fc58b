"""Mail that tells people that we hold their data (GDPR art. 14): which it is, and what it counts for when it left."""

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
    """Tell whether a draft is word for word a template that an administrator has marked as the information."""
    html = clean_html(draft.body_html)
    return MailTemplate.objects.filter(informs=True, subject=draft.subject, body=draft.body, body_html=html).exists()


def template() -> MailTemplate | None:
    """Return the template that informs; the newest, should there be several, in several languages."""
    return MailTemplate.objects.filter(informs=True).order_by("-updated_at").first()


@transaction.atomic
def use(template_id: int, *, informs: bool, actor: Actor) -> Outcome:
    """Say that a template is the information, or no longer. Raises `Forbidden` and `Missing`.

    Mail with its text leaves whatever the policy says, so this is the right of those who make the policy.
    """
    actor.require_recent("edit_policy")
    found = MailTemplate.objects.filter(pk=template_id)
    if not found.exists():
        raise Missing
    changed = found.exclude(informs=informs).update(informs=informs, updated_at=timezone.now())
    return Outcome(changed=changed, unchanged=1 - changed)


def lock_card(message_id: int) -> None:
    """Lock the card of whoever a message is to: cards are locked before messages, here as anywhere.

    It is whose the message is by now, for records may have been merged while it was on its way.
    """
    card_changes.lock(Contact.objects.filter(pk__in=Message.objects.filter(pk=message_id).values("contact_id")))


def mark_reader_informed(message: Message) -> None:
    """Put on record that the reader of a message that has left was told by it, if it is one that tells."""
    if message.informs:
        informing.mark(Contact.objects.filter(pk=message.contact_id), actor=system(), how=informing.BY_MAIL)


def unmark_reader_informed(message: Message) -> None:
    """Put on record that nobody was told by a message that came back, unless another one told the person."""
    others = Message.objects.filter(contact_id=message.contact_id, informs=True, state=Message.State.SENT)
    if message.informs and not others.exclude(pk=message.pk).exists():
        informing.withdraw_after_bounce(message.contact_id, actor=system())
