"""Who the people are, what happened to them, and the orders given about them."""

from contacts.models.attempt import WorkAttempt
from contacts.models.batch import Batch, BatchChunk, BatchRefusal
from contacts.models.contact import Contact
from contacts.models.event import ContactEvent
from contacts.models.key import KeyFingerprint
from contacts.models.merge import Merge, OnMerge
from contacts.models.seal import (
    RootDelivery,
    RootPlaces,
    RootTimestamp,
    Seal,
    SealedLeaf,
    SealHorizon,
    Verification,
)
from contacts.models.user import ApiToken, IdempotentReply, SavedView, User

__all__ = [
    "ApiToken",
    "Batch",
    "BatchChunk",
    "BatchRefusal",
    "Contact",
    "ContactEvent",
    "IdempotentReply",
    "KeyFingerprint",
    "Merge",
    "OnMerge",
    "RootDelivery",
    "RootPlaces",
    "RootTimestamp",
    "SavedView",
    "Seal",
    "SealHorizon",
    "SealedLeaf",
    "User",
    "Verification",
    "WorkAttempt",
]
