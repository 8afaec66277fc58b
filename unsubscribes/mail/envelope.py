"""A message as it goes over the wire: parts, addresses and headers."""

from email.message import EmailMessage
from email.utils import formataddr
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives

from contacts.models import Contact
from unsubscribes import links
from unsubscribes.mail.compose import with_link
from unsubscribes.models import Message, TeamSettings

LONGEST_LINE = 998
"""The limit of RFC 5322, 2.1.1."""
PAGE = '<!doctype html>\n<html lang="{language}"><head><meta charset="utf-8"></head><body>\n{html}\n</body></html>\n'


class Mail(EmailMultiAlternatives):
    """A mail whose header lines are not folded: not every program that follows `List-Unsubscribe` can unfold it."""

    def message(self, **kwargs: Any) -> EmailMessage:
        """Return the mail as the standard library has it."""
        mail = super().message(**kwargs)
        mail.policy = mail.policy.clone(max_line_length=LONGEST_LINE)
        return mail


def build(message: Message, team: TeamSettings) -> Mail:
    """Return the mail with both parts and the headers of one-click unsubscription (RFC 2369, RFC 8058).

    The Message-ID is the same at every attempt, so that a copy can be told. Raises ValueError for what cannot stand
    in a header.
    """
    contact, url = message.contact, links.url(message.link) if message.link else None
    if url is None:
        raise ValueError("The mail has no unsubscribe link.")
    reply_to = message.user.email if message.user and message.user.email else team.contact_address
    mail = Mail(
        subject=message.subject,
        body=with_link(message.text, url),
        to=[formataddr((" ".join(str(contact).split()), deliverable(contact)))],
        reply_to=[reply_to] if reply_to else None,
        headers={
            "Message-ID": message_id(message),
            "List-Unsubscribe": f"<{url}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        },
    )
    page = PAGE.format(language=message.language, html=with_link(message.html, url))
    mail.attach_alternative(page, "text/html")
    return mail


def message_id(message: Message) -> str:
    """Return the Message-ID: the row's number and the moment it was written, at the site's host."""
    written = int(message.created_at.timestamp() * 1_000_000)
    return f"<{message.pk}.{written}@{urlsplit(settings.SITE_URL).hostname}>"


def deliverable(contact: Contact) -> str:
    """Return the address as servers take it: the part before the @ as given, the domain in its ASCII form."""
    return contact.email.rpartition("@")[0] + "@" + contact.email_key.rpartition("@")[2]
