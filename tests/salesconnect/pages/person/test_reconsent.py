import datetime as dt
import io
import re

import pytest
import time_machine
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from compliance.models import ComplianceCard, Suppression
from compliance.suppression import suppression
from contacts.events import history
from contacts.models import Contact, Merge
from tests.evidence import PDF
from tests.sessions import age
from unsubscribes.models import ConsentEvidence, SuppressionList

PASSWORD = "correct-horse-battery"


@pytest.fixture(autouse=True)
def no_tries_counted(db):
    """Forget how often passwords were tried before."""
    cache.clear()


def browser_of(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


def signed_in_by_password(user) -> Client:
    client = Client()
    client.post("/accounts/login/", {"login": user.username, "password": PASSWORD})
    return client


@pytest.fixture
def anna(person, member):
    someone = person(first_name="Anna", last_name="Berg", email="anna@example.com")
    suppression.unsubscribe(Contact.objects.filter(pk=someone.pk), actor=member, source="manual", reason="Too much")
    return someone


@pytest.fixture
def form(anna):
    anna.card.refresh_from_db()
    return {
        "version": anna.card.version,
        "consent_date": timezone.localdate().isoformat(),
        "channel": "writing",
        "wording": "I agree.",
        "purpose": "News",
        "evidence_file": SimpleUploadedFile("letter.pdf", PDF),
        "confirmation": "Anna@Example.com",
        "password": PASSWORD,
    }


def test_the_form_removes_the_unsubscribe(alice, anna, form):
    answer = browser_of(alice).post(f"/people/{anna.pk}/re-consent/", form, follow=True)
    assert answer.redirect_chain == [(f"/people/{anna.pk}/", 302)]
    assert "The unsubscribe of Anna Berg is removed." in answer.content.decode()
    assert not ComplianceCard.objects.get(pk=anna.pk).unsubscribed


@pytest.mark.parametrize(
    "change",
    [
        {"confirmation": "lars@example.com"},
        {"confirmation": ""},
        {"channel": ""},
        {"evidence_file": "", "evidence_reference": "too short"},
        {"evidence_file": SimpleUploadedFile("letter.pdf", b"words")},
        {"consent_date": "2099-01-01"},
    ],
)
def test_a_form_that_shows_no_consent_comes_back(alice, anna, form, change):
    answer = browser_of(alice).post(f"/people/{anna.pk}/re-consent/", form | change)
    assert answer.status_code == 422
    assert "I agree." in answer.content.decode()
    assert ComplianceCard.objects.get(pk=anna.pk).unsubscribed


def test_a_no_between_the_form_and_its_answer_stops_it_and_keeps_what_was_typed(alice, anna, form, member):
    suppression.unsubscribe(Contact.objects.filter(pk=anna.pk), actor=member, source="clicked_link")
    answer = browser_of(alice).post(f"/people/{anna.pk}/re-consent/", form)
    assert (answer.status_code, "I agree." in answer.content.decode()) == (412, True)
    version = ComplianceCard.objects.get(pk=anna.pk).version
    assert re.search(r'name="version"[^>]* value="([0-9]+)"', answer.content.decode())[1] == str(version)
    assert ComplianceCard.objects.get(pk=anna.pk).unsubscribed


def test_who_has_just_signed_in_is_not_asked_for_the_password(alice, anna, form):
    client, url = signed_in_by_password(alice), f"/people/{anna.pk}/re-consent/"
    assert "Your password" not in client.get(url).text
    del form["password"]
    assert client.post(url, form).status_code == 302


@pytest.mark.parametrize(
    ("password", "words"), [("", "Give your password."), ("wrong", "Incorrect password."), (PASSWORD, "")]
)
def test_an_old_sign_in_asks_for_the_password(alice, anna, form, password, words):
    with time_machine.travel(timezone.now() - dt.timedelta(minutes=11)):
        client = signed_in_by_password(alice)
    url = f"/people/{anna.pk}/re-consent/"
    assert "Your password" in client.get(url).text
    answer = client.post(url, form | {"password": password})
    assert answer.status_code == (422 if words else 302)
    assert words in answer.text
    assert ComplianceCard.objects.get(pk=anna.pk).unsubscribed == bool(words)


def test_a_password_that_was_right_is_asked_for_once(alice, anna, form):
    client, url = age(browser_of(alice)), f"/people/{anna.pk}/re-consent/"
    assert "Your password" not in client.post(url, form | {"channel": ""}).text
    assert "Your password" not in client.get(url).text


def test_too_many_wrong_passwords_close_the_door_to_the_right_one(alice, anna, form):
    cache.clear()
    client, url = age(browser_of(alice)), f"/people/{anna.pk}/re-consent/"
    for _ in range(5):
        client.post(url, form | {"password": "wrong"})
    answer = client.post(url, form)
    assert (answer.status_code, "Too many failed login attempts" in answer.text) == (422, True)
    assert ComplianceCard.objects.get(pk=anna.pk).unsubscribed


@pytest.mark.parametrize(("role", "status"), [("alice", 200), ("bob", 403), ("charlie", 403)])
def test_the_page_is_for_administrators(anna, role, status, request):
    client = browser_of(request.getfixturevalue(role))
    assert client.get(f"/people/{anna.pk}/re-consent/").status_code == status
    assert client.post(f"/people/{anna.pk}/re-consent/", {}).status_code == (422 if status == 200 else status)


@pytest.mark.parametrize(("role", "enabled"), [("alice", True), ("bob", False), ("charlie", False)])
def test_the_menu_offers_it_or_says_why_not(anna, role, enabled, request):
    page = browser_of(request.getfixturevalue(role)).get(f"/people/{anna.pk}/").content.decode()
    assert (f'href="/people/{anna.pk}/re-consent/"' in page) == enabled
    assert ("Only an administrator can" in page) != enabled


def test_somebody_who_is_not_unsubscribed_has_no_such_page(alice, person):
    lars = person(email="lars@example.com")
    assert browser_of(alice).get(f"/people/{lars.pk}/re-consent/").status_code == 409


def test_the_document_is_handed_out_as_a_download_and_on_record(alice, charlie, anna, form):
    browser_of(alice).post(f"/people/{anna.pk}/re-consent/", form)
    record = ConsentEvidence.objects.get()
    client = browser_of(charlie)
    assert f"/people/{anna.pk}/evidence/{record.pk}/" in client.get(f"/people/{anna.pk}/").content.decode()
    assert client.get(f"/people/{anna.pk}/evidence/{record.pk}/").status_code == 405
    assert "Download letter.pdf" in client.get(f"/people/{anna.pk}/").text
    answer = client.post(f"/people/{anna.pk}/evidence/{record.pk}/")
    assert b"".join(answer.streaming_content) == PDF
    assert answer["Content-Disposition"] == 'attachment; filename="letter.pdf"'
    assert (answer["X-Content-Type-Options"], answer["Cache-Control"]) == ("nosniff", "private, no-store")
    assert "sandbox" in answer["Content-Security-Policy"]
    assert history.of_contact(anna.pk).first().action == "exported"
    assert Client().post(f"/people/{anna.pk}/evidence/{record.pk}/").status_code == 302
    assert client.post(f"/people/{anna.pk + 1}/evidence/{record.pk}/").status_code == 404


def test_every_number_of_the_chart_leads_to_a_list_of_that_length(signed_in, anna, alice, form):
    browser_of(alice).post(f"/people/{anna.pk}/re-consent/", form)
    for unit in ("week", "month"):
        page = signed_in.get("/unsubscribes/", {"by": unit}).content.decode()
        links = re.findall(r'<td class="num"><a href="([^"]+)">([0-9,]+)</a></td>', page)
        assert sum(int(number) for _url, number in links) == 2
        for url, number in links:
            listed = signed_in.get(f"{url.replace('&amp;', '&')}").content.decode()
            count = re.search(r'data-count="([0-9]+)"', listed)
            assert (int(count[1]) if count else 0) == int(number)


def test_the_list_is_exported_and_that_is_on_record(signed_in, anna, member):
    answer = signed_in.post("/unsubscribes/export/", {"source": "manual"})
    lines = b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()
    assert lines[0] == "Date,What,Person ID,First Name,Last Name,Email ID,Source,Reason,By"
    assert lines[1].endswith(f"unsubscribed,{anna.pk},Anna,Berg,anna@example.com,manual,Too much,bob")
    assert len(lines) == 2
    assert history.of_contact(anna.pk).first().action == "exported"


def test_addresses_of_nobody_are_listed_and_exported_by_hash(signed_in, anna, db):
    Suppression.objects.create(address_hash="00000000-0000-4000-8000-000000000001", hash_key="k", source="import")
    page = signed_in.get("/unsubscribes/", {"kind": "addresses"}).content.decode()
    assert "00000000-0000" in page
    answer = signed_in.post("/unsubscribes/export/", {"kind": "addresses"})
    lines = b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()
    assert lines[1].endswith("suppressed,00000000-0000-4000-8000-000000000001,k,import,")


@pytest.mark.parametrize(
    "query", [{"kind": "x"}, {"source": "x"}, {"since": "yesterday"}, {"by": "x"}, {"cursor": "x"}]
)
def test_what_cannot_be_filtered_by_is_refused(signed_in, query):
    assert signed_in.get("/unsubscribes/", query).status_code == 400


def test_an_empty_page_says_what_will_appear(signed_in):
    assert "Nobody has unsubscribed" in signed_in.get("/unsubscribes/").content.decode()
    assert "Nothing matches" in signed_in.get("/unsubscribes/", {"search": "x"}).content.decode()


def test_a_list_is_imported_and_its_invalid_lines_downloaded(alice, anna):
    client = browser_of(alice)
    file = io.BytesIO(b"anna@example.com\nnew@example.com\nnonsense\n")
    file.name = "old.csv"
    answer = client.post("/unsubscribes/import/", {"file": file}, follow=True)
    taken = SuppressionList.objects.get()
    assert (taken.new, taken.already, taken.invalid) == (1, 1, 1)
    assert answer.redirect_chain == [(f"/unsubscribes/import/{taken.pk}/", 302)]
    rejected = client.get(f"/unsubscribes/import/{taken.pk}/invalid/").content.decode("utf-8-sig").splitlines()
    assert (rejected[0], rejected[1][:2]) == ("Line,Reason", "3,")


def test_a_file_that_cannot_be_read_is_refused_beside_the_field(alice):
    answer = browser_of(alice).post("/unsubscribes/import/", {"file": SimpleUploadedFile("x.csv", b"A,B\n1,2\n")})
    assert (answer.status_code, "holds no email address" in answer.content.decode()) == (422, True)


@pytest.mark.parametrize("role", ["bob", "charlie"])
def test_only_administrators_import_lists(role, request):
    client = browser_of(request.getfixturevalue(role))
    assert client.get("/unsubscribes/import/").status_code == 403
    assert (
        client.post("/unsubscribes/import/", {"file": SimpleUploadedFile("x.csv", b"a@example.com")}).status_code == 403
    )
    assert not Suppression.objects.exists()


def test_two_records_are_compared_merged_and_parted_again(signed_in, anna, person):
    double = person(first_name="Anna", last_name="Berg", email="berg@example.com", phone="070 1")
    url = f"/people/{anna.pk}/merge/"
    assert f"?other={double.pk}" in signed_in.get(url).content.decode()
    page = signed_in.get(url, {"other": double.pk}).content.decode()
    assert "070 1" in page
    assert "with both addresses" in page
    fields = {
        name: re.search(rf'name="{name}" value="([0-9]+)"', page)[1] for name in ("other", "version", "other_version")
    }
    answer = signed_in.post(url, fields | {"email": "other"}, follow=True)
    assert answer.redirect_chain == [(f"/people/{anna.pk}/", 302)]
    now = Contact.objects.get(pk=anna.pk)
    assert (now.email, now.phone) == ("berg@example.com", "070 1")
    record = Merge.objects.get()
    assert f"{url}{record.pk}/undo/" in signed_in.get(url).content.decode()
    signed_in.post(f"{url}{record.pk}/undo/")
    assert Contact.objects.get(pk=double.pk).phone == "070 1"
    assert ComplianceCard.objects.get(pk=double.pk).unsubscribed


def test_a_comparison_that_is_old_merges_nothing(signed_in, anna, person):
    double = person(email="berg@example.com")
    answer = signed_in.post(f"/people/{anna.pk}/merge/", {"other": double.pk, "version": 1, "other_version": 1})
    assert answer.status_code == 412
    assert signed_in.post(f"/people/{anna.pk}/merge/", {"other": double.pk}).status_code == 400
    assert Contact.objects.count() == 2


def test_an_auditor_sees_no_merge(charlie, anna, person):
    client, double = browser_of(charlie), person(email="berg@example.com")
    assert "/merge/" not in client.get(f"/people/{anna.pk}/").content.decode()
    assert client.get(f"/people/{anna.pk}/merge/", {"other": double.pk}).status_code == 403
    assert client.post(f"/people/{anna.pk}/merge/1/undo/").status_code == 403


def test_the_list_asks_as_much_for_three_entries_as_for_one(signed_in, person, member, django_assert_num_queries):
    for number in range(3):
        someone = person(email=f"p{number}@example.com")
        suppression.unsubscribe(Contact.objects.filter(pk=someone.pk), actor=member, source="manual")
        if number in (0, 2):
            with django_assert_num_queries(8):
                signed_in.get("/unsubscribes/")
