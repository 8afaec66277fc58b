"""Log formatters that keep personal data, tokens and secrets out of the log."""

import datetime as dt
import json
import logging
import os
import re

# Each pattern begins at a word boundary or with fixed letters and repeats one character class, so that it takes linear
# time on hostile input (no regular expression denial of service).
SECRET_PARTS = (
    (re.compile(r"(?i)/u/[^\s\w]{0,40}[\w:.=~-]{12,}"), "/u/…"),  # the token is the key to a person's unsubscribe page
    (re.compile(r"DETAIL:.*"), "DETAIL: …"),  # PostgreSQL quotes the offending row there
    (re.compile(r"(Bearer|Token) [\w.!~+/=-]{8,}"), r"\1 …"),
    (
        re.compile(r"((?:access_token|client_secret|assertion|secret|password)[\"']?\s{0,9}[=:]\s{0,9})[^\s&,}]+"),
        r"\1…",
    ),
    (re.compile(r"\b00D\w{12,15}![\w.]+"), "…"),  # a session of Salesforce's
    (re.compile(r"(?<![^\s@<>\"'()=,;:])[^\s@<>\"'()=,;:]+@[^\s@<>\"'()=,;:]+\.\w+"), "…@…"),
)
_QUERY = re.compile(r"(?<![^\s?\"'])([^\s?\"']+)\?[^\s\"']+")  # searches hold names and addresses
# Control characters could forge log lines, colour a terminal or reverse its text (log injection).
_CONTROLS = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def redacted(text: str) -> str:
    """Return the text without unsubscribe tokens, query strings, rows that PostgreSQL quotes and mail addresses."""
    text = _QUERY.sub(lambda found: f"{found[1]}?…" if "/" in found[1] else found[0], text)
    for pattern, blot in SECRET_PARTS:
        text = pattern.sub(blot, text)
    return text


def escaped(text: str) -> str:
    """Return the text in one line, with line ends and other control characters as Python escapes."""
    return _CONTROLS.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


class RedactingFormatter(logging.Formatter):
    """Formats a record with its traceback and redacts it.

    The message is one line, and the lines of a traceback are indented: names and other texts of strangers never look
    like a line of the log.
    """

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        return escaped(super().formatMessage(record))

    def format(self, record: logging.LogRecord) -> str:
        first, *rest = super().format(record).split("\n")
        return redacted("\n".join([first, *(f"  {escaped(line)}" for line in rest)]))


class JsonFormatter(logging.Formatter):
    """Formats a record as one line of JSON, redacted in the same way."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record: time, level, logger, message, and the traceback where there is one."""
        told = {
            "time": dt.datetime.fromtimestamp(record.created, dt.UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": escaped(redacted(record.getMessage())),
        }
        if record.exc_info:
            lines = self.formatException(record.exc_info).split("\n")
            told["exception"] = redacted("\n".join(map(escaped, lines)))
        return json.dumps(told, ensure_ascii=False)


def formatter(plain: str | None = None, moment: str | None = None) -> logging.Formatter:
    """Return what `SALESCONNECT_LOG_FORMAT` asks for: lines for people (plain), or JSON (json)."""
    wants_json = os.environ.get("SALESCONNECT_LOG_FORMAT", "plain") == "json"
    return JsonFormatter() if wants_json else RedactingFormatter(plain, moment)
