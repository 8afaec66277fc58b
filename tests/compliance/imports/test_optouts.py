"""Columns of other programs that say who opted out are heard; those that look like it are asked about."""

import json

import pytest
from django.core.files.base import ContentFile
from django.core.management import call_command

from compliance.imports import optouts, services, working
from compliance.imports.mapping import recognise
from compliance.models import ComplianceCard, Suppression
from contacts import history
from contacts.models import Contact
from salesconnect.lib.errors import Conflict

MAILCHIMP = (
    "Email Address,First Name,Last Name,MEMBER_RATING,OPTIN_TIME,OPTIN_IP,UNSUB_TIME,UNSUB_CAMPAIGN_TITLE,"
    "UNSUB_REASON,LEID,EUID,NOTES,TAGS\n"
    'no@x.example,Uma,Mcunsub,2,"2026-01-05 10:00:00",,"2026-09-01 08:00:00",Nyhetsbrev,"NORMAL","1","ab",,\n'
)
SAYS_NO = {
    "Mailchimp, unsubscribed": MAILCHIMP,
    "Mailchimp, cleaned": "Email Address,CLEAN_TIME,CLEAN_CAMPAIGN_TITLE\nno@x.example,2026-01-01 08:00:00,News\n",
    "HubSpot": "Email,Unsubscribed from all email\nno@x.example,true\nmay@x.example,false\n",
    "HubSpot, one kind": "Email,Opted out of email: Marketing Information\nno@x.example,true\nmay@x.example,\n",
    "Dynamics": "Email Address,Do not allow Bulk Emails\nno@x.example,Do Not Allow\nmay@x.example,Allow\n",
    "Dynamics, by name": "Email,donotbulkemail,donotemail\nno@x.example,Yes,No\nmay@x.example,No,No\n",
    "Brevo": "EMAIL,EMAIL_BLACKLISTED\nno@x.example,true\nmay@x.example,false\n",
    "Brevo, words": "EMAIL,Blocklisted\nno@x.example,Yes\nmay@x.example,No\n",
    "Klaviyo": "Email,Email Marketing Consent\nno@x.example,UNSUBSCRIBED\nmay@x.example,SUBSCRIBED\n",
    "Klaviyo, suppressed": "Email,Email Suppressed\nno@x.example,TRUE\nmay@x.example,FALSE\n",
    "ActiveCampaign": "Email,Status,Unsubscribe Date\nno@x.example,Unsubscribed,\nmay@x.example,Active,0000-00-00\n",
    "ActiveCampaign, bounced": "Email,Status\nno@x.example,Bounced\nmay@x.example,Active\n",
    "Pipedrive": "Email,Person - Marketing status\nno@x.example,Unsubscribed\nmay@x.example,Subscribed\n",
    "Zoho": "Email,Email Opt Out\nno@x.example,true\nmay@x.example,false\n",
    "Zoho, time": "Email,Unsubscribed Mode,Unsubscribed Time\nno@x.example,Manual,2026-01-01 08:00\nmay@x.example,,\n",
    "Shopify": "Email,Accepts Email Marketing\nno@x.example,no\nmay@x.example,yes\n",
    "subscribed": "Email,Subscribed\nno@x.example,false\nmay@x.example,true\n",
    "opt in": "Email,Email Opt In\nno@x.example,0\nmay@x.example,1\n",
    "Swedish": "E-post;Nyhetsbrev\nno@x.example;Nej\nmay@x.example;Ja\n",
    "Swedish date": "E-post;Avregistreringsdatum;Avregistrerad den\nno@x.example;;2026-01-01\nmay@x.example;;\n",
    "no spam": "Email,Do Not Contact\nno@x.example,1\nmay@x.example,0\n",
    "our field with a date": "Email,Unsubscribed\nno@x.example,2026-01-01\nmay@x.example,\n",
    "a second of two": "Email,Email Opt Out,Status\nno@x.example,0,Unsubscribed\nmay@x.example,0,Subscribed\n",
}


def run(text, administrator, **options):
    file = ContentFile(text.encode())
    job = services.start(file, "people.csv", actor=administrator, **options)
    while working.run(job.pk):
        continue
    job.refresh_from_db()
    return job


@pytest.mark.parametrize("text", SAYS_NO.values(), ids=SAYS_NO)
def test_a_no_in_the_words_of_another_program_is_heard(administrator, text):
    job = run(text, administrator, ignore=["Avregistreringsdatum"] if "Avregistreringsdatum" in text else ())
    assert job.state == "done", job.error
    assert list(Contact.objects.filter(card__unsubscribed=True).values_list("email", flat=True)) == ["no@x.example"]
    assert [held.source for held in Suppression.objects.all()] == ["import"]
    assert job.rejected == 0


def test_the_column_is_the_reason(administrator, person):
    anna = person(email="no@x.example")
    run(MAILCHIMP, administrator)
    assert Suppression.objects.get().reason == "UNSUB_TIME"
    event = history.of_contact(anna.pk).filter(action=history.UNSUBSCRIBED).get()
    assert event.changes["source"] == [None, "import"]
    assert event.changes["reason"] == [None, "UNSUB_TIME"]


ELSEWHERE = ["a@x.example,1,x\n", "a@x.example,0,ok\na@x.example,1,ok\n"]


@pytest.mark.parametrize("rows", ELSEWHERE, ids=["a wrong row", "a second row of the address"])
def test_the_no_of_a_rejected_row_is_heard_too(administrator, person, rows):
    anna = person(email="a@x.example")
    job = run(f"Email,Email Opt Out,Consent Date\n{rows}".replace("ok", ""), administrator)
    assert job.rejected == 1
    assert ComplianceCard.objects.get(pk=anna.pk).unsubscribed
    assert Suppression.objects.count() == 1


SILENT = ["Subscribed on", "Lead Status", "Stage", "Company", "Do not call", "Phone opt in", "OPTIN_TIME", "Notes"]


@pytest.mark.parametrize("header", SILENT)
def test_other_columns_say_no_no(header):
    cells = ("yes", "1", "no", "0", "2026-01-01", "true", "New")
    kind = optouts.kind_of(header)
    assert kind is None or not any(optouts.says_no(kind, cell) for cell in cells)


UNREAD = ["Email,GDPR note\na@x.example,x\n", "Email,Do not call\na@x.example,1\n",
          "Email,Samtycke 2024\na@x.example,x\n",
          "Email,Field 7\na@x.example,Unsubscribed\n", "Email,Ruta 3\na@x.example,avregistrerad\n"]  # fmt: skip


@pytest.mark.parametrize("text", UNREAD)
def test_a_column_that_looks_like_consent_or_opt_out_is_asked_about(administrator, api, text):
    name = text.split("\n")[0].split(",")[1]
    with pytest.raises(Conflict) as asked:
        run(text, administrator)
    assert (asked.value.code, asked.value.detail["column"]) == ("unread_consent_column", name)
    file = ContentFile(text.encode(), name="people.csv")
    answer = api.post("/api/v1/imports/", {"file": file}, format="multipart")
    assert (answer.status_code, answer.json()["code"], answer.json()["column"]) == (409, "unread_consent_column", name)
    file.seek(0)
    answer = api.post("/api/v1/imports/", {"file": file, "ignore": json.dumps([name])}, format="multipart")
    assert answer.status_code == 202
    assert run(text, administrator, ignore=[name]).created == 1


def test_who_ignores_a_column_has_it_not_read(administrator):
    assert run(MAILCHIMP, administrator, ignore=["UNSUB_TIME", "UNSUB_CAMPAIGN_TITLE", "UNSUB_REASON"]).created == 1
    assert not Suppression.objects.exists()
    columns = recognise(["Email", "Status"], ignore=["Status"])
    assert (columns.optouts, columns.left_out) == ({}, ())


def test_the_page_asks_before_it_starts(signed_in, member):
    text = UNREAD[0]
    job = services.propose(ContentFile(text.encode()), "people.csv", actor=member)
    working.run(job.pk)
    page = signed_in.get(f"/imports/{job.pk}/")
    assert "This column looks like consent or opt-out and is left out: GDPR note" in page.content.decode()
    fields = {name: page.context["form"][name].value() or "" for name in page.context["form"].fields}
    fields.pop("ignore_unread")
    answer = signed_in.post(f"/imports/{job.pk}/", {**fields, "start": ""})
    assert answer.status_code == 422
    assert not Contact.objects.exists()
    signed_in.post(f"/imports/{job.pk}/", {**fields, "ignore_unread": "on", "preview": ""})
    working.run(job.pk)
    page = signed_in.get(f"/imports/{job.pk}/").content.decode()
    assert "looks like consent" not in page
    signed_in.post(f"/imports/{job.pk}/", {**fields, "start": ""})
    working.run(job.pk)
    assert Contact.objects.count() == 1


def test_the_page_says_which_columns_are_read_for_opt_outs(signed_in, member):
    job = services.propose(ContentFile(MAILCHIMP.encode()), "people.csv", actor=member)
    page = signed_in.get(f"/imports/{job.pk}/").content.decode()
    assert "These columns are read for opt-outs: UNSUB_TIME, UNSUB_CAMPAIGN_TITLE, UNSUB_REASON." in page


def test_the_command_names_the_column(db, tmp_path, capsys):
    path = tmp_path / "people.csv"
    path.write_text(UNREAD[0])
    with pytest.raises(SystemExit) as ended:
        call_command("import_contacts", str(path))
    assert ended.value.code == 1
    assert "GDPR note" in capsys.readouterr().err
    call_command("import_contacts", str(path), "--ignore", "GDPR note")
    assert Contact.objects.count() == 1
