from django.apps import AppConfig


class ComplianceConfig(AppConfig):
    name = "compliance"

    def ready(self) -> None:
        from contacts.jobs.acts import load  # noqa: PLC0415 - models must be loaded first

        load("compliance.acts")
