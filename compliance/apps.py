from django.apps import AppConfig


class ComplianceConfig(AppConfig):
    name = "compliance"

    def ready(self) -> None:
        """Register the bulk orders of this app."""
        from compliance.card import orders  # noqa: F401, PLC0415 - models must be loaded first
