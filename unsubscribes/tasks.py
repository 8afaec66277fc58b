"""Celery tasks of mail and merges. The rows are the queue: every task may run twice, late, or concurrently."""

from celery import shared_task

from unsubscribes import rehash
from unsubscribes.crm import tasks as salesforce
from unsubscribes.mail.sending import send
from unsubscribes.merging import unmerge

__all__ = ["salesforce", "send_mail", "sweep_mail"]


@shared_task(name="unsubscribes.send_mail")
def send_mail(message_id: int) -> None:
    send.send_one(message_id)


@shared_task(name="unsubscribes.sweep_mail")
def sweep_mail() -> None:
    """Mark messages of killed workers, then send what is due."""
    send.mark_lost_unknown()
    send.drain()


@shared_task(name="unsubscribes.forget_merges")
def forget_merges() -> None:
    """Delete the data of absorbed people once a merge can no longer be undone."""
    unmerge.forget_old()


@shared_task(name="unsubscribes.rehash_addresses")
def rehash_addresses() -> None:
    rehash.rehash_addresses()
