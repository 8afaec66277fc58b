"""Rules that list, then warn, then erase; who is protected is left out and counted."""

import datetime as dt
from dataclasses import replace

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from compliance.card import card_changes, editing
from compliance.card.legal_basis_registry import AuthorizationType
from compliance.card.rules import Authorization, Source
from compliance.card.source_registry import SourceType
from compliance.review import restriction
from compliance.suppression import suppression
from contacts.events import history
from contacts.jobs import batches
from contacts.models import Batch, Contact
from exports.erasure import deletion_settings
from exports.models import RetentionCase, RetentionRule
from exports.requests import register
from exports.retention import retention, retention_rules
from salesconnect.lib.actor import system
from salesconnect.lib.errors import Conflict, Forbidden, Invalid
from unsubscribes.links import links
from unsubscribes.mail import mailing as mails
from unsubscribes.mail.compose import Draft
from unsubscribes.merging import merge as merging

NIGHT = system("task")


@pytest.fixture
def aged(person):
    """Return a function that makes somebody who came and was left alone long ago."""

    def make(months: int = 40, **details):
        someone = person(**({"first_name": "Anna", "last_name": "Berg"} | details))
        back = timezone.now() - dt.timedelta(days=31 * months)
        set_back(someone.pk, back)
        return someone

    return make


def set_back(contact_id: int, moment: dt.datetime) -> None:
    """Let everything about somebody have happened long ago; the history as well."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT contacts_make_event_partition(%s::date)", [moment.date()])
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("UPDATE contacts_contact SET created_at = %s WHERE id = %s", [moment, contact_id])
        cursor.execute(
            "UPDATE compliance_compliancecard SET updated_at = %s WHERE contact_id = %s", [moment, contact_id]
        )
        cursor.execute("UPDATE contacts_contactevent SET at = %s WHERE contact_id = %s", [moment, contact_id])
        cursor.execute("SET session_replication_role = origin")


@pytest.fixture
def rule(administrator):
    """Return a function that makes a rule of 36 months."""

    def make(**values) -> RetentionRule:
        given = {"name": f"Rule {RetentionRule.objects.count()}", "age_months": 36, "warn_days": 10} | values
        return retention_rules.save(given, actor=administrator)

    return make


def warned_long_ago() -> None:
    RetentionCase.objects.exclude(warned_at=None).update(warned_at=timezone.now() - dt.timedelta(days=11))


def test_a_rule_lists_then_warns_then_erases(aged, rule, person):
    old, _new = aged(), person(email="new@example.com")
    made = rule(step="erase")
    first = retention.run(actor=NIGHT)
    assert [(count.meets, count.listed, count.warned, count.due) for count in first.rules] == [(1, 1, 1, 0)]
    assert (first.due, first.batch.state) == (0, "done")
    second = retention.run(actor=NIGHT)
    assert [(count.meets, count.listed, count.warned, count.due) for count in second.rules] == [(1, 0, 0, 0)]
    warned_long_ago()
    third = retention.run(actor=NIGHT)
    assert (third.due, third.batch.changed, made.cases.count()) == (1, 1, 0)
    assert history.of_contact(old.pk).first().changes == {"source": [None, "retention"]}
    assert Contact.objects.count() == 1


def test_rules_erase_no_more_people_than_one_administrator_may(aged, rule, administrator, alice):
    people = [aged(email=f"{number}@example.com") for number in range(3)]
    deletion_settings.change({"approval_above": 2}, actor=administrator)
    rule(step="erase", warn_days=0)
    retention.run(actor=administrator)
    first = retention.run(actor=administrator).batch
    assert (first.state, first.total, Contact.objects.count()) == ("waiting", 3, 3)
    with pytest.raises(Conflict) as own:
        batches.approve(first.pk, actor=replace(administrator, door="page"))
    assert own.value.code == "own_order"
    second = retention.run(actor=NIGHT).batch
    first.refresh_from_db()
    assert (first.state, second.state) == ("cancelled", "waiting")
    Contact.objects.filter(pk=people[0].pk).update(created_at=timezone.now())
    batches.approve(second.pk, actor=replace(administrator, door="page"))
    while batches.run(second.pk):
        pass
    second.refresh_from_db()
    assert (second.state, second.changed, list(Contact.objects.all())) == ("done", 2, people[:1])


def test_the_page_says_that_an_erasure_by_the_rules_waits(aged, rule, administrator, alice, client):
    for number in range(2):
        aged(email=f"{number}@example.com")
    deletion_settings.change({"approval_above": 1}, actor=administrator)
    rule(step="erase", warn_days=0)
    retention.run(actor=NIGHT)
    client.force_login(alice)
    answer = client.post("/settings/retention/run/", follow=True)
    assert "waits for a second administrator" in answer.text
    assert ("The rules are applied." in answer.text, Contact.objects.count()) == (False, 2)


@pytest.mark.parametrize(("step", "warned"), [("list", 0), ("warn", 1)])
def test_a_rule_goes_as_far_as_it_says(aged, rule, step, warned):
    aged()
    made = rule(step=step)
    retention.run(actor=NIGHT)
    warned_long_ago()
    run = retention.run(actor=NIGHT)
    assert (run.due, made.cases.exclude(warned_at=None).count(), Contact.objects.count()) == (0, warned, 1)


def consent(day: dt.date) -> Authorization:
    return Authorization(AuthorizationType.CONSENT, consent_date=day, consent_purpose="News")


def clicked(person, member):
    Client().post(links.url(links.make(person)), {"List-Unsubscribe": "One-Click"})


def said_no(source):
    return lambda person, member: suppression.unsubscribe(
        Contact.objects.filter(pk=person.pk), actor=member, source=source
    )


def consented(days: int):
    day = timezone.localdate() - dt.timedelta(days=days)
    return lambda person, member: card_changes.authorise(
        Contact.objects.filter(pk=person.pk), consent(day), actor=member
    )


def consented_and_was_edited_since(person, member):
    consented(0)(person, member)
    card_changes.authorise(
        Contact.objects.filter(pk=person.pk), Authorization(AuthorizationType.CONTRACT), actor=member
    )


def asked(days: int):
    day = timezone.localdate() - dt.timedelta(days=days)
    return lambda person, member: register.take_in("access", person.pk, day, actor=member)


def answered(person, member):
    register.finish(asked(90)(person, member).pk, "carried_out", "Sent", actor=member)


OF_THE_PERSON = {
    "a click": clicked,
    "a complaint": said_no("complaint"),
    "a no to somebody here": said_no("manual"),
    "a consent": consented(0),
    "a consent of before that was replaced": consented_and_was_edited_since,
    "a request": asked(0),
    "a request that was answered": answered,
}
OF_OTHERS = {
    "our mail": lambda person, member: mails.write_to_one(person.pk, Draft("Hello", "News"), actor=member),
    "a source": lambda person, member: card_changes.set_source(
        Contact.objects.filter(pk=person.pk), Source(SourceType.IMPORT), actor=member
    ),
    "a basis": lambda person, member: card_changes.authorise(
        Contact.objects.filter(pk=person.pk), Authorization(AuthorizationType.CONTRACT), actor=member
    ),
    "an old consent put down now": consented(365 * 4),
    "an old request put down now": lambda person, member: register.finish(
        asked(365 * 4)(person, member).pk, "carried_out", "Sent", actor=member
    ),
    "an edit": lambda person, member: editing.edit(person.pk, {"title": "CEO"}, actor=member),
    "an export": lambda person, member: history.record([person.pk], history.EXPORTED, actor=member),
    "a bounce": said_no("bounce"),
    "a list of no": said_no("import"),
    "Salesforce": said_no("salesforce_sync"),
}


@pytest.mark.parametrize("act", OF_THE_PERSON)
def test_whoever_does_something_falls_out(aged, rule, member, act):
    busy, silent = aged(email="anna@example.com"), aged()
    made = rule(age_months=None, inactive_months=36)
    OF_THE_PERSON[act](busy, member)
    retention.run(actor=NIGHT)
    assert list(made.cases.values_list("contact", flat=True)) == [silent.pk]


@pytest.mark.parametrize("act", OF_OTHERS)
def test_what_others_do_is_no_sign_of_life(aged, rule, member, act):
    someone = aged(email="anna@example.com")
    made = rule(age_months=None, inactive_months=36)
    OF_OTHERS[act](someone, member)
    retention.run(actor=NIGHT)
    assert list(made.cases.values_list("contact", flat=True)) == [someone.pk]


def test_somebody_warned_who_does_something_is_not_erased(aged, rule, member):
    busy, mailed = aged(email="anna@example.com"), aged(email="m@example.com")
    made = rule(age_months=None, inactive_months=36, step="erase")
    retention.run(actor=NIGHT)
    warned_long_ago()
    clicked(busy, member)
    mails.write_to_one(mailed.pk, Draft("Hello", "News"), actor=member)
    retention.run(actor=NIGHT)
    assert (list(Contact.objects.all()), made.cases.count()) == ([busy], 0)


def test_what_a_merged_record_did_counts_for_the_one_that_is_left(aged, rule, member):
    kept, middle, gone, silent = aged(), aged(), aged(email="anna@example.com"), aged()
    clicked(gone, member)
    for survivor, other in ((middle, gone), (kept, middle)):
        merging.merge(survivor.pk, other.pk, actor=member)
    suppression_rows_do_not_tell = Contact.objects.filter(pk=kept.pk)
    suppression_rows_do_not_tell.update(email="", email_key="", address_hash=None)
    made = rule(age_months=None, inactive_months=36)
    retention.run(actor=NIGHT)
    assert list(made.cases.values_list("contact", flat=True)) == [silent.pk]


def test_somebody_who_came_lately_has_not_been_silent_for_long(person, rule):
    person(email="new@example.com")
    made = rule(age_months=None, inactive_months=36)
    retention.run(actor=NIGHT)
    assert made.cases.count() == 0


def test_the_restricted_and_those_who_wait_for_an_answer_are_left_out(aged, rule, member):
    kept, asking, both, gone = aged(), aged(), aged(), aged()
    for someone in (kept, both):
        restriction.restrict(Contact.objects.filter(pk=someone.pk), "A dispute", actor=member)
    for someone in (asking, both):
        register.take_in("access", someone.pk, timezone.localdate(), actor=member)
    rule(step="erase")
    retention.run(actor=NIGHT)
    warned_long_ago()
    run = retention.run(actor=NIGHT)
    assert run.left_out == {"restricted": 2, "open_request": 1}
    assert (run.batch.refused, run.batch.total, run.batch.done) == ({"restricted": 2, "open_request": 1}, 4, 4)
    assert not Contact.objects.filter(pk=gone.pk).exists()
    assert Contact.objects.count() == 3


def test_a_dry_run_changes_nothing(aged, rule):
    aged()
    rule(step="erase")
    run = retention.run(actor=NIGHT, dry_run=True)
    assert [(count.meets, count.listed, count.warned, count.due) for count in run.rules] == [(1, 1, 1, 0)]
    assert (run.batch, RetentionCase.objects.exists(), Batch.objects.exists()) == (None, False, False)


@pytest.mark.parametrize(
    ("values", "meets"),
    [
        ({"source_type": "import"}, 1),
        ({"source_type": "not_recorded"}, 2),
        ({"source_type": "crm_sync"}, 0),
        ({"authorization_type": "not_recorded"}, 3),
        ({"authorization_type": "consent"}, 0),
        ({"age_months": 60}, 0),
        ({"age_since": "updated"}, 3),
    ],
)
def test_whom_a_rule_meets(aged, rule, values, meets):
    aged(), aged()
    someone = aged()
    card_changes.set_source(Contact.objects.filter(pk=someone.pk), Source(SourceType.IMPORT), actor=NIGHT)
    set_back(someone.pk, timezone.now() - dt.timedelta(days=31 * 40))
    assert retention.matching(rule(**values), timezone.now()).count() == meets


def test_a_chunk_looks_once_more(aged, rule, member):
    saved, asked, gone = aged(), aged(), aged()
    rule(step="erase")
    retention.run(actor=NIGHT)
    warned_long_ago()
    people = Contact.objects.filter(pk__in=[saved.pk, asked.pk, gone.pk])
    RetentionCase.objects.filter(contact=saved).delete()
    register.take_in("access", asked.pk, timezone.localdate(), actor=member)
    batch = batches.order(people, retention.KIND, actor=NIGHT)
    assert (batch.changed, batch.refused) == (1, {"no_longer_due": 1, "open_request": 1})


def test_two_runs_do_not_meet(aged, rule, administrator):
    rule(step="erase")
    Batch.objects.create(kind=retention.KIND, state="running", actor_name="x", door="task")
    with pytest.raises(Conflict) as refusal:
        retention.run(actor=administrator)
    assert refusal.value.code == "running"
    with pytest.raises(CommandError):
        call_command("apply_retention")


def test_a_changed_condition_warns_anew(aged, rule, administrator):
    aged()
    made = rule(step="erase")
    retention.run(actor=NIGHT)
    retention_rules.save({"warn_days": 20}, actor=administrator, rule_id=made.pk)
    assert made.cases.count() == 1
    retention_rules.save({"age_months": 30}, actor=administrator, rule_id=made.pk)
    assert made.cases.count() == 0


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "Rule"}, "name"),
        ({"age_months": None}, "age_months"),
        ({"age_months": 0, "inactive_months": 3}, "age_months"),
        ({"inactive_months": 99_999}, "inactive_months"),
        ({"warn_days": -1}, "warn_days"),
        ({"source_type": "x"}, "source_type"),
        ({"authorization_type": "x"}, "authorization_type"),
        ({"step": "x"}, "step"),
    ],
)
def test_what_cannot_be_is_refused_by_field(rule, values, field):
    rule(name="Rule")
    with pytest.raises(Invalid) as refusal:
        rule(**{"name": "Another"} | values)
    assert list(refusal.value.fields) == [field]


def test_only_administrators_rule(rule, member):
    made = rule()
    for act in (
        lambda: retention.run(actor=member),
        lambda: retention_rules.save({"name": "x"}, actor=member, rule_id=made.pk),
        lambda: retention_rules.remove(made.pk, actor=member),
    ):
        with pytest.raises(Forbidden):
            act()


def test_the_command_says_what_came_of_it(aged, rule, capsys):
    aged()
    rule(step="erase", name="Old")
    call_command("apply_retention", "--dry-run")
    assert (
        capsys.readouterr().out
        == "Old: 1 meet it, 1 new, 1 warned of now, 0 due.\nTo be erased: 0. Nothing was changed.\n"
    )
    call_command("apply_retention")
    warned_long_ago()
    call_command("apply_retention")
    assert "Erased: 1." in capsys.readouterr().out
