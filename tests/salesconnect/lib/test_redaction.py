"""What a log line may not hold."""

import logging

import pytest

from salesconnect.lib.redaction import RedactingFormatter, redacted


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Not Found: /u/eyJjIjoxMjN9:1uXabc/", "Not Found: /u/…/"),
        ("Not Found: //U/eyJjIjoxMjN9:1uXabc/", "Not Found: //u/…/"),
        ("Not Found: /u/(eyJjIjoxMjN9:1uXabc)", "Not Found: /u/…)"),
        ("https://people.example.com/u/eyJjIjoxMjN9:1uXabc", "https://people.example.com/u/…"),
        ("GET /people/?search=anna+berg&page=2 HTTP/1.1", "GET /people/?… HTTP/1.1"),
        ("DETAIL:  Key (email)=(anna berg) already exists.", "DETAIL: …"),
        ("no such user: anna.berg+work@mail.example.com!", "no such user: …@…!"),
        ("/srv/u/.venv/lib/python3.11/site.py: really?", "/srv/u/.venv/lib/python3.11/site.py: really?"),
    ],
)
def test_tokens_searches_rows_and_addresses_are_blotted_out(line, expected):
    assert redacted(line) == expected


def test_a_traceback_is_blotted_out_too():
    error = ValueError("Key (email)=(anna@example.com)")
    record = logging.LogRecord("x", 40, "x.py", 1, "at %s", ("/u/abcdefghijklmno/",), (ValueError, error, None))
    lines = RedactingFormatter().format(record).splitlines()

    assert (lines[0], lines[-1]) == ("at /u/…/", "ValueError: Key (email)=(…@…)")
