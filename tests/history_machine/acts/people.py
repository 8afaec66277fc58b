"""People come in, are edited, merged, parted, and handed out."""

import io
from contextlib import suppress
from pathlib import Path

from django.core.files.base import ContentFile
from django.core.management import call_command
from django.http import HttpResponse, StreamingHttpResponse

from compliance.card import editing
from compliance.imports import import_jobs, working
from compliance.models import ComplianceCard, ImportJob
from contacts.events import history
from contacts.models import Contact, Merge
from contacts.people.field_registry import DETAILS
from contacts.people.rules import normalise_address
from tests.history_machine.acts.table import act
from tests.history_machine.world import ADDRESSES, Refused, World
from unsubscribes.merging.merge import merge
from unsubscribes.merging.unmerge import unmerge
from unsubscribes.models import ConsentEvidence

HEADER = "First Name,Last Name,Other,Email,Authorization Type,Unsubscribed\n"


def address(number: int) -> str:
    """Return one of the few addresses, or none."""
    return (*ADDRESSES, "")[number % (len(ADDRESSES) + 1)]


@act("page", "api", "file", "command", leaves="created", needs="")
def create(it: World, door: str, who: int, how: int) -> None:
    """Bring somebody in; the address may be one that said no, also of somebody who was erased."""
    details = it.name() | {"email": address(how), "company": "Exempel AB"}
    if door == "page":
        card = {"authorization_type": "not_recorded", "source_type": "manual_upload"}
        it.ok(it.member_page.post("/people/new/", details | card))
    elif door == "api":
        card = {"authorization_type": "contract", "source_type": "chrome_extension"}
        it.ok(it.member_api.post("/api/v1/contacts/", details | {"compliance": card}, format="json"))
    else:
        bring_in(it, door, [details], says_no=False)


@act("worker", "api", "command", leaves="created", needs="")
def bring_in_many(it: World, door: str, who: int, how: int) -> None:
    """Import a file of two: rows update whoever is here; some files say that they opted out."""
    rows = [it.name() | {"email": address(who)}, it.name() | {"email": address(who + how)}]
    bring_in(it, "file" if door == "worker" else door, rows, says_no=how % 3 == 0)


def bring_in(it: World, door: str, rows: list[dict[str, str]], *, says_no: bool) -> None:
    """Import rows through a door."""
    names = ("first_name", "last_name", "other", "email")
    lines = [",".join([*(row[name] for name in names), "contract", "yes" if says_no else ""]) for row in rows]
    content = (HEADER + "\n".join(lines) + "\n").encode()
    if door == "api":
        it.ok(it.member_api.post("/api/v1/imports/", {"file": ContentFile(content, "people.csv")}, "multipart"))
        working.run(ImportJob.objects.latest("pk").pk)
    elif door == "command":
        path = Path(it.folder.name) / "people.csv"
        path.write_bytes(content)
        # Where every row is rejected, it ends with 1.
        with suppress(SystemExit):
            call_command("import_contacts", path, stdout=io.StringIO(), stderr=io.StringIO())
        path.unlink()
    else:
        working.run(import_jobs.start(ContentFile(content), "people.csv", actor=it.member).pk)
    assert ImportJob.objects.latest("pk").state == "done"
    if says_no:
        it.says_no(*(normalise_address(row["email"]) for row in rows if row["email"]))


@act("page", "api", "service", leaves="edited")
def edit(it: World, door: str, who: int, how: int) -> None:
    """Change the name, the title, or the address; an address carries its no along."""
    person = it.someone(who)
    since = history.newest_id(person.pk)
    values = ({"title": f"Title {how}"}, {"last_name": it.name()["last_name"]}, {"email": address(how)})[how % 3]
    if door == "page":
        seen = {f"initial-{name}": getattr(person, name) for name in DETAILS}
        form = {name: getattr(person, name) for name in DETAILS} | values | seen
        owner = {"owner": person.owner_id or "", "initial-owner": person.owner_id or ""}
        it.ok(it.member_page.post(f"/people/{person.pk}/details/", form | owner | {"version": person.card.version}))
    elif door == "api":
        it.ok(it.member_api.patch(f"/api/v1/contacts/{person.pk}/", values, format="json"))
    else:
        editing.edit(person.pk, values, actor=it.member)
    it.offer_to_undo(person, since)
    given = normalise_address(values["email"]) if values.get("email") else ""
    if given and (person.card.unsubscribed or given in it.said_no):
        it.says_no(given)


@act("api", "service", leaves="edited")
def assign(it: World, door: str, who: int, how: int) -> None:
    """Give somebody to one of the team, or to nobody."""
    person, owner = it.someone(who), (it.alice, it.bob, None)[how % 3]
    if door == "api":
        body = {"owner": owner and owner.pk}
        it.ok(it.member_api.patch(f"/api/v1/contacts/{person.pk}/", body, format="json"))
    else:
        editing.assign(person.pk, owner, actor=it.member)


@act("page", leaves="edited", needs="an edit")
def take_back_an_edit(it: World, door: str, who: int, how: int) -> None:
    """Undo an edit by the link that the page offers after it, however long ago that was."""
    versions = dict(ComplianceCard.objects.values_list("contact_id", "version"))
    fresh = [link for link in it.undo_links if versions.get(link[0]) == link[2]]
    links = fresh if fresh and how % 4 else it.undo_links
    number, since, version = links[-1 - who % len(links)]
    person = next((person for person in it.people if person.pk == number), None)
    if person is None:
        raise Refused("the person is gone")
    it.ok(it.member_page.post(f"/people/{number}/undo/?since={since}&version={version}"))
    address = Contact.objects.get(pk=number).email_key
    if person.card.unsubscribed or address in it.said_no:
        it.says_no(address)


@act("page", "api", "service", leaves="merged", needs="two people")
def join(it: World, door: str, who: int, how: int) -> None:
    """Merge two records of one person; a no of one is the no of both addresses."""
    one, two = it.someone(who), it.someone(who + 1)
    if one.pk == two.pk:
        raise Refused("there is nobody else")
    take = ["last_name", "email"] if how % 2 else []
    if door == "page":
        form = {"other": two.pk, "version": one.card.version, "other_version": two.card.version}
        it.ok(it.member_page.post(f"/people/{one.pk}/merge/", form | dict.fromkeys(take, "other")))
    elif door == "api":
        body = {"other": two.pk, "take": take}
        it.ok(it.member_api.post(f"/api/v1/contacts/{one.pk}/merge/", body, format="json"))
    else:
        merge(one.pk, two.pk, actor=it.member, take=take)
    if one.card.unsubscribed or two.card.unsubscribed:
        it.says_no(one.email_key, two.email_key)


@act("page", "api", "service", leaves="unmerged", needs="a merge")
def part(it: World, door: str, who: int, how: int) -> None:
    """Take the last merge back; no opt-out is lifted by it."""
    record = Merge.objects.filter(undone_at=None).order_by("-pk").first()
    survivor = record and next((person for person in it.people if person.pk == record.survivor_id), None)
    if survivor is None:
        raise Refused("nobody is merged")
    if door == "page":
        it.ok(it.member_page.post(f"/people/{survivor.pk}/merge/{record.pk}/undo/"))
    elif door == "api":
        it.ok(it.member_api.post(f"/api/v1/contacts/{survivor.pk}/merge/undo/"))
    else:
        unmerge(record.pk, actor=it.member)
    if survivor.card.unsubscribed:
        here = {person.pk: person.email_key for person in it.people}
        it.says_no(here[survivor.pk], here[record.absorbed_id])


@act("page", "api", "pack", "api pack", leaves="exported")
def hand_out(it: World, door: str, who: int, how: int) -> None:
    """Export one person, or the evidence pack of one."""
    person = it.someone(who)
    if door in {"page", "pack"}:
        path = "export" if door == "page" else "evidence-pack"
        read(it.ok(it.member_page.post(f"/people/{person.pk}/{path}/")))
    else:
        path = "export" if door == "api" else "evidence-pack"
        reason = {"reason": f"Asked for by {person.last_name}"}
        read(it.ok(it.member_api.get(f"/api/v1/contacts/{person.pk}/{path}/", reason)))


@act("page", "api", leaves="exported")
def hand_out_many(it: World, door: str, who: int, how: int) -> None:
    """Export a selection; the reason names one of them."""
    chosen = it.some(who)
    reason = f"For {it.someone(who).last_name}"
    if door == "page":
        form = {"ids": chosen, "approved": len(chosen), "reason": reason}
        it.ok(it.member_page.post("/people/bulk/export/", form))
    else:
        body = {"selection": {"filter": {"company": "Exempel"}}, "reason": reason}
        it.ok(it.member_api.post("/api/v1/exports/", body, format="json"))


@act("page", leaves="exported", needs="")
def hand_out_the_unsubscribes(it: World, door: str, who: int, how: int) -> None:
    """Download the list of what everybody said about mail."""
    read(it.ok(it.member_page.post("/unsubscribes/export/")))


@act("page", "api", leaves="exported", needs="a document")
def hand_out_a_document(it: World, door: str, who: int, how: int) -> None:
    """Download the document of a consent."""
    record = ConsentEvidence.objects.exclude(file="").order_by("-pk").first()
    if door == "page":
        read(it.ok(it.member_page.post(f"/people/{record.contact_id}/evidence/{record.pk}/")))
    else:
        read(it.ok(it.member_api.get(f"/api/v1/contacts/{record.contact_id}/evidence/{record.pk}/file/")))


def read(answer: HttpResponse | StreamingHttpResponse) -> bytes:
    """Return the whole body of an answer."""
    return b"".join(answer.streaming_content) if answer.streaming else answer.content
