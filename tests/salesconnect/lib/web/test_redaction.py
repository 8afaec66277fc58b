"""What a log line may not hold."""

import logging

import pytest

from salesconnect.lib.web.redaction import JsonFormatter, RedactingFormatter, redacted


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Not Found: /u/eyJjIjoxMjN9:1uXabc/", "Not Found: /u/…/"),
        ("Not Found: //U/eyJjIjoxMjN9:1uXabc/", "Not Found: //u/…/"),
        ("Not Found: /u/(eyJjIjoxMjN9:1uXabc)", "Not Found: /u/…)"),
        ("https://people.example.com/u/eyJjIjoxMjN9:1uXabc", "https://people.example.com/u/…"),
        ("GET /people/?search=anna+berg&page=2 HTTP/1.1", "GET /people/?… HTTP/1.1"),
        ("DETAIL:  Key (email)=(anna berg) already exists.", "DETAIL: …"),
        ("what? /people/?search=anna and so on? yes", "what? /people/?… and so on? yes"),
        ("at https://x.example/people/?search=anna?b", "at https://x.example/people/?…"),
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

    assert (lines[0], lines[-1]) == ("at /u/…/", "  ValueError: Key (email)=(…@…)")


FORGED = "Anna\n2026-12-01 12:00:00 ERROR django forged\r\x1b[31m\x9b31m\u2028\u202eq"


@pytest.mark.parametrize("kind", [RedactingFormatter, JsonFormatter])
def test_a_text_of_a_stranger_is_no_line_of_the_log(kind):
    error = ValueError(FORGED)
    record = logging.LogRecord("x", 40, "x.py", 1, "saved %s", (FORGED,), (ValueError, error, None))
    text = kind("%(asctime)s %(message)s").format(record)
    assert [line for line in text.split("\n")[1:] if not line.startswith("  ")] == []
    assert set("\r\x1b\x9b\u2028\u202e") & set(text) == set()
    assert "forged" in text


@pytest.mark.parametrize(
    "part",
    [
        "/",
        "/u/",
        "a",
        "a.",
        "@",
        "a@",
        "a@a.",
        "?",
        "/?",
        "secret ",
        "secret=",
        "Token ",
        "/u/::",
        "00D",
        "(",
        "x" * 60 + "@",
    ],
)
def test_a_line_costs_what_it_is_long(part):
    """A pattern that looks for its end anew from every letter takes minutes for this."""
    assert redacted(part * (400_000 // len(part)) + "\n")
