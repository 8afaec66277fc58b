"""The addresses of what one may do with people."""

from django.urls import path

from compliance.views import bulk, card, imports, lookalikes, opt_out, policy, queues, restricting

urlpatterns = [
    path("people/import/", imports.new, name="import-people"),
    path("imports/<int:job_id>/", imports.show, name="import"),
    path("imports/<int:job_id>/cancel/", imports.cancel, name="cancel-import"),
    path("imports/<int:job_id>/rejected/", imports.rejected, name="rejected-rows"),
    path("people/bulk/<slug:kind>/", bulk.bulk, name="bulk"),
    path("people/bulk/<slug:kind>/preview/", bulk.preview, name="bulk-preview"),
    path("people/<int:contact_id>/compliance/", card.card, name="person-card"),
    path("people/<int:contact_id>/restriction/", restricting.restriction, name="person-restriction"),
    path("people/<int:contact_id>/not-the-same/", lookalikes.not_the_same, name="person-not-the-same"),
    path("people/<int:contact_id>/balance/", queues.balance, name="person-balance"),
    path("compliance/informing/", queues.informing, name="informing"),
    path("compliance/review/", queues.review, name="review"),
    path("settings/policy/", policy.page, name="policy"),
    path("people/<int:contact_id>/unsubscribe/", opt_out.unsubscribe, name="person-unsubscribe"),
]
