import io

from django.core.management import call_command

from compliance.models import ImportJob
from contacts.models import Batch, Contact, ContactEvent
from unsubscribes.models import Message


def test_the_demo_shows_every_state_and_is_filled_once(alice):
    for _time in range(2):
        call_command("seed_demo", stdout=io.StringIO(), stderr=io.StringIO())
    job = ImportJob.objects.get()
    assert Contact.objects.count() == 2_002
    assert (job.created, job.updated, job.rejected) == (2, 3, 3)
    assert set(Batch.objects.values_list("kind", flat=True)) == {"authorization", "source", "undo", "export", "mail"}
    assert set(Message.objects.values_list("state", flat=True)) == {"queued", "held"}
    acts = {"created", "edited", "authorization", "source", "unsubscribed", "resubscribed", "exported"}
    assert set(ContactEvent.objects.values_list("action", flat=True)) == acts
