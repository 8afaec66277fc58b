from django.contrib.postgres.functions import TransactionNow
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import F, Func, Value
from django.db.models.functions import Concat
from django.utils.translation import gettext_lazy as _

from contacts.models.user import User
from contacts.people.field_registry import FIELDS, SEARCHED, FieldKind, PersonField
from contacts.people.queries import ContactQuerySet
from contacts.people.rules import SEARCH_SEPARATORS


class ToTsVector(Func):
    """The words of a text as a `tsvector`, cut at punctuation too: an address would else be one word."""

    function = "to_tsvector"
    template = "to_tsvector('simple', translate(%(expressions)s))"


def searchable_words() -> ToTsVector:
    """Return the expression of the search column: the words of name, company and address."""
    first, *others = [F(name) for name in SEARCHED]
    text = Concat(first, *(part for name in others for part in (Value(" "), name)))
    return ToTsVector(text, Value(SEARCH_SEPARATORS), Value(" " * len(SEARCH_SEPARATORS)))


class Contact(models.Model):
    """A person. What one may do with the person stands on the compliance card, one row for each contact."""

    # Made from the list of `contacts.people.field_registry`, below; these are those that are spoken of by name.
    first_name: str
    last_name: str
    company: str
    title: str
    email: str
    phone: str
    salesforce_id: str

    owner = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="contacts")
    created_at = models.DateTimeField(db_default=TransactionNow(), editable=False)
    # The address as `rules.normalise_address` writes it: what "the same address" means everywhere.
    email_key = models.CharField(max_length=254, blank=True, editable=False, db_collation="C")
    address_hash = models.UUIDField(null=True, editable=False, db_index=True)
    address_hash_key = models.CharField(max_length=8, blank=True, editable=False)
    # What the address looks like, hashed under the same key; see `contacts.people.skeletons`.
    skeleton_hash = models.UUIDField(null=True, editable=False)
    sort_company = models.CharField(max_length=200, blank=True, editable=False, db_collation="C")
    # As on the card, whose indexes they order: what a search finds is sorted without a look at the cards.
    sort_last = models.CharField(max_length=200, blank=True, editable=False, db_collation="C")
    sort_first = models.CharField(max_length=200, blank=True, editable=False, db_collation="C")
    search = models.GeneratedField(expression=searchable_words(), output_field=SearchVectorField(), db_persist=True)

    objects = ContactQuerySet.as_manager()

    class Meta:
        indexes = [
            GinIndex(fields=["search"], name="contact_search"),
            models.Index(fields=["email_key", "id"], name="contact_by_address"),
            models.Index(fields=["sort_company", "id"], name="contact_by_company"),
            models.Index(fields=["created_at", "id"], name="contact_by_created"),
            models.Index(fields=["salesforce_id"], condition=~models.Q(salesforce_id=""), name="contact_by_salesforce"),
            models.Index(
                fields=["skeleton_hash"], condition=models.Q(skeleton_hash__isnull=False), name="contact_by_skeleton"
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["email_key"], condition=~models.Q(email_key=""), name="contact_address_once"
            ),
            models.CheckConstraint(
                name="contact_address_whole",
                condition=models.Q(email="", email_key="", address_hash=None)
                | (~models.Q(email="") & ~models.Q(email_key="") & models.Q(address_hash__isnull=False)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.first_name} {self.last_name}".strip() or self.email or _("Unnamed person %d") % self.pk


def _column(field: PersonField) -> "models.CharField[str, str]":
    # Compared as the sync's records are: an index of another collation could not answer a join with them.
    collation = "C" if field.kind == FieldKind.CODE else None
    return models.CharField(field.label, max_length=field.limit, blank=True, db_collation=collation)


for _field in FIELDS:
    Contact.add_to_class(_field.name, _column(_field))
