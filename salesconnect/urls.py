"""Every address of the site but the unsubscribe links, which a middleware answers."""

from django.urls import include, path
from django.views.generic import RedirectView

from salesconnect import health, metrics
from salesconnect.api_docs import Docs

urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", metrics.metrics, name="metrics"),
    path("", RedirectView.as_view(url="/people/"), name="home"),
    path("accounts/", include("salesconnect.account_urls")),
    path("", include("contacts.urls")),
    path("", include("exports.urls")),
    path("", include("compliance.urls")),
    path("", include("unsubscribes.urls")),
    path("api/docs/", Docs.as_view(), name="api-docs"),
    path("api/v1/", include("salesconnect.api_urls")),
]
handler500 = "salesconnect.failures.server_error"
