"""The addresses of what leaves."""

from django.urls import path

from exports import deletion_views, request_views, retention_views, views
from exports.overview.views import mailed, processing
from exports.overview.views import pages as overview
from exports.pack import views as pack

urlpatterns = [
    path("compliance/", overview.overview, name="compliance"),
    path("compliance/figures/", overview.figures_file, name="compliance-figures"),
    path("compliance/record/", processing.record, name="processing"),
    path("compliance/record/json/", processing.as_json, name="processing-json"),
    path("compliance/record/csv/", processing.as_csv, name="processing-csv"),
    path("settings/record/", processing.settings, name="processing-settings"),
    path("compliance/mailed/", mailed.report, name="compliance-mailed"),
    path("compliance/mailed/export/", mailed.export, name="compliance-mailed-export"),
    path("people/<int:contact_id>/export/", views.export, name="person-export"),
    path("people/<int:contact_id>/evidence-pack/", pack.evidence_pack, name="person-evidence-pack"),
    path("people/<int:contact_id>/delete/", views.delete, name="person-delete"),
    path("requests/", request_views.requests, name="requests"),
    path("requests/new/", request_views.new, name="request-new"),
    path("requests/elsewhere/", request_views.elsewhere, name="erase-elsewhere"),
    path("requests/elsewhere/<int:record_id>/", request_views.erased_there, name="erased-there"),
    path("requests/<int:request_id>/", request_views.one, name="request"),
    path("requests/<int:request_id>/letter/", request_views.extension_letter, name="request-letter"),
    path("requests/<int:request_id>/carry-out/", request_views.carry_out, name="request-carry-out"),
    path("requests/<int:request_id>/portability/", request_views.portability, name="request-portability"),
    path("requests/<int:request_id>/<slug:act>/", request_views.act, name="request-act"),
    path("settings/deletion/", deletion_views.settings, name="deletion-settings"),
    path("settings/retention/", retention_views.rules, name="retention"),
    path("settings/retention/new/", retention_views.rule, name="retention-new"),
    path("settings/retention/run/", retention_views.run, name="retention-run"),
    path("settings/retention/<int:rule_id>/", retention_views.rule, name="retention-rule"),
    path("settings/retention/<int:rule_id>/remove/", retention_views.remove, name="retention-remove"),
    path("settings/retention/<int:rule_id>/people/", retention_views.people, name="retention-people"),
]
