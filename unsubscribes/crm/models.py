"""The state of the sync. Of a record in the CRM its id and the keyed hash of its address are kept, not the address."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from contacts.models import OnMerge
from contacts.models.batch import OPEN, Job

TEXT_LIMIT = 500
STANDARD_FIELD = "HasOptedOutOfEmail"


class SyncConnection(models.Model):
    """The connection to the CRM, one row: credentials, settings, state. Secrets are encrypted and never shown again."""

    class State(models.TextChoices):
        OFF = "off", _("Off")
        ACTIVE = "active", _("Active")
        PAUSED = "paused", _("Paused")
        PAUSED_AUTH = "paused_auth", _("Paused: Salesforce refuses the sign-in")
        PAUSED_QUOTA = "paused_quota", _("Paused: the API calls of the day are used up")
        PAUSED_PERMISSION = "paused_permission", _("Paused: a permission is missing in Salesforce")

    class Flow(models.TextChoices):
        CLIENT_CREDENTIALS = "client_credentials", _("Client credentials")
        JWT_BEARER = "jwt_bearer", _("JWT bearer")

    # The CRM's key in `provider_registry.PROVIDERS`.
    provider = models.CharField(max_length=20, default="salesforce", db_default="salesforce")
    state = models.CharField(max_length=20, choices=State, default=State.OFF)
    paused_until = models.DateTimeField(null=True)
    pauses = models.PositiveSmallIntegerField(default=0)
    message = models.CharField(max_length=TEXT_LIMIT, blank=True)
    flow = models.CharField(max_length=20, choices=Flow, default=Flow.CLIENT_CREDENTIALS)
    login_url = models.CharField(_("Login URL"), max_length=300)
    client_id = models.CharField(_("Consumer key"), max_length=300)
    username = models.CharField(_("Username"), max_length=150, blank=True)
    # The consumer secret, or the private key of the JWT flow.
    secret = models.TextField()
    api_version = models.CharField(max_length=5, default="67.0")
    opt_out_field = models.CharField(max_length=80, default=STANDARD_FIELD)
    # Whether people who exist only in Salesforce are created here.
    create_people = models.BooleanField(_("Bring in people who exist only in Salesforce"), default=False)
    budget_percent = models.PositiveSmallIntegerField(_("Share of the daily API calls, in per cent"), default=10)
    org_id = models.CharField(max_length=18, blank=True)
    user_id = models.CharField(max_length=18, blank=True)
    instance_url = models.CharField(max_length=300, blank=True)
    access_token = models.TextField(blank=True)
    token_generation = models.PositiveIntegerField(default=0)
    refreshing_until = models.DateTimeField(null=True)
    usage_used = models.PositiveIntegerField(null=True)
    usage_max = models.PositiveIntegerField(null=True)
    usage_at = models.DateTimeField(null=True)
    # How far the CRM's clock was ahead of the database's at its last answer.
    clock_ahead = models.DurationField(null=True)
    # Whether the org honours If-Unmodified-Since, and when that was tested; None: not yet.
    conditional_writes = models.BooleanField(null=True)
    conditional_at = models.DateTimeField(null=True)
    # False after the org has refused getUpdated inside a composite request, so that it is not tried for every read.
    composite = models.BooleanField(default=True)
    # Whether the org uses person accounts, and the objects for which it keeps a field history.
    person_accounts = models.BooleanField(default=False)
    history_of = models.JSONField(default=list)
    # When this org and opt-out field were set up: dry runs from before are about another org or field.
    set_up_at = models.DateTimeField(null=True)
    activated_at = models.DateTimeField(null=True)
    reconciled_at = models.DateTimeField(null=True)
    # The name of the key with which the last full read hashed the addresses; empty if unknown.
    hash_key = models.CharField(max_length=8, blank=True, db_default="")
    linked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.CheckConstraint(name="sync_one_connection", condition=Q(pk=1))]

    def __str__(self) -> str:
        return self.login_url


class SyncLease(models.Model):
    """The lease of the one reader and of the one writer. By the database's clock; a killed holder's lease expires."""

    name = models.CharField(max_length=10, primary_key=True)
    holder = models.UUIDField()
    until = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class SyncCursor(models.Model):
    """How far an object has been read: every change that the CRM committed before `watermark` is known here."""

    sobject = models.CharField(max_length=20, primary_key=True)
    watermark = models.DateTimeField(null=True)
    # Keyset position of an unfinished read of changes, and the watermark that its last page sets.
    upper = models.DateTimeField(null=True)
    page_stamp = models.DateTimeField(null=True)
    page_id = models.CharField(max_length=18, blank=True)
    # The same for an unfinished full read, which is ordered by id.
    full_run = models.BigIntegerField(null=True)
    full_upper = models.DateTimeField(null=True)
    full_id = models.CharField(max_length=18, blank=True)
    trouble = models.CharField(max_length=TEXT_LIMIT, blank=True)
    moved_at = models.DateTimeField(null=True)
    last_success_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.sobject


class SyncRecord(models.Model):
    """A Contact or Lead: its opt-out box as last read and as last written, and the person to whom it is linked."""

    on_merge = OnMerge.STAYS

    sf_id = models.CharField(max_length=18, unique=True, db_collation="C")
    sobject = models.CharField(max_length=20)
    address_hash = models.UUIDField(null=True, db_index=True)
    # No foreign key: like the opt-out, the record outlives the person.
    contact_id = models.BigIntegerField(null=True, db_index=True)
    account_id = models.CharField(max_length=18, blank=True)
    # The person on whom the sync itself wrote this ID; empty if it was typed or imported.
    named_on = models.BigIntegerField(null=True)
    # Whether this is the Contact of a person account: its opt-out is written on the Account.
    person_account = models.BooleanField(db_default=False)
    opted_out = models.BooleanField(null=True)
    stamp = models.DateTimeField(null=True)
    modified_by = models.CharField(max_length=18, blank=True)
    pushed = models.BooleanField(null=True)
    pushed_at = models.DateTimeField(null=True)
    # We ticked the box for somebody else than its address or its person, so the tick is not their opt-out.
    ticked_for_other = models.BooleanField(db_default=False)
    deleted = models.BooleanField(default=False)
    # The record that took over: the winner of a merge, or the Contact of a converted Lead.
    successor_id = models.CharField(max_length=18, blank=True)
    # Whether the record's opt-out has yet to be passed on to its successor.
    owes = models.BooleanField(db_default=False)
    # Whether an opt-out reached the record while an erasure had made us forget its address: the next read, which brings
    # the address, suppresses it.
    owed_to_address = models.BooleanField(db_default=False)
    reasserts = models.PositiveSmallIntegerField(default=0)
    reasserted_since = models.DateTimeField(null=True)
    seen_in = models.BigIntegerField(null=True)
    # When its person was erased here, so that it has to be erased in the CRM too (GDPR art. 19), and who did that.
    erased_at = models.DateTimeField(null=True)
    erased_there_at = models.DateTimeField(null=True)
    erased_there_by = models.CharField(max_length=150, blank=True, db_default="")
    synced_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [
            models.Index(fields=["id"], condition=Q(contact_id=None, deleted=False), name="sync_record_unlinked"),
            models.Index(fields=["id"], condition=Q(erased_at__isnull=False), name="sync_record_erased"),
            models.Index(fields=["id"], condition=Q(owes=True), name="sync_record_owes"),
            models.Index(fields=["id"], condition=Q(named_on__isnull=False), name="sync_record_named"),
        ]

    def __str__(self) -> str:
        return self.sf_id


class SyncNotice(models.Model):
    """An opt-out or re-consent that the CRM has to learn of, before its records are looked up.

    A trigger inserts it in the transaction of the opt-out, so that no code path can forget it; a re-consent inserts its
    own, with `yes`. What the records should hold is decided later, from the state at the time of processing.
    """

    on_merge = OnMerge.STAYS

    yes = models.BooleanField(db_default=False)
    contact_id = models.BigIntegerField(null=True)
    address_hash = models.UUIDField(null=True)
    at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"notice {self.pk}"


class OutboxEntry(models.Model):
    """What a record in the CRM is to hold. A newer entry overwrites one that waits, never one that is leased.

    `pending` and `retry` wait for `due_at`; `dead` is a dead letter: it waits for an administrator, or for the daily
    retry of the sweep.
    """

    class State(models.TextChoices):
        PENDING = "pending", _("Waiting")
        LEASED = "leased", _("Being written")
        RETRY = "retry", _("Tried again later")
        DONE = "done", _("Written")
        DEAD = "dead", _("Given up")
        SUPERSEDED = "superseded", _("Overtaken by something newer")

    record = models.ForeignKey(SyncRecord, models.CASCADE, related_name="entries")
    desired = models.BooleanField()
    state = models.CharField(max_length=10, choices=State, default=State.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(db_default=Now())
    lease = models.UUIDField(null=True)
    leased_until = models.DateTimeField(null=True)
    # The record's stamp when a re-consent was given: a box that has not changed since is the old opt-out.
    known_stamp = models.DateTimeField(null=True)
    # The clock difference at that time: either clock may be adjusted before the CRM is asked.
    clock_ahead = models.DurationField(null=True)
    code = models.CharField(max_length=80, blank=True)
    message = models.CharField(max_length=TEXT_LIMIT, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["record"], condition=Q(state__in=["pending", "retry"]), name="outbox_waits_once"
            )
        ]
        indexes = [
            models.Index(fields=["due_at", "id"], condition=Q(state__in=["pending", "retry"]), name="outbox_due"),
            models.Index(fields=["leased_until"], condition=Q(state="leased"), name="outbox_leased"),
            # Without it, PostgreSQL reads all open entries to find those of one record.
            models.Index(
                fields=["record"],
                condition=Q(state__in=["pending", "retry", "leased"]),
                name="outbox_open_of_record",
            ),
            models.Index(fields=["state", "id"], name="outbox_by_state"),
        ]

    def __str__(self) -> str:
        return f"{self.record_id}: {self.desired}"


class SyncJob(models.Model):
    """A bulk job of the CRM that writes many opt-outs. Its outbox entries are leased to it until it ends.

    The row is committed before the job is created, so that a killed worker never leaves an unknown job.
    """

    lease = models.UUIDField(unique=True)
    # Empty until Salesforce has answered with it.
    sf_id = models.CharField(max_length=18, blank=True, db_collation="C")
    sobject = models.CharField(max_length=20)
    field = models.CharField(max_length=80)
    records = models.PositiveIntegerField()
    polls = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(db_default=Now())
    due_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return self.sf_id or f"job {self.pk}"


class SyncRun(Job):
    class Kind(models.TextChoices):
        PULL = "pull", _("Read")
        PUSH = "push", _("Write")
        BOTH = "both", _("Read and write")
        FULL = "full", _("Read everything")
        RECONCILE = "reconcile", _("Compare everything")
        DRY_RUN = "dry_run", _("Dry run")

    kind = models.CharField(max_length=10, choices=Kind)
    direction = models.CharField(max_length=4, default="both")
    dry_run = models.BooleanField(default=False)
    calls = models.PositiveIntegerField(default=0)
    read = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    written = models.PositiveIntegerField(default=0)
    errors = models.PositiveIntegerField(default=0)
    corrections = models.PositiveIntegerField(default=0)
    # What a dry run found, as counts; the people themselves are in its file.
    findings = models.JSONField(default=dict)
    # The last calls to the CRM; see `unsubscribes.crm.flight`.
    flight = models.JSONField(default=list, db_default=[])
    file = models.FileField(upload_to="sync/", blank=True)
    message = models.CharField(max_length=TEXT_LIMIT, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [
            models.Index(fields=["id"], condition=Q(state__in=OPEN), name="sync_run_open"),
            models.Index(fields=["created_at"], name="sync_run_by_created"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class SyncError(models.Model):
    """Why a record could not be synced: one row per record, direction and code."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Tried again")
        DEAD = "dead", _("Waits for you")
        RESOLVED = "resolved", _("Resolved")

    sf_id = models.CharField(max_length=18, db_collation="C")
    sobject = models.CharField(max_length=20)
    direction = models.CharField(max_length=4)
    code = models.CharField(max_length=80)
    message = models.CharField(max_length=TEXT_LIMIT, blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    count = models.PositiveIntegerField(default=1)
    first_seen = models.DateTimeField(db_default=Now())
    last_seen = models.DateTimeField(db_default=Now())
    resolved_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["sf_id", "direction", "code"], name="sync_error_once")]
        indexes = [
            models.Index(fields=["code", "id"], condition=~Q(state="resolved"), name="sync_error_open"),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.sf_id}"
