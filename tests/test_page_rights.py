"""Who may open and who may post to each page. A page without a row fails."""

from collections.abc import Iterator

import pytest
from django.core.files.base import ContentFile
from django.test import Client
from django.urls import URLPattern, get_resolver, reverse

from compliance.imports import import_jobs
from contacts.jobs import batches
from contacts.models import Contact
from salesconnect.lib.role_registry import RIGHTS

OPEN, NOBODY = "open", "nobody"
"""Open to the whole world; no such method."""
READ = ("view_people", NOBODY)
PAGES = {
    # page: (the right to open it, the right to post to it)
    "healthz": (OPEN, NOBODY),
    "readyz": (OPEN, NOBODY),
    "metrics": (OPEN, NOBODY),  # 404 unless asked for; then it looks at the token itself
    "webhook": (OPEN, OPEN),
    "home": READ,
    "people": READ,
    "people-count": READ,
    "save-view": ("view_people", "view_people"),
    "delete-view": (NOBODY, "view_people"),
    "person": READ,
    "person-history": READ,
    "person-new": ("create_people", "create_people"),
    "person-details": ("edit_people", "edit_people"),
    "person-card": ("edit_people", "edit_people"),
    "person-undo": (NOBODY, "edit_people"),
    "person-unsubscribe": ("unsubscribe_people", "unsubscribe_people"),
    "person-not-the-same": (NOBODY, "edit_people"),
    "person-restriction": ("restrict_people", "restrict_people"),
    "person-balance": ("edit_people", "edit_people"),
    "informing": ("view_people", "edit_people"),
    "review": ("view_people", "edit_people"),
    "policy": ("edit_policy", "edit_policy"),
    "person-reconsent": ("reconsent_people", "reconsent_people"),
    "person-evidence": (NOBODY, "export_people"),
    "person-merge": ("merge_people", "merge_people"),
    "person-unmerge": (NOBODY, "merge_people"),
    "person-mail": ("mail_people", "mail_people"),
    "person-mail-again": (NOBODY, "mail_people"),
    "person-export": (NOBODY, "export_people"),
    "person-evidence-pack": (NOBODY, "export_people"),
    "person-delete": ("delete_people", "delete_people"),
    "bulk": (NOBODY, "edit_people"),
    "bulk-preview": (NOBODY, "edit_people"),
    "import-people": ("import_people", "import_people"),
    "import": ("view_people", "import_people"),
    "cancel-import": (NOBODY, "import_people"),
    "rejected-rows": READ,
    "event-proof-file": READ,
    "requests": READ,
    "request-new": ("handle_requests", "handle_requests"),
    "request": READ,
    "request-letter": READ,
    "request-act": (NOBODY, "handle_requests"),
    "request-carry-out": ("handle_requests", "handle_requests"),
    "request-portability": (NOBODY, "export_people"),
    "erase-elsewhere": READ,
    "erased-there": (NOBODY, "handle_requests"),
    "deletion-settings": ("edit_retention", "edit_retention"),
    "retention": READ,
    "retention-new": ("edit_retention", "edit_retention"),
    "retention-run": ("edit_retention", "edit_retention"),
    "retention-rule": ("edit_retention", "edit_retention"),
    "retention-remove": (NOBODY, "edit_retention"),
    "retention-people": READ,
    "tasks": READ,
    "task": READ,
    "task-file": READ,
    "task-refused": READ,
    "running-tasks": READ,
    "undo-task": (NOBODY, "edit_people"),
    "approve-task": (NOBODY, "manage_tasks"),
    "cancel-task": (NOBODY, "edit_people"),
    "mails": READ,
    "mail": READ,
    "mail-compose": (NOBODY, "mail_people"),
    "mail-resolve": (NOBODY, "mail_people"),
    "mail-template-delete": (NOBODY, "mail_people"),
    "mail-template-informs": (NOBODY, "edit_policy"),
    "mail-settings": ("edit_team", "edit_team"),
    "unsubscribes": READ,
    "unsubscribes-export": READ,
    "suppression-import": ("import_suppressions", "import_suppressions"),
    "suppression-file": ("import_suppressions", NOBODY),
    "suppression-rejected": ("import_suppressions", NOBODY),
    "sync": READ,
    "salesforce-now": (NOBODY, "manage_salesforce"),
    "salesforce-runs": READ,
    "salesforce-run": READ,
    "salesforce-run-file": READ,
    "salesforce-errors": READ,
    "salesforce-retry": (NOBODY, "manage_salesforce"),
    "salesforce-retry-all": (NOBODY, "manage_salesforce"),
    "salesforce-records": READ,
    "salesforce-record": READ,
    "salesforce-settings": ("manage_salesforce", "manage_salesforce"),
    "salesforce-test": (NOBODY, "manage_salesforce"),
    "salesforce-try": (NOBODY, "manage_salesforce"),
    "salesforce-activate": (NOBODY, "manage_salesforce"),
    "salesforce-pause": (NOBODY, "manage_salesforce"),
    "salesforce-resume": (NOBODY, "manage_salesforce"),
    "salesforce-disconnect": ("manage_salesforce", "manage_salesforce"),
    "compliance": READ,
    "compliance-figures": READ,
    "compliance-mailed": READ,
    "processing": READ,
    "processing-json": READ,
    "processing-csv": READ,
    "processing-settings": ("edit_team", "edit_team"),
    "compliance-mailed-export": (NOBODY, "export_people"),
    "settings": READ,
    "seals": ("verify_history", "edit_team"),
    "verify-history": (NOBODY, "verify_history"),
    "profile": ("view_people", "view_people"),
    "email-change": ("view_people", "view_people"),
    "email-confirm": ("view_people", "view_people"),
    "token-new": (NOBODY, "view_people"),
    "token-revoke": (NOBODY, "view_people"),
    "preferences": (NOBODY, "view_people"),
    "set_language": (NOBODY, OPEN),
    "users": ("manage_users", "manage_users"),
    "user": ("manage_users", "manage_users"),
}
ELSEWHERE = ("account_", "mfa_", "api-docs")
"""Pages of django-allauth, which guards its own; and the API, whose endpoints have a table of theirs."""
ROLES = {"alice": "administrator", "bob": "member", "charlie": "auditor"}


def pages(patterns=None) -> Iterator[str]:
    for pattern in patterns or get_resolver().url_patterns:
        if not isinstance(pattern, URLPattern):
            if str(pattern.pattern) != "api/v1/":
                yield from pages(pattern.url_patterns)
        elif not str(pattern.name).startswith(ELSEWHERE):
            yield pattern.name


@pytest.fixture
def address(person, member, bob):
    """Return a function that gives the address of a page, about things that are there as far as may be."""
    contact = person(email="anna@example.com")
    batch = batches.order(Contact.objects.all(), "unsubscribe", actor=member)
    job = import_jobs.start(ContentFile(b"Email\nb@example.com\n"), "b.csv", actor=member)
    known = {"contact_id": contact.pk, "batch_id": batch.pk, "job_id": job.pk, "user_id": bob.pk}
    known |= {"kind": "source", "token": "x", "provider": "postmark", "sf_id": "003000000000000AAA"}
    known |= {"act": "resume"}
    others = dict.fromkeys(
        (
            "request_id",
            "rule_id",
            "run_id",
            "error_id",
            "record_id",
            "message_id",
            "template_id",
            "view_id",
            "token_id",
            "list_id",
            "merge_id",
        ),
        1,
    )
    known["event_id"] = 1

    def of(name: str) -> str:
        patterns = get_resolver().reverse_dict.getlist(name)
        wanted = patterns[0][0][0][1]
        return reverse(name, kwargs={key: (known | others)[key] for key in wanted})

    return of


def test_every_page_has_a_row():
    assert sorted(set(pages())) == sorted(PAGES)


@pytest.mark.parametrize("who", ROLES)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_asks_for_its_right(request, address, who, name):
    client = Client(raise_request_exception=False)
    client.force_login(request.getfixturevalue(who))
    for method, right in zip(("get", "post"), PAGES[name], strict=True):
        if right in {OPEN, NOBODY}:
            continue
        status = getattr(client, method)(address(name)).status_code
        may = right in RIGHTS[ROLES[who]]
        assert (status != 403) == may, f"{method} {name} as {who}: {status}"
        assert status < 500


@pytest.mark.parametrize("name", PAGES)
def test_nobody_comes_in_without_signing_in(address, name):
    for method, right in zip(("get", "post"), PAGES[name], strict=True):
        if right == NOBODY:
            continue
        answer = getattr(Client(), method)(address(name))
        login = answer.status_code == 302 and answer.url.startswith("/accounts/login/")
        assert login == (right != OPEN), f"{method} {name}: {answer.status_code}"
