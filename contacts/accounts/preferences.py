"""What users set for themselves. It touches nobody else, so it takes no right and leaves no event."""

from typing import Any

from contacts.models import User


def prefer(user: User, **values: Any) -> None:
    """Store some of a user's own fields: name, language, theme, shortcuts; the values are checked by the caller."""
    for name, value in values.items():
        setattr(user, name, value)
    user.save(update_fields=list(values))
