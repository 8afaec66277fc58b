"""The roles of users and what each may do, here and nowhere else."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

AUDITOR_RIGHTS = frozenset({"view_people", "export_people", "verify_history"})


MEMBER_RIGHTS = AUDITOR_RIGHTS | {
    "create_people",
    "edit_people",
    "import_people",
    "delete_people",
    "mail_people",
    "unsubscribe_people",
    "merge_people",
    "restrict_people",
    "handle_requests",
}


ALL_RIGHTS = MEMBER_RIGHTS | {
    "reconsent_people",
    "edit_policy",
    "edit_retention",
    "import_suppressions",
    "manage_salesforce",
    "edit_team",
    "manage_users",
    "manage_tasks",
}


class Role(TextChoices):
    """What a user is in the team; `RIGHTS` says what each role may do."""

    ADMINISTRATOR = "administrator", _("Administrator")
    MEMBER = "member", _("Member")
    AUDITOR = "auditor", _("Auditor")


RIGHTS: dict[str, frozenset[str]] = {
    Role.ADMINISTRATOR: ALL_RIGHTS,
    Role.MEMBER: MEMBER_RIGHTS,
    Role.AUDITOR: AUDITOR_RIGHTS,
}
# One sentence for the page on which somebody is given a role.
ROLE_DESCRIPTIONS = {
    Role.ADMINISTRATOR: _("Administrators may do everything."),
    Role.MEMBER: _("Members work with people."),
    Role.AUDITOR: _("Auditors see everything and change nothing."),
}
