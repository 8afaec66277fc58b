"""The page of one person, through the door that people use."""

import datetime as dt
import re

import pytest
from django.test import Client
from django.urls import reverse

from compliance.acts.authorization import authorization_params
from compliance.card import editing
from compliance.card.legal_basis_registry import AuthorizationType
from compliance.card.rules import Authorization
from compliance.card.source_registry import SourceType
from compliance.suppression import suppression
from contacts.events import history
from contacts.jobs import batches, bulk_undo
from contacts.models import Contact
from exports.erasure import erasure
from salesconnect.common import history_words

CONSENT = Authorization(AuthorizationType.CONSENT, consent_date=dt.date(2026, 3, 1), consent_purpose="Newsletter")
CONTRACT = Authorization(AuthorizationType.CONTRACT)
DETAILS = {"first_name": "Anna", "last_name": "Berg", "email": "anna@example.com"}
HTMX = {"HX-Request": "true", "HX-Target": "person"}


def browser_of(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


def posted(anna: Contact, **typed: str) -> dict[str, str]:
    """Return what a browser sends from the details' form: each field with the value that the editor saw."""
    anna.refresh_from_db()
    anna.card.refresh_from_db()
    names = ("first_name", "last_name", "email", "phone", "title", "company")
    seen = {name: getattr(anna, name) for name in names} | {"owner": str(anna.owner_id or "")}
    initial = {f"initial-{name}": value for name, value in seen.items()}
    return {**seen, **initial, **typed, "version": str(anna.card.version)}


def texts(anna: Contact) -> list[str]:
    return [history_words.describe(event) for event in history.of_contact(anna.pk)]


def test_the_page_says_who_it_is_and_what_one_may_do(signed_in, person):
    anna = person(**DETAILS, title="Head of Sales", company="Exempel AB", authorization=CONSENT)
    answer = signed_in.get(f"/people/{anna.pk}/")
    assert answer.status_code == 200
    for words in ("Anna Berg", "Head of Sales, Exempel AB", "Consent of 1 March 2026 for Newsletter.", "More actions"):
        assert words in answer.text


def test_a_person_with_nothing_recorded_says_so(signed_in, person):
    answer = signed_in.get(f"/people/{person().pk}/")
    assert answer.text.count("Not recorded") == 2
    assert "This person has never unsubscribed." in answer.text


@pytest.mark.parametrize("events", [1, 3])
def test_the_page_costs_the_same_however_much_happened(signed_in, person, member, django_assert_num_queries, events):
    anna = person()
    for number in range(events - 1):
        editing.edit(anna.pk, {"title": f"Title {number}"}, actor=member)
    with django_assert_num_queries(12):
        signed_in.get(f"/people/{anna.pk}/")


def test_somebody_unknown_or_deleted_is_a_page_that_says_so(signed_in, person, member):
    anna = person()
    erasure.delete(Contact.objects.filter(pk=anna.pk), actor=member)
    for contact_id in (anna.pk, 987_654_321, 10**30):
        answer = signed_in.get(f"/people/{contact_id}/")
        assert answer.status_code == 404
        assert "has been deleted" in answer.text


def test_an_auditor_reads_everything_and_is_offered_no_change(charlie, person):
    anna = person(**DETAILS, authorization=CONSENT)
    text = browser_of(charlie).get(f"/people/{anna.pk}/").text
    assert "Consent of 1 March 2026 for Newsletter." in text
    assert "Export" in text
    for offer in ("person-menu-delete", "Unsubscribe</button>", "Delete</button>", "Edit</button>"):
        assert offer not in text


@pytest.mark.parametrize("door", ["person-details", "person-card", "person-unsubscribe", "person-delete"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_an_auditor_is_refused_every_change(charlie, person, door, method):
    anna = person()
    answer = getattr(browser_of(charlie), method)(reverse(door, args=[anna.pk]))
    assert answer.status_code == 403
    assert texts(anna) == ["Sales Connect created this person"]


@pytest.mark.parametrize("role", ["alice", "bob"])
def test_administrators_and_members_edit_details(request, person, role):
    anna = person(**DETAILS)
    client = browser_of(request.getfixturevalue(role))
    answer = client.post(f"/people/{anna.pk}/details/", posted(anna, title="CEO"), follow=True)
    assert answer.redirect_chain == [(f"/people/{anna.pk}/", 302)]
    assert "Changed: Title from empty to “CEO”" in answer.text
    assert texts(anna)[0] == f"{role} changed Title from empty to “CEO”"


def test_an_auditor_may_not_create_or_undo(charlie, person):
    client, anna = browser_of(charlie), person()
    assert client.get("/people/new/").status_code == 403
    assert client.post("/people/new/", DETAILS).status_code == 403
    assert client.post(f"/people/{anna.pk}/undo/?since=0&version=1").status_code == 403


def test_who_is_not_signed_in_is_sent_to_the_sign_in(client, person):
    answer = client.get(f"/people/{person().pk}/")
    assert answer.status_code == 302
    assert answer.url.startswith("/accounts/login/")


def test_the_details_open_in_place_with_what_is_stored(signed_in, person):
    anna = person(**DETAILS)
    answer = signed_in.get(f"/people/{anna.pk}/details/")
    text = answer.text
    assert answer.context["opened"].form["email"].value() == "anna@example.com"
    assert 'name="initial-email"' in text
    assert 'name="version" value="1"' in text
    assert "Edit</button>" not in text


def test_an_edit_under_htmx_answers_the_page_and_a_toast_with_undo(signed_in, person):
    anna = person(**DETAILS)
    since = history.newest_id(anna.pk)
    answer = signed_in.post(f"/people/{anna.pk}/details/", posted(anna, title="CEO"), headers=HTMX)
    assert (answer.status_code, answer["HX-Retarget"], answer["HX-Reselect"]) == (200, "#person", "#person > *")
    assert f"/people/{anna.pk}/undo/?since={since}\\u0026version=2" in answer["HX-Trigger"].replace("&", "\\u0026")
    assert 'id="edit-details" aria-label="Edit contact details" autofocus' in answer.text


def test_saving_what_is_there_already_changes_nothing(signed_in, person):
    anna = person(**DETAILS)
    answer = signed_in.post(f"/people/{anna.pk}/details/", posted(anna), follow=True)
    assert "Nothing was changed." in answer.text
    assert len(texts(anna)) == 1


def test_a_wrong_address_is_refused_beside_its_field(signed_in, person):
    anna = person(**DETAILS)
    answer = signed_in.post(f"/people/{anna.pk}/details/", posted(anna, email="anna"))
    assert answer.status_code == 422
    assert answer.context["opened"].form.errors.keys() == {"email"}
    assert 'value="anna"' in answer.text
    assert 'name="version" value="1"' in answer.text


def test_a_person_must_keep_a_name_or_an_address(signed_in, person):
    anna = person(**DETAILS)
    answer = signed_in.post(f"/people/{anna.pk}/details/", posted(anna, first_name="", last_name="", email=""))
    assert (answer.status_code, list(answer.context["opened"].form.errors)) == (422, ["last_name"])


def test_a_taken_address_is_refused_with_a_link_to_who_has_it(signed_in, person):
    anna, lars = person(**DETAILS), person(first_name="Lars", email="lars@example.com")
    answer = signed_in.post(f"/people/{anna.pk}/details/", posted(anna, email="LARS@example.com"))
    assert answer.status_code == 422
    assert f'<a href="/people/{lars.pk}/">Show that person</a>' in answer.text
    anna.refresh_from_db()
    assert anna.email == "anna@example.com"


def test_the_owner_is_changed_with_the_details_and_given_back_by_undo(signed_in, person, alice, bob):
    anna = person(**DETAILS, owner=alice)
    answer = signed_in.post(f"/people/{anna.pk}/details/", posted(anna, title="CEO", owner=str(bob.pk)), headers=HTMX)
    anna.refresh_from_db()
    assert (anna.owner, anna.title) == (bob, "CEO")
    undo = signed_in.post(f"/people/{anna.pk}/undo/?since=0&version=3&owner={alice.pk}", follow=True)
    assert "Undone." in undo.text
    anna.refresh_from_db()
    assert (anna.owner, anna.title) == (alice, "")
    assert answer["HX-Trigger"].count(f"owner={alice.pk}") == 1


def test_an_edit_that_meets_a_newer_one_shows_both_and_overwrites_nothing(signed_in, person, administrator):
    anna = person(**DETAILS, phone="1")
    typed = posted(anna, title="CTO")
    editing.edit(anna.pk, {"title": "CEO", "phone": "2"}, actor=administrator)
    answer = signed_in.post(f"/people/{anna.pk}/details/", typed)
    assert answer.status_code == 412
    rows = [(row.label, row.theirs, row.mine, row.kept) for row in answer.context["opened"].versions.rows]
    assert rows == [("Phone number", "2", "2", True), ("Title", "CEO", "CTO", False)]
    assert "alice changed Title from empty to “CEO” and Phone number from “1” to “2”" in answer.text
    anna.refresh_from_db()
    assert (anna.title, anna.phone) == ("CEO", "2")


def test_applying_mine_on_top_stores_what_i_changed_and_keeps_the_rest(signed_in, person, administrator):
    anna = person(**DETAILS, phone="1")
    typed = posted(anna, title="CTO")
    editing.edit(anna.pk, {"title": "CEO", "phone": "2"}, actor=administrator)
    both = signed_in.post(f"/people/{anna.pk}/details/", typed).context["opened"]
    answer = signed_in.post(f"/people/{anna.pk}/details/", {**dict(both.versions.resend), "version": both.version})
    assert answer.status_code == 302
    anna.refresh_from_db()
    assert (anna.title, anna.phone) == ("CTO", "2")


def test_a_form_without_its_version_is_not_understood(signed_in, person):
    anna = person(**DETAILS)
    assert signed_in.post(f"/people/{anna.pk}/details/", {**posted(anna), "version": "x"}).status_code == 400


def test_a_new_address_of_an_unsubscribed_person_is_suppressed_and_the_editor_told(signed_in, person, member):
    anna = person(**DETAILS)
    suppression.unsubscribe(Contact.objects.all(), actor=member, source="manual")
    answer = signed_in.post(f"/people/{anna.pk}/details/", posted(anna, email="new@example.com"), follow=True)
    assert "The person is unsubscribed, so the new address is suppressed too" in answer.text
    assert suppression.of_address("new@example.com").reason == "address_changed"


def test_moving_to_a_suppressed_address_tells_the_editor(signed_in, person, member):
    person(email="gone@example.com")
    suppression.unsubscribe(Contact.objects.all(), actor=member, source="manual")
    Contact.objects.all().delete()
    anna = person(**DETAILS)
    answer = signed_in.post(f"/people/{anna.pk}/details/", posted(anna, email="gone@example.com"), follow=True)
    assert "The new address is unsubscribed, so this person now is too" in answer.text


def test_an_undo_gives_back_what_was_and_is_an_event_of_its_own(signed_in, person, member):
    anna = person(**DETAILS, title="CEO")
    since = history.newest_id(anna.pk)
    editing.edit(anna.pk, {"title": "CTO"}, actor=member)
    answer = signed_in.post(f"/people/{anna.pk}/undo/?since={since}&version=2", headers=HTMX)
    assert answer.status_code == 200
    assert texts(anna)[0] == "bob changed Title from “CTO” to “CEO”"


def test_an_undo_after_a_newer_edit_is_refused(signed_in, person, member):
    anna = person(**DETAILS)
    since = history.newest_id(anna.pk)
    editing.edit(anna.pk, {"title": "CTO"}, actor=member)
    editing.edit(anna.pk, {"phone": "2"}, actor=member)
    answer = signed_in.post(f"/people/{anna.pk}/undo/?since={since}&version=2")
    assert answer.status_code == 412
    assert "Nothing was overwritten" in answer.text
    assert len(texts(anna)) == 3


@pytest.mark.parametrize("query", ["", "?since=0", "?since=x&version=1", "?since=-1&version=1"])
def test_a_damaged_undo_link_is_not_understood(signed_in, person, query):
    assert signed_in.post(f"/people/{person().pk}/undo/{query}").status_code == 400


def test_an_undo_with_nothing_to_undo_is_a_conflict(signed_in, person):
    anna = person()
    since = history.newest_id(anna.pk)
    assert signed_in.post(f"/people/{anna.pk}/undo/?since={since}&version=1").status_code == 409


@pytest.mark.parametrize(
    ("address", "linked"),
    [
        ("https://exempel.se/", True),
        ("http://exempel.se", True),
        ("javascript:alert(1)", False),
        ("data:text/html,x", False),
        ("//exempel.se", False),
        ("https://", False),
        ("http://[", False),
        ("exempel.se", False),
    ],
)
def test_only_web_addresses_become_links(signed_in, person, address, linked):
    anna = person(**DETAILS, website=address)
    text = signed_in.get(f"/people/{anna.pk}/").text
    assert address in text
    assert (f'href="{address}" rel="noopener noreferrer nofollow"' in text) is linked


def test_the_unsubscribe_history_tells_opt_outs_with_source_and_reason(signed_in, person, member):
    anna = person(**DETAILS)
    suppression.unsubscribe(Contact.objects.all(), actor=member, source="manual", reason="by phone")
    text = signed_in.get(f"/people/{anna.pk}/").text
    assert "Manual, bob" in text
    assert "by phone" in text
    assert "This person has never unsubscribed." not in text


def test_a_person_who_came_in_suppressed_has_the_suppression_in_the_history(signed_in, person, member):
    person(email="anna@example.com")
    suppression.unsubscribe(Contact.objects.all(), actor=member, source="clicked_link", reason="too many")
    Contact.objects.all().delete()
    anna = person(**DETAILS)
    said = signed_in.get(f"/people/{anna.pk}/").context["said"]
    assert [(entry.kind, entry.source, entry.reason) for entry in said] == [
        ("unsubscribed", "clicked_link", "too many")
    ]


def test_the_history_comes_fifty_at_a_time(signed_in, person, member):
    anna = person(**DETAILS)
    for number in range(59):
        editing.edit(anna.pk, {"title": f"Title {number}"}, actor=member)
    first = signed_in.get(f"/people/{anna.pk}/").context["history"]
    second = signed_in.get(f"/people/{anna.pk}/history/", {"cursor": first.older}).context["history"]
    shown = re.findall(r"/events/(\d+)/proof/", first.html + second.html)
    assert shown == [str(event.id) for event in history.of_contact(anna.pk)]
    assert (first.html.count("<li"), second.html.count("<li"), second.older) == (50, 10, None)
    assert signed_in.get(f"/people/{anna.pk}/history/", {"cursor": "damaged"}).status_code == 400


def test_a_bulk_change_is_one_click_away_and_its_undo_names_it(signed_in, person, member):
    anna = person(**DETAILS)
    done = batches.order(Contact.objects.all(), "authorization", actor=member, params=authorization_params(CONSENT))
    undone = bulk_undo.undo(done, actor=member)
    text = signed_in.get(f"/people/{anna.pk}/").text
    assert f'<a href="/tasks/{done.pk}/">Show bulk change {done.pk}</a>' in text
    assert f"in bulk change {undone.pk}, which takes back bulk change {done.pk}" in text


def test_a_person_is_created_by_hand_and_belongs_to_who_did_it(signed_in, bob):
    form = signed_in.get("/people/new/").context["card"]
    assert (form["source_type"].value(), form["authorization_type"].value()) == ("manual_upload", "not_recorded")
    typed = {**DETAILS, "authorization_type": "not_recorded", "source_type": "manual_upload"}
    answer = signed_in.post("/people/new/", typed, follow=True)
    anna = Contact.objects.select_related("card").get()
    assert answer.redirect_chain == [(f"/people/{anna.pk}/", 302)]
    assert (anna.owner, anna.card.source_type) == (bob, SourceType.MANUAL_UPLOAD)
    assert "Anna Berg was created." in answer.text


def test_a_new_person_with_wrong_fields_is_refused_beside_them(signed_in):
    typed = {"email": "anna", "authorization_type": "consent", "source_type": "manual_upload"}
    answer = signed_in.post("/people/new/", typed)
    assert answer.status_code == 422
    assert answer.context["card"].errors.keys() == {"consent_date", "consent_purpose"}
    answer = signed_in.post("/people/new/", typed | {"authorization_type": "contract"})
    assert (answer.status_code, list(answer.context["details"].errors)) == (422, ["email"])
    assert Contact.objects.count() == 0


def test_a_new_person_with_a_taken_address_is_refused_with_a_link(signed_in, person):
    anna = person(**DETAILS)
    typed = {"email": "anna@example.com", "authorization_type": "contract", "source_type": "manual_upload"}
    answer = signed_in.post("/people/new/", typed)
    assert answer.status_code == 422
    assert f'<a href="/people/{anna.pk}/">Show that person</a>' in answer.text


def test_a_new_person_with_a_suppressed_address_comes_with_a_warning(signed_in, person, member):
    person(**DETAILS)
    suppression.unsubscribe(Contact.objects.all(), actor=member, source="manual")
    Contact.objects.all().delete()
    typed = {**DETAILS, "authorization_type": "contract", "source_type": "manual_upload"}
    assert "so this person is unsubscribed" in signed_in.post("/people/new/", typed, follow=True).text


def test_the_way_back_leads_to_the_list_as_it_was(signed_in, person):
    url = f"/people/{person().pk}/"
    assert signed_in.get(url, headers={"Referer": "http://testserver/people/?search=berg"}).context["people_url"] == (
        "/people/?search=berg"
    )
    assert signed_in.get(url, headers={"Referer": "http://evil.example/x"}).context["people_url"] == "/people/"
