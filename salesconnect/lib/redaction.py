"""Keeps people's data, tokens and secrets out of the logs, and writes lines that machines read."""

import datetime as dt
import json
import logging
import os
import re

SECRET_PARTS = (
    (re.compile(r"(?i)/u/[^\s\w]*[\w:.=~-]{12,}"), "/u/…"),  # the token is the key to a person's unsubscribe page
    (re.compile(r"(/[^\s?\"']*)\?[^\s\"']+"), r"\1?…"),  # searches hold names and addresses
    (re.compile(r"DETAIL:.*"), "DETAIL: …"),  # PostgreSQL quotes the offending row there
    (re.compile(r"(Bearer|Token) [\w.!~+/=-]{8,}"), r"\1 …"),
    (re.compile(r"((?:access_token|client_secret|assertion|secret|password)[\"']?\s*[=:]\s*)[^\s&,}]+"), r"\1…"),
    (re.compile(r"\b00D\w{12,15}![\w.]+"), "…"),  # a session of Salesforce's
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


class JsonFormatter(logging.Formatter):
    """Formats a record as one line of JSON, blotted out in the same way."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record: time, level, logger, message, and the traceback where there is one."""
        told = {
            "time": dt.datetime.fromtimestamp(record.created, dt.UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": redacted(record.getMessage()),
        }
        if record.exc_info:
            told["exception"] = redacted(self.formatException(record.exc_info))
        return json.dumps(told, ensure_ascii=False)


def formatter(plain: str | None = None, moment: str | None = None) -> logging.Formatter:
    """Return what `SALESCONNECT_LOG_FORMAT` asks for: lines for people (plain), or JSON (json)."""
    wants_json = os.environ.get("SALESCONNECT_LOG_FORMAT", "plain") == "json"
    return JsonFormatter() if wants_json else RedactingFormatter(plain, moment)
