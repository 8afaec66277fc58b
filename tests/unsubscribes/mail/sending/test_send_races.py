"""Who says no while mails are on their way, workers that meet, and a worker that is killed."""

import datetime as dt
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from celery import current_app
from django.conf import settings
from django.db import connection
from django.utils import timezone

from compliance.card.legal_basis_registry import AuthorizationType
from compliance.card.rules import Authorization
from contacts.events import history
from contacts.models import Contact
from tests.interleaving import at_once
from tests.mailing import DRAFT
from tests.products.product import ROOT, until
from tests.soak import ROUNDS
from unsubscribes.links import links
from unsubscribes.mail import bulk_mail, mailing
from unsubscribes.mail.sending import send
from unsubscribes.models import Message

CONTRACT = Authorization(AuthorizationType.CONTRACT)

pytestmark = [
    pytest.mark.race,
    pytest.mark.django_db(transaction=True),
]


@pytest.mark.soak
def test_no_mail_is_claimed_after_the_opt_out_is_stored(person, server, member):
    held = 0
    for turn in range(ROUNDS):
        someone = person(email=f"turn{turn}@example.com", authorization=CONTRACT)
        mine = Message.objects.filter(contact=someone)
        for _mail in range(10):
            mailing.write_to_one(someone.pk, DRAFT, actor=member)
        link, stored = links.make(someone), []

        def opt_out(link=link, stored=stored):
            time.sleep(random.uniform(0, 0.1))  # noqa: S311 - any moment will do
            links.opt_out(link, source="one_click", reason="")
            stored.append(timezone.now())

        at_once(opt_out, send.drain, send.drain)
        send.drain()
        assert set(mine.values_list("state", "reason")) <= {("sent", ""), ("held", "unsubscribed")}
        assert [message.pk for message in mine.filter(state="sent") if message.claimed_at >= stored[0]] == []
        assert history.of_contact(someone.pk).filter(action=history.UNSUBSCRIBED).count() == 1
        held += mine.filter(state="held").count()
    assert len(server.mails) == 10 * ROUNDS - held
    assert 0 < held < 10 * ROUNDS


@pytest.mark.soak
def test_workers_that_meet_send_each_mail_once(many, server, member):
    many(ROUNDS)
    bulk_mail.order_mail(Contact.objects.all(), DRAFT, actor=member, selection={})
    at_once(*[send.drain] * 4)
    send.drain()
    assert sorted(server.recipients) == sorted(Contact.objects.values_list("email", flat=True))
    assert set(Message.objects.values_list("state", "attempts")) == {("sent", 1)}


def test_a_killed_worker_sends_nothing_twice_and_the_rest_goes_on(many, server, member):
    many(40)
    bulk_mail.order_mail(Contact.objects.all(), DRAFT, actor=member, selection={})
    server.seconds = 0.05
    with worker() as queue:
        current_app.send_task("unsubscribes.sweep_mail", queue=queue)
        until(lambda: len(server.mails) >= 8)
    server.seconds = 0
    assert Message.objects.filter(state="sending").count() <= 1
    Message.objects.filter(state="sending").update(
        claimed_at=timezone.now() - dt.timedelta(seconds=send.LEASE_SECONDS + 1)
    )
    with worker() as queue:
        current_app.send_task("unsubscribes.sweep_mail", queue=queue)
        until(lambda: not Message.objects.filter(state__in=("queued", "sending")).exists())
    states = Counter(Message.objects.values_list("state", flat=True))
    assert states["sent"] + states["unknown"] == 40
    assert states["unknown"] <= 1
    assert max(Counter(server.recipients).values()) == 1
    assert states["sent"] <= len(server.mails) <= 40


@contextmanager
def worker() -> Iterator[str]:
    """Run a real worker with the test's database and mail server, give its queue, and kill it with all it has."""
    queue = f"killed-{os.getpid()}"
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "SALESCONNECT_DATA": str(settings.DATA_DIR),
        "SALESCONNECT_TEST_DATABASE": connection.settings_dict["NAME"],
        "EMAIL_URL": f"smtp://{settings.EMAIL_HOST}:{settings.EMAIL_PORT}",
        "DEFAULT_FROM_EMAIL": settings.DEFAULT_FROM_EMAIL,
    }
    before = _others()
    command = [sys.executable, "-m", "celery", "-q", "-A", "salesconnect", "worker", "-Q", queue, "--concurrency=1"]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, start_new_session=True, stderr=subprocess.DEVNULL)
    try:
        yield queue
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        until(lambda: _others() <= before)


def _others() -> set[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        return {pid for (pid,) in cursor}
