"""`manage.py seed_demo`: fictitious people in every state, so that each screen has something to show."""

import datetime as dt
from typing import Any

from django.core.files.base import ContentFile
from django.core.management.base import BaseCommand
from django.db.models import Value
from django.db.models.functions import Mod
from django.utils import timezone

from compliance.acts.authorization import authorization_params
from compliance.acts.source import source_params
from compliance.card import editing
from compliance.card.legal_basis_registry import AuthorizationType
from compliance.card.rules import Authorization, Source
from compliance.card.source_registry import SourceType
from compliance.imports import import_jobs, working
from compliance.models import Suppression
from compliance.review import informing, restriction, review
from compliance.suppression import suppression
from contacts.jobs import batches, bulk_undo
from contacts.models import Contact, SavedView, User
from contacts.people.queries import ContactQuerySet
from exports.files import csv_export
from exports.requests import register
from exports.retention import retention, retention_rules
from salesconnect.demo import past
from salesconnect.lib.actor import Actor, system
from unsubscribes.evidence.reconsent import reconsent
from unsubscribes.evidence.rules import Channel, Evidence
from unsubscribes.links import links
from unsubscribes.mail import failures, informing_mail, mailing
from unsubscribes.mail import team as team_settings
from unsubscribes.mail.bulk_mail import order_mail
from unsubscribes.mail.compose import Draft

PEOPLE = 2_000
FAIR = (
    "First Name,Last Name,Email,Company\n"
    "Astrid,Nyberg,astrid.nyberg@modellverkstan.example,Modellverkstan\n"
    "Birger,Falk,birger.falk@modellverkstan.example,Modellverkstan\n"
    "Astrid,Again,ASTRID.NYBERG@modellverkstan.example,Modellverkstan\n"
    "Cecilia,Holm,cecilia.holm-at-modellverkstan,Modellverkstan\n"
    ",,,Modellverkstan\n"
)
TEAM = (("eva", "Eva", "Lind", "administrator"), ("lars", "Lars", "Öberg", "member"), ("nora", "Nora", "Ek", "member"))
VIEWS = (("From the CRM", "source_type=crm_sync"), ("Old consents", "consent_before={year}-01-01"))


class Command(BaseCommand):
    """Fill an empty product once; a product that has people is left alone."""

    help = "Add 2,000 fictitious people with cards, history, bulk changes and unsubscribes, unless people are there."

    def handle(self, *args: Any, **options: Any) -> None:
        if Contact.objects.exists():
            self.stdout.write("There are people already; the demo adds none.")
            return
        past.seed(PEOPLE)
        team = [_member(*words) for words in TEAM]
        _share_out(team)
        _bulk_changes(team)
        _unsubscribes(team)
        _single_edits(team)
        _import(team)
        _mail(team)
        _second_thoughts(team)
        _requests(team)
        _retention()
        _clocks(team)
        _saved_views()
        self.stdout.write("The demo is ready.")


def _member(username: str, first: str, last: str, role: str) -> User:
    """Return a colleague who owns people and appears in the history, and cannot sign in."""
    user, new = User.objects.get_or_create(
        username=username, defaults={"first_name": first, "last_name": last, "role": role}
    )
    if new:
        user.set_unusable_password()
        user.save(update_fields=["password"])
    return user


def _every(number: int, remainder: int = 0) -> ContactQuerySet:
    return Contact.objects.annotate(place=Mod("id", Value(number))).filter(place=remainder)


def _share_out(team: list[User]) -> None:
    for place, user in enumerate(team):
        _every(len(team), place).update(owner=user)


def _bulk_changes(team: list[User]) -> None:
    eva, lars, _nora = (batches.user_actor(user, "page") for user in team)
    today = timezone.localdate()
    consent = Authorization(
        AuthorizationType.CONSENT, consent_date=today - dt.timedelta(30), consent_purpose="Newsletter"
    )
    batches.order(_every(40, 3), "authorization", actor=eva, params=authorization_params(consent))
    fair = source_params(Source(SourceType.OTHER, "Trade fair in Älvsjö"))
    mistaken = batches.order(_every(25, 4), "source", actor=lars, params=fair)
    bulk_undo.undo(mistaken, actor=eva)


def _unsubscribes(team: list[User]) -> None:
    """Unsubscribe people in three ways: by a user, by the link of a mail, by a bounce."""
    lars = batches.user_actor(team[1], "page")
    told, clicked, gone = (_every(150, place) for place in range(3))
    suppression.unsubscribe(told, actor=lars, source=Suppression.Source.MANUAL, reason="Said so on the phone")
    for person in clicked.exclude(email="").order_by("id"):
        links.opt_out(links.make(person), source=Suppression.Source.ONE_CLICK, reason="")
    server = failures.MAIL_SERVER
    for person in gone.order_by("id"):
        if person.address_hash:
            failures.no_such_user(person.address_hash, person.address_hash_key, actor=server, reason=server.name)


def _single_edits(team: list[User]) -> None:
    nora = batches.user_actor(team[2], "page")
    for person in Contact.objects.order_by("id")[:20]:
        editing.edit(person.pk, {"title": "Head of Sales", "other": "Met at the customer day"}, actor=nora)
    csv_export.order_export(_every(400, 1), actor=nora, reason="Seating plan for the customer day")


def _import(team: list[User]) -> None:
    """Import a file with a row for every possible result."""
    known = Contact.objects.order_by("id").values_list("email", flat=True)
    rows = FAIR + "".join(f",,{address},Modellverkstan\n" for address in known[:3])
    nora = batches.user_actor(team[2], "page")
    working.run(import_jobs.start(ContentFile(rows.encode()), "Trade fair.csv", actor=nora).pk)


def _mail(team: list[User]) -> None:
    team_settings.change(
        {"company_name": "Exempel AB", "contact_address": "hello@exempel.example"}, actor=system("command")
    )
    lars = batches.user_actor(team[1], "page")
    draft = Draft("Our latest news", "Hello {{ first_name }},\n\nhere is what is new at {{ our_company }}.")
    mailing.keep_template("Latest news", draft, actor=lars)
    readers = _every(60, 7)
    order_mail(readers, draft, actor=lars, selection={"picked": readers.count()})


def _second_thoughts(team: list[User]) -> None:
    """Let one unsubscribed person consent again, with evidence."""
    eva = batches.user_actor(team[0], "page")
    person = Contact.objects.filter(card__unsubscribed=True).order_by("id").first()
    if person:
        reference = "Signed form, binder 12 of the customer archive"
        wording = "Yes, I want your newsletter again."
        evidence = Evidence(timezone.localdate(), Channel.WRITING, wording, "Newsletter", reference)
        reconsent(person.pk, evidence, actor=eva)


def _requests(team: list[User]) -> None:
    """Create requests in each state: overdue, due soon, paused, extended, done, and one of an erased person."""
    today, (eva, lars, nora) = timezone.localdate(), (batches.user_actor(user, "page") for user in team)
    people = list(Contact.objects.filter(card__restricted_at=None).order_by("-id").values_list("pk", flat=True)[:8])
    checked = "Called back on the number that we have"

    def asked(kind: str, days: int, actor: Actor) -> int:
        received = today - dt.timedelta(days)
        return register.take_in(kind, people.pop(), received, identity_check=checked, actor=actor).pk

    asked("access", 40, lars)
    asked("rectification", 27, nora)
    asked("erasure", 5, lars)
    asking = register.ClockReason("clarification", "Which of two addresses is meant?", today)
    register.pause(asked("access", 12, nora), asking, actor=nora)
    much = register.ClockReason("complexity", "Five years of correspondence to look through", today)
    register.extend(asked("portability", 20, eva), much, actor=eva)
    register.finish(asked("access", 18, eva), "carried_out", "Sent by registered letter.", actor=eva)
    for kind in ("objection", "erasure"):
        register.carry_out(asked(kind, 9, lars), actor=lars)


def _retention() -> None:
    """Create two retention rules, one that lists and one that warns, and run them."""
    rules: tuple[dict[str, Any], ...] = (
        {"name": "Silent since two years", "inactive_months": 24},
        {"name": "Old records without a basis", "authorization_type": "not_recorded", "age_months": 60, "step": "warn"},
    )
    for values in rules:
        retention_rules.save(values, actor=system("command"))
    retention.run(actor=system("command"))


def _clocks(team: list[User]) -> None:
    """Restrict a few people, write balancing notes, inform some people, and leave others overdue."""
    eva, lars, nora = (batches.user_actor(user, "page") for user in team)
    restriction.restrict(_every(700, 5), "Says that the address is wrong; we are checking", actor=lars)
    note = review.BalancingNote(
        "To offer our services to the company that the person works for",
        "Only the name and the address at work are used; a letter to the company would not reach the buyer",
        "Buyers expect such offers, can say no in every mail, and are asked about nothing private",
    )
    interests = Contact.objects.filter(
        card__authorization_type=AuthorizationType.LEGITIMATE_INTEREST, card__restricted_at=None
    )
    for person in interests.order_by("id")[:5]:
        review.balance(person.pk, note, actor=nora)
    informing.mark(_every(3, 1), actor=eva, reason=f"Letter sent on {timezone.localdate()}")
    text = "we hold your name and address at work. They came from partners. You can ask us to stop at any time."
    draft = Draft("Your data at {{ our_company }}", f"Hello {{{{ first_name }}}},\n\n{text}")
    template = mailing.keep_template("Where we have your data from", draft, actor=nora)
    informing_mail.use(template.pk, informs=True, actor=eva)


def _saved_views() -> None:
    administrator = User.objects.filter(role=User.Role.ADMINISTRATOR).order_by("pk").first()
    for name, query in VIEWS:
        year = timezone.localdate().year - 1
        SavedView.objects.get_or_create(user=administrator, name=name, defaults={"query": query.format(year=year)})
