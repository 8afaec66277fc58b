from django.apps import AppConfig


class ExportsConfig(AppConfig):
    name = "exports"

    def ready(self) -> None:
        """Register the bulk orders of this app."""
        from exports.files import services  # noqa: F401, PLC0415 - models must be loaded first
