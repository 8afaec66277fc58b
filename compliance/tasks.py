"""What the worker does for imports. Rows are the queue; messages only wake."""

from celery import shared_task

from compliance.card import tallying
from compliance.imports import working
from contacts.jobs import engine


@shared_task(name="compliance.run_import")
def run_import(job_id: int) -> None:
    """Work on an import for a minute."""
    engine.take_turn(working.QUEUE, job_id)


@shared_task(name="compliance.sweep_imports")
def sweep_imports() -> None:
    """Wake the imports whose message was lost or whose worker died."""
    engine.sweep(working.QUEUE)


@shared_task(name="compliance.forget_imports")
def forget_imports() -> None:
    working.forget_old()


@shared_task(name="compliance.settle_tallies")
def settle_tallies() -> None:
    tallying.settle()
