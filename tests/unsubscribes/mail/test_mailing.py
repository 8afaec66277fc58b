import pytest

from compliance.card import card_changes as cards
from compliance.card.legal_basis_registry import AuthorizationType
from compliance.card.rules import Authorization
from contacts.models import Contact
from exports.erasure import erasure
from salesconnect.lib.errors import Conflict, Forbidden, Missing
from tests.mailing import DRAFT
from unsubscribes.mail import mailing
from unsubscribes.mail.sending import send
from unsubscribes.models import MailLink, MailTemplate, Message


def test_a_mail_that_was_held_back_is_checked_anew_when_it_is_sent_again(person, server, member):
    eva = person(email="eva@example.com")
    held = mailing.write_to_one(eva.pk, DRAFT, actor=member)
    mailing.resolve(held.pk, "resend", actor=member)
    send.drain()
    held.refresh_from_db()
    assert (held.state, held.reason, server.mails) == ("held", "no_authorization", [])
    contract = Authorization(AuthorizationType.CONTRACT)
    cards.authorise(Contact.objects.filter(pk=eva.pk), contract, actor=member)
    mailing.resolve(held.pk, "resend", actor=member)
    send.drain()
    held.refresh_from_db()
    assert (held.state, server.recipients) == ("sent", ["eva@example.com"])


@pytest.mark.parametrize(
    ("state", "resolution"), [("queued", "resend"), ("sending", "resend"), ("sent", "resend"), ("held", "sent")]
)
def test_there_is_nothing_to_decide_about_a_mail_that_goes_its_way(written, member, state, resolution):
    Message.objects.update(state=state)
    with pytest.raises(Conflict) as refusal:
        mailing.resolve(written.pk, resolution, actor=member)
    assert refusal.value.code == "not_stopped"


def test_an_auditor_writes_to_nobody(anna, auditor):
    with pytest.raises(Forbidden):
        mailing.write_to_one(anna.pk, DRAFT, actor=auditor)
    with pytest.raises(Forbidden):
        mailing.resolve(1, "sent", actor=auditor)
    with pytest.raises(Forbidden):
        mailing.keep_template("x", DRAFT, actor=auditor)


def test_who_is_not_there_cannot_be_written_to(member, db):
    with pytest.raises(Missing):
        mailing.write_to_one(999, DRAFT, actor=member)


def test_deleting_a_person_deletes_the_mails_and_keeps_the_links(written, member):
    send.drain()
    erasure.delete(Contact.objects.all(), actor=member)
    assert (Contact.objects.count(), Message.objects.count(), MailLink.objects.count()) == (0, 0, 1)


def test_a_template_of_the_same_name_is_replaced(member, db):
    first = mailing.keep_template("Fair", DRAFT, actor=member)
    assert mailing.keep_template(" Fair ", DRAFT, actor=member).pk == first.pk
    assert mailing.remove_template(first.pk, actor=member).changed == 1
    assert MailTemplate.objects.count() == 0
