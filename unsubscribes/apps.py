from django.apps import AppConfig


class UnsubscribesConfig(AppConfig):
    name = "unsubscribes"

    def ready(self) -> None:
        """Register the acts of this app."""
        from contacts.jobs.acts import load  # noqa: PLC0415 - models must be loaded first

        load("unsubscribes.acts")
