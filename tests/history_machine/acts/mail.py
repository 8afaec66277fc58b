"""Mail goes out or is held back; people say no by every way there is, and yes by the one."""

import datetime as dt
import io

from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.utils import timezone

from compliance.models import Suppression
from contacts.models import Contact
from contacts.people.rules import normalise_address
from tests.evidence import PDF
from tests.history_machine.acts.cards import by_a_worker
from tests.history_machine.acts.table import act
from tests.history_machine.world import ADDRESSES, Refused, World
from unsubscribes import tasks
from unsubscribes.crm.reading import applying
from unsubscribes.crm.values import CrmRecord
from unsubscribes.links import links
from unsubscribes.mail import mailing as mails
from unsubscribes.mail.compose import Draft
from unsubscribes.mail.sending import send as sending
from unsubscribes.mail.sending.transport import DeliveryResult, Transport
from unsubscribes.models import Message
from unsubscribes.opt_outs import address_list

PASSWORD = "correct-horse-battery"
MAIL = {"subject": "Hello {{ first_name }}", "body": "Dear {{ first_name }} {{ last_name }}, we have news."}
NOTICE = {"subject": "Your data", "body": "We have your data from an import."}
POSTMARK = {"MessageID": "2706ee8a", "BouncedAt": "2026-11-23T16:30:16Z", "Description": "x", "ID": 1, "TypeCode": 1}


@act("page", "api", "bulk page", "bulk api", leaves="mail_held")
def write(it: World, door: str, who: int, how: int) -> None:
    """Write to somebody or to a selection; the gate holds back what may not go."""
    person, chosen = it.someone(who), it.some(who)
    if door == "page":
        it.ok(it.member_page.post(f"/people/{person.pk}/mail/", MAIL | {"step": "send", "language": "en"}))
    elif door == "bulk page":
        form = MAIL | {"step": "send", "language": "en", "ids": chosen, "approved": len(chosen)}
        it.ok(it.member_page.post("/mails/compose/", form))
    elif door == "api":
        it.ok(it.member_api.post(f"/api/v1/contacts/{person.pk}/mails/", MAIL, format="json"))
    else:
        body = MAIL | {"selection": {"ids": chosen}}
        it.ok(it.member_api.post("/api/v1/bulk/mails/", body, format="json"))


@act("page", "api", leaves="")
def write_a_notice(it: World, door: str, who: int, how: int) -> None:
    """Tell somebody where the data comes from, by a mail that an administrator has marked as the information."""
    person = it.someone(who)
    template = mails.keep_template("Notice", Draft(**NOTICE), actor=it.member)
    it.ok(it.admin_page.post(f"/mails/templates/{template.pk}/informs/", {"informs": "true"}))
    if door == "page":
        it.ok(it.member_page.post(f"/people/{person.pk}/mail/", NOTICE | {"step": "send", "language": "en"}))
    else:
        it.ok(it.member_api.post(f"/api/v1/contacts/{person.pk}/mails/", NOTICE, format="json"))


@act("worker", leaves="mailed", needs="a waiting mail")
def send(it: World, door: str, who: int, how: int) -> None:
    """Let the worker send what waits; each mail that leaves has a link that works for ever."""
    waiting = list(Message.objects.filter(state="queued").values_list("pk", flat=True))
    tasks.sweep_mail()
    for message in Message.objects.filter(pk__in=waiting, state="sent").select_related("link"):
        it.links.append((normalise_address(message.email), message.link))


@act("refusal", "lost worker", leaves="mail_failed", needs="a waiting mail")
def fail_to_send(it: World, door: str, who: int, how: int) -> None:
    """Let the mail server refuse a mail, or the worker that sends it be lost."""
    message = sending.claim()
    if message is None:
        raise Refused("no mail waits")
    if message.state != "sending":
        return
    if door == "refusal":
        sending.deliver(message, Refusing())
    else:
        it.clock.move(dt.timedelta(minutes=2))
        tasks.sweep_mail()


class Refusing(Transport):
    """A connection to a mail server that wants none of it."""

    def carry(self, _mail: object, _may_leave: object) -> tuple[DeliveryResult, str]:
        """Refuse for good."""
        return DeliveryResult.REFUSED, "550 no such user"


@act("page", leaves="", needs="a stopped mail")
def send_again(it: World, door: str, who: int, how: int) -> None:
    """Ask for a mail that was held back or failed to be sent again; the gate decides anew."""
    stopped = Message.objects.filter(state__in=["held", "failed", "unknown"]).order_by("-pk").first()
    it.ok(it.member_page.post(f"/mails/{stopped.pk}/resolve/", {"resolution": "resend"}))


@act("page", "api", "bulk page", "bulk api", "worker", leaves="unsubscribed")
def opt_out(it: World, door: str, who: int, how: int) -> None:
    """Unsubscribe somebody or a selection by hand."""
    person, chosen = it.someone(who), it.some(who)
    reason = {"reason": f"{person.last_name} phoned"}
    if door in {"page", "api"}:
        chosen = [person.pk]
    said = list(Contact.objects.filter(pk__in=chosen).values_list("email_key", flat=True))
    if door == "page":
        it.ok(it.member_page.post(f"/people/{person.pk}/unsubscribe/", reason))
    elif door == "api":
        it.ok(it.member_api.post(f"/api/v1/contacts/{person.pk}/unsubscribes/", reason, format="json"))
    elif door == "bulk page":
        it.ok(it.member_page.post("/people/bulk/unsubscribe/", reason | {"ids": chosen, "approved": len(chosen)}))
    elif door == "bulk api":
        body = reason | {"selection": {"ids": chosen}}
        it.ok(it.member_api.post("/api/v1/bulk/unsubscribe/", body, format="json"))
    else:
        by_a_worker(it, "unsubscribe", chosen, reason)
    it.says_no(*said)


@act("link", "one click", leaves="unsubscribed", needs="a link")
def follow_a_link(it: World, door: str, who: int, how: int) -> None:
    """Let a recipient use the link of a mail, however old it is."""
    address, link = it.links[who % len(it.links)]
    body = {"List-Unsubscribe": "One-Click"} if door == "one click" else {"reason": "Enough"}
    path = links.url(link).removeprefix(settings.SITE_URL)
    it.anonymous.get(path)
    it.ok(it.anonymous.post(path, body))
    it.says_no(address)


@act("bounce", "complaint", "salesforce", "list", leaves="unsubscribed", needs="")
def say_no_elsewhere(it: World, door: str, who: int, how: int) -> None:
    """Hear of a no from a mail provider, from Salesforce or from a list: of an address, maybe nobody's."""
    address = ADDRESSES[who % len(ADDRESSES)]
    if door == "bounce":
        it.report(POSTMARK | {"RecordType": "Bounce", "Type": "HardBounce", "Email": address})
    elif door == "complaint":
        it.report(POSTMARK | {"RecordType": "SpamComplaint", "Type": "SpamComplaint", "Email": address})
    elif door == "salesforce":
        pull(it, address, who)
    else:
        address_list.take(io.BytesIO(f"{address}\n".encode()), "list.txt", actor=it.admin)
    it.says_no(normalise_address(address))


def pull(it: World, address: str, number: int) -> None:
    """Let the sync read a record that is opted out there."""
    row = CrmRecord(
        sf_id=f"003{number % len(ADDRESSES):012d}AAA", sobject="Contact", email_key=normalise_address(address),
        opted_out=True, stamp=timezone.now(), modified_by="005000000000001AAA", deleted=False, successor_id="",
        account_id="", person_account=False, details={},
    )  # fmt: skip
    with transaction.atomic():
        applying.apply([row], our_user="005000000000009AAA", now=timezone.now() + dt.timedelta(seconds=1))


@act("page", "api", leaves="resubscribed", needs="an unsubscribed person")
def consent_anew(it: World, door: str, who: int, how: int) -> None:
    """Remove an unsubscribe on the ground of a new consent: an administrator, with the proof of it."""
    person = it.someone(who, card__unsubscribed=True, card__restricted_at=None)
    shown = {
        "consent_date": timezone.localdate().isoformat(),
        "channel": "phone",
        "wording": f"Yes, says {person.first_name}",
        "purpose": "Newsletter",
        "evidence_reference": f"The call of {person.last_name}, number 4711",
    }
    if how % 2:
        shown["evidence_file"] = SimpleUploadedFile(f"{person.last_name}.pdf", PDF)
    if door == "page":
        form = shown | {
            "confirmation": person.email or str(person),
            "password": PASSWORD,
            "version": person.card.version,
        }
        it.ok(it.admin_page.post(f"/people/{person.pk}/re-consent/", form))
    else:
        it.ok(it.admin_session.post(f"/api/v1/contacts/{person.pk}/re-consent/", shown, format="multipart"))
    it.said_no -= {person.email_key}
    assert not Suppression.objects.filter(address_hash=person.address_hash, address_hash__isnull=False).exists()
