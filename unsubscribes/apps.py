from django.apps import AppConfig


class UnsubscribesConfig(AppConfig):
    name = "unsubscribes"

    def ready(self) -> None:
        from contacts.jobs.acts import load  # noqa: PLC0415 - models must be loaded first

        load("unsubscribes.acts")
