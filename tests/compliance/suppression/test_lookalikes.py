"""An address that looks like one that said no: asked about, held back, and never decided by the machine."""

from importlib import import_module

import pytest
from django.db import connection, transaction
from django.urls import reverse
from django.utils import timezone

from compliance.card import creation, editing
from compliance.card.staging import NewPerson
from compliance.models import ComplianceCard, Suppression
from compliance.suppression import lookalikes, suppression
from compliance.verdict import asof
from compliance.verdict.current_verdict import judged
from contacts.events import history
from contacts.models import Contact, ContactEvent, Merge
from exports.erasure import erasure
from exports.integrity import check_run
from salesconnect.lib.actor import system
from salesconnect.lib.errors import Conflict, Forbidden
from tests.evidence import evidence
from tests.interleaving import overlapping
from unsubscribes.evidence.reconsent import reconsent
from unsubscribes.mail import gate
from unsubscribes.merging.merge import merge
from unsubscribes.merging.unmerge import unmerge

NO = Suppression.Source.MANUAL
ALIKE = [
    ("anna@example.com", "anna+news@example.com"),
    ("anna+one@example.com", "anna+two@example.com"),
    ("anna.berg@gmail.com", "annaberg@gmail.com"),
    ("anna.berg@gmail.com", "an.naberg+x@googlemail.com"),
    ("anna@example.com", "аnna@example.com"),
    ("anna@example.com", "αnna@example.com"),
    ("anna@example.com", "anna@exаmple.com"),
    ("hanna@example.com", "հanna@example.com"),
]


def create(email: str) -> Contact:
    """Create a person by the one door."""
    return creation.create_person(NewPerson({"last_name": "Berg", "email": email}), actor=system())


def marked(person: Contact) -> bool:
    """Tell whether the card is marked."""
    person.card.refresh_from_db()
    return person.card.looks_opted_out


def say_no(person: Contact) -> None:
    """Unsubscribe one person."""
    suppression.unsubscribe(Contact.objects.filter(pk=person.pk), actor=system(), source=NO)


def actions(person: Contact) -> list[str]:
    """Return what the history of a person tells of looks, oldest first."""
    own = ContactEvent.objects.filter(contact_id=person.pk, action__in=history.LOOKALIKE_ACTIONS)
    return list(own.order_by("at", "id").values_list("action", flat=True))


@pytest.mark.parametrize("pair", ALIKE)
@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.django_db
def test_who_comes_in_after_the_no_is_held_until_somebody_decides(pair, turned):
    first, second = reversed(pair) if turned else pair
    say_no(create(first))
    person = create(second)
    assert marked(person)
    assert not person.card.unsubscribed
    assert [decision.reason for decision in gate.decide(Contact.objects.filter(pk=person.pk))] == [
        "looks_like_opted_out"
    ]
    assert actions(person) == [history.LOOKED_ALIKE]


@pytest.mark.parametrize("pair", ALIKE)
@pytest.mark.django_db
def test_who_is_here_when_the_no_comes_is_held_too(pair):
    first, second = map(create, pair)
    say_no(first)
    assert marked(second)
    assert not marked(first)
    assert actions(second) == [history.LOOKED_ALIKE]
    second.refresh_from_db()
    second.card.refresh_from_db()
    assert second.card.version == 2


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("anna.berg@example.com", "annaberg@example.com"),
        ("ånna@example.com", "anna@example.com"),
        ("anna@exåmple.com", "anna@example.com"),
        ("+4670123@example.com", "+4680123@example.com"),
        ("anna1@example.com", "annal@example.com"),
    ],
)
@pytest.mark.django_db
def test_two_people_who_only_resemble_are_not_asked_about(first, second):
    say_no(create(first))
    assert not marked(create(second))


@pytest.mark.django_db
def test_the_no_of_an_address_that_nobody_has_is_looked_at_too():
    person = create("anna@example.com")
    suppression.opt_out_addresses(["anna+list@example.com"], actor=system(), source="import")
    assert marked(person)


@pytest.mark.django_db
def test_the_first_who_gets_a_suppressed_address_tells_what_it_looks_like():
    gone, person = create("anna@example.com"), create("anna+x@example.com")
    Suppression.objects.create(address_hash=gone.address_hash, hash_key=gone.address_hash_key, source=NO)
    assert marked(person)
    Suppression.objects.update(skeleton_hash=None)
    lookalikes.refresh_marks([person.pk])
    assert not marked(person)
    Contact.objects.filter(pk=gone.pk).delete()
    create("anna@example.com")
    assert marked(person)


@pytest.mark.django_db
def test_a_bounce_is_nobodys_word_until_somebody_says_no():
    first, person = create("anna@example.com"), create("anna+x@example.com")
    people = Contact.objects.filter(pk=first.pk)
    suppression.unsubscribe(people, actor=system(), source="bounce")
    assert not marked(person)
    suppression.unsubscribe(people, actor=system(), source="complaint")
    assert marked(person)


@pytest.mark.django_db
def test_a_decision_holds_until_the_next_no_or_another_address(member):
    first, person = create("anna@example.com"), create("anna+x@example.com")
    say_no(first)
    assert lookalikes.tell_apart(person.pk, actor=member).changed == 1
    assert not marked(person)
    say_no(first)
    assert not marked(person)
    with pytest.raises(Conflict):
        lookalikes.tell_apart(person.pk, actor=member)
    suppression.opt_out_addresses(["anna+other@example.com"], actor=system(), source="import")
    assert marked(person)
    lookalikes.tell_apart(person.pk, actor=member)
    editing.edit(person.pk, {"email": "anna+y@example.com"}, actor=member)
    assert marked(person)
    editing.edit(person.pk, {"email": "berta@example.com"}, actor=member)
    assert not marked(person)
    assert actions(person) == [
        history.LOOKED_ALIKE,
        history.TOLD_APART,
        history.LOOKED_ALIKE,
        history.TOLD_APART,
        history.LOOKED_ALIKE,
        history.LOOKED_APART,
    ]


@pytest.mark.django_db
def test_an_auditor_decides_nothing(auditor):
    with pytest.raises(Forbidden):
        lookalikes.tell_apart(1, actor=auditor)


@pytest.mark.django_db
def test_who_says_no_is_asked_about_no_longer_and_is_again_after_a_reconsent(administrator):
    people = [create(f"anna+{number}@example.com") for number in range(4)]
    suppression.unsubscribe(Contact.objects.filter(pk__in=[p.pk for p in people[:3]]), actor=system(), source=NO)
    assert list(map(marked, people)) == [False, False, False, True]
    say_no(people[3])
    assert not marked(people[3])
    reconsent(people[3].pk, evidence(), actor=administrator)
    assert marked(people[3])
    assert actions(people[3]) == [history.LOOKED_ALIKE, history.LOOKED_ALIKE]
    [state] = asof.states([(people[3].pk, timezone.now())])
    assert state.looks_opted_out


@pytest.mark.django_db
def test_the_likeness_ends_when_the_other_consents_again(administrator):
    first, person = create("anna@example.com"), create("anna+x@example.com")
    say_no(first)
    reconsent(first.pk, evidence(), actor=administrator)
    assert not marked(person)
    assert actions(person) == [history.LOOKED_ALIKE, history.LOOKED_APART]


@pytest.mark.django_db
def test_what_one_was_asked_on_a_past_day_is_told_by_the_history(member):
    first, person = create("anna@example.com"), create("anna+x@example.com")
    before = timezone.now()
    say_no(first)
    during = timezone.now()
    lookalikes.tell_apart(person.pk, actor=member)
    after = timezone.now()
    states = asof.states([(person.pk, moment) for moment in (before, during, after)])
    assert [state.looks_opted_out for state in states] == [False, True, False]
    codes = [[reason.code for reason in asof.judge(state, after).reasons] for state in states]
    assert ["looks_like_opted_out" in found for found in codes] == [False, True, False]


@pytest.mark.django_db
def test_a_record_that_comes_back_from_a_merge_is_looked_at_anew(member):
    here, other = create("berta@example.com"), create("anna+x@example.com")
    merge(here.pk, other.pk, actor=member)
    suppression.opt_out_addresses(["anna@example.com"], actor=system(), source="import")
    unmerge(Merge.objects.get().pk, actor=member)
    back = Contact.objects.select_related("card").get(email_key="anna+x@example.com")
    assert marked(back)
    assert actions(back) == [history.LOOKED_ALIKE]


@pytest.mark.django_db
def test_the_records_are_compared_and_the_marks_set_right():
    say_no(create("anna@example.com"))
    person, nobody = create("anna+x@example.com"), create("berta@example.com")
    ComplianceCard.objects.filter(pk=person.pk).update(looks_opted_out=False)
    ComplianceCard.objects.filter(pk=nobody.pk).update(looks_opted_out=True)
    check_run.run(actor=system("command"), mend=True, leave_out=("stray_files",))
    assert (marked(person), marked(nobody)) == (True, False)


@pytest.mark.django_db
def test_who_was_here_before_is_looked_at_when_the_skeletons_are_filled():
    first, person = create("anna@example.com"), create("anna+x@example.com")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE contacts_contact SET skeleton_hash = NULL")
    say_no(first)
    assert not marked(person)
    for _again in range(2):
        with connection.schema_editor() as editor:
            import_module("unsubscribes.migrations.0027_lookalikes").fill(None, editor)
    assert marked(person)
    assert actions(person) == [history.LOOKED_ALIKE]


@pytest.mark.django_db
def test_a_program_decides_and_is_refused_when_there_is_nothing_to_decide(api):
    say_no(create("anna@example.com"))
    person = create("anna+x@example.com")
    url = f"/api/v1/contacts/{person.pk}/not-the-same/"
    assert api.post(url, {"what": 1}, format="json").status_code == 400
    answer = api.post(url)
    assert answer.status_code == 200
    assert "looks_like_opted_out" not in [reason["code"] for reason in answer.json()["reasons"]]
    assert api.post(url).status_code == 409
    assert api.post("/api/v1/contacts/999999/not-the-same/").status_code == 404


@pytest.mark.django_db
def test_after_an_erasure_the_no_is_still_looked_at(administrator):
    first = create("anna@example.com")
    say_no(first)
    erasure.delete(Contact.objects.filter(pk=first.pk), actor=administrator)
    assert marked(create("anna+x@example.com"))


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("of_nobody", [True, False])
def test_a_no_and_an_address_that_looks_like_it_never_pass_each_other(order, of_nobody):
    first = create("anna@example.com")

    def says_no() -> None:
        with transaction.atomic():
            if of_nobody:
                suppression.opt_out_addresses(["anna+list@example.com"], actor=system(), source="import")
            else:
                say_no(first)

    def comes_in() -> None:
        create("anna+x@example.com")

    overlapping(*(says_no, comes_in)[::order])
    assert marked(Contact.objects.select_related("card").get(email_key="anna+x@example.com"))


@pytest.mark.django_db
def test_after_a_change_of_the_key_the_likeness_is_still_seen(settings):
    old, new = settings.SUPPRESSION_KEYS[0], "another key of the suppressions"
    here = create("anna@example.com")
    suppression.opt_out_addresses(["berta+x@example.com"], actor=system(), source="import")
    settings.SUPPRESSION_KEYS = [new, old]
    assert marked(create("berta@example.com"))
    suppression.opt_out_addresses(["anna+x@example.com"], actor=system(), source="import")
    assert marked(here)
    here.refresh_from_db()
    say_no(create("anna+y@example.com"))
    assert actions(here) == [history.LOOKED_ALIKE]


@pytest.mark.django_db
def test_the_verdict_asks_first_and_says_why():
    say_no(create("anna@example.com"))
    person = create("anna+x@example.com")
    card = person.card
    card.refresh_from_db()
    reasons = {reason.code: reason.effect for reason in judged(card, person.created_at).reasons}
    assert reasons["looks_like_opted_out"] == "ask_first"


@pytest.mark.django_db
def test_a_member_decides_on_the_page(signed_in):
    say_no(create("anna@example.com"))
    person = create("anna+x@example.com")
    client = signed_in
    url = reverse("person-not-the-same", args=[person.pk])
    assert url in client.get(f"/people/{person.pk}/").content.decode()
    assert client.post(url).status_code == 302
    assert not marked(person)
    page = client.get(f"/people/{person.pk}/").content.decode()
    assert url not in page
    assert "decided that this is another person" in page
