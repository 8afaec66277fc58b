"""What tests may set about the org, with the defaults of a plain one."""

from dataclasses import dataclass, field, fields
from typing import Any

from tests.salesforce_org.clock import DAY


@dataclass
class Settings:
    """Switches and numbers of the org."""

    oldest_version: int = 31  # below: 410
    newest_version: int = 67  # above: 404
    page_size: int | str | None = None  # rows a page: a number, "random" (200 to what is asked), None = what is asked
    sandbox: bool = False
    person_accounts: bool = False
    person_contacts_writable: bool = False  # else the opt-out of a person account goes through the account only
    history: dict[str, list[str]] = field(default_factory=dict)  # {"Contact": ["HasOptedOutOfEmail"]}
    assignment_owner: dict[str, str] = field(default_factory=dict)  # an active rule: {"Lead": user id}
    flows: list[dict[str, Any]] = field(default_factory=list)  # see records.Records.flow
    touch_unchanged: bool = True  # a write of the value that is there moves SystemModstamp
    daily_limit: int = 100_000
    app_limit: int | None = None  # gives Sforce-Limit-Info its second part
    long_requests: int = 25  # so many requests under way for long_request_seconds refuse the next
    long_request_seconds: float = 20
    instance_url: str | None = None  # where a new token says that the org is, None = where it listens
    token_seconds: float = 7200
    locator_seconds: float = 2 * DAY
    deleted_days: int = 15  # how far back `deleted` knows
    ignores_unmodified_since: bool = False  # as a proxy does that removes the header
    composite_refuses: list[str] = field(default_factory=list)  # parts of URLs, "" refuses composite as a whole
    invisible_field_refuses: str = "request"  # or "record": what a write to an invisible field spoils
    bulk_seconds: float = 0.5  # from UploadComplete to the end of a job
    bulk_fails_after: int | None = None  # records after which a job fails; the rest stays unprocessed

    def change(self, changes: dict[str, Any]) -> None:
        """Set some of them; raise ValueError for a name that does not exist."""
        unknown = changes.keys() - {known.name for known in fields(self)}
        if unknown:
            raise ValueError(f"no such setting: {', '.join(sorted(unknown))}")
        for name, value in changes.items():
            setattr(self, name, value)
