"""What the worker does for people: bulk orders, and room in the history. Rows are the queue; messages only wake."""

from celery import shared_task

from contacts import batches, idempotency, partitions
from salesconnect.lib.kick import kick


@shared_task(name="contacts.run_batch")
def run_batch(batch_id: int) -> None:
    """Work on a bulk order for a minute, and ask for another turn while work is left, so that others get theirs."""
    if batches.run(batch_id):
        kick("contacts.run_batch", batch_id)


@shared_task(name="contacts.sweep_batches")
def sweep_batches() -> None:
    """Wake the orders whose message was lost or whose worker died."""
    for batch_id in batches.stalled():
        kick("contacts.run_batch", batch_id)


@shared_task(name="contacts.ensure_partitions")
def ensure_partitions() -> None:
    """Make the history's partitions for the months ahead."""
    partitions.ensure()


@shared_task(name="contacts.forget_replies")
def forget_replies() -> None:
    """Delete the answers that no repeat of a request can ask for any more."""
    idempotency.forget()
