"""Renders a mail: fills in merge fields, sanitises the HTML, and adds the unsubscribe link."""

import re
from dataclasses import dataclass

import nh3
from django.utils.html import escape, linebreaks, strip_tags, urlize
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from contacts.models import Contact
from salesconnect.lib.errors import Invalid
from unsubscribes.mail.merge_fields import FIELD, merge, unknown_fields
from unsubscribes.models import SUBJECT_LIMIT

LINK = "{{ unsubscribe_link }}"
LINK_FIELD = re.compile(r"\{\{\s*unsubscribe_link\s*\}\}")
BODY_LIMIT = 100_000
PERSON_FIELDS = {
    "first_name": _("First name"),
    "last_name": _("Last name"),
    "company": _("Company"),
    "title": _("Title"),
    "email": _("Email"),
}
FIELDS = PERSON_FIELDS | {
    "sender_name": _("Sender’s name"),
    "our_company": _("Our company"),
    "unsubscribe_link": _("Unsubscribe link"),
}
TAGS = {
    "a",
    "b",
    "blockquote",
    "br",
    "code",
    "em",
    "h2",
    "h3",
    "hr",
    "i",
    "li",
    "ol",
    "p",
    "pre",
    "s",
    "strong",
    "u",
    "ul",
}
BLOCK_END = re.compile(r"<br ?/?>|</(?:p|div|li|h[1-6]|blockquote|pre|ul|ol)>", re.IGNORECASE)
IN_A_TAG = re.compile(r"<[^<>]*>")


@dataclass(frozen=True, slots=True)
class Draft:
    """A mail as written, with merge fields in all three texts; `body_html` is empty for plain text."""

    subject: str
    body: str
    body_html: str = ""
    language: str = "en"

    def check(self) -> None:
        """Raise `Invalid` by field."""
        errors: dict[str, list[str]] = {}
        if not self.subject.strip():
            errors["subject"] = [_t("Give the mail a subject.")]
        if len(self.subject) > SUBJECT_LIMIT:
            errors["subject"] = [_t("Use at most %(limit)d characters.") % {"limit": SUBJECT_LIMIT}]
        if not (self.body.strip() or strip_tags(self.body_html).strip()):
            errors["body"] = [_t("Write a message.")]
        for field, text in (("subject", self.subject), ("body", self.body), ("body_html", self.body_html)):
            known = set(FIELDS) - ({"unsubscribe_link"} if field == "subject" else set())
            if unknown := unknown_fields(text, known):
                errors[field] = [_t("There is no merge field “%(name)s”.") % {"name": name} for name in unknown]
            if len(text) > BODY_LIMIT:
                errors[field] = [_t("Use at most %(limit)d characters.") % {"limit": BODY_LIMIT}]
        if errors:
            raise Invalid(errors)


@dataclass(frozen=True, slots=True)
class MailContext:
    """The parts of a mail that its writer does not write: names and the unsubscribe footer."""

    sender_name: str
    our_company: str
    words: str


@dataclass(frozen=True, slots=True)
class RenderedMail:
    """A mail to one person, complete but for the placeholder `LINK`, as the link is created when it is sent."""

    subject: str
    text: str
    html: str


def render(draft: Draft, contact: Contact, around: MailContext) -> RenderedMail:
    """Return the draft as `contact` will read it, with the link at the end unless the draft itself places it."""
    values = {name: str(getattr(contact, name)) for name in PERSON_FIELDS}
    values |= {"sender_name": around.sender_name, "our_company": around.our_company}
    values = {name: FIELD.sub("", value) for name, value in values.items()}
    plain = draft.body if draft.body.strip() else _plain(draft.body_html)
    rich = draft.body_html if draft.body_html.strip() else linebreaks(urlize(escape(draft.body.strip())))
    words = merge(around.words, values)
    return RenderedMail(
        subject=" ".join(merge(draft.subject, values).split())[:SUBJECT_LIMIT],
        text=_text(merge(plain, values), words),
        html=_html(merge(rich, values, escape), words, draft.language),
    )


def clean_html(html: str) -> str:
    """Sanitise HTML: keep a few tags; remove scripts, styles and anything that loads content."""
    return nh3.clean(html, tags=TAGS, attributes={"a": {"href", "title"}})


def with_link(text: str, url: str) -> str:
    return text.replace(LINK, url)


def _text(text: str, words: str) -> str:
    text = LINK_FIELD.sub(LINK, text).strip()
    return text if LINK in text else f"{text}\n\n-- \n{_ending_in_link(words)}"


def _html(merged: str, words: str, language: str) -> str:
    """Sanitise first, then look for the link: one inside a comment or an attribute would not be visible."""
    html = LINK_FIELD.sub(LINK, clean_html(merged))
    with override(language):
        anchor = f'<a href="{LINK}">{_t("Unsubscribe")}</a>'
    places = LINK in IN_A_TAG.sub("", html)
    html = "".join(part if IN_A_TAG.fullmatch(part) else part.replace(LINK, anchor) for part in _tags_and_texts(html))
    if places:
        return html
    ending = escape(_ending_in_link(words)).replace(LINK, anchor)
    return f"{html}\n<hr>\n<p>{ending}</p>"


def _tags_and_texts(html: str) -> list[str]:
    return re.split(f"({IN_A_TAG.pattern})", html)


def _ending_in_link(words: str) -> str:
    words = LINK_FIELD.sub(LINK, words).strip()
    return words if LINK in words else f"{words} {LINK}"


def _plain(html: str) -> str:
    cleaned = nh3.clean(BLOCK_END.sub("\n", html), tags=set())
    lines = (line.strip() for line in _unescaped(cleaned).splitlines())
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _unescaped(text: str) -> str:
    for entity, character in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&nbsp;", " "), ("&amp;", "&")):
        text = text.replace(entity, character)
    return text
