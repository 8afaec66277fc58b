"""Django's `makemessages`, made reproducible: the same code always gives the same file."""

import re
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from django.core.management.commands import makemessages

SOURCE = "en"
MOMENT = re.compile(r'^"POT-Creation-Date:.*\n', re.MULTILINE)


class Command(makemessages.Command):
    """Extracts without dates, line numbers, fuzzy matches and obsolete messages."""

    # In modules where `_` is gettext_lazy, `_t` is gettext.
    xgettext_options = [*makemessages.Command.xgettext_options, "--keyword=_t"]
    msgmerge_options = [*makemessages.Command.msgmerge_options, "--no-fuzzy-matching"]

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        translated = [code for code, _language in settings.LANGUAGES if code != SOURCE]
        parser.set_defaults(locale=translated, ignore_patterns=["static", "tests"], no_wrap=True)
        parser.set_defaults(no_obsolete=True, add_location="never")

    def write_po_file(self, potfile: Any, locale: str) -> None:
        pot = Path(potfile)
        pot.write_text(MOMENT.sub("", pot.read_text(encoding="utf-8")), encoding="utf-8")
        super().write_po_file(potfile, locale)
