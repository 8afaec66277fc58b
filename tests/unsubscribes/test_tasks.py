import datetime as dt

from django.conf import settings as django_settings
from django.utils import timezone

from tests.mailing import DRAFT
from unsubscribes import tasks
from unsubscribes.mail import mailing
from unsubscribes.mail.sending import send
from unsubscribes.models import Message


def test_one_message_is_sent_and_no_other(server, written, anna, member):
    tasks.send_mail(written.pk)
    tasks.send_mail(written.pk)
    written.refresh_from_db()
    assert (written.state, written.attempts, len(server.mails)) == ("sent", 1, 1)


def test_the_sweep_marks_the_lost_and_sends_the_rest(server, many, member):
    for person in many(2):
        mailing.write_to_one(person.pk, DRAFT, actor=member)
    lost = send.claim()
    Message.objects.filter(pk=lost.pk).update(claimed_at=timezone.now() - dt.timedelta(seconds=send.LEASE_SECONDS + 1))
    tasks.sweep_mail()
    assert sorted(Message.objects.values_list("state", flat=True)) == ["sent", "unknown"]


def test_the_sweep_repeats_often_enough_for_the_promise_of_two_minutes():
    entry = django_settings.CELERY_BEAT_SCHEDULE["sweep-mail"]
    assert entry["task"] == tasks.sweep_mail.name
    assert send.LEASE_SECONDS + entry["schedule"] + send.TURN_SECONDS <= 120
