"""What leaves from the page of one person: the CSV, and the person."""

import csv
import io

import pytest
from django.utils import timezone

from compliance.suppression import suppression
from contacts.events import history
from contacts.models import Contact
from salesconnect.common import history_words

DETAILS = {"first_name": "Anna", "last_name": "Berg", "email": "anna@example.com"}


@pytest.mark.parametrize("role", ["alice", "bob", "charlie"])
def test_every_role_downloads_one_person_and_it_is_recorded(request, client, person, role):
    client.force_login(request.getfixturevalue(role))
    anna = person(**DETAILS)
    answer = client.post(f"/people/{anna.pk}/export/")
    assert answer["Content-Disposition"] == f'attachment; filename="Anna-Berg-{timezone.localdate()}.csv"'
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [(row["First Name"], row["Email ID"], row["Person ID"]) for row in rows] == [
        ("Anna", "anna@example.com", str(anna.pk))
    ]
    assert history_words.describe(history.of_contact(anna.pk).first()) == f"{role} exported this person"


def test_following_a_link_exports_nothing(signed_in, person):
    anna = person()
    assert signed_in.get(f"/people/{anna.pk}/export/").status_code == 405
    assert history.of_contact(anna.pk).count() == 1


def test_somebody_who_is_not_there_is_not_found(signed_in):
    assert signed_in.post("/people/987654321/export/").status_code == 404
    assert signed_in.get("/people/987654321/delete/").status_code == 404
    assert signed_in.post("/people/987654321/delete/").status_code == 404


def test_deleting_says_first_what_goes_and_what_stays(signed_in, person, member):
    anna = person(**DETAILS)
    text = signed_in.get(f"/people/{anna.pk}/delete/").text
    assert "What one entry of the history says" in text
    assert "The “no” of the address" not in text
    suppression.unsubscribe(Contact.objects.all(), actor=member, source="manual")
    text = signed_in.get(f"/people/{anna.pk}/delete/").text
    assert "What 2 entries of the history say" in text
    assert "The “no” of the address" in text
    assert Contact.objects.count() == 1


@pytest.mark.parametrize("role", ["alice", "bob"])
def test_administrators_and_members_delete_and_come_back_to_the_list(request, client, person, role):
    client.force_login(request.getfixturevalue(role))
    anna = person(**DETAILS)
    answer = client.post(f"/people/{anna.pk}/delete/", follow=True)
    assert answer.redirect_chain == [("/people/", 302)]
    assert "The person was deleted." in answer.text
    assert Contact.objects.count() == 0
    assert client.get(f"/people/{anna.pk}/").status_code == 404


def test_no_message_that_waits_says_who_was_deleted(signed_in, person):
    signed_in.post(f"/people/{person(**DETAILS).pk}/delete/")
    assert "Berg" not in str(dict(signed_in.session))


def test_deleting_under_htmx_leads_to_the_list(signed_in, person):
    anna = person(**DETAILS)
    target = {"HX-Request": "true", "HX-Target": "dialog-root"}
    assert "<html" not in signed_in.get(f"/people/{anna.pk}/delete/", headers=target).text
    answer = signed_in.post(f"/people/{anna.pk}/delete/", headers=target)
    assert answer["HX-Redirect"] == "/people/"


def test_an_auditor_may_not_delete(client, charlie, person):
    client.force_login(charlie)
    anna = person()
    assert client.get(f"/people/{anna.pk}/delete/").status_code == 403
    assert client.post(f"/people/{anna.pk}/delete/").status_code == 403
    assert Contact.objects.count() == 1
