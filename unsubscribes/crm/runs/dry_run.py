"""The dry run: reads the CRM and reports what the first sync would change, as counts and as a file of records."""

import csv
import tempfile
from collections import Counter
from collections.abc import Iterator
from typing import Any, BinaryIO, cast

from django.core.files.base import File
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from contacts.jobs import engine
from contacts.models import Contact
from salesconnect.lib import stored_files
from salesconnect.lib.stored_files import remove_files_on_failure
from unsubscribes.crm.models import SyncRun
from unsubscribes.crm.provider import CrmSession
from unsubscribes.crm.reading.known import LocalState, look_up
from unsubscribes.crm.values import CrmRecord

OPT_OUT, WRITE, AMBIGUOUS, UNMATCHED = "opt_out_here", "write_there", "ambiguous", "unmatched"
FINDING_KINDS = (OPT_OUT, WRITE, AMBIGUOUS, UNMATCHED)
MOST, SHARE = 1_000, 0.05


@remove_files_on_failure
def read(run: SyncRun, session: CrmSession) -> None:
    """Read every record and store the findings in the run. Nothing else is changed, here or in the CRM."""
    session.look_around()
    counts: Counter[str] = Counter(dict.fromkeys(FINDING_KINDS, 0))
    opted_out: set[int] = set()
    with tempfile.TemporaryFile("w+", newline="", encoding="utf-8") as file:
        lines = csv.writer(file)
        record_id = _("%(crm)s ID") % {"crm": session.provider.name}
        lines.writerow([_("What"), _("Object"), record_id, _("Person")])
        for sobject in session.provider.sobjects:
            for found in session.everything(sobject, ""):
                run.read += len(found.records)
                SyncRun.objects.filter(pk=run.pk).update(read=run.read)
                known = look_up(found.records)
                for each in found.records:
                    for kind, person in _kinds(each, known):
                        counts[kind] += kind != OPT_OUT or person not in opted_out
                        opted_out |= {person} if kind == OPT_OUT and person else set()
                        lines.writerow([kind, each.sobject, each.sf_id, person or ""])
        run.findings = {**counts, "people": Contact.objects.count()}
        file.flush()
        stored_files.save(run.file, "dry-run.csv", File(cast("BinaryIO", file.buffer)))
        run.save(update_fields=["findings", "file", "read"])


def _kinds(found: CrmRecord, known: LocalState) -> list[tuple[str, int | None]]:
    person, key = known.person(found), known.hashes[found.sf_id]
    namesake = known.by_hash.get(key) if key else None
    kinds: list[tuple[str, int | None]] = []
    if found.deleted or found.successor_id:
        return kinds
    if person is None and not known.says_no(found):
        return [(UNMATCHED, None)]
    if person and namesake and person.pk != namesake.pk:
        kinds.append((AMBIGUOUS, person.pk))
    if found.opted_out:
        kinds += [(OPT_OUT, each.pk) for each in {person, namesake} if each and not each.card.unsubscribed]
    elif known.says_no(found):
        kinds.append((WRITE, person.pk if person else None))
    return kinds


def needs_confirmation(findings: dict[str, Any]) -> bool:
    """Tell whether an administrator has to confirm the changes: more than 1,000, or more than 5 % of all people."""
    changes = findings[OPT_OUT] + findings[WRITE]
    return changes > MOST or changes > SHARE * findings["people"]


def lines(run: SyncRun) -> Iterator[list[str]]:
    """Yield the rows of a dry run's file without the header: kind, object, CRM ID, number of the person."""
    with run.file.open("rb") as file:
        found = csv.reader(line.decode() for line in file)
        next(found, None)
        yield from found


def forget(runs: QuerySet[SyncRun]) -> None:
    """Remove runs with their files; one whose file cannot be removed stays for the next time."""
    engine.remove_files(runs.exclude(file=""))
    runs.filter(file="").delete()
