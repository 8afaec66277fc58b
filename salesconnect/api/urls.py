"""The addresses of the API, version 1."""

from django.urls import path, re_path
from drf_spectacular.views import SpectacularAPIView
from rest_framework.routers import SimpleRouter

from salesconnect.api.bulk import BulkViewSet
from salesconnect.api.contacts.card import BalanceViewSet, CardViewSet, RestrictionViewSet
from salesconnect.api.contacts.contacts import BatchViewSet, ContactViewSet
from salesconnect.api.contacts.erasure import EraseViewSet
from salesconnect.api.contacts.merge import MergeViewSet
from salesconnect.api.contacts.reconsent import ReconsentViewSet
from salesconnect.api.events import EventViewSet
from salesconnect.api.exports import ExportViewSet, PersonExportViewSet
from salesconnect.api.imports import ImportViewSet
from salesconnect.api.mails import BulkMailViewSet, MailViewSet, PersonMailViewSet
from salesconnect.api.overview import OverviewViewSet
from salesconnect.api.protocol.docs import Nowhere
from salesconnect.api.retention import RetentionViewSet, RuleViewSet
from salesconnect.api.subject_requests import RequestViewSet
from salesconnect.api.suppressions import SuppressionViewSet, UnsubscribeViewSet
from salesconnect.api.sync import PersonSyncViewSet, SyncViewSet
from salesconnect.api.unsubscribes import LedgerViewSet

router = SimpleRouter(use_regex_path=False)
router.register("contacts", ContactViewSet, "contact")
router.register("contacts", CardViewSet, "card")
router.register("contacts", RestrictionViewSet, "restriction")
router.register("contacts", BalanceViewSet, "balance")
router.register("contacts", UnsubscribeViewSet, "opt-out")
router.register("contacts", ReconsentViewSet, "re-consent")
router.register("contacts", MergeViewSet, "merge")
router.register("contacts", PersonExportViewSet, "person-export")
router.register("contacts", EraseViewSet, "erase")
router.register("contacts", PersonMailViewSet, "person-mail")
router.register("contacts", PersonSyncViewSet, "person-sync")
router.register("bulk", BulkViewSet, "bulk")
router.register("bulk", BulkMailViewSet, "bulk-mail")
router.register("batches", BatchViewSet, "batch")
router.register("events", EventViewSet, "event")
router.register("imports", ImportViewSet, "import")
router.register("exports", ExportViewSet, "export")
router.register("requests", RequestViewSet, "subject-request")
router.register("retention/rules", RuleViewSet, "retention-rules")
router.register("retention", RetentionViewSet, "retention-runs")
router.register("mails", MailViewSet, "mail")
router.register("sync", SyncViewSet, "sync")
router.register("overview", OverviewViewSet, "overview")
router.register("unsubscribes", LedgerViewSet, "ledger")
router.register("suppressions", SuppressionViewSet, "suppression")

urlpatterns = [
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    *router.urls,
    re_path(r"^[\s\S]*$", Nowhere.as_view()),
]
