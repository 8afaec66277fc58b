"""The schedule of beat.

Rows in the database are the queue, and messages only hints. Each entry is a sweep that does again what a lost message
would have started. So a message is useless once the next one is sent: it expires by then, and after a time without free
workers each task runs once and not many times.
"""

from typing import Any

from celery.schedules import crontab

DAY_SECONDS = 24 * 3600
CLOCK_CHANGE_SECONDS = 3600
"""A day on which clocks are set forward is an hour shorter, so messages must expire that much earlier."""

ScheduleEntry = dict[str, Any]


def of(*, pull_seconds: int, push_seconds: int) -> dict[str, ScheduleEntry]:
    """Return the schedule by entry name; the two arguments are the intervals of the sync."""
    return {
        "sweep-batches": _every(15, "contacts.sweep_batches"),
        "ensure-event-partitions": _every(6 * 3600, "contacts.ensure_partitions"),
        "seal-history": _every(60, "contacts.seal_history"),
        "send-roots": _every(60, "contacts.send_roots"),
        "sweep-verifications": _every(60, "contacts.sweep_verifications"),
        "verify-weekly": _at(crontab(hour=3, minute=17, day_of_week=0), "contacts.verify_weekly", days=7),
        "forget-replies": _every(3600, "contacts.forget_replies"),
        "forget-sessions": _every(3600, "contacts.forget_sessions"),
        "sweep-imports": _every(15, "compliance.sweep_imports"),
        "settle-tallies": _every(60, "compliance.settle_tallies"),
        "forget-imports": _every(3600, "compliance.forget_imports"),
        "rehash-addresses": _every(3600, "unsubscribes.rehash_addresses"),
        "sweep-mail": _every(15, "unsubscribes.sweep_mail"),
        "pull-salesforce": _every(pull_seconds, "unsubscribes.pull_salesforce"),
        "push-salesforce": _every(push_seconds, "unsubscribes.push_salesforce"),
        "digest-salesforce": _every(24 * 3600, "unsubscribes.digest_salesforce"),
        "sweep-salesforce": _every(60, "unsubscribes.sweep_salesforce"),
        "keep-figures": _every(900, "exports.keep_figures"),
        "sweep-exports": _every(3600, "exports.sweep_exports"),
        "remove-stray-files": _every(3600, "exports.remove_stray_files"),
        "forget-order-names": _at(crontab(hour=2, minute=40), "contacts.forget_order_names"),
        "forget-erased": _every(3600, "exports.forget_erased"),
        "apply-retention": _at(crontab(hour=3, minute=20), "exports.apply_retention"),
        "check-records": _at(crontab(hour=4, minute=5), "exports.check_records"),
        "write-ledger": _every(60, "exports.write_ledger"),
        "forget-merges": _every(24 * 3600, "unsubscribes.forget_merges"),
    }


def _every(seconds: int, task: str) -> ScheduleEntry:
    return {"task": task, "schedule": seconds, "options": {"expires": seconds}}


def _at(when: crontab, task: str, *, days: int = 1) -> ScheduleEntry:
    return {"task": task, "schedule": when, "options": {"expires": days * DAY_SECONDS - CLOCK_CHANGE_SECONDS}}
