"""The doors by which acts come in, each declared once: how the history names it, and what follows from it."""

from dataclasses import dataclass
from typing import Literal

from django.utils.translation import gettext_lazy as _

from salesconnect.lib.text import Text

Door = Literal["page", "api", "import", "command", "task", "link", "sync"]
LIMIT = 10
"""How long the name of a door may be: the length of the columns that hold it."""


@dataclass(frozen=True, slots=True)
class DoorFacts:
    """What is said of a door: the `words` after an act in the history, empty where the door is not worth a word.

    Who shows the words puts the name of the CRM in the place of `%(crm)s`.
    `reads_files` tells that an opt-out which comes with a new person stood in a file, and was not told by a user.
    """

    words: Text = ""
    reads_files: bool = False


DOORS: dict[Door, DoorFacts] = {
    "page": DoorFacts(),
    "api": DoorFacts(_("through the API")),
    "import": DoorFacts(reads_files=True),
    "command": DoorFacts(_("from the command line")),
    "task": DoorFacts(),
    "link": DoorFacts(_("by a link in a mail")),
    "sync": DoorFacts(_("from %(crm)s")),
}
