from django.apps import AppConfig


class UnsubscribesConfig(AppConfig):
    name = "unsubscribes"

    def ready(self) -> None:
        """Register the bulk orders of this app."""
        from unsubscribes.mail import orders  # noqa: F401, PLC0415 - models must be loaded first
