from django.apps import AppConfig


class ExportsConfig(AppConfig):
    name = "exports"

    def ready(self) -> None:
        from contacts.jobs.acts import load  # noqa: PLC0415 - models must be loaded first

        load("exports.acts")
