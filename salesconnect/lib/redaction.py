"""Keeps people's data and unsubscribe tokens out of the logs."""

import logging
import re

SECRET_PARTS = (
    (re.compile(r"/u/[\w:.=~-]{12,}"), "/u/…"),  # the token is the key to a person's unsubscribe page
    (re.compile(r"(/[^\s?\"']*)\?[^\s\"']+"), r"\1?…"),  # searches hold names and addresses
    (re.compile(r"DETAIL:.*"), "DETAIL: …"),  # PostgreSQL quotes the offending row there
    (re.compile(r"[^\s@<>\"'()=,;:]+@[^\s@<>\"'()=,;:]+\.\w+"), "…@…"),
)


def redacted(text: str) -> str:
    """Return the text without unsubscribe tokens, query strings, rows that PostgreSQL quotes and mail addresses."""
    for pattern, blot in SECRET_PARTS:
        text = pattern.sub(blot, text)
    return text


class RedactingFormatter(logging.Formatter):
    """Formats a record, its traceback included, and then blots out what a log must not hold."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line or lines of a record."""
        return redacted(super().format(record))
