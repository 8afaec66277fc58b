"""The rights of the people: restriction, requests, erasure; and retention, which erases by itself."""

import io

from django.core.management import call_command
from django.utils import timezone

from compliance.review import restriction
from contacts.models import Contact
from exports import tasks as export_tasks
from exports.erasure import erasure
from exports.models import DataRequest, RetentionRule
from exports.requests import register
from exports.retention import retention_rules
from tests.history_machine.acts.cards import by_a_worker
from tests.history_machine.acts.table import act
from tests.history_machine.world import World

KINDS = ("access", "erasure", "restriction", "objection")


@act("page", "api", "service", leaves="restricted")
def restrict(it: World, door: str, who: int, how: int) -> None:
    """Restrict the processing of somebody (art. 18)."""
    person = it.someone(who)
    reason = f"{person.last_name} disputes the address"
    if door == "page":
        it.ok(it.member_page.post(f"/people/{person.pk}/restriction/", {"reason": reason}))
    elif door == "api":
        it.ok(it.member_api.post(f"/api/v1/contacts/{person.pk}/restriction/", {"reason": reason}, format="json"))
    else:
        restriction.restrict(it.only(person), reason, actor=it.member)


@act("page", "api", "service", leaves="unrestricted", needs="a restricted person")
def lift(it: World, door: str, who: int, how: int) -> None:
    """Lift a restriction."""
    person = it.someone(who, card__restricted_at__isnull=False)
    reason = f"Settled with {person.last_name}"
    if door == "page":
        it.ok(it.member_page.post(f"/people/{person.pk}/restriction/", {"reason": reason, "lifts": "True"}))
    elif door == "api":
        it.ok(it.member_api.delete(f"/api/v1/contacts/{person.pk}/restriction/", {"reason": reason}, format="json"))
    else:
        restriction.lift(it.only(person), reason, actor=it.member)


@act("page", "api", "service", leaves="requested")
def take_in_a_request(it: World, door: str, who: int, how: int) -> None:
    """Register what somebody asks for."""
    person, kind = it.someone(who), KINDS[how % len(KINDS)]
    values = {"kind": kind, "received": timezone.localdate().isoformat()}
    values |= {"identity_check": f"Passport of {person.last_name}"}
    if door == "page":
        it.ok(it.member_page.post(f"/requests/new/?contact={person.pk}", values))
    elif door == "api":
        it.ok(it.member_api.post("/api/v1/requests/", values | {"contact": person.pk}, format="json"))
    else:
        values |= {"received": timezone.localdate()}
        register.take_in(contact_id=person.pk, actor=it.member, **values)


@act("page", "api", leaves="answered", needs="an open request")
def carry_out_a_request(it: World, door: str, who: int, how: int) -> None:
    """Do what a request asks for: erase, restrict, or unsubscribe; what is only answered gets its answer."""
    row = DataRequest.objects.exclude(state="done").select_related("contact").order_by("-pk").first()
    if row.kind == "objection":
        it.says_no(row.contact.email_key)
    if row.kind == "access":
        answer = {"outcome": "carried_out", "answer": f"Sent to {row.contact.last_name}"}
        if door == "page":
            it.ok(it.member_page.get(f"/requests/{row.pk}/"))
            it.ok(it.member_page.post(f"/requests/{row.pk}/finish/", answer))
        else:
            it.ok(it.member_api.get(f"/api/v1/requests/{row.pk}/"))
            it.ok(it.member_api.post(f"/api/v1/requests/{row.pk}/finish/", answer, format="json"))
    elif door == "page":
        it.ok(it.member_page.post(f"/requests/{row.pk}/carry-out/", {"confirmation": str(row.contact)}))
    else:
        it.ok(it.member_api.post(f"/api/v1/requests/{row.pk}/carry-out/"))


@act("page", "api", "erase", "bulk page", "bulk api", "worker", "service", leaves="deleted")
def erase(it: World, door: str, who: int, how: int) -> None:
    """Erase somebody, or a few."""
    person = it.someone(who)
    chosen = it.some(who)[:2]
    if door == "page":
        it.ok(it.member_page.post(f"/people/{person.pk}/delete/"))
    elif door == "api":
        it.ok(it.member_api.delete(f"/api/v1/contacts/{person.pk}/"))
    elif door == "erase":
        it.ok(it.member_api.post(f"/api/v1/contacts/{person.pk}/erase/", {}, format="json"))
    elif door == "bulk page":
        it.ok(it.member_page.post("/people/bulk/delete/", {"ids": chosen, "approved": len(chosen)}))
    elif door == "bulk api":
        it.ok(it.member_api.post("/api/v1/bulk/delete/", {"selection": {"ids": chosen}}, format="json"))
    elif door == "worker":
        by_a_worker(it, "delete", chosen, {})
    else:
        erasure.delete(Contact.objects.filter(pk=person.pk), actor=it.member)


@act("service", leaves="", needs="")
def rule_retention(it: World, door: str, who: int, how: int) -> None:
    """Make a rule that erases who is here for long, or whom nothing happened to."""
    age = {"inactive_months": 2} if how % 2 else {"age_months": 3}
    values = {"name": f"Rule {RetentionRule.objects.count()}", "step": "erase", "warn_days": 5} | age
    if how % 3:
        values |= {"authorization_type": "contract"}
    retention_rules.save(values, actor=it.admin)


@act("worker", "command", "page", "api", leaves="deleted", needs="a rule")
def apply_retention(it: World, door: str, who: int, how: int) -> None:
    """Let the rules list, warn and erase."""
    if door == "worker":
        export_tasks.apply_retention()
    elif door == "command":
        call_command("apply_retention", stdout=io.StringIO())
    elif door == "page":
        it.ok(it.admin_page.post("/settings/retention/run/"))
    else:
        it.ok(it.admin_api.post("/api/v1/retention/run/", {}, format="json"))
