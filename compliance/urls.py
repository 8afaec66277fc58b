"""The addresses of what one may do with people."""

from django.urls import path

from compliance.views import bulk, card, opt_out

urlpatterns = [
    path("people/bulk/<slug:kind>/", bulk.bulk, name="bulk"),
    path("people/bulk/<slug:kind>/preview/", bulk.preview, name="bulk-preview"),
    path("people/<int:contact_id>/compliance/", card.card, name="person-card"),
    path("people/<int:contact_id>/unsubscribe/", opt_out.unsubscribe, name="person-unsubscribe"),
]
