import datetime as dt

import pytest
from django.db.models import F

from compliance.card.legal_basis_registry import AuthorizationType
from compliance.card.rules import Authorization, Source
from compliance.card.source_registry import SourceType
from compliance.imports.import_jobs import CardDefaults
from compliance.models import ComplianceCard, ImportReject, ImportSeen
from compliance.suppression import suppression
from contacts.events import history
from contacts.models import Contact, ContactEvent
from tests.importing import counts

MARCH = dt.date(2026, 3, 1)
CONSENT = Authorization(AuthorizationType.CONSENT, consent_date=MARCH, consent_purpose="Newsletter")
CONTRACT = Authorization(AuthorizationType.CONTRACT)
CARD = "Email,Authorization Type,Date of Consent,Purpose of Processing"


def basis(email):
    card = ComplianceCard.objects.get(contact__email_key=email)
    return Authorization(card.authorization_type, card.authorization_other, card.consent_date, card.consent_purpose)


def reasons(job):
    return list(ImportReject.objects.filter(job=job).order_by("line").values_list("line", "reason"))


def test_new_people_come_in_with_card_owner_and_event(take_in, bob):
    job = take_in("First Name,Last Name,Email,Company", "Åsa,Öberg,Asa@Example.se,Berg AB", "Bo,Ek,,")
    assert (job.state, counts(job)) == ("done", (2, 2, 0, 0, 0))
    asa = Contact.objects.select_related("card").get(email_key="asa@example.se")
    assert (asa.first_name, asa.email, asa.company, asa.owner) == ("Åsa", "Asa@Example.se", "Berg AB", bob)
    assert (asa.card.source_type, asa.card.authorization_type, asa.card.unsubscribed) == (
        SourceType.IMPORT,
        None,
        False,
    )
    event = history.of_contact(asa.pk).get()
    assert (event.action, event.actor_name, event.door) == ("created", "bob", "import")
    assert event.changes == {"file": "people.csv", "line": 2, "source_type": "import"}


def test_the_same_file_again_changes_nothing_and_records_nothing(take_in):
    file = ("First Name,Last Name,Email", "Åsa,Öberg,asa@example.se", "Bo,Ek,BO@example.se")
    take_in(*file)
    job = take_in(file[0], "Åsa,Öberg,ASA@example.se", file[2])
    assert counts(job) == (2, 0, 0, 2, 0)
    assert ContactEvent.objects.count() == 2
    assert set(Contact.objects.values_list("email", flat=True)) == {"asa@example.se", "BO@example.se"}


def test_known_people_are_updated_where_values_differ_and_blank_cells_do_not_overwrite(take_in, person):
    anna = person(first_name="Anna", last_name="Berg", email="anna@example.com", company="Old AB", phone="08 1")
    job = take_in("First Name,Last Name,Email,Company,Phone", "Anna,Öberg,ANNA@example.com,Ny AB,")
    assert counts(job) == (1, 0, 1, 0, 0)
    anna = Contact.objects.select_related("card").get(pk=anna.pk)
    assert (anna.last_name, anna.company, anna.phone, anna.email) == ("Öberg", "Ny AB", "08 1", "anna@example.com")
    assert (anna.sort_company, anna.card.sort_last, anna.card.sort_first) == ("ny ab", "}berg", "anna")
    assert (anna.sort_last, anna.sort_first) == ("}berg", "anna")
    assert anna.card.version == 2
    event = history.of_contact(anna.pk).first()
    assert (event.action, event.door) == ("edited", "import")
    assert event.changes == {
        "last_name": ["Berg", "Öberg"],
        "company": ["Old AB", "Ny AB"],
        "file": "people.csv",
        "line": 2,
    }


def test_the_first_row_of_an_address_counts_and_later_ones_are_rejected(take_in, monkeypatch):
    monkeypatch.setattr("compliance.imports.chunking.CHUNK_ROWS", 2)
    job = take_in("First Name,Email", "Anna,a@example.se", "Bo,A@EXAMPLE.se", "Cia,c@example.se", "Disa,a@example.se ")
    assert counts(job) == (4, 2, 0, 0, 2)
    assert reasons(job) == [
        (3, "Duplicate: the address stands in an earlier row of this file."),
        (5, "Duplicate: the address stands in an earlier row of this file."),
    ]
    assert Contact.objects.get(email_key="a@example.se").first_name == "Anna"
    assert ImportSeen.objects.count() == 0


def test_a_rejected_row_does_not_take_the_address(take_in):
    job = take_in(CARD, "a@example.se,consent,,", "a@example.se,contract,,")
    assert counts(job) == (2, 1, 0, 0, 1)
    assert reasons(job) == [(2, "Consent needs the date on which it was given.")]
    assert basis("a@example.se") == CONTRACT


def test_a_mapped_card_is_taken_and_overwrites_what_is_recorded(take_in, person):
    anna = person(email="a@example.se", authorization=CONSENT, source=Source(SourceType.OTHER, "fair"))
    job = take_in(
        f"{CARD},Source Type",
        "a@example.se,Fullgörande av avtal,,,CRM Sync",
        "b@example.se,consent,2026-03-01,Newsletter,",
    )
    assert (counts(job), job.consents_ended) == ((2, 1, 1, 0, 0), 1)
    assert (basis("a@example.se"), basis("b@example.se")) == (CONTRACT, CONSENT)
    newest = list(history.of_contact(anna.pk).values_list("action", flat=True))
    assert newest == ["source", "authorization", "created"]
    changes = history.of_contact(anna.pk).get(action="authorization").changes
    assert changes["authorization_type"] == ["consent", "contract"]
    assert changes["consent_date"] == ["2026-03-01", None]


def test_the_values_for_all_rows_fill_only_what_is_not_recorded(take_in, person):
    person(email="a@example.se", authorization=CONTRACT, source=Source(SourceType.CRM_SYNC))
    person(email="b@example.se")
    job = take_in(
        "Email",
        "a@example.se",
        "b@example.se",
        "c@example.se",
        card=CardDefaults(CONSENT, Source(SourceType.OTHER, "fair")),
    )
    assert (counts(job), job.consents_ended) == ((3, 1, 1, 1, 0), 0)
    assert [basis(f"{name}@example.se") for name in "abc"] == [CONTRACT, CONSENT, CONSENT]
    sources = ComplianceCard.objects.order_by("contact__email_key").values_list("source_type", "source_other")
    assert list(sources) == [(1, ""), (5, "fair"), (5, "fair")]


def test_blank_cells_of_a_consent_leave_its_date_and_purpose(take_in, person):
    person(email="a@example.se", authorization=CONSENT)
    job = take_in(CARD, "a@example.se,consent,,", "b@example.se,consent,,Newsletter")
    assert counts(job) == (2, 0, 0, 1, 1)
    again = take_in(CARD, "a@example.se,,,Invitations")
    assert counts(again) == (1, 0, 1, 0, 0)
    assert basis("a@example.se") == Authorization(AuthorizationType.CONSENT, "", MARCH, "Invitations")


def test_date_and_purpose_for_all_rows_complete_the_consents_of_the_file(take_in):
    job = take_in(CARD, "a@example.se,consent,,", "b@example.se,contract,,", card=CardDefaults(CONSENT))
    assert counts(job) == (2, 2, 0, 0, 0)
    assert (basis("a@example.se"), basis("b@example.se")) == (CONSENT, CONTRACT)


def test_a_date_of_consent_without_consent_rejects_the_row(take_in, person):
    person(email="a@example.se", authorization=CONTRACT)
    job = take_in(CARD, "a@example.se,,2026-03-01,", "b@example.se,,,Newsletter")
    assert counts(job) == (2, 0, 0, 0, 2)
    assert {reason for _, reason in reasons(job)} == {"Only Consent has a date of consent and a purpose of processing."}


def test_an_opt_out_column_only_ever_opts_out(take_in, person, member):
    person(email="a@example.se")
    person(email="b@example.se")
    suppression.unsubscribe(Contact.objects.filter(email_key="b@example.se"), actor=member, source="manual")
    rows = ("a@example.se,1", "b@example.se,0", "c@example.se,true", "d@example.se,no")
    job = take_in("Email,Email Opt Out", *rows)
    assert (counts(job), job.suppressed) == ((4, 2, 1, 1, 0), 3)
    people = ComplianceCard.objects.order_by("contact__email_key").values_list("unsubscribed", flat=True)
    assert list(people) == [True, True, True, False]
    assert suppression.of_address("a@example.se").source == "import"
    assert suppression.of_address("c@example.se").source == "import"
    event = ContactEvent.objects.get(action="unsubscribed", door="import")
    assert event.changes["source"] == [None, "import"]


def test_a_suppressed_address_comes_in_unsubscribed_and_is_counted(take_in, person, member):
    person(email="a@example.se")
    suppression.unsubscribe(Contact.objects.all(), actor=member, source="manual")
    Contact.objects.all().delete()
    job = take_in("Email", "A@example.se", "b@example.se")
    assert (counts(job), job.suppressed) == ((2, 2, 0, 0, 0), 1)
    assert ComplianceCard.objects.get(contact__email_key="a@example.se").unsubscribed


def test_a_dry_run_counts_the_same_and_changes_nothing(take_in, person):
    person(email="a@example.se", authorization=CONSENT)
    person(email="b@example.se")
    file = (f"{CARD},Unsubscribed", "a@example.se,contract,,,", "b@example.se,,,,", "c@example.se,,,,1", "x,,,,")
    dry = take_in(*file, dry_run=True)
    assert (Contact.objects.count(), ContactEvent.objects.count()) == (2, 2)
    assert basis("a@example.se") == CONSENT
    real = take_in(*file)
    assert counts(dry) == counts(real) == (4, 1, 1, 1, 1)
    assert (dry.consents_ended, dry.suppressed) == (real.consents_ended, real.suppressed) == (1, 1)
    assert (dry.state, ImportSeen.objects.count()) == ("done", 0)


@pytest.mark.parametrize("rows", [1, 3])
def test_the_number_of_statements_does_not_grow_with_the_rows(take_in, django_assert_num_queries, rows):
    file = [f"{number}@example.se" for number in range(rows)]
    take_in("Email", "0@example.se")
    with django_assert_num_queries(49):
        take_in("Email", *file)


def test_rejected_rows_are_kept_with_their_cells(take_in):
    job = take_in("First Name,Email", "Anna,no address", "Bo,bo@example.se")
    reject = ImportReject.objects.get(job=job)
    assert (reject.line, reject.cells) == (2, ["Anna", "no address"])
    assert reject.reason.startswith("Email: ")


def test_every_row_is_accounted_for_across_chunks(take_in, monkeypatch):
    monkeypatch.setattr("compliance.imports.chunking.CHUNK_ROWS", 3)
    job = take_in("Email", *[f"{number}@example.se" for number in range(10)])
    assert counts(job) == (10, 10, 0, 0, 0)
    assert Contact.objects.filter(card__version=1, email=F("email_key")).count() == 10
