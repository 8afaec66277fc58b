"""Restriction of processing: whatever the door, nothing is done with the person but read, and a "no" is taken."""

import pytest
from django.core.files.base import ContentFile
from django.db import ProgrammingError, connection, transaction
from django.utils import timezone

from compliance.acts.authorization import authorization_params
from compliance.card import editing
from compliance.card.legal_basis_registry import AuthorizationType
from compliance.card.rules import Authorization
from compliance.imports import import_jobs, working
from compliance.models import ComplianceCard, ImportReject
from compliance.review import restriction
from compliance.suppression import suppression
from contacts.events import history
from contacts.jobs import batches, bulk_undo
from contacts.models import Contact
from exports.erasure import erasure
from salesconnect.lib.actor import system
from salesconnect.lib.errors import Restricted
from unsubscribes.evidence.reconsent import reconsent
from unsubscribes.evidence.rules import Channel, Evidence
from unsubscribes.mail import mailing as mail
from unsubscribes.mail.compose import Draft
from unsubscribes.mail.sending import send
from unsubscribes.merging.merge import merge
from unsubscribes.merging.unmerge import unmerge

CONTRACT = Authorization(AuthorizationType.CONTRACT)
INTEREST = Authorization(AuthorizationType.LEGITIMATE_INTEREST)
EVERYBODY = {"selection": {"filter": {}}}
DRAFT = Draft("Hello", "News")


@pytest.fixture
def lars(person) -> Contact:
    """Return somebody with whom anything may be done."""
    return person(first_name="Lars", last_name="Öberg", email="lars@example.com", authorization=CONTRACT)


@pytest.fixture
def anna(person, lars, member) -> Contact:
    """Return somebody whose processing is restricted."""
    anna = person(first_name="Anna", last_name="Berg", email="anna@example.com", authorization=CONTRACT)
    restriction.restrict(Contact.objects.filter(pk=anna.pk), "Accuracy is contested", actor=member)
    return anna


def stored(contact: Contact) -> dict[str, object]:
    """Return all that is stored of a person, but for the opt-out."""
    row = Contact.objects.filter(pk=contact.pk).values().get() | ComplianceCard.objects.values().get(pk=contact.pk)
    return {name: value for name, value in row.items() if name not in {"unsubscribed", "version", "updated_at"}}


@pytest.fixture
def untouched(anna):
    """Check that the person is as before, and that no act but an opt-out came into the history."""
    before = stored(anna)
    yield
    assert stored(anna) == before
    actions = set(history.of_contact(anna.pk).values_list("action", flat=True))
    assert actions <= {"created", "restricted", "unsubscribed", "exported", "mail_held"}


@pytest.mark.usefixtures("untouched")
class TestClosedDoors:
    """Each door, once."""

    @pytest.mark.parametrize(
        ("method", "path", "body"),
        [
            ("patch", "", {"title": "CEO"}),
            ("put", "", {"last_name": "Ek"}),
            ("patch", "", {"compliance": {"source_type": "import"}}),
            ("patch", "", {"owner": None}),
            ("delete", "", None),
            ("patch", "compliance/", {"authorization_type": "other"}),
            ("put", "compliance/", {}),
        ],
    )
    def test_api(self, api, anna, method, path, body):
        answer = getattr(api, method)(f"/api/v1/contacts/{anna.pk}/{path}", body, format="json")
        assert (answer.status_code, answer.json()["code"]) == (423, "restricted")

    def test_api_merge(self, api, anna, lars):
        for one, other in ((anna, lars), (lars, anna)):
            answer = api.post(f"/api/v1/contacts/{one.pk}/merge/", {"other": other.pk}, format="json")
            assert (answer.status_code, Contact.objects.count()) == (423, 2)

    @pytest.mark.parametrize(
        ("path", "form"),
        [
            ("details/", {"last_name": "Ek", "version": 2}),
            ("compliance/", {"authorization_type": "contract", "source_type": "import", "version": 2}),
            ("delete/", {}),
        ],
    )
    def test_page(self, signed_in, anna, path, form):
        answer = signed_in.post(f"/people/{anna.pk}/{path}", form)
        assert (answer.status_code, "restricted" in answer.content.decode()) == (423, True)

    @pytest.mark.parametrize(
        ("kind", "body"),
        [
            ("authorization", {"authorization_type": "legitimate_interest"}),
            ("source", {"source_type": "import"}),
            ("delete", {}),
        ],
    )
    def test_bulk(self, api, anna, kind, body):
        planned = api.post(f"/api/v1/bulk/{kind}/", EVERYBODY | body | {"dry_run": True}, format="json").json()
        done = api.post(f"/api/v1/bulk/{kind}/", EVERYBODY | body, format="json").json()
        for answer in (planned, done):
            counts = {name: answer[name] for name in ("total", "changed", "unchanged", "refused")}
            refused = [{"reason": "restricted", "count": 1}]
            assert counts == {"total": 2, "changed": 1, "unchanged": 0, "refused": refused}

    def test_merge_and_its_undo(self, anna, lars, member, person):
        for one, other in ((anna, lars), (lars, anna)):
            with pytest.raises(Restricted):
                merge(one.pk, other.pk, actor=member)
        eva = person(last_name="Eva", email="eva@example.com")
        record = merge(lars.pk, eva.pk, actor=member)
        restriction.restrict(Contact.objects.filter(pk=lars.pk), "Contested", actor=member)
        with pytest.raises(Restricted):
            unmerge(record.pk, actor=member)

    def test_owner(self, anna, member, bob):
        with pytest.raises(Restricted):
            editing.assign(anna.pk, bob, actor=member)

    @pytest.mark.parametrize("row", ["anna@example.com,Ek,", "anna@example.com,Berg,contract"])
    def test_import(self, anna, member, row):
        text = f"Email,Last Name,Authorization Type\n{row}\nnew@example.com,Ny,\n"
        job = import_jobs.start(ContentFile(text.encode()), "people.csv", actor=member)
        working.run(job.pk)
        job.refresh_from_db()
        assert (job.created, job.updated, job.unchanged, job.rejected) == (1, 0, 0, 1)
        assert "restricted" in ImportReject.objects.get().reason

    def test_a_no_in_an_import_is_taken(self, anna, member):
        text = "Email,Last Name,Unsubscribed\nanna@example.com,Ek,yes\nanna@example.com,Ek,yes\n"
        job = import_jobs.start(ContentFile(text.encode()), "people.csv", actor=member)
        working.run(job.pk)
        job.refresh_from_db()
        assert (job.total, job.updated, job.rejected) == (2, 0, 2)
        assert ComplianceCard.objects.get(pk=anna.pk).unsubscribed
        assert history.of_contact(anna.pk).filter(action="unsubscribed").count() == 1

    @pytest.mark.parametrize("source", ["manual", "clicked_link", "salesforce_sync"])
    def test_a_no_is_always_taken(self, anna, source):
        suppression.unsubscribe(Contact.objects.filter(pk=anna.pk), actor=system("sync"), source=source)
        assert ComplianceCard.objects.get(pk=anna.pk).unsubscribed

    def test_mail_is_held_from_the_first_moment_and_at_the_last(self, anna, api, lars, member):
        answer = api.post(f"/api/v1/contacts/{anna.pk}/mails/", {"subject": "Hello", "body": "News"}, format="json")
        assert answer.status_code == 201
        assert (answer.json()["state"], answer.json()["reason"]) == ("held", "restricted")
        waiting = mail.write_to_one(lars.pk, DRAFT, actor=member)
        restriction.restrict(Contact.objects.filter(pk=lars.pk), "Contested", actor=member)
        send.drain()
        waiting.refresh_from_db()
        assert (waiting.state, waiting.reason) == ("held", "restricted")

    def test_reading_and_exporting_go_on(self, anna, api, signed_in):
        for path in ("", "compliance/", "history/", "export/", "verdict/", "unsubscribes/"):
            assert api.get(f"/api/v1/contacts/{anna.pk}/{path}").status_code == 200
        assert signed_in.get(f"/people/{anna.pk}/").status_code == 200

    def test_the_database_has_the_last_word(self, anna):
        for change in ("authorization_type = 2", "source_type = 3"):
            statement = f"UPDATE compliance_compliancecard SET {change} WHERE contact_id = %s"
            with pytest.raises(ProgrammingError), transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(statement, [anna.pk])


def test_undoing_a_bulk_change_leaves_restricted_people_alone(lars, person, member):
    person(last_name="Berg", authorization=CONTRACT)
    people = Contact.objects.all()
    batch = batches.order(people, "authorization", actor=member, params=authorization_params(INTEREST))
    restriction.restrict(Contact.objects.filter(pk=lars.pk), "Contested", actor=member)
    undone = bulk_undo.undo(batch, actor=member)
    assert (undone.changed, undone.refused) == (1, {"restricted": 1})


def test_taking_back_an_edit_is_closed_too(lars, member, signed_in):
    since = history.newest_id(lars.pk)
    editing.edit(lars.pk, {"title": "CEO"}, actor=member)
    restriction.restrict(Contact.objects.filter(pk=lars.pk), "Contested", actor=member)
    assert signed_in.post(f"/people/{lars.pk}/undo/?since={since}&version=3").status_code == 423


def test_a_restricted_person_is_not_opted_in(anna, administrator):
    suppression.unsubscribe(Contact.objects.filter(pk=anna.pk), actor=administrator, source="manual")
    evidence = Evidence(timezone.localdate(), Channel.WRITING, "Yes please", "Newsletter", "Binder 12")
    with pytest.raises(Restricted):
        reconsent(anna.pk, evidence, actor=administrator)


def test_only_the_persons_own_request_erases_restricted_data(anna, member):
    people = Contact.objects.filter(pk=anna.pk)
    assert erasure.delete(people, actor=member).refused == {"restricted": 1}
    assert erasure.delete(people, actor=member, why=erasure.REQUEST).changed == 1


def test_restricting_and_lifting_take_a_reason_and_go_on_record(api, lars):
    url = f"/api/v1/contacts/{lars.pk}/restriction/"
    assert api.post(url, {}, format="json").status_code == 400
    assert api.post(url, {"reason": "  "}, format="json").json() == {
        "reason": ["Give a reason; it goes into the history."]
    }
    first = api.post(url, {"reason": "Contested"}, format="json")
    assert (first.status_code, first.json()["restricted"]) == (201, True)
    assert api.post(url, {"reason": "Contested"}, format="json").status_code == 200
    assert api.get(f"/api/v1/contacts/{lars.pk}/").json()["verdict"] == "may_not"
    assert api.delete(url, {"reason": "Settled"}, format="json").status_code == 204
    again = api.delete(url, {"reason": "Settled"}, format="json")
    assert (again.status_code, again.json()["code"]) == (409, "not_restricted")
    told = [(event.action, event.changes) for event in history.of_contact(lars.pk)[:2]]
    assert told == [
        ("unrestricted", {"reason": [None, "Settled"]}),
        ("restricted", {"reason": [None, "Contested"]}),
    ]


def test_card_and_event_hold_the_same_moment(anna):
    event = history.of_contact(anna.pk).get(action="restricted")
    assert ComplianceCard.objects.get(pk=anna.pk).restricted_at == event.at
