import pytest

from contacts.models import Contact
from salesconnect.lib.errors import Invalid
from unsubscribes.mail.compose import LINK, Draft, MailContext, clean_html, render

ANNA = Contact(first_name="Anna", last_name="<b>Berg</b>", company="", email="anna@example.com")
AROUND = MailContext("Bob", "Exempel AB", "From {{ our_company }}. No more? {{ unsubscribe_link }}")
ANCHOR = f'<a href="{LINK}">Unsubscribe</a>'


def rendered(body="", html="", subject="s", around=AROUND, language="en"):
    return render(Draft(subject, body, html, language), ANNA, around)


def test_fields_are_filled_in_as_text_and_escaped_in_html():
    mail = rendered("Hi {{first_name}} {{ last_name }}, {{ sender_name }}", subject="For {{ our_company }}")
    assert mail.subject == "For Exempel AB"
    assert mail.text.startswith("Hi Anna <b>Berg</b>, Bob\n")
    assert "Hi Anna &lt;b&gt;Berg&lt;/b&gt;, Bob" in mail.html


def test_a_field_that_is_not_recorded_takes_the_words_after_the_bar():
    assert rendered("For {{ company|your firm }}{{ title }}.").text.startswith("For your firm.")


def test_what_a_person_is_called_is_never_a_field_itself():
    someone = Contact(first_name="{{ sender_name }}", last_name="{{ unsubscribe_link }}", email="x@example.com")
    mail = render(Draft("s", "Hi {{ first_name }}{{ last_name }}."), someone, AROUND)
    assert mail.text.startswith("Hi .\n")
    assert mail.text.count(LINK) == 1


def test_no_template_engine_sees_what_users_write():
    assert rendered("{% load static %}{{ first_name }}{# x #}").text.startswith("{% load static %}Anna{# x #}")


def test_the_link_ends_text_and_html_in_the_teams_words():
    mail = rendered("Hi", "<p>Hi</p>")
    assert mail.text == f"Hi\n\n-- \nFrom Exempel AB. No more? {LINK}"
    assert mail.html == f"<p>Hi</p>\n<hr>\n<p>From Exempel AB. No more? {ANCHOR}</p>"


def test_words_without_the_link_are_followed_by_it():
    assert rendered("Hi", around=MailContext("", "", "Bye.")).text.endswith(f"Bye. {LINK}")


def test_the_link_stands_where_the_template_says():
    mail = rendered("Leave: {{ unsubscribe_link }} now", "<p>Leave: {{unsubscribe_link}} now</p>")
    assert (mail.text, mail.html) == (f"Leave: {LINK} now", f"<p>Leave: {ANCHOR} now</p>")


@pytest.mark.parametrize(
    "hidden",
    [
        "<!-- {{ unsubscribe_link }} -->",
        '<p style="display:none">x</p><a href="{{ unsubscribe_link }}"></a>',
        '<a title="{{ unsubscribe_link }}">x</a>',
        "<style>{{ unsubscribe_link }}</style>",
        "<script>{{ unsubscribe_link }}</script>",
        "<template>{{ unsubscribe_link }}</template><p",
    ],
)
def test_a_link_that_nobody_would_see_is_added_where_everybody_does(hidden):
    mail = rendered("Hi", f"<p>Hi</p>{hidden}")
    assert f">From Exempel AB. No more? {ANCHOR}</p>" in mail.html
    assert mail.text.endswith(LINK)


def test_hiding_around_the_link_is_taken_away():
    assert rendered("Hi", '<div hidden style="display:none">{{ unsubscribe_link }}</div>').html == ANCHOR


@pytest.mark.parametrize(
    ("dirty", "clean"),
    [
        ('<p onclick="x()">a</p>', "<p>a</p>"),
        ("<script>x()</script>a", "a"),
        ('<a href="javascript:x()">a</a>', '<a rel="noopener noreferrer">a</a>'),
        ('<img src="https://spy.example/x.gif">a', "a"),
        ('<p style="color:red">a</p>', "<p>a</p>"),
        ("<b>a</b><ul><li>b</li></ul>", "<b>a</b><ul><li>b</li></ul>"),
    ],
)
def test_html_keeps_the_few_tags_that_a_mail_needs(dirty, clean):
    assert clean_html(dirty) == clean


def test_a_merged_value_cannot_make_a_link_act():
    someone = Contact(company="javascript:x()", email="x@example.com")
    html = render(Draft("s", "", '<a href="{{ company }}">a</a>'), someone, AROUND).html
    assert "javascript" not in html


def test_html_alone_becomes_plain_text_too():
    mail = rendered(html="<p>Hi &amp; <b>welcome</b></p><p>Yours<br>Bob</p>")
    assert mail.text.startswith("Hi & welcome\nYours\nBob\n")


def test_text_alone_becomes_html_with_its_lines():
    assert rendered("a < b\nc\n\nd https://example.com").html.startswith("<p>a &lt; b<br>c</p>\n\n<p>d <a href=")


@pytest.mark.parametrize(
    ("draft", "fields"),
    [
        (Draft("", ""), ["subject", "body"]),
        (Draft("s", "", "<p> </p>"), ["body"]),
        (Draft("{{ unsubscribe_link }}", "x"), ["subject"]),
        (Draft("s", "{{ First Name }}"), ["body"]),
        (Draft("s", "x", "{{ phone }}"), ["body_html"]),
        (Draft("s" * 256, "x"), ["subject"]),
        (Draft("s", "x" * 100_001), ["body"]),
    ],
)
def test_a_draft_that_cannot_be_sent_is_refused_by_field(draft, fields):
    with pytest.raises(Invalid) as refusal:
        draft.check()
    assert list(refusal.value.fields) == fields
