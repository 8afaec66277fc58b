"""An older version's database, with people in it, is brought up to date; nothing of it is lost or judged anew."""

import io

import pytest
from allauth.mfa.models import Authenticator
from django.core.management import call_command
from django.test import Client

from compliance.suppression import suppression
from compliance.verdict import policy, verdict
from compliance.verdict.verdict import CHOICES
from contacts.models import Contact, Merge, User
from contacts.people.rules import normalise_address
from exports.models import DataRequest
from salesconnect.lib import encryption
from tests import definitions
from tests.upgrade.make import VERSIONS
from tests.upgrade.restoring import Upgraded, rows, upgraded
from unsubscribes.links import links
from unsubscribes.models import MailLink, Message, SyncConnection, SyncRecord

DJANGOS_OWN = {"django_migrations", "django_content_type", "auth_permission"}
CHANGES = {
    # An address that a user claimed beside the account's goes; a "no" of a folded domain stands under both its forms,
    # and Salesforce hears of it; the history tells who looks like somebody who said no.
    "0.1": {
        "account_emailaddress": -1,
        "compliance_suppression": 1,
        "unsubscribes_syncnotice": 1,
        "contacts_contactevent": 1,
    },
    "0.2.dev": {},
}
"""By how many rows the upgrade of a version changes which table."""
RENAMED = {"unsubscribes_syncwish": "unsubscribes_outboxentry"}
SECOND_STEP = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
PAGES = (
    "/people/",
    "/compliance/",
    "/compliance/record/",
    "/requests/",
    "/tasks/",
    "/mails/",
    "/unsubscribes/",
    "/sync/",
    "/settings/proof/",
    "/settings/policy/",
    "/settings/retention/",
    "/settings/users/",
)


@pytest.fixture(scope="module", params=VERSIONS)
def installation(request, tmp_path_factory, django_db_blocker):
    """Return an installation of that version after its upgrade."""
    with django_db_blocker.unblock(), upgraded(request.param, tmp_path_factory.mktemp("data")) as found:
        yield found


def test_every_row_is_still_there(installation: Upgraded):
    before, now = {RENAMED.get(name, name): number for name, number in installation.rows_before.items()}, rows()
    assert min(before[name] for name in ("contacts_contact", "contacts_contactevent")) > 100
    changes = {name: now.get(name, 0) - number for name, number in before.items() if now.get(name) != number}
    assert {name: more for name, more in changes.items() if name not in DJANGOS_OWN} == CHANGES[installation.version]


def test_the_verdict_of_nobody_changes(installation: Upgraded):
    judged = verdict.expression(policy.current(), now=installation.made_at)
    verdicts = dict(Contact.objects.annotate(verdict=judged).values_list("id", "verdict"))
    assert {*verdicts.values()} == {"may", "may_not", "ask_first"}
    # Version 0.1 did not see what addresses look like.
    assert verdicts == installation.verdicts | {installation.resembling: "ask_first"}


def test_what_version_0_1_stored_wrongly_is_put_right(installation: Upgraded):
    folded, apart = "kim@grosshandel.example", "kim@gro\u00dfhandel.example"
    assert Contact.objects.get(email=apart).email_key == normalise_address(apart)
    assert suppression.of_address(normalise_address(apart))
    assert bool(suppression.of_address(folded)) == (installation.version == "0.1")
    never_left = Message.objects.filter(state="held", reason="never_left").count()
    assert never_left == (2 if installation.version == "0.1" else 0)


def test_functions_and_triggers_are_those_of_a_new_database(installation: Upgraded):
    upgraded_to, new = definitions.stored(), definitions.written()
    assert upgraded_to.keys() == new.keys()
    # PostgreSQL writes the condition of a trigger that came out of a dump in another way.
    functions = {name for name in new if " on " not in name}
    assert [name for name in functions if upgraded_to[name] != new[name]] == []


def test_the_history_verifies(installation: Upgraded):
    said = io.StringIO()
    call_command("verify_history", stdout=said, stderr=io.StringIO())
    assert said.getvalue().startswith("Good: ")


def test_the_records_agree_with_each_other(installation: Upgraded):
    said = io.StringIO()
    try:
        call_command("check_records", stdout=said)
    except SystemExit:
        pytest.fail(said.getvalue())
    assert said.getvalue() == "The records agree: no differences.\n"


@pytest.mark.parametrize("address", PAGES)
def test_pages_open(installation: Upgraded, address: str):
    assert _alice().get(address).status_code == 200


def test_the_page_of_a_person_opens_whatever_happened_to_the_person(installation: Upgraded):
    merged = Merge.objects.filter(undone_at=None).values_list("survivor_id", flat=True)
    some = {next(number for number, each in installation.verdicts.items() if each == code) for code, _ in CHOICES}
    asked = DataRequest.objects.exclude(contact=None).values_list("contact_id", flat=True)
    linked = SyncRecord.objects.exclude(contact_id=None).values_list("contact_id", flat=True)[:3]
    browser = _alice()
    for number in {*some, *merged, *asked, *linked}:
        assert browser.get(f"/people/{number}/").status_code == 200, number


def test_secrets_open_under_their_key(installation: Upgraded):
    assert encryption.decrypt(SyncConnection.objects.get().secret)
    assert encryption.decrypt(Authenticator.objects.get(type="totp").data["secret"]) == SECOND_STEP


def test_links_of_mails_that_were_sent_and_keys_to_the_api_still_work(installation: Upgraded):
    for link in MailLink.objects.all():
        assert Client().get(links.url(link)).status_code == 200
    answer = Client().get("/api/v1/contacts/", headers={"Authorization": f"Token {installation.token}"})
    assert answer.status_code == 200


def _alice() -> Client:
    browser = Client()
    browser.force_login(User.objects.get(username="alice"))
    return browser
