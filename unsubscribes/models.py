from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.functional import cached_property
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from compliance.card.rules import TEXT_LIMIT as CARD_TEXT_LIMIT
from contacts.models import Batch, Contact, OnMerge
from unsubscribes.crm.models import (
    OutboxEntry,
    SyncConnection,
    SyncCursor,
    SyncError,
    SyncJob,
    SyncLease,
    SyncNotice,
    SyncRecord,
    SyncRun,
)
from unsubscribes.evidence.rules import WORDING_LIMIT, Channel
from unsubscribes.mail.sending import backends

__all__ = [
    "ConsentEvidence",
    "MailFailure",
    "MailLink",
    "MailServer",
    "MailTemplate",
    "Message",
    "OutboxEntry",
    "SuppressionList",
    "SyncConnection",
    "SyncCursor",
    "SyncError",
    "SyncJob",
    "SyncLease",
    "SyncNotice",
    "SyncRecord",
    "SyncRun",
    "TeamSettings",
]

TEXT_LIMIT = 1_000
SUBJECT_LIMIT = 255
TEMPLATE_NAME_LIMIT = 100
FAILURES_TO_HOLD = 3
"""After this many undelivered mails in a row the next one is held back."""


class TeamSettings(models.Model):
    """The team's name, contact address and unsubscribe footer, for mail and the public page. One row."""

    company_name = models.CharField(_("Company name"), max_length=100, blank=True)
    contact_address = models.EmailField(_("Contact address"), blank=True)

    class Meta:
        constraints = [models.CheckConstraint(name="team_settings_one_row", condition=Q(pk=1))]

    def __str__(self) -> str:
        return self.company_name


for _code, _language in settings.LANGUAGES:
    _label = format_lazy(_("Words around the link, {language}"), language=_language)
    TeamSettings.add_to_class(f"words_{_code}", models.TextField(_label, max_length=TEXT_LIMIT, blank=True))


class MailTemplate(models.Model):
    name = models.CharField(_("Name"), max_length=TEMPLATE_NAME_LIMIT, unique=True)
    subject = models.CharField(_("Subject"), max_length=SUBJECT_LIMIT)
    body = models.TextField(_("Message"))
    body_html = models.TextField(blank=True)
    # Whether its text is the information of GDPR art. 14. Saving the template resets it, for the text may have changed.
    informs = models.BooleanField(default=False)
    actor_name = models.CharField(max_length=150)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class MailLink(models.Model):
    """An unsubscribe link. It stores the keyed hash of the address only, so it outlives the mail and the person.

    The hash is deleted when the person is erased, unless something else still needs it. The token is not stored: it is
    derived from `nonce` and a key of the environment, and the link is found by the token's digest.
    """

    nonce = models.UUIDField()
    digest = models.CharField(max_length=64, unique=True)
    address_hash = models.UUIDField(null=True, db_index=True)
    hash_key = models.CharField(max_length=8, blank=True)
    # The hash of the address's skeleton under the same key: the person may have another address when the link is used.
    skeleton_hash = models.UUIDField(null=True)
    # The message that was retried with another link, because its person had another address by then.
    replaced_in = models.BigIntegerField(null=True)
    created_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"link {self.pk}"

    @cached_property
    def written_to(self) -> list[int]:
        """Return the people to whom the mails with this link belong now; a merge may have moved them."""
        mails = Message.objects.filter(Q(link=self) | Q(pk=self.replaced_in))
        return list(mails.values_list("contact_id", flat=True))


class Message(models.Model):
    """One mail to one person, from its request to its delivery. The rows that are due are the queue.

    `text` and `html` are rendered, but for the placeholder `compose.LINK`.
    """

    on_merge = OnMerge.MOVES

    class State(models.TextChoices):
        QUEUED = "queued", _("Waiting")
        SENDING = "sending", _("Being sent")
        SENT = "sent", _("Sent")
        FAILED = "failed", _("Failed")
        HELD = "held", _("Held back")
        UNKNOWN = "unknown", _("Unknown")

    class Reason(models.TextChoices):
        """Why a message is in its state. The first nine are reasons for which the gate or a merge holds it back."""

        UNSUBSCRIBED = "unsubscribed", _("The address is unsubscribed.")
        RESTRICTED = "restricted", _("The person's data is restricted.")
        LOOKS_LIKE_OPTED_OUT = "looks_like_opted_out", _("The address looks like one that said no.")
        NO_ADDRESS = "no_address", _("The person has no email address.")
        NO_AUTHORIZATION = "no_authorization", _("No authorization is recorded.")
        POLICY = "policy", _("The team's policy does not allow it.")
        UNDELIVERABLE = "undeliverable", _("The last mails to this address did not arrive.")
        UNSENDABLE = (
            "unsendable",
            _("Mail cannot be sent to this address: it holds letters that the mail server does not take."),
        )
        DOUBLE = "double", _("The person gets this mail already, from a record that was merged.")
        OUTBOX = "outbox", _("Waiting for a mail server")
        NEVER_LEFT = "never_left", _("It never left, for there was no mail server.")
        SERVER = "server", _("The mail server has trouble; all mail waits until it works again.")
        LATER = "later", _("The mail server could not take it; it is tried again.")
        BROKEN = "broken", _("The mail could not be prepared; the reason is in the log.")
        REFUSED = "refused", _("The mail server refused it.")
        GAVE_UP = "gave_up", _("The mail server could not take it, however often it was tried.")
        UNDELIVERED = "undelivered", _("It left and came back: the receiving server did not take it.")
        INTERRUPTED = "interrupted", _("Sending was interrupted; nobody knows whether the mail left.")
        MARKED_SENT = "marked_sent", _("Marked as sent by a colleague.")

    # No single-column indexes: the composite ones below serve the same lookups.
    contact = models.ForeignKey(Contact, models.CASCADE, db_index=False, related_name="messages")
    batch = models.ForeignKey(Batch, models.PROTECT, null=True, db_index=False, related_name="messages")
    link = models.ForeignKey(MailLink, models.PROTECT, null=True, related_name="messages")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="messages")
    actor_name = models.CharField(max_length=150)
    door = models.CharField(max_length=10)
    email = models.CharField(max_length=254, blank=True)
    language = models.CharField(max_length=5)
    subject = models.CharField(max_length=SUBJECT_LIMIT)
    text = models.TextField()
    html = models.TextField()
    informs = models.BooleanField(db_default=False, default=False)
    state = models.CharField(max_length=10, choices=State, default=State.QUEUED)
    reason = models.CharField(max_length=20, choices=Reason, blank=True)
    error = models.CharField(max_length=500, blank=True)
    decided_by = models.CharField(max_length=150, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    not_before = models.DateTimeField(db_default=Now())
    claimed_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    # The time of the newest provider report about it; older reports and repetitions are ignored.
    reported_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [
            models.Index(fields=["not_before", "id"], condition=Q(state="queued"), name="message_due"),
            models.Index(fields=["claimed_at"], condition=Q(state="sending"), name="message_being_sent"),
            models.Index(fields=["state", "id"], name="message_by_state"),
            models.Index(fields=["contact", "id"], name="message_of_contact"),
            models.Index(fields=["batch", "id"], condition=Q(batch__isnull=False), name="message_of_batch"),
            models.Index(fields=["created_at", "id"], name="message_by_writing"),
            models.Index(fields=["sent_at", "id"], condition=Q(sent_at__isnull=False), name="message_by_leaving"),
        ]

    def __str__(self) -> str:
        return self.subject

    @property
    def why(self) -> str:
        """Return the reason; `outbox` for queued mail while there is no mail server."""
        waits = self.state == self.State.QUEUED and not backends.has_server()
        return str(self.Reason.OUTBOX if waits else self.reason)

    @property
    def why_in_words(self) -> str:
        return str(self.Reason(self.why).label) if self.why else ""

    @property
    def state_in_words(self) -> str:
        return self.why_in_words if self.why == self.Reason.OUTBOX else str(self.State(self.state).label)


class MailServer(models.Model):
    """The present failure of the mail server, one row; none before the first failure.

    It began at `since`. `message_id` is the last mail that met it: if the same mail fails again after the server has
    recovered, the mail itself is the cause.
    """

    since = models.DateTimeField(null=True)
    failures = models.PositiveIntegerField(default=0)
    said = models.CharField(max_length=500, blank=True)
    next_at = models.DateTimeField(null=True)
    message_id = models.BigIntegerField(null=True)

    class Meta:
        constraints = [models.CheckConstraint(name="mail_server_one_row", condition=Q(pk=1))]

    def __str__(self) -> str:
        return self.said


class MailFailure(models.Model):
    """A mail that was not delivered for a temporary reason; `number` counts those in a row to the person's address.

    They are deleted when a mail is delivered, and when a user allows mail to the address again.
    """

    on_merge = OnMerge.MOVES

    contact = models.ForeignKey(Contact, models.CASCADE, related_name="mail_failures")
    address_hash = models.UUIDField()
    number = models.PositiveSmallIntegerField()
    # Identifies a failure, because a report may come twice. `reported`: by a report, after the mail had been accepted.
    key = models.CharField(max_length=64)
    reported = models.BooleanField()
    said = models.CharField(max_length=500, blank=True)
    at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["address_hash"], name="mail_failure_by_address"),
            models.Index(fields=["contact"], condition=Q(number=FAILURES_TO_HOLD), name="mail_failure_holds"),
        ]

    def __str__(self) -> str:
        return f"failure {self.number} of {self.contact_id}"


class ConsentEvidence(models.Model):
    """The evidence of a re-consent (GDPR art. 7(1)). Never changed or replaced."""

    on_merge = OnMerge.MOVES

    contact = models.ForeignKey(Contact, models.CASCADE, related_name="evidence")
    consent_date = models.DateField(_("Date of the new consent"))
    channel = models.CharField(_("How it was given"), max_length=10, choices=Channel)
    wording = models.CharField(_("Words agreed to"), max_length=WORDING_LIMIT)
    purpose = models.CharField(_("Purpose of Processing"), max_length=CARD_TEXT_LIMIT)
    reference = models.CharField(_("Reference"), max_length=CARD_TEXT_LIMIT, blank=True)
    # The stored name says nothing about the content; `file_name` is the original one, for downloads.
    file = models.FileField(upload_to="evidence/", blank=True)
    file_name = models.CharField(max_length=255, blank=True)
    file_kind = models.CharField(max_length=4, blank=True)
    size = models.PositiveIntegerField(default=0)
    sha256 = models.CharField(max_length=64, blank=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    actor_name = models.CharField(max_length=150)
    created_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"evidence {self.pk}"


class SuppressionList(models.Model):
    """An imported list of addresses to suppress: its counts, and the lines that could not be read."""

    file_name = models.CharField(max_length=255)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    actor_name = models.CharField(max_length=150)
    new = models.PositiveIntegerField(default=0)
    already = models.PositiveIntegerField(default=0)
    invalid = models.PositiveIntegerField(default=0)
    # [line number, reason]; not the text of the line, which may contain an address.
    rejects = models.JSONField(default=list)
    created_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return self.file_name
