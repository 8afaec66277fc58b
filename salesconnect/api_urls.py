"""The addresses of the API, version 1."""

from django.urls import path, re_path
from drf_spectacular.views import SpectacularAPIView
from rest_framework.routers import SimpleRouter

from compliance.api import BalanceViewSet, BulkViewSet, CardViewSet, RestrictionViewSet
from compliance.imports.api import ImportViewSet
from contacts.api import BatchViewSet, ContactViewSet
from contacts.events_api import EventViewSet
from exports.api import ExportViewSet, PersonExportViewSet
from exports.erasure_api import EraseViewSet
from exports.overview.api import OverviewViewSet
from exports.request_api import RequestViewSet
from exports.retention_api import RetentionViewSet, RuleViewSet
from salesconnect.api_docs import Nowhere
from unsubscribes.api import SuppressionViewSet, UnsubscribeViewSet
from unsubscribes.ledger_api import LedgerViewSet
from unsubscribes.mail.api import BulkMailViewSet, MailViewSet, PersonMailViewSet
from unsubscribes.merge_api import MergeViewSet
from unsubscribes.removal_api import ReconsentViewSet
from unsubscribes.salesforce.api import PersonSyncViewSet, SyncViewSet

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
