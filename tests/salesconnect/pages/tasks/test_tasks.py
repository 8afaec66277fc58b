import datetime as dt
import json
import re

import pytest
from django.core.files.base import ContentFile
from django.db import connection
from django.test import Client
from django.utils import timezone

from compliance.acts.source import source_params
from compliance.card.rules import Source
from compliance.card.source_registry import SourceType
from compliance.imports import import_jobs
from compliance.models import ImportJob
from contacts import tasks
from contacts.jobs import batches, bulk_undo
from contacts.jobs.batches import user_actor
from contacts.models import Batch, BatchRefusal, Contact
from salesconnect.lib.actor import Forbidden
from salesconnect.pages.tasks import task_list

IMPORT = source_params(Source(SourceType.IMPORT))


def text(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


@pytest.fixture
def order(person, member):
    person()
    return lambda: batches.order(Contact.objects.all(), "source", actor=member, params=IMPORT, selection={"filter": {}})


@pytest.fixture
def waiting(order, monkeypatch):
    monkeypatch.setattr(batches, "INLINE_LIMIT", 0)
    return order()


def test_the_page_says_first_how_things_stand_and_then_lists_the_tasks(signed_in, order):
    assert "No tasks yet" in signed_in.get("/tasks/").content.decode()
    batch = order()
    html = text(signed_in.get("/tasks/").content.decode())
    assert "Nothing is waiting. One task was done since yesterday." in html
    assert re.search(r"Source: Import Done Source set for 1 person\. bob just now Undo", html)
    assert f'href="/tasks/{batch.pk}/"' in signed_in.get("/tasks/").content.decode()


def test_a_task_tells_its_counts_and_refusals_by_reason(signed_in, order):
    batch = order()
    Batch.objects.filter(pk=batch.pk).update(refused={"not_found": 2}, total=3)
    html = text(signed_in.get(f"/tasks/{batch.pk}/").content.decode())
    assert "People meant 3 Changed 1 Already so 0 Refused: not there any more 2 Selection Everyone" in html


def refuse(batch, people):
    refused = [BatchRefusal(batch=batch, contact_id=pk, reason="restricted") for pk in people]
    BatchRefusal.objects.bulk_create(refused)


def test_who_was_refused_is_listed_by_name_and_who_is_gone_by_number(signed_in, order, person):
    batch, anna = order(), person(first_name="Anna", last_name="Berg")
    assert f"/tasks/{batch.pk}/refused/" not in signed_in.get(f"/tasks/{batch.pk}/").content.decode()
    refuse(batch, [anna.pk, 0])
    assert f'href="/tasks/{batch.pk}/refused/"' in signed_in.get(f"/tasks/{batch.pk}/").content.decode()
    html = signed_in.get(f"/tasks/{batch.pk}/refused/").content.decode()
    words = "Anna Berg processing is restricted Person 0, who is gone processing is restricted"
    assert (words in text(html), f'href="/people/{anna.pk}/"' in html) == (True, True)


def test_a_long_list_of_refused_people_has_pages(signed_in, order):
    batch = order()
    refuse(batch, range(-task_list.PAGE - 2, 0))
    html = signed_in.get(f"/tasks/{batch.pk}/refused/").content.decode()
    second = signed_in.get(re.search(r'rel="next" href="([^"]*)"', html)[1]).content.decode()
    shown = [int(number) for page in (html, second) for number in re.findall(r"Person (-\d+), who", page)]
    assert shown == list(range(-task_list.PAGE - 2, 0))


@pytest.mark.parametrize("rows", [1, 3])
def test_a_list_of_refused_people_takes_five_queries(signed_in, order, django_assert_num_queries, rows):
    batch = order()
    refuse(batch, range(rows))
    with django_assert_num_queries(5):
        signed_in.get(f"/tasks/{batch.pk}/refused/")


def test_a_change_is_undone_from_its_page_once(signed_in, order):
    batch = order()
    response = signed_in.post(f"/tasks/{batch.pk}/undo/")
    undo = Batch.objects.latest("pk")
    assert (response.status_code, response.url) == (302, f"/tasks/{undo.pk}/")
    assert (undo.kind, undo.undoes_id, undo.changed) == ("undo", batch.pk, 1)
    html = signed_in.get(f"/tasks/{batch.pk}/").content.decode()
    assert "bob has undone this." in html
    assert f"/tasks/{batch.pk}/undo/" not in html
    assert signed_in.post(f"/tasks/{batch.pk}/undo/").status_code == 409


def test_undo_through_htmx_tells_what_came_of_it(signed_in, order):
    response = signed_in.post(f"/tasks/{order().pk}/undo/", headers={"HX-Request": "true"})
    told = json.loads(response.headers["HX-Trigger"])
    assert (response.status_code, told["toast"]["message"]) == (204, "Undone for 1 person.")
    assert "people-changed" in told


def test_a_waiting_task_shows_its_progress_and_asks_for_itself_until_it_is_over(signed_in, waiting):
    part = {"HX-Request": "true", "HX-Target": "task"}
    html = signed_in.get(f"/tasks/{waiting.pk}/", headers=part).content.decode()
    assert f'hx-get="/tasks/{waiting.pk}/" hx-trigger="every 1s"' in html
    assert "Waiting to start" in html
    assert "<html" not in html
    tasks.run_batch(waiting.pk)
    html = signed_in.get(f"/tasks/{waiting.pk}/", headers=part).content.decode()
    assert "every 1s" not in html
    assert "Source set for 1 person." in html


def test_a_waiting_task_can_be_cancelled(signed_in, waiting):
    assert signed_in.post(f"/tasks/{waiting.pk}/cancel/").url == f"/tasks/{waiting.pk}/"
    assert Batch.objects.get(pk=waiting.pk).state == "cancelled"
    assert signed_in.post(f"/tasks/{waiting.pk}/cancel/").status_code == 409


def test_the_top_bar_shows_running_tasks_and_says_when_one_is_over(signed_in, waiting):
    html = signed_in.get("/tasks/running/").content.decode()
    assert 'hx-get="/tasks/running/" hx-trigger="every 1s"' in html
    assert '<progress max="100" value="0" aria-label="Source: Import">' in html
    tasks.run_batch(waiting.pk)
    response = signed_in.get("/tasks/running/")
    told = json.loads(response.headers["HX-Trigger"])
    assert response.content.decode().strip() == ""
    assert told["toast"]["message"] == "Source set for 1 person."
    assert told["toast"]["undo_url"] == f"/tasks/{waiting.pk}/undo/"
    assert "HX-Trigger" not in signed_in.get("/tasks/running/").headers


def test_the_list_shows_counts_and_time_left_of_what_is_running_and_asks_for_it(signed_in, waiting):
    assert "Waiting to start" in signed_in.get("/tasks/").content.decode()
    started = timezone.now() - dt.timedelta(seconds=60)
    Batch.objects.filter(pk=waiting.pk).update(state="running", started_at=started, done=1_000, total=4_000)
    html = signed_in.get("/tasks/").content.decode()
    assert "1,000 of 4,000 · about 3 minutes left" in text(html)
    assert f'id="result-b{waiting.pk}"' in html
    assert f'hx-select="#result-b{waiting.pk}" hx-select-oob="#state-b{waiting.pk},#acts-b{waiting.pk}"' in html
    bar = text(signed_in.get("/tasks/running/").content.decode())
    assert bar == "Source: Import 25 % 1,000 of 4,000 · about 3 minutes left"


def test_the_top_bar_tells_nothing_of_tasks_of_others(waiting, alice):
    client = Client()
    client.force_login(alice)
    assert client.get("/tasks/running/").content.decode().strip() == ""
    tasks.run_batch(waiting.pk)
    assert "HX-Trigger" not in client.get("/tasks/running/").headers


def test_older_tasks_are_a_page_further_on(signed_in, order, monkeypatch):
    monkeypatch.setattr(task_list, "PAGE", 2)
    made = [order().pk for _ in range(3)]
    for age, pk in enumerate(reversed(made)):
        Batch.objects.filter(pk=pk).update(created_at=timezone.now() - dt.timedelta(hours=age))
    first = signed_in.get("/tasks/").content.decode()
    assert re.findall(r'row-link" href="/tasks/(\d+)/', first) == [str(made[2]), str(made[1])]
    older = signed_in.get(re.search(r'rel="next" href="([^"]*)"', first)[1]).content.decode()
    assert re.findall(r'row-link" href="/tasks/(\d+)/', older) == [str(made[0])]
    assert signed_in.get("/tasks/?before=nonsense").status_code == 200


@pytest.mark.parametrize("count", [1, 3])
def test_the_list_asks_the_database_six_times_whatever_its_length(signed_in, order, count, django_assert_num_queries):
    for _ in range(count):
        order()
    signed_in.get("/tasks/")
    # Session, user, orders, who undid them, imports, how things stand.
    with django_assert_num_queries(6):
        signed_in.get("/tasks/")


def test_an_auditor_reads_the_tasks_and_changes_nothing(order, charlie):
    batch, client = order(), Client()
    client.force_login(charlie)
    assert client.get("/tasks/").status_code == 200
    assert client.get(f"/tasks/{batch.pk}/").status_code == 200
    assert client.get("/tasks/running/").status_code == 200
    assert client.post(f"/tasks/{batch.pk}/undo/").status_code == 403
    assert client.post(f"/tasks/{batch.pk}/cancel/").status_code == 403


def test_what_does_not_exist_is_not_found(signed_in, order):
    assert signed_in.get("/tasks/999999/").status_code == 404
    assert signed_in.get(f"/tasks/{order().pk}/file/").status_code == 404


def test_tasks_of_the_same_moment_are_all_listed_once(signed_in, bob):
    moment = timezone.now()
    order = {"kind": "unsubscribe", "user": bob, "actor_name": "bob", "door": "page", "state": "done"}
    orders = Batch.objects.bulk_create(Batch(created_at=moment, **order) for _number in range(task_list.PAGE + 5))
    file = {"user": bob, "actor_name": "bob", "door": "page", "attempt": 1, "state": "done", "file_name": "x.csv"}
    jobs = [ImportJob.objects.create(**file) for _number in range(task_list.PAGE + 5)]
    ImportJob.objects.update(created_at=moment)
    seen, before = [], ""
    while True:
        page = task_list.page(before)
        seen += [task.key for task in page["tasks"]]
        if not (before := page["more"]):
            break
    assert seen == [*(f"b{each.pk}" for each in reversed(orders)), *(f"i{each.pk}" for each in reversed(jobs))]
    assert signed_in.get("/tasks/", {"before": task_list.page("")["more"]}).status_code == 200


def test_the_list_reads_both_tables_by_an_index(db):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    place = task_list.ListPosition(timezone.now(), "b", 7)
    orders = Batch.objects.filter(place.before("b")).order_by("-created_at", "-pk")
    jobs = ImportJob.objects.filter(place.before("i"), attempt__gt=0, dry_run=False).order_by("-created_at", "-pk")
    assert "batch_by_time" in orders.explain()
    assert "import_by_time" in jobs.explain()


@pytest.mark.parametrize("text", ["x~b1", "2026-12-01T00:00:00~b1", "2026-12-01T00:00:00Z~b", "9" * 60 + "~b1"])
def test_a_damaged_place_shows_the_newest(signed_in, db, text):
    assert signed_in.get("/tasks/", {"before": text}).status_code == 200
    assert task_list.page(text)["newest"]


@pytest.fixture
def of_alice(alice, person, monkeypatch):
    """Return an order and an import that alice, the administrator, gave and that are not worked on yet."""
    person()
    monkeypatch.setattr("contacts.jobs.batches.INLINE_LIMIT", 0)
    actor = user_actor(alice, "page")
    batch = batches.order(Contact.objects.all(), "unsubscribe", actor=actor)
    return batch, import_jobs.start(ContentFile(b"Email\nlars@example.com\n"), "people.csv", actor=actor)


def test_nobody_but_an_administrator_stops_what_somebody_else_ordered(of_alice, signed_in, api, alice):
    batch, job = of_alice
    assert signed_in.post(f"/tasks/{batch.pk}/cancel/").status_code == 403
    assert signed_in.post(f"/imports/{job.pk}/cancel/").status_code == 403
    assert api.post(f"/api/v1/batches/{batch.pk}/cancel/").status_code == 403
    assert "/cancel/" not in signed_in.get("/tasks/").text
    assert "/cancel/" not in signed_in.get(f"/imports/{job.pk}/").text
    administrator = Client()
    administrator.force_login(alice)
    assert administrator.get("/tasks/").text.count("/cancel/") == 2
    assert administrator.post(f"/tasks/{batch.pk}/cancel/").status_code == 302


def test_an_auditor_stops_the_own_export_and_nobody_elses(bob, charlie, person, monkeypatch):
    person()
    monkeypatch.setattr("contacts.jobs.batches.INLINE_LIMIT", 0)
    own, other = (
        batches.order(Contact.objects.all(), "export", actor=user_actor(user, "page"), params={"reason": ""})
        for user in (charlie, bob)
    )
    with pytest.raises(Forbidden):
        batches.cancel(other.pk, actor=user_actor(charlie, "page"))
    assert batches.cancel(own.pk, actor=user_actor(charlie, "page")).state == "cancelled"


def test_nobody_but_an_administrator_takes_back_what_somebody_else_changed(alice, bob, person):
    person()
    actor = user_actor(alice, "page")
    batch = batches.order(Contact.objects.all(), "source", actor=actor, params={"type": 3, "other": ""})
    with pytest.raises(Forbidden):
        bulk_undo.undo(batch, actor=user_actor(bob, "page"))
    assert bulk_undo.undo(batch, actor=actor).changed == 1
