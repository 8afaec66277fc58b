import datetime as dt
import io

from django.core.management import call_command

from compliance.models import ImportJob
from contacts.models import Batch, Contact, ContactEvent
from exports.models import DataRequest, RetentionRule
from tests.exports.integrity.agreeing import differences
from unsubscribes.mail import failures
from unsubscribes.models import Message

KINDS = {"authorization", "source", "undo", "export", "mail", "retention"}


def test_the_demo_shows_every_state_and_is_filled_once(alice):
    for _time in range(2):
        call_command("seed_demo", stdout=io.StringIO(), stderr=io.StringIO())
    job = ImportJob.objects.get()
    assert Contact.objects.count() == 2_001  # and one who was erased on request
    assert (job.created, job.updated, job.rejected) == (2, 3, 3)
    assert set(Batch.objects.values_list("kind", flat=True)) == KINDS
    assert set(Message.objects.values_list("state", flat=True)) == {"queued", "held"}
    acts = {"created", "edited", "authorization", "source", "unsubscribed", "resubscribed", "exported"}
    acts |= {"requested", "answered", "deleted", "mail_held", "restricted", "informed", "reviewed"}
    assert set(ContactEvent.objects.values_list("action", flat=True)) >= acts
    assert set(DataRequest.objects.values_list("state", flat=True)) == {"open", "paused", "done"}
    assert set(RetentionRule.objects.values_list("step", flat=True)) == {"list", "warn"}


def test_nothing_is_on_record_that_did_not_happen(alice):
    call_command("seed_demo", stdout=io.StringIO(), stderr=io.StringIO())
    said = ContactEvent.objects.filter(action="unsubscribed")
    by_source = {(event.changes["source"][1], event.actor_name, event.door) for event in said}
    assert ("manual", "Lars Öberg", "page") in by_source
    assert ("one_click", "Recipient", "link") in by_source
    bounced = {(who, door) for source, who, door in by_source if source == "bounce"}
    assert bounced == {(failures.MAIL_SERVER.name, failures.MAIL_SERVER.door)}
    assert {who for source, who, _door in by_source if source != "manual"}.isdisjoint({"Lars Öberg", "Eva Lind"})
    created = dict(ContactEvent.objects.filter(action="created").values_list("contact_id", "at"))
    for number, at in Contact.objects.values_list("pk", "created_at"):
        assert abs(created[number] - at) < dt.timedelta(minutes=1)
    assert differences() == {}
