import logging
import threading

import pytest
from django.db import OperationalError, connection
from django.test import Client

from compliance.models import Suppression
from contacts.events import history
from contacts.models import Contact, ContactEvent
from contacts.people.addresses import address_hash, newest_key
from salesconnect.lib.web.redaction import RedactingFormatter
from tests.soak import ROUNDS
from unsubscribes.links import links, tokens
from unsubscribes.mail import team
from unsubscribes.models import TeamSettings

ONE_CLICK = "List-Unsubscribe=One-Click"
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def link(anna):
    return links.make(anna)


@pytest.fixture
def path(link):
    return f"/u/{tokens.token_of(link.nonce)}/"


def opted_out() -> list[tuple[str, str]]:
    events = ContactEvent.objects.filter(action=history.UNSUBSCRIBED)
    return [(event.changes["source"][1], event.changes["reason"][1]) for event in events]


@pytest.mark.parametrize("method", ["get", "head", "options", "put", "patch", "delete", "trace"])
def test_only_a_post_changes_anything(client, path, method):
    response = getattr(client, method)(path)
    assert response.status_code == {"get": 200, "head": 200, "options": 204}.get(method, 405)
    assert (Suppression.objects.count(), opted_out()) == (0, [])


def test_the_page_shows_the_sender_a_mask_and_one_button(client, path, administrator):
    team.change({"company_name": "Exempel AB"}, actor=administrator)
    page = client.get(path).content.decode()
    assert "Exempel AB sends no more mail to <strong>A•••@E•••.com</strong>" in page
    assert (page.count("<button"), page.count("<script"), "Berg" in page) == (1, 0, False)


def test_the_page_speaks_the_readers_language(client, path):
    assert '<html lang="sv">' in client.get(path, headers={"accept-language": "sv-SE,en;q=0.5"}).content.decode()
    assert '<html lang="en">' in client.get(path, headers={"accept-language": "de"}).content.decode()


@pytest.mark.parametrize("method", ["get", "post", "options", "put"])
def test_no_answer_sets_a_cookie_or_may_be_kept_or_found(signed_in, path, method):
    signed_in.cookies["csrf"] = "damaged"
    response = getattr(signed_in, method)(path)
    assert response.cookies == {}
    assert "cookie" not in response.headers.get("Vary", "").lower()
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["X-Robots-Tag"] == "noindex, nofollow"
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert response.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'self';")


def test_the_session_of_a_colleague_is_not_looked_at(signed_in, path, django_assert_num_queries):
    with django_assert_num_queries(3):
        signed_in.get(path)


def test_the_button_unsubscribes_at_once_with_the_reason(anna, path):
    response = Client(enforce_csrf_checks=True).post(path, {"reason": " Too\0 often "})
    assert response.status_code == 200
    assert "You will get no more mail from Sales Connect at <strong>A•••@E•••.com</strong>" in response.content.decode()
    anna.card.refresh_from_db()
    assert (anna.card.unsubscribed, opted_out()) == (True, [("clicked_link", "Too often")])
    event = history.of_contact(anna.pk).first()
    assert (event.actor_name, event.door, event.actor_id) == ("Recipient", "link", None)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (ONE_CLICK, FORM),
        (ONE_CLICK, f"{FORM}; charset=utf-8"),
        (
            '--x\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--x--\r\n',
            "multipart/form-data; boundary=x",
        ),
    ],
)
def test_one_click_is_taken_in_both_encodings(path, body, kind):
    response = Client(enforce_csrf_checks=True).post(path, body, content_type=kind)
    assert (response.status_code, opted_out()) == (200, [("one_click", "")])


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("", FORM),
        ("{", "application/json"),
        ("--", "multipart/form-data; boundary="),
        ("a=1", f"{FORM}; charset=latin-1"),
        ("&".join(f"a{n}=1" for n in range(10_001)), FORM),
        ("reason=%ff%00%ed%a0%80", FORM),
        ("reason=" + "x" * 9_000_000, FORM),
    ],
    ids=["empty", "json", "no boundary", "charset", "fields", "bytes", "huge"],
)
def test_a_body_that_cannot_be_read_is_no_reason_to_overhear_a_no(client, path, body, kind):
    response = client.post(path, body, content_type=kind)
    assert (response.status_code, len(opted_out()), Suppression.objects.count()) == (200, 1, 1)


def test_a_long_reason_is_cut_not_refused(client, path):
    client.post(path, {"reason": "å" * 600})
    assert opted_out() == [("clicked_link", "å" * 500)]


def test_the_same_post_again_says_the_same_and_records_nothing(client, path):
    first, second = client.post(path), client.post(path)
    assert (first.content, len(opted_out())) == (second.content, 1)


def test_a_link_works_without_the_slash_at_its_end(client, path):
    assert (client.post(path.rstrip("/")).status_code, len(opted_out())) == (200, 1)


def test_a_link_outlives_the_person(client, anna, path):
    anna.delete()
    page, answer = client.get(path), client.post(path)
    assert (page.status_code, answer.status_code, opted_out()) == (200, 200, [])
    [held] = Suppression.objects.all()
    assert (held.address_hash, held.source) == (anna.address_hash, "clicked_link")
    assert "You will get no more mail from Sales Connect. This took effect at once." in answer.content.decode()


def test_a_link_outlives_the_secret_key_and_even_its_own_key(client, path, settings):
    settings.SECRET_KEY = settings.UNSUBSCRIBE_KEY = "another"
    assert (client.post(path).status_code, len(opted_out())) == (200, 1)


def test_a_link_follows_a_new_hash_key(client, anna, link, path, settings):
    settings.SUPPRESSION_KEYS = ["newer", *settings.SUPPRESSION_KEYS]
    renewed = address_hash(anna.email_key)
    assert links.rehash({anna.address_hash: renewed}, newest_key(), {renewed: anna.skeleton_hash}) == 1
    Contact.objects.update(address_hash=renewed, address_hash_key=newest_key())
    client.post(path)
    assert (len(opted_out()), Suppression.objects.get().hash_key) == (1, newest_key())


@pytest.mark.parametrize("token", ["damaged", "", "x" * 500, "%00%ff/å", "../../etc/passwd", "a\nb"])
def test_an_unknown_token_gets_the_same_page_and_a_plain_word(client, db, token, administrator):
    team.change({"contact_address": "hello@exempel.se"}, actor=administrator)
    page, answer = client.get(f"/u/{token}/"), client.post(f"/u/{token}/")
    assert (page.status_code, page.content.decode().count("<button")) == (200, 1)
    assert (answer.status_code, Suppression.objects.count()) == (404, 0)
    assert "This link is damaged" in answer.content.decode()
    assert "mailto:hello@exempel.se" in answer.content.decode()


def test_one_click_on_an_unknown_link_is_not_told_done(client, db, caplog):
    answer = client.post("/u/" + "x" * 43 + "/", ONE_CLICK, content_type=FORM)
    assert (answer.status_code, answer.headers["Cache-Control"]) == (404, "no-store")
    assert "This link is damaged" in answer.content.decode()
    assert "x" * 43 not in caplog.text


@pytest.mark.parametrize(
    "written",
    [
        "{}/)", "{})", "{}/>", "{}>", "{}.", "{}/.", "{},", "{};", '{}"', "{}/'", "{}%3E", "{}/%253E", "{}%20",
        "{}/%0A",
        "{}/=20", "{}=", "{}=0D=0A", "{}/=\r\n", "({}", "<{}>", "%22{}%22", "/{}//", "{}&gt;", "{}_", "{}/x/y", "u/{}",
        "_{}_", "--{}", "3D{}", "%3D3D{}/", "{}avregistrera", "{}%E2%80%8B/",
    ],
)  # fmt: skip
def test_a_whole_token_is_found_in_what_programs_make_of_its_link(client, link, written):
    path = "/u/" + written.replace("\r\n", "%0D%0A").format(tokens.token_of(link.nonce))
    assert (client.post(path).status_code, len(opted_out())) == (200, 1)


@pytest.mark.parametrize("place", [0, 7, 42])
@pytest.mark.parametrize("broken", ["=%0D%0A", "=%0A", "%0D%0A%20", "!%0D%0A%20", "%C2%AD", "%E2%80%8B"])
def test_a_token_that_a_program_broke_into_lines_is_whole(client, link, place, broken):
    token = tokens.token_of(link.nonce)
    assert client.post(f"/u/{token[:place]}{broken}{token[place:]}/").status_code == 200


def test_a_dash_of_a_token_may_have_been_set_by_a_typographer():
    assert tokens.salvaged("a" * 21 + "%E2%80%91" + "a" * 21) == "a" * 21 + "-" + "a" * 21


def test_the_marks_of_a_token_may_be_left_quoted():
    assert tokens.salvaged("=5F=2D" + "a" * 41) == "_-" + "a" * 41


@pytest.mark.parametrize("prefix", ["/U/", "//u/", "///U/", "/u//"])
def test_a_link_is_found_with_a_capital_and_slashes_too_many(signed_in, path, prefix):
    answer = signed_in.post(f"http://testserver{prefix}{path.removeprefix('/u/')}")
    assert (answer.status_code, answer.cookies, len(opted_out())) == (200, {}, 1)


@pytest.mark.parametrize("shorter", [1, 20])
def test_half_a_token_is_unknown(client, path, shorter):
    answer = client.post(path.rstrip("/")[:-shorter])
    assert (answer.status_code, len(opted_out())) == (404, 0)


@pytest.mark.parametrize("method", ["get", "post"])
def test_while_the_database_is_away_nobody_is_told_done(client, path, monkeypatch, method, caplog):
    def away(token):
        raise OperationalError("gone")

    monkeypatch.setattr(links, "find", away)
    response = getattr(client, method)(path)
    assert (response.status_code, response.headers["Retry-After"]) == (503, "30")
    assert "You are not unsubscribed yet" in response.content.decode()
    assert path not in caplog.text


def test_a_method_that_is_not_allowed_logs_no_token(client, path, caplog):
    client.put(path)
    assert path not in caplog.text


def test_an_answer_that_goes_wrong_is_as_guarded_and_in_the_readers_language(path, monkeypatch):
    def broken():
        raise ValueError("a defect")

    monkeypatch.setattr(team, "current", broken)
    client = Client(raise_request_exception=False, headers={"accept-language": "sv"})
    wrong, elsewhere = client.get(path), client.get(path, headers={"host": "elsewhere.example"})
    assert (wrong.status_code, elsewhere.status_code) == (500, 400)
    assert '<html lang="sv"' in wrong.text
    for answer in (wrong, elsewhere):
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["Permissions-Policy"].startswith("camera=()")
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")


def test_no_formatted_log_line_holds_a_token(client, path, settings):
    record = logging.LogRecord("django.request", logging.WARNING, "", 0, "Method Not Allowed: %s", (path,), None)
    assert RedactingFormatter("%(message)s").format(record) == "Method Not Allowed: /u/…/"


@pytest.mark.soak
@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_fifty_equal_posts_at_once_make_one_event(person, administrator):
    team.change({"company_name": "Exempel AB"}, actor=administrator)
    for turn in range(max(1, ROUNDS // 4)):
        someone = person(email=f"race{turn}@example.com")
        url = f"/u/{tokens.token_of(links.make(someone).nonce)}/"
        barrier, statuses = threading.Barrier(50), []

        def post(url=url, barrier=barrier, statuses=statuses):
            client = Client()
            barrier.wait()
            statuses.append(client.post(url, {"List-Unsubscribe": "One-Click"}).status_code)
            connection.close()

        threads = [threading.Thread(target=post) for _ in range(50)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        assert statuses == [200] * 50
        assert [event.action for event in history.of_contact(someone.pk)] == ["unsubscribed", "created"]
        assert Suppression.objects.filter(address_hash=someone.address_hash).count() == 1
    assert TeamSettings.objects.count() == 1
