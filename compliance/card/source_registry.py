"""The sources of people's data, here and nowhere else: a member of the type and its place in the tables below it.

Pages, API, imports, exports and history follow from them. The codes are what the database stores. The doors through
which people come in are declared in `salesconnect.lib.door_registry`.
"""

from django.utils.translation import gettext_lazy as _

from salesconnect.lib.slug_choices import SlugChoices


class SourceType(SlugChoices):
    """How the person's data first came in."""

    CRM_SYNC = 1, _("CRM Sync")
    IMPORT = 2, _("Import")
    MANUAL_UPLOAD = 3, _("Manual Upload")
    CHROME_EXTENSION = 4, _("Chrome Extension")
    OTHER = 5, _("Other")


# Whether a source has the data from the person; whoever came in by another one must be told of it (GDPR art. 14).
DIRECT_SOURCES = (SourceType.MANUAL_UPLOAD, SourceType.CHROME_EXTENSION)


INDIRECT_SOURCES = (SourceType.CRM_SYNC, SourceType.IMPORT, SourceType.OTHER)
