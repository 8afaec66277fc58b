"""Fill the database of an older version through that version's own services, and write it down; see `make`.

It runs inside the older version's code, so it imports nothing of the present one.
"""

# ruff: noqa: E402, I001 - models exist only after setup, and the modules are where the older version has them

import datetime as dt
import importlib.util
import io
import json
import lzma
import subprocess
import sys
import tarfile
from pathlib import Path

import django

django.setup()

from allauth.account.models import EmailAddress
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from compliance import orders, policy, restriction, suppression, verdict
from compliance.creation import create_person
from compliance.rules import Authorization, AuthorizationType
from compliance.staging import NewPerson
from contacts import batches, partitions, tokens
from contacts.management.commands import seed_demo
from contacts.models import Contact, User
from contacts.queries import ContactQuerySet
from exports import erasure, retention, retention_rules
from exports.overview import processing
from salesconnect import embedded
from salesconnect.embedded.account import binaries
from salesconnect.lib.actor import Actor
from tests.salesforce_org.control import Org
from tests.unsubscribes.evidence import evidence, png
from unsubscribes import links, suppression_list
from unsubscribes import merge as merging
from unsubscribes import unmerge as unmerging
from unsubscribes.mail.sending import send
from unsubscribes.models import Message
from unsubscribes.reconsent import reconsent
from unsubscribes.salesforce import connecting, services
from unsubscribes.salesforce.models import SyncConnection
from unsubscribes.salesforce.running import Running

PEOPLE = 400
PASSWORD = "correct-horse-battery"
# The second is spelt with a Cyrillic letter, so it is not the first and looks like it.
RESEMBLED, RESEMBLING = "kim.larsson@modellverkstan.example", "kim.l\u0430rsson@modellverkstan.example"
FOLDED = "kim@gro\u00dfhandel.example"
"""Version 0.1 took the address for that of grosshandel.example."""


def seed() -> str:
    """Leave rows of every kind; returns a key to the API."""
    call_command("migrate", verbosity=0)
    partitions.ensure()
    alice = User.objects.create_user("alice", "alice@example.com", PASSWORD, role="administrator")
    User.objects.create_user("charlie", "charlie@example.com", PASSWORD, role="auditor")
    seed_demo.PEOPLE = PEOPLE
    call_command("seed_demo")
    if importlib.util.find_spec("salesconnect.key_fit"):
        importlib.import_module("salesconnect.key_fit").check()
    token = tokens.make(alice, "The website's form")
    EmailAddress.objects.create(user=alice, email="claimed@example.com")
    Authenticator.objects.create(user=alice, type="totp", data={"secret": second_step()})
    actor = batches.user_actor(alice, "page")
    policy.change({"consent_months": 18, "other_ground": "warn"}, actor=actor)
    processing.change({"address": "Exempel AB, Storgatan 1, Stockholm"}, actor=actor)
    _mail_and_links()
    _merges(actor)
    _addresses(actor)
    _bulk_and_evidence(actor)
    with Org() as org:
        _salesforce(org, actor)
    call_command("seal_history")
    return token


def second_step() -> str:
    """Return a secret of the second step of sign-in as this version stores it."""
    return get_adapter().encrypt("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")


def _people(first: int, number: int) -> list[Contact]:
    """Return people with an address of whom nothing bars an act."""
    free = Contact.objects.exclude(email="").filter(card__restricted_at=None, card__unsubscribed=False)
    return list(free.order_by("id")[first : first + number])


def _only(*people: Contact) -> ContactQuerySet:
    return Contact.objects.filter(pk__in=[person.pk for person in people])


def _mail_and_links() -> None:
    """Send mail without a mail server and with one, and let two follow the link of their mail."""
    for number in Message.objects.filter(state="queued").order_by("-id").values_list("id", flat=True)[:2]:
        send.send_one(number)
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    send.drain()
    first, second = Message.objects.exclude(link=None).select_related("link").order_by("id")[:2]
    links.opt_out(first.link, source="clicked_link", reason="Too many mails")
    links.opt_out(second.link, source="one_click", reason="")


def _merges(actor: Actor) -> None:
    """Merge two pairs of records, one of them after a "no", and take a third merge back."""
    one, two, three, four, five, six = _people(20, 6)
    suppression.unsubscribe(_only(four), actor=actor, source="manual", reason="Said so on the phone")
    merging.merge(one.pk, two.pk, actor=actor)
    merging.merge(three.pk, four.pk, actor=actor)
    record = merging.merge(five.pk, six.pk, actor=actor)
    unmerging.unmerge(record.pk, actor=actor)


def _addresses(actor: Actor) -> None:
    """Take a list of addresses in, erase somebody who said no, and know one who resembles another that said no."""
    gone, out, *_others = _people(40, 6)
    text = f"Email\n{gone.email}\nsomebody.unknown@example.com\nnot an address\n"
    suppression_list.take(io.BytesIO(text.encode()), "Robinson list.csv", actor=actor)
    erasure.erase(gone.pk, actor=actor)
    suppression.unsubscribe(_only(out), actor=actor, source="complaint", reason="")
    for address in (RESEMBLED, FOLDED):
        person = create_person(NewPerson({"first_name": "Kim", "email": address}), actor=actor, owner_id=None)
        suppression.unsubscribe(_only(person), actor=actor, source="manual", reason="")
    ground = Authorization(AuthorizationType.CONTRACT)
    resembling = NewPerson({"first_name": "Kim", "email": RESEMBLING}, authorization=ground)
    create_person(resembling, actor=actor, owner_id=None)


def _bulk_and_evidence(actor: Actor) -> None:
    """Order a bulk change that refuses somebody, list people under a rule, and show a document for a new consent."""
    one, two, three = _people(100, 3)
    restriction.restrict(_only(one), "Says that the address is wrong", actor=actor)
    ground = Authorization(AuthorizationType.CONTRACT)
    batches.order(_only(one, two), "authorization", actor=actor, params=orders.authorization_params(ground))
    values = {"name": "Contracts that ended", "authorization_type": "contract", "age_months": 1, "step": "warn"}
    retention_rules.save(values, actor=actor)
    retention.run(actor=actor)
    suppression.unsubscribe(_only(three), actor=actor, source="manual", reason="")
    shown = evidence(document=SimpleUploadedFile("Signed form.png", png()))
    reconsent(three.pk, shown, actor=actor)
    call_command("verify_history")


def _salesforce(org: Org, actor: Actor) -> None:
    """Run the sync with an org that holds some of the people, and leave opt-outs that wait and one that is refused."""
    known = _people(60, 24)
    records = [{"FirstName": "A", "LastName": person.last_name or "B", "Email": person.email} for person in known]
    ids = org.create("Contact", *records[:12]) + org.create(
        "Lead", *({"Company": "Exempel AB"} | record for record in records[12:])
    )
    org.opt_out(ids[:3])
    for winner, loser in ((ids[10], ids[11]), (ids[9], ids[10])):
        org.merge(winner, loser)
    values = {"login_url": org.url, "client_id": org.client_id, "secret": org.client_secret}
    connecting.connect(values, actor=actor)
    SyncConnection.objects.update(state="active")
    _sync(actor)
    org.record_error("FIELD_CUSTOM_VALIDATION_EXCEPTION", "No changes in December", ids=ids[5:6], times=0)
    suppression.unsubscribe(_only(*known[4:7]), actor=actor, source="manual", reason="")
    _sync(actor)
    suppression.unsubscribe(_only(*known[8:10]), actor=actor, source="manual", reason="")
    services.pause(actor=actor)


def _sync(actor: Actor) -> None:
    Running(services.order(actor=actor, start=False), manual=True).go()


def write(target: Path, token: str) -> None:
    """Write down the database, its files, and what the present version must still know of it."""
    now = timezone.now()
    judged = Contact.objects.annotate(verdict=verdict.expression(policy.current(), now=now)).order_by("id")
    verdicts = {str(number): code for number, code in judged.values_list("id", "verdict")}
    resembling = Contact.objects.get(email=RESEMBLING).pk
    told = {"made_at": now.astimezone(dt.UTC).isoformat(), "token": token, "resembling": resembling}
    told["verdicts"] = verdicts
    target.with_name(f"{target.name}.json").write_text(json.dumps(told, indent=0) + "\n")
    where = settings.DATABASES["default"]
    command = [str(binaries() / "pg_dump"), "-h", where["HOST"], "-p", where["PORT"], "-U", where["USER"]]
    command += ["--no-owner", "--no-privileges", where["NAME"]]
    sql = subprocess.run(command, check=True, capture_output=True).stdout
    target.with_name(f"{target.name}.sql.xz").write_bytes(lzma.compress(sql, preset=9))
    with tarfile.open(target.with_name(f"{target.name}.files.tar.xz"), "w:xz") as archive:
        for folder in ("files", "ledger"):
            if (settings.DATA_DIR / folder).exists():
                archive.add(settings.DATA_DIR / folder, folder)


if __name__ == "__main__":
    with embedded.hold(settings.DATA_DIR):
        write(Path(sys.argv[1]), seed())
        connection.close()
