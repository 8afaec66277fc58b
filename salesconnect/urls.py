"""All URLs of the site except unsubscribe links, which the middleware `PublicLinks` answers."""

from django.urls import include, path
from django.views.generic import RedirectView

from salesconnect.api import webhooks
from salesconnect.api.protocol.docs import Docs
from salesconnect.operations import health, metrics

urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", metrics.metrics, name="metrics"),
    path("", RedirectView.as_view(url="/people/"), name="home"),
    path("accounts/", include("salesconnect.pages.account_urls")),
    path("", include("salesconnect.pages.urls")),
    path("webhooks/<slug:provider>/", webhooks.webhook, name="webhook"),
    path("api/docs/", Docs.as_view(), name="api-docs"),
    path("api/v1/", include("salesconnect.api.urls")),
]
handler500 = "salesconnect.server_errors.server_error"
