import pytest
from django.test import Client
from django.utils import timezone

from compliance.suppression import suppression
from contacts.models import Contact
from tests.mailing import DRAFT
from unsubscribes.mail import bulk_mail
from unsubscribes.mail.sending import send
from unsubscribes.models import MailTemplate, Message, TeamSettings

MAIL = {"subject": "Hello {{ first_name }}", "body": "News for {{ company|you }}.", "language": "en"}


@pytest.fixture
def auditing(charlie):
    client = Client()
    client.force_login(charlie)
    return client


def test_one_person_is_written_to_from_the_persons_page(signed_in, anna):
    url = f"/people/{anna.pk}/mail/"
    assert "Write to Anna Berg" in signed_in.get(url).content.decode()
    answer = signed_in.post(url, {**MAIL, "step": "send"})
    [message] = Message.objects.all()
    assert (answer.status_code, answer.url) == (302, f"/mails/{message.pk}/")
    assert (message.state, message.subject) == ("queued", "Hello Anna")


def test_the_preview_shows_the_mail_as_the_recipient_reads_it_and_sends_nothing(signed_in, anna):
    answer = signed_in.post(f"/people/{anna.pk}/mail/", {**MAIL, "step": "preview:0"})
    page = answer.content.decode()
    assert "As Anna Berg reads it" in page
    assert "News for you." in page
    assert '<a href="#mail-preview">Unsubscribe</a>' in page
    assert Message.objects.count() == 0


def test_a_selection_is_previewed_one_by_one(signed_in, many):
    people = many(3)
    order = {**MAIL, "ids": ",".join(str(person.pk) for person in people)}
    second = signed_in.post("/mails/compose/", {**order, "step": "preview:1"}).content.decode()
    assert ("As No1 reads it" in second, 'value="preview:0"' in second, 'value="preview:2"' in second) == (True,) * 3
    beyond = signed_in.post("/mails/compose/", {**order, "step": "preview:9"}).content.decode()
    assert "As No0 reads it" in beyond


def test_who_is_left_out_is_said_before_sending_and_shown_afterwards(signed_in, many, member):
    first, second = many(2)
    suppression.unsubscribe(Contact.objects.filter(pk=first.pk), actor=member, source="manual")
    order = {**MAIL, "filter": "", "approved": "2"}
    page = signed_in.post("/mails/compose/", order).content.decode()
    assert ("1 person gets it" in page, "1 · The address is unsubscribed." in page) == (True, True)
    answer = signed_in.post("/mails/compose/", {**order, "step": "send"}, follow=True)
    assert answer.redirect_chain[0][0] == f"/mails/?batch={Message.objects.first().batch_id}"
    assert list(Message.objects.order_by("contact").values_list("contact", "state", "reason")) == [
        (first.pk, "held", "unsubscribed"),
        (second.pk, "queued", ""),
    ]
    assert "The address is unsubscribed." in answer.content.decode()


def test_a_selection_that_has_moved_is_looked_at_again(signed_in, many):
    many(2)
    answer = signed_in.post("/mails/compose/", {**MAIL, "filter": "", "approved": "1", "step": "send"})
    assert (answer.status_code, Message.objects.count()) == (409, 0)
    assert "Nothing was sent" in answer.content.decode()


def test_a_mail_that_cannot_be_sent_is_shown_with_what_is_wrong(signed_in, anna):
    answer = signed_in.post(f"/people/{anna.pk}/mail/", {"subject": " ", "body": "{{ nose }}", "step": "send"})
    page = answer.content.decode()
    assert (answer.status_code, Message.objects.count()) == (422, 0)
    assert ("Give the mail a subject." in page, "There is no merge field “nose”." in page) == (True, True)


def test_a_template_is_kept_without_what_could_act_and_used_again(signed_in, anna):
    url = f"/people/{anna.pk}/mail/"
    html = '<p onclick="x()">News<script>x()</script></p>'
    kept = signed_in.post(url, {**MAIL, "body_html": html, "keep_as": " Fair  2026 ", "step": "keep"})
    [template] = MailTemplate.objects.all()
    assert (kept.status_code, template.name, template.body_html) == (200, "Fair 2026", "<p>News</p>")
    page = signed_in.post(url, {"template": template.pk, "step": "template"}).content.decode()
    assert 'value="Hello {{ first_name }}"' in page


def test_the_list_filters_by_state_and_refuses_what_it_does_not_know(signed_in, written):
    assert "Hello Anna" in signed_in.get("/mails/?state=queued").content.decode()
    assert "Hello Anna" not in signed_in.get("/mails/?state=sent").content.decode()
    assert signed_in.get("/mails/?state=gone").status_code == 400
    assert signed_in.get("/mails/?batch=x").status_code == 400
    assert "Hello Anna" in signed_in.get(f"/mails/?contact={written.contact_id}").content.decode()
    assert "Hello Anna" not in signed_in.get("/mails/?contact=999").content.decode()


def test_the_page_of_a_person_shows_the_newest_mails(signed_in, written):
    page = signed_in.get(f"/people/{written.contact_id}/").content.decode()
    assert f'<a class="row-link" href="/mails/{written.pk}/">Hello Anna</a>' in page


def test_the_list_asks_as_much_for_three_messages_as_for_one(signed_in, many, member, django_assert_num_queries):
    people = many(3)
    for number in (1, 2):
        chosen = Contact.objects.filter(pk__in=[person.pk for person in people[:number]])
        bulk_mail.order_mail(chosen, DRAFT, actor=member, selection={})
        with django_assert_num_queries(8):
            signed_in.get("/mails/")


@pytest.mark.parametrize(("resolution", "state"), [("resend", "queued"), ("sent", "sent")])
def test_somebody_decides_about_a_mail_of_which_nobody_knows(signed_in, written, resolution, state):
    send.claim()
    Message.objects.update(state="unknown", claimed_at=timezone.now())
    url = f"/mails/{written.pk}/"
    assert "Nobody knows whether this mail left" in signed_in.get(url).content.decode()
    assert signed_in.post(f"{url}resolve/", {"resolution": resolution}).status_code == 302
    written.refresh_from_db()
    assert (written.state, written.decided_by) == (state, "bob")
    assert signed_in.post(f"{url}resolve/", {"resolution": resolution}).status_code == 409


def test_an_auditor_sees_mails_and_changes_nothing(auditing, written):
    assert auditing.get("/mails/").status_code == 200
    assert auditing.get(f"/mails/{written.pk}/").status_code == 200
    for url in ("/mails/compose/", f"/people/{written.contact_id}/mail/", f"/mails/{written.pk}/resolve/"):
        assert auditing.post(url, {}).status_code == 403
    assert auditing.post("/mails/templates/1/delete/").status_code == 403


def test_an_administrator_sets_the_teams_words(administrating):
    values = {"company_name": "Exempel AB", "words_en": "From {{ our_company }}."}
    assert administrating.post("/settings/mail/", values).status_code == 302
    stored = TeamSettings.objects.get()
    assert (stored.company_name, stored.words_en) == ("Exempel AB", "From {{ our_company }}.")
    wrong = administrating.post("/settings/mail/", {"words_sv": "{{ nose }}"})
    assert (wrong.status_code, "There is no merge field “nose”." in wrong.content.decode()) == (422, True)


def test_a_member_may_not_set_the_teams_words(signed_in):
    assert signed_in.get("/settings/mail/").status_code == 403
    assert signed_in.post("/settings/mail/", {"company_name": "x"}).status_code == 403
