from importlib import import_module

from django.apps import AppConfig


class SalesConnectConfig(AppConfig):
    name = "salesconnect"

    def ready(self) -> None:
        import_module("salesconnect.operations.checks")
