"""Single edits on the page of a person: carrying them out, the toast about the result, and undo."""

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _

from compliance.card import card_changes, undoing
from compliance.card.revision import OwnerChoice, revise
from compliance.models import ComplianceCard
from contacts.events import history
from contacts.models import Contact, ContactEvent, User
from salesconnect.common import history_words
from salesconnect.common.typed_requests import SignedInRequest
from salesconnect.lib.actor import Actor
from salesconnect.lib.database.transactions import act
from salesconnect.lib.errors import Conflict, Invalid
from salesconnect.lib.outcome import Outcome
from salesconnect.pages.person.forms import DetailsForm, EditDetailsForm
from salesconnect.pages.person.person_page import Toast


@dataclass(frozen=True, slots=True)
class Edit:
    """The result of an edit: the id of the last event before it, its own events (oldest first), the card after it."""

    since: int
    events: list[ContactEvent]
    card: ComplianceCard


@act
def carry_out(contact_id: int, act: Callable[[], object]) -> Edit:
    """Run `act` in a transaction and return the events that it recorded for one person.

    Raises `Missing` when the person has been deleted since the request was read.
    """
    since = history.newest_id(contact_id)
    act()
    events = history.of_contact(contact_id).filter(id__gt=since).order_by("id")
    return Edit(since, list(events), card_changes.card_of(contact_id))


def change_details(person: Contact, form: EditDetailsForm, *, actor: Actor, version: int) -> Edit:
    """Store the changed details and owner. Raises as `compliance.card.revision.revise`."""

    owner = form.cleaned_data["owner"] if "owner" in form.changed_data else OwnerChoice.UNCHANGED
    details = form.changed_details()
    again = form.takes_in_erased()

    def change() -> object:
        return revise(person.pk, details=details, owner=owner, version=version, actor=actor, although_erased=again)

    return carry_out(person.pk, change)


def take_back(contact_id: int, link: dict[str, int | None], *, actor: Actor) -> Outcome:
    """Undo the edits `since` an event that led to `version`, as an undo link names them, and restore the `owner`.

    `owner` is None if it had not changed and 0 for nobody. Raises as `compliance.card.undoing.undo_edit`.
    """
    number = link["owner"]
    owner = OwnerChoice.UNCHANGED if number is None else User.objects.filter(pk=number).first()
    since, version = link["since"] or 0, link["version"] or 0
    return undoing.undo_edit(contact_id, since=since, version=version, owner=owner, actor=actor)


def toast_of(edit: Edit, *, owner_before: int | None = None) -> Toast:
    """Return the toast for the editor: what changed, and a warning if the new address is or becomes suppressed."""
    if not edit.events:
        return Toast(_("Nothing was changed."), "info")
    words = [history_words.outcome(event) for event in edit.events if event.action != history.UNSUBSCRIBED]
    warning = _about_the_no(edit)
    link = {"since": edit.since, "version": edit.card.version}
    if any("owner" in event.changes for event in edit.events):
        link["owner"] = owner_before or 0
    undo_url = f"{reverse('person-undo', args=[edit.card.pk])}?{urlencode(link)}"
    return Toast(". ".join([*words, *warning]), "warning" if warning else "success", undo_url)


def show_beside(form: DetailsForm, refusal: Invalid | Conflict) -> None:
    """Show a refusal beside its field; raise one that belongs to no field."""
    if isinstance(refusal, Invalid):
        form.add_errors(refusal.fields)
    elif refusal.code == "address_taken":
        form.refuse_address(refusal, reverse("person", args=[refusal.detail["existing_id"]]))
    elif refusal.code == "erased":
        form.ask_although_erased(refusal)
    else:
        raise refusal


def posted_version(request: SignedInRequest) -> int:
    """Return the version at which the form was opened. Raises `Invalid` if it is missing."""
    try:
        return int(request.POST["version"])
    except (KeyError, ValueError):
        raise Invalid({"version": [_("The form does not say which version it changes. Reload the page.")]}) from None


def _about_the_no(edit: Edit) -> list[str]:
    if any(event.action == history.UNSUBSCRIBED for event in edit.events):
        return [_("The new address is unsubscribed, so this person now is too")]
    if edit.card.unsubscribed and any("email" in event.changes for event in edit.events):
        return [_("The person is unsubscribed, so the new address is suppressed too")]
    return []
