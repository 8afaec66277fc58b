"""Every address of the site."""

from django.urls import include, path
from django.views.generic import RedirectView

from salesconnect import health

urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("", RedirectView.as_view(url="/people/"), name="home"),
    path("accounts/", include("allauth.urls")),
    path("", include("contacts.urls")),
    path("api/v1/", include("salesconnect.api_urls")),
]
handler500 = "salesconnect.failures.server_error"
