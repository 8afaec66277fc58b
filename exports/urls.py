"""The addresses of what leaves."""

from django.urls import path

from exports import views
from exports.overview.views import pages as overview
from exports.pack import views as pack

urlpatterns = [
    path("compliance/", overview.overview, name="compliance"),
    path("compliance/figures/", overview.figures_file, name="compliance-figures"),
    path("people/<int:contact_id>/export/", views.export, name="person-export"),
    path("people/<int:contact_id>/evidence-pack/", pack.evidence_pack, name="person-evidence-pack"),
    path("people/<int:contact_id>/delete/", views.delete, name="person-delete"),
]
