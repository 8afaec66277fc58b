"""Columns of other programs that say who opted out are heard; those that look like it are asked about."""

import json

import pytest
from django.core.files.base import ContentFile
from django.core.management import call_command

from compliance.imports import import_jobs, optouts, working
from compliance.imports.cell_values import opted_out
from compliance.imports.mapping import recognise
from compliance.models import ComplianceCard, Suppression
from compliance.suppression import suppression
from contacts.events import history
from contacts.models import Contact
from exports.erasure.erasure import erase
from salesconnect.lib.errors import Conflict, Invalid

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
    "a consent": "Email,Email Consent\nno@x.example,No\nmay@x.example,Yes\n",
    "the status of a consent": "Email,Marketing Consent Status\nno@x.example,Nej\nmay@x.example,Ja\n",
    "opt in": "Email,Email Opt In\nno@x.example,0\nmay@x.example,1\n",
    "Swedish": "E-post;Nyhetsbrev\nno@x.example;Nej\nmay@x.example;Ja\n",
    "Swedish date": "E-post;Avregistreringsdatum;Avregistrerad den\nno@x.example;;2026-01-01\nmay@x.example;;\n",
    "no spam": "Email,Do Not Contact\nno@x.example,1\nmay@x.example,0\n",
    "our field with a date": "Email,Unsubscribed\nno@x.example,2026-01-01\nmay@x.example,\n",
    "a second of two": "Email,Email Opt Out,Status\nno@x.example,0,Unsubscribed\nmay@x.example,0,Subscribed\n",
}


def run(text, administrator, **options):
    file = ContentFile(text.encode())
    job = import_jobs.start(file, "people.csv", actor=administrator, **options)
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


WRONG_ROWS = {
    "a comma too many": "Email,Unsubscribed,Notes\na@x.example,yes,foo,bar\n",
    "a comma too many before it": "Email,Company,Unsubscribed\na@x.example,Berg, Inc,yes\n",
    "NUL": "Email,Company,Unsubscribed\na@x.example,B\0rg,yes\n",
    "a stray quotation mark": 'Email,Company,Unsubscribed\na@x.example,"Berg" Inc,yes\n',
    "too long": f"Email,Company,Unsubscribed\na@x.example,{'x' * (2 << 20)},yes\n",
    "a name around the address": "Email,Unsubscribed\nAnna <a@x.example>,yes\n",
    "mailto": "Email,Unsubscribed\nmailto:a@x.example,yes\n",
    "two addresses": "Email,Unsubscribed\na@x.example; b@x.example,yes\n",
    "a trailing dot": "Email,Unsubscribed\na@x.example.,yes\n",
    "a character that cannot be seen": "Email,Email Opt Out\na\u200b@x.example,1\n",
    "a cell that means nothing": "Email,Unsubscribed\na@x.example,2\n",
    "a name, in another column": "Email,UNSUB_TIME\nAnna <a@x.example>,2026-01-01\n",
}


@pytest.mark.parametrize("text", WRONG_ROWS.values(), ids=WRONG_ROWS)
def test_a_no_is_heard_whatever_is_wrong_with_the_row(administrator, person, text):
    anna = person(email="a@x.example")
    job = run(text, administrator)
    assert (job.state, job.rejected) == ("done", 1)
    assert ComplianceCard.objects.get(pk=anna.pk).unsubscribed


@pytest.mark.parametrize("row", ["a@x.example,Berg, Inc,no", "a@x.example,no,Inc,0"])
def test_cells_that_have_moved_make_no_no_up(administrator, person, row):
    person(email="a@x.example")
    assert run(f"Email,Company,Do Not Contact\n{row}\n", administrator).rejected == 1
    assert not Suppression.objects.exists()


def test_the_address_of_a_colleague_says_no_no(administrator, person):
    person(email="owner@x.example")
    text = "Last Name,Email,Owner Email,Assistant Email,Unsubscribed\nBerg,,owner@x.example,pa@x.example,yes\n"
    assert run(text, administrator).created == 1
    assert not Suppression.objects.exists()


SEVERAL = {
    "two columns": "Email,Email 2,Unsubscribed\na@x.example,b@x.example,yes\n",
    "Google": "E-mail 1 - Label,E-mail 1 - Value,Unsubscribed\nWork,a@x.example ::: b@x.example,yes\n",
}


@pytest.mark.parametrize("text", SEVERAL.values(), ids=SEVERAL)
def test_a_no_is_one_of_all_addresses_of_the_person(administrator, person, text):
    person(email="a@x.example"), person(email="b@x.example")
    run(text, administrator)
    assert ComplianceCard.objects.filter(unsubscribed=True).count() == 2


@pytest.mark.parametrize("here", [True, False], ids=["somebody's", "nobody's"])
def test_a_no_outweighs_a_bounce(administrator, person, here):
    """A bounce opts out here alone; what somebody said is for Salesforce too."""
    anna = person(email="a@x.example")
    suppression.unsubscribe(Contact.objects.all(), actor=administrator, source="bounce")
    if not here:
        erase(anna.pk, actor=administrator)
    run("Email,Unsubscribed\na@x.example,yes\n", administrator)
    assert Suppression.objects.get().source == "import"


UNSUBSCRIBED = ["Yes", "✓", "WAHR", "oui", "31/12/2024", "Dec 31, 2024", "5 maj 2024", "Opted out 2024", "DNC"]


@pytest.mark.parametrize("cell", UNSUBSCRIBED)
def test_our_own_field_is_read_in_the_words_of_others(administrator, cell):
    job = run(f'Email,Unsubscribed\na@x.example,"{cell}"\n', administrator)
    assert (job.created, job.suppressed) == (1, 1)


WORDS = ["Unsubscribed (all)", "unsubscribed_all", "Un-subscribed", "Opt-out (SMS and email)", "UNSUBSCRIBED;2024",
         "Marketing unsubscribed", "Abuse complaint", "Complaint (spam)", "No longer subscribed",
         "Avregistrerad 2024", "Désabonné(e)", "Do not email"]  # fmt: skip
NO_WORDS = [
    "Active",
    "not unsubscribed",
    "No longer unsubscribed",
    "Resubscribed",
    "never opted out",
    "Complaint resolved",
]


@pytest.mark.parametrize(("word", "no"), [*((word, True) for word in WORDS), *((word, False) for word in NO_WORDS)])
def test_a_status_says_no_whatever_stands_around_the_word(word, no):
    assert optouts.says_no(optouts.ColumnKind.STATUS, word) is no


DECLINED = ["No, thanks", "No (asked 2024)", "Nej tack", "nein danke", "Nope", "not given", "no consent", "never",
            "OUT", "Denied", "rejected by mail", "withdrawn 2024-01-01", "✗", "✘", "❌", "0.0", "0,00"]  # fmt: skip
AGREED = ["Yes, no phone", "weekly", "Double opt-in", "opted in 2024", "1.0", "✓", "2024-01-01", "normal", "x",
          "not specified", "not asked", "No answer", "No calls", "Ej angivet", "", "-", "\N{WHITE SQUARE}"]  # fmt: skip


@pytest.mark.parametrize("header", ["Email Opt In", "Marketing Consent", "Newsletter", "Email Permission"])
@pytest.mark.parametrize(("cell", "no"), [*((cell, True) for cell in DECLINED), *((cell, False) for cell in AGREED)])
def test_a_column_that_asks_for_a_yes_hears_a_no_of_several_words(header, cell, no):
    assert optouts.says_no(optouts.kind_of(header), cell) is no


def test_a_no_thanks_opts_out(administrator):
    run("Email,Email Opt In\nno@x.example,Nej tack\nmay@x.example,Ja tack\n", administrator)
    assert list(Contact.objects.filter(card__unsubscribed=True).values_list("email", flat=True)) == ["no@x.example"]


@pytest.mark.parametrize("header", ["Email Opt Out", "Unsubscribed", "Do Not Email"])
def test_a_whole_number_with_decimals_is_that_number(administrator, header):
    job = run(f"Email,{header}\nno@x.example,1.0\nmay@x.example,0.0\nother@x.example,\n", administrator)
    assert list(Contact.objects.filter(card__unsubscribed=True).values_list("email", flat=True)) == ["no@x.example"]
    assert (job.created, job.rejected) == (3, 0)


NEGATIVE = ["Don't email", "Never contact", "Werbesperre", "Keine Werbung", "Désinscrit", "Désabonné", "Får ej mejlas"]


@pytest.mark.parametrize("header", NEGATIVE)
def test_columns_of_other_languages_and_spellings_say_no(header):
    kind = optouts.kind_of(header)
    assert kind is optouts.ColumnKind.NEGATIVE
    assert optouts.says_no(kind, "✓")
    assert not optouts.says_no(kind, "—")


ASKED = ["Mailing allowed", "OK to email?", "May we email you?", "Contactable", "Is Mailable", "Marketing emails",
         "NIX", "E-post tillåten", "Tackat nej till reklam", "Bounced", "Objection", "Direktmarknadsföring",
         "Communication preference"]  # fmt: skip


@pytest.mark.parametrize("header", ASKED)
def test_what_may_be_about_consent_is_asked_about(header):
    assert optouts.kind_of(header) or optouts.unread_consent_columns([header], [0], [])


@pytest.mark.parametrize("header", ["Email Bounced Date", "Reklamation", "Sales objections", "Blocked by", "Confirmed"])
def test_what_only_sounds_like_it_stops_no_import(header):
    assert not optouts.unread_consent_columns([header], [0], [])


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
    job = import_jobs.propose(ContentFile(text.encode()), "people.csv", actor=member)
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
    job = import_jobs.propose(ContentFile(MAILCHIMP.encode()), "people.csv", actor=member)
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


NO_MAIL_ARRIVES = {
    "Mailchimp": "Email Address,Email Marketing Status\nno@x.example,Non-Subscribed\nmay@x.example,Subscribed\n",
    "Shopify": "Email,Email Marketing Status\nno@x.example,NOT_SUBSCRIBED\nmay@x.example,SUBSCRIBED\n",
    "Klaviyo": "Email,Email Marketing Consent\nno@x.example,NEVER_SUBSCRIBED\nmay@x.example,SUBSCRIBED\n",
    "HubSpot": "Email,Email status\nno@x.example,Blocked\nmay@x.example,Delivered\n",
    "MailerLite": "Email,Subscriber status\nno@x.example,junk\nmay@x.example,active\n",
    "Marketing Cloud": "Email,Subscriber Status\nno@x.example,Held\nmay@x.example,Active\n",
    "ActiveCampaign": "Email,Marketing status\nno@x.example,Inactive\nmay@x.example,Active\n",
    "our field": "Email,Unsubscribed\nno@x.example,Not subscribed\nmay@x.example,Subscribed\n",
}


@pytest.mark.parametrize("text", NO_MAIL_ARRIVES.values(), ids=NO_MAIL_ARRIVES)
def test_a_word_that_means_that_no_mail_arrives_is_a_no_where_all_is_about_mail(administrator, text):
    assert run(text, administrator).state == "done"
    assert list(Contact.objects.filter(card__unsubscribed=True).values_list("email", flat=True)) == ["no@x.example"]


UNSURE = {
    "Dynamics, a record of somebody who has left": ("Status", "Active\nInactive", ["Inactive"]),
    "a customer who does not pay": ("Status", "Active\nBlocked", ["Blocked"]),
    "a lead": ("Lead Status", "New\nJunk", ["Junk"]),
    "Swedish": ("Status", "Aktiv\nInaktiv", ["Inaktiv"]),
    "a subscription that is paid for": ("Subscription status", "Active\nInactive", ["Inactive"]),
    "ActiveCampaign, numbered": ("Status", "1\n2\n3", ["1", "2", "3"]),
    "not confirmed": ("Subscriber status", "active\nunconfirmed", ["unconfirmed"]),
    "Mailchimp, not confirmed": ("Email Marketing Status", "Subscribed\nPending\nArchived", ["Archived", "Pending"]),
    "a consent": ("Email Consent", "Yes\nPending", ["Pending"]),
    "a cross": ("Email Opt In", "✓\n✖", ["✖"]),
}


@pytest.mark.parametrize(("header", "cells", "words"), UNSURE.values(), ids=UNSURE)
def test_a_word_of_which_one_cannot_be_sure_is_asked_about(administrator, api, header, cells, words):
    rows = "".join(f"p{number}@x.example,{cell}\n" for number, cell in enumerate(cells.split("\n")))
    file = ContentFile(f"Email,{header}\n{rows}".encode(), name="people.csv")
    asked = api.post("/api/v1/imports/", {"file": file}, format="multipart")
    assert (asked.status_code, asked.json()["code"], asked.json()["columns"]) == (
        409,
        "unread_consent_column",
        [header],
    )
    assert asked.json()["words"] == {header: words}
    file.seek(0)
    said = {"opt_out_words": json.dumps({header: [words[-1]]})}
    answer = api.post("/api/v1/imports/", {"file": file, **said}, format="multipart")
    assert answer.status_code == 202
    while working.run(answer.json()["id"]):
        continue
    out = list(Contact.objects.filter(card__unsubscribed=True).values_list("email", flat=True))
    assert out == [f"p{cells.split(chr(10)).index(words[-1])}@x.example"]


NUMBERED = ["1\n1\n0", "1\n2\n7", "1\nActive\n2"]


@pytest.mark.parametrize("cells", NUMBERED)
def test_numbers_of_another_kind_ask_nothing(administrator, cells):
    rows = "".join(f"p{number}@x.example,{cell}\n" for number, cell in enumerate(cells.split("\n")))
    assert run(f"Email,Status\n{rows}", administrator).created == 3
    assert not Suppression.objects.exists()


def test_a_word_that_nobody_was_asked_about_counts_as_a_no(administrator, monkeypatch):
    monkeypatch.setattr(optouts, "SAMPLE_ROWS", 1)
    run("Email,Status\nmay@x.example,Active\nno@x.example,Inactive\n", administrator)
    assert list(Contact.objects.filter(card__unsubscribed=True).values_list("email", flat=True)) == ["no@x.example"]


def test_the_words_of_an_opt_out_stay_a_no_whatever_was_said_of_others(administrator):
    text = "Email,Status\na@x.example,Inactive\nb@x.example,Unsubscribed\n"
    run(text, administrator, words={"Status": []})
    assert list(Contact.objects.filter(card__unsubscribed=True).values_list("email", flat=True)) == ["b@x.example"]


@pytest.mark.parametrize("words", ["[]", "x", '{"Status": "Inactive"}', '{"Status": [1]}'])
def test_words_in_another_form_are_refused(api, words):
    file = ContentFile(b"Email,Status\na@x.example,Inactive\n", name="people.csv")
    answer = api.post("/api/v1/imports/", {"file": file, "opt_out_words": words}, format="multipart")
    assert (answer.status_code, list(answer.json())) == (400, ["opt_out_words"])


def test_words_of_a_column_that_is_not_there_are_refused(administrator):
    with pytest.raises(Invalid):
        run("Email,Status\na@x.example,Inactive\n", administrator, words={"State": []})


def test_the_page_asks_about_each_word(signed_in, member):
    text = b"Email,Status\na@x.example,Inactive\nb@x.example,Blocked\nc@x.example,Active\n"
    job = import_jobs.propose(ContentFile(text), "people.csv", actor=member)
    working.run(job.pk)
    page = signed_in.get(f"/imports/{job.pk}/")
    assert "“Inactive” in the column “Status”" in page.content.decode()
    fields = {name: page.context["form"][name].value() or "" for name in page.context["form"].fields}
    assert signed_in.post(f"/imports/{job.pk}/", {**fields, "start": ""}).status_code == 422
    # One answered of two asks for the other still.
    answers = {name: "no" if "Inactive" in label else "nothing" for name, label in _asked(page)}
    first = dict([next(iter(answers.items()))])
    signed_in.post(f"/imports/{job.pk}/", {**fields, **first, "preview": ""})
    working.run(job.pk)
    assert signed_in.post(f"/imports/{job.pk}/", {**fields, "start": ""}).status_code == 422
    signed_in.post(f"/imports/{job.pk}/", {**fields, **answers, "preview": ""})
    working.run(job.pk)
    page = signed_in.get(f"/imports/{job.pk}/")
    assert _asked(page) == []
    fields = {name: page.context["form"][name].value() or "" for name in page.context["form"].fields}
    signed_in.post(f"/imports/{job.pk}/", {**fields, "start": ""})
    working.run(job.pk)
    assert list(Contact.objects.filter(card__unsubscribed=True).values_list("email", flat=True)) == ["a@x.example"]


def _asked(page) -> list[tuple[str, str]]:
    return [(field.name, str(field.label)) for field in page.context["form"].questions]


def test_the_command_takes_the_words(db, tmp_path, capsys):
    path = tmp_path / "people.csv"
    path.write_text("Email,Status\na@x.example,Inactive\nb@x.example,Blocked\n")
    with pytest.raises(SystemExit):
        call_command("import_contacts", str(path))
    assert "--opt-out-words" in capsys.readouterr().err
    call_command("import_contacts", str(path), "--opt-out-words", "Status=Inactive")
    assert list(Contact.objects.filter(card__unsubscribed=True).values_list("email", flat=True)) == ["a@x.example"]


def test_a_yes_is_the_same_wherever_it_is_read():
    for cell in ("T", "vero", "waar", "DNC", "Ja", "x"):
        assert optouts.is_plain_no(optouts.ColumnKind.NEGATIVE, cell)
        assert opted_out(cell)
