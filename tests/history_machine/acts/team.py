"""What the team and the workers do beside the people: the policy, seals, the work of the night."""

import io

from django.core.management import call_command

from compliance import tasks as compliance_tasks
from compliance.verdict import policy
from contacts import tasks as contact_tasks
from exports import tasks as export_tasks
from tests.history_machine.acts.table import act
from tests.history_machine.world import World
from unsubscribes import tasks as unsubscribe_tasks

EFFECTS = ("block", "hold", "warn", "allow")
NIGHTLY = (
    contact_tasks.ensure_partitions,
    contact_tasks.forget_replies,
    compliance_tasks.forget_imports,
    compliance_tasks.settle_tallies,
    export_tasks.sweep_exports,
    export_tasks.keep_figures,
    export_tasks.write_ledger,
    unsubscribe_tasks.forget_merges,
    export_tasks.remove_stray_files,
    export_tasks.forget_erased,
    contact_tasks.forget_order_names,
    unsubscribe_tasks.rehash_addresses,
)


@act("page", "service", leaves="", needs="")
def change_policy(it: World, door: str, who: int, how: int) -> None:
    """Put another policy in force."""
    effects = ("no_authorization", "consent_old", "interest_due", "other_ground")
    values = {name: EFFECTS[(how + place * who) % 4] for place, name in enumerate(effects)}
    values |= {"consent_months": 1 + how % 24, "interest_months": 1 + who}
    if door == "page":
        it.ok(it.admin_page.post("/settings/policy/", values))
    else:
        policy.change(values, actor=it.admin)


@act("worker", "command", leaves="", needs="")
def seal(it: World, door: str, who: int, how: int) -> None:
    """Close what happened into seals."""
    if door == "worker":
        contact_tasks.seal_history()
    else:
        call_command("seal_history", stdout=io.StringIO())


@act("worker", leaves="", needs="")
def work_of_the_night(it: World, door: str, who: int, how: int) -> None:
    """Let the workers forget what is old, keep figures, and make room."""
    for task in NIGHTLY:
        task()
