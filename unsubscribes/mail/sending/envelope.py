"""Builds the MIME message: parts, addresses and headers."""

from email.message import EmailMessage
from email.utils import formataddr, parseaddr
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives

from contacts.models import Contact
from contacts.people.rules import normalise_address
from salesconnect.lib.web.domains import ascii_domain
from unsubscribes.links import links
from unsubscribes.mail.compose import with_link
from unsubscribes.mail.sending import headers
from unsubscribes.models import Message, TeamSettings

PAGE = '<!doctype html>\n<html lang="{language}"><head><meta charset="utf-8"></head><body>\n{html}\n</body></html>\n'


class OutgoingMail(EmailMultiAlternatives):
    """A mail whose header fields are encoded by `headers`; `addressee` is the recipient's name and address."""

    addressee: tuple[str, str]

    def message(self, **kwargs: Any) -> EmailMessage:
        mail = super().message(**kwargs)
        sender, address = parseaddr(self.from_email)
        fields = {
            "Subject": headers.text("Subject", str(self.subject)),
            "From": headers.mailbox("From", sender, in_ascii(address)),
            "To": headers.mailbox("To", *self.addressee),
        }
        for name, value in fields.items():
            del mail[name]
            mail[name] = value
        mail.policy = headers.HeaderPolicy()
        return mail


def build(message: Message, team: TeamSettings) -> OutgoingMail:
    """Build the mail with both parts and the headers of one-click unsubscription (RFC 2369, RFC 8058 section 3.1).

    The Message-ID is the same at every attempt, so that receivers can recognise a copy. Raises ValueError for values
    that are not allowed in a header.
    """
    contact, url = message.contact, links.url(message.link) if message.link else None
    if url is None:
        raise ValueError("The mail has no unsubscribe link.")
    reply_to = message.user.email if message.user and message.user.email else team.contact_address
    addressee = (" ".join(str(contact).split()), deliverable(contact))
    mail = OutgoingMail(
        subject=message.subject,
        body=with_link(message.text, url),
        to=[formataddr(addressee)],
        reply_to=[reply_to] if reply_to else None,
        headers={
            "Message-ID": message_id(message),
            "List-Unsubscribe": f"<{url}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        },
    )
    mail.addressee = addressee
    page = PAGE.format(language=message.language, html=with_link(message.html, url))
    mail.attach_alternative(page, "text/html")
    return mail


def message_id(message: Message) -> str:
    """Return the Message-ID: the row's id and creation time, at the site's host."""
    written = int(message.created_at.timestamp() * 1_000_000)
    return f"<{message.pk}.{written}@{urlsplit(settings.SITE_URL).hostname}>"


def deliverable(contact: Contact) -> str:
    """Return the address for SMTP: the local part as given, the domain in its ASCII form (IDNA)."""
    return contact.email.rpartition("@")[0] + "@" + normalise_address(contact.email).rpartition("@")[2]


def in_ascii(address: str) -> str:
    local, at, domain = address.rpartition("@")
    return f"{local}{at}{ascii_domain(domain)}"
