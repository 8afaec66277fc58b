from functools import reduce
from operator import and_, or_

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.functions import TransactionNow
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from compliance.card.legal_basis_registry import CONSENTS, AuthorizationType
from compliance.card.rules import TEXT_LIMIT
from compliance.card.source_registry import INDIRECT_SOURCES, SourceType
from compliance.suppression.opt_out_source_registry import OptOutSource
from compliance.verdict.reason_registry import DECIDED, MONTHS, Effect
from contacts.models import Contact, OnMerge
from contacts.models.batch import Job


def equals_not_null(field: str, value: int) -> Q:
    """Return a condition that is false, never NULL, when the field is: a CHECK lets NULL pass."""
    return Q(**{f"{field}__isnull": False, field: value})


class ComplianceCard(models.Model):
    """On what ground a person's data is held and where it came from: one narrow row for each contact.

    It carries the sort names, so that a filter by its fields and the order by name are one index; and the version of
    the whole person, so that it is the row which every writer locks.
    """

    on_merge = OnMerge.MERGED

    contact = models.OneToOneField(Contact, models.CASCADE, primary_key=True, related_name="card")
    authorization_type = models.PositiveSmallIntegerField(_("Authorization Type"), choices=AuthorizationType, null=True)
    source_type = models.PositiveSmallIntegerField(_("Source Type"), choices=SourceType, null=True)
    unsubscribed = models.BooleanField(default=False)
    version = models.PositiveIntegerField(default=1)
    consent_date = models.DateField(_("Date of Consent"), null=True)
    updated_at = models.DateTimeField(db_default=TransactionNow())
    authorization_other = models.CharField(max_length=TEXT_LIMIT, blank=True)
    consent_purpose = models.CharField(_("Purpose of Processing"), max_length=TEXT_LIMIT, blank=True)
    source_other = models.CharField(max_length=TEXT_LIMIT, blank=True)
    # The day on which the legal basis was recorded or reviewed last, from where its clock runs; and the last review of
    # this very basis, if there was one.
    basis_since = models.DateField(null=True)
    reviewed_on = models.DateField(null=True)
    # Restriction of processing (GDPR art. 18), and when the person was told of us (art. 14).
    restricted_at = models.DateTimeField(null=True)
    informed_at = models.DateTimeField(null=True)
    # Whether the address looks like another one that said no, kept by triggers; and the suppressions of which somebody
    # has said that they are another person's. See `compliance.suppression.lookalikes`.
    looks_opted_out = models.BooleanField(db_default=False, default=False)
    told_apart_from = ArrayField(models.BigIntegerField(), null=True)
    sort_last = models.CharField(max_length=200, blank=True, db_collation="C")
    sort_first = models.CharField(max_length=200, blank=True, db_collation="C")

    class Meta:
        indexes = [
            models.Index(fields=["sort_last", "sort_first", "contact"], name="card_by_name"),
            models.Index(
                fields=["authorization_type", "sort_last", "sort_first", "contact"], name="card_by_authorization"
            ),
            models.Index(fields=["source_type", "sort_last", "sort_first", "contact"], name="card_by_source"),
            models.Index(fields=["sort_first", "contact"], name="card_by_first_name"),
            models.Index(fields=["updated_at", "contact"], name="card_by_updated"),
            # Those who may not be contacted whatever the policy says; it serves each half of its condition too.
            models.Index(
                fields=["sort_last", "sort_first", "contact"],
                condition=Q(unsubscribed=True) | Q(restricted_at__isnull=False),
                name="card_barred",
            ),
            models.Index(
                fields=["sort_last", "sort_first", "contact"],
                condition=Q(restricted_at__isnull=False),
                name="card_restricted",
            ),
            models.Index(
                fields=["consent_date", "contact"], condition=Q(consent_date__isnull=False), name="card_by_consent_date"
            ),
            models.Index(
                fields=["basis_since", "contact"],
                condition=Q(authorization_type=AuthorizationType.LEGITIMATE_INTEREST),
                name="card_interest_by_age",
            ),
            models.Index(
                fields=["contact"],
                condition=Q(informed_at=None, source_type__in=INDIRECT_SOURCES),
                name="card_to_inform",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                name="card_consent_has_date_and_purpose",
                condition=(
                    reduce(or_, (equals_not_null("authorization_type", kind) for kind in CONSENTS))
                    & Q(consent_date__isnull=False, consent_purpose__regex=r"\S")
                )
                | (
                    reduce(and_, (~Q(authorization_type=kind) for kind in CONSENTS))
                    & Q(consent_date=None, consent_purpose="")
                ),
            ),
            models.CheckConstraint(
                name="card_only_other_is_described",
                condition=(Q(authorization_other="") | equals_not_null("authorization_type", AuthorizationType.OTHER))
                & (Q(source_other="") | equals_not_null("source_type", SourceType.OTHER)),
            ),
            models.CheckConstraint(
                name="card_known_codes",
                condition=(Q(authorization_type=None) | Q(authorization_type__range=(1, max(AuthorizationType))))
                & (Q(source_type=None) | Q(source_type__range=(1, max(SourceType)))),
            ),
        ]

    def __str__(self) -> str:
        return f"card of {self.contact_id}"


class CardTally(models.Model):
    """How many cards there are of one kind: the sum of `number` over its rows; see `compliance.card.tallying`.

    Its columns are named as those of the card, so that the card's conditions can be asked of it. A trigger adds what
    each statement changed; a row that is `settled` holds what has been added up, one for each kind.
    """

    authorization_type = models.PositiveSmallIntegerField(null=True)
    source_type = models.PositiveSmallIntegerField(null=True)
    unsubscribed = models.BooleanField()
    consent_date = models.DateField(null=True)
    number = models.BigIntegerField()
    settled = models.BooleanField(db_default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["authorization_type", "source_type", "unsubscribed", "consent_date"],
                condition=Q(settled=True),
                nulls_distinct=False,
                name="card_tally_once_per_kind",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} of a kind"


class Suppression(models.Model):
    """An address that must not be mailed. It knows the address only by its keyed hash, so it outlives the person."""

    Source = OptOutSource

    address_hash = models.UUIDField(unique=True)
    hash_key = models.CharField(max_length=8)
    reason = models.CharField(max_length=TEXT_LIMIT, blank=True)
    source = models.CharField(max_length=20, choices=Source)
    since = models.DateTimeField(db_default=TransactionNow())
    # When the "no" was said last. A new consent must be newer than this, not only than the first "no".
    said_at = models.DateTimeField(db_default=Now())
    # Stored while the case of domains was folded: what it knows as fass.de may have been faß.de.
    folded = models.BooleanField(db_default=False, default=False)
    # What the address looks like; NULL where nobody who knew the address has said so yet.
    # See `contacts.people.skeletons`.
    skeleton_hash = models.UUIDField(null=True)
    # Whether it stands in the ledger beside the database, from which a restore learns it.
    in_ledger = models.BooleanField(db_default=False)

    class Meta:
        indexes = [
            models.Index(fields=["since", "id"], name="suppression_by_since"),
            models.Index(fields=["id"], condition=Q(in_ledger=False), name="suppression_not_in_ledger"),
            models.Index(
                fields=["skeleton_hash"], condition=Q(skeleton_hash__isnull=False), name="suppression_by_skeleton"
            ),
        ]

    def __str__(self) -> str:
        return str(self.address_hash)


class ErasedAddress(models.Model):
    """The address of somebody who asked to be erased: until a day nobody brings the person back by mistake.

    It is no suppression: nothing is said about mail. Like one, it knows the address only by its keyed hash.
    """

    address_hash = models.UUIDField(unique=True)
    hash_key = models.CharField(max_length=8)
    erased_at = models.DateTimeField(db_default=TransactionNow())
    # Told when it was set, so a setting that changes later changes nothing of it.
    until = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return str(self.address_hash)


class Policy(models.Model):
    """What each reason does to the verdict: one row a version, never changed; the newest is in force.

    An opt-out and a restriction are no part of it: they always block.
    """

    Effect = Effect

    # Made from the reasons of `compliance.verdict.reason_registry`, below; these are those that are spoken of by name.
    no_authorization: str
    consent_months: int
    interest_months: int

    since = models.DateTimeField(db_default=Now())
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    actor_name = models.CharField(max_length=150)

    class Meta:
        ordering = ["-since", "-pk"]
        constraints = [
            models.CheckConstraint(
                name="policy_months_are_some",
                condition=reduce(and_, (Q(**{f"{months.name}__range": (1, 120)}) for months in MONTHS)),
            )
        ]

    def __str__(self) -> str:
        return f"policy {self.pk}"


for _code, _decided in DECIDED.items():
    Policy.add_to_class(_code, models.CharField(_decided.label, max_length=5, choices=Effect, default=_decided.default))
for _months in MONTHS:
    Policy.add_to_class(_months.name, models.PositiveSmallIntegerField(_months.label, default=_months.default))


class ReviewNote(models.Model):
    """The balancing note of a legitimate interest: what for, why it is needed, and why it outweighs. Never changed."""

    on_merge = OnMerge.MOVES

    contact = models.ForeignKey(Contact, models.CASCADE, related_name="review_notes")
    purpose = models.CharField(_("Purpose"), max_length=TEXT_LIMIT)
    necessity = models.TextField(_("Necessity"), max_length=2_000)
    balance = models.TextField(_("Balance"), max_length=2_000)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    actor_name = models.CharField(max_length=150)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return self.purpose


class ImportJob(Job):
    """A file of people on its way in: what it is, how its columns are read, and what became of its rows."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="imports")
    door = models.CharField(max_length=10)
    file = models.FileField(upload_to="imports/%Y/%m/")
    file_name = models.CharField(max_length=255)
    # How the file is read: encoding, delimiter and headers, found once when it was handed in.
    table = models.JSONField(default=dict)
    mapping = models.JSONField(default=dict)
    # The headers of columns that are left out on purpose, though they look like consent or opt-out.
    ignore = models.JSONField(default=list, db_default=[])
    # By header, the words that mean an opt-out in a column whose words are not plain; where somebody was asked.
    opt_out_words = models.JSONField(default=dict, db_default={})
    card = models.JSONField(default=dict)
    dry_run = models.BooleanField(default=False)
    # Which reading of the file this is, 0 before the first: a worker that still reads for an earlier one must stop.
    attempt = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    # The line on which the last row stands that is accounted for: where a reading goes on after a kill.
    line = models.PositiveIntegerField(default=0)
    created = models.PositiveIntegerField(default=0)
    updated = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    rejected = models.PositiveIntegerField(default=0)
    suppressed = models.PositiveIntegerField(default=0)
    consents_ended = models.PositiveIntegerField(default=0)
    error = models.CharField(max_length=500, blank=True)
    language = models.CharField(max_length=5, default="en")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [
            models.Index(fields=["created_at", "id"], condition=Q(attempt__gt=0, dry_run=False), name="import_by_time"),
        ]

    def __str__(self) -> str:
        return self.file_name

    @property
    def done(self) -> int:
        """Return how many rows are accounted for; at the end that is `total`."""
        return self.created + self.updated + self.unchanged + self.rejected


class ImportSeen(models.Model):
    """The addresses a running import has met, so that the first of two equal rows counts. Emptied when it ends.

    A million rows go through it: the key is the only index of nearly all, and there is no foreign key to be checked.
    `erased` marks the address of somebody who was deleted while the file waited or was read: it is not brought back.
    """

    pk = models.CompositePrimaryKey("job_id", "address_hash")
    job_id = models.BigIntegerField()
    address_hash = models.UUIDField()
    erased = models.BooleanField(db_default=False)

    class Meta:
        indexes = [
            models.Index(fields=["job_id", "address_hash"], condition=Q(erased=True), name="import_seen_erased"),
        ]

    def __str__(self) -> str:
        return f"{self.job_id}: {self.address_hash}"


class ImportReject(models.Model):
    """A row that was not taken: where it stands, why, and the row itself to be corrected and imported again."""

    job = models.ForeignKey(ImportJob, models.CASCADE, related_name="rejects")
    line = models.PositiveIntegerField()
    reason = models.CharField(max_length=500)
    cells = models.JSONField()

    class Meta:
        indexes = [models.Index(fields=["job", "line"], name="import_reject_by_line")]

    def __str__(self) -> str:
        return f"line {self.line}"
