from django.apps import AppConfig


class ContactsConfig(AppConfig):
    name = "contacts"

    def ready(self) -> None:
        from contacts.jobs.acts import load  # noqa: PLC0415 - models must be loaded first

        load("contacts.acts")
