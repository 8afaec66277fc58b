"""Choices that are stored as small codes and named by a slug."""

from django.db.models import IntegerChoices


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
        return [choice.slug for choice in cls]
