"""Choices that are stored as small codes and named by a slug."""

from collections.abc import Iterable

from django.conf import settings
from django.db.models import IntegerChoices
from django.utils import translation


class SlugChoices(IntegerChoices):
    """Choices stored as small codes and spoken of by a slug: `consent` in the API, 1 in the database."""

    @property
    def slug(self) -> str:
        """Return the value used in the API, in exports and in the history."""
        return self.name.lower()

    @classmethod
    def from_slug(cls, slug: str) -> "SlugChoices":
        """Return the choice of a slug; `KeyError` when there is none."""
        return cls[slug.upper()] if slug.islower() else cls[""]

    @classmethod
    def slugs(cls) -> list[str]:
        return [choice.slug for choice in sorted(cls)]

    def labels_in_every_language(self) -> Iterable[str]:
        """Yield the label in each language of the product."""
        for language, _name in settings.LANGUAGES:
            with translation.override(language):
                yield str(self.label)
