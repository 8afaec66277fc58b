"""What the worker does for people: bulk orders, and room in the history. Rows are the queue; messages only wake."""

from celery import shared_task
from django.contrib.sessions.backends.db import SessionStore

from contacts import idempotency
from contacts.events import partitions
from contacts.jobs import batches, engine
from contacts.sealing import delivery, published, sealing, verification
from salesconnect.lib.actor import system

# A turn seals a million events; more waits for the next one.
PIECES = 100


@shared_task(name="contacts.run_batch")
def run_batch(batch_id: int) -> None:
    """Work on a bulk order for a minute."""
    engine.take_turn(batches.QUEUE, batch_id)


@shared_task(name="contacts.sweep_batches")
def sweep_batches() -> None:
    """Wake the orders whose message was lost or whose worker died."""
    engine.sweep(batches.QUEUE)


@shared_task(name="contacts.forget_order_names")
def forget_order_names() -> None:
    """Take the words out of orders that ended a month ago."""
    while batches.forget_names():
        pass


@shared_task(name="contacts.ensure_partitions")
def ensure_partitions() -> None:
    partitions.ensure()


@shared_task(name="contacts.forget_replies")
def forget_replies() -> None:
    """Delete the answers that no repeat of a request can ask for any more."""
    idempotency.forget()


@shared_task(name="contacts.forget_sessions")
def forget_sessions() -> None:
    """Delete the sessions that have ended, with whatever their messages still said of people."""
    SessionStore.clear_expired()


@shared_task(name="contacts.seal_history")
def seal_history() -> None:
    """Seal what happened since the last turn, and write the new roots to the file."""
    sealing.seal_open(PIECES)
    published.append()


@shared_task(name="contacts.send_roots")
def send_roots() -> None:
    delivery.send_due()


@shared_task(name="contacts.verify_history")
def verify_history(verification_id: int) -> None:
    """Work on a verification for a minute."""
    engine.take_turn(verification.QUEUE, verification_id)


@shared_task(name="contacts.sweep_verifications")
def sweep_verifications() -> None:
    """Wake the verifications whose message was lost or whose worker died."""
    engine.sweep(verification.QUEUE)


@shared_task(name="contacts.verify_weekly")
def verify_weekly() -> None:
    verification.order(actor=system("task"))
