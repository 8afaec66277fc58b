"""The Swedish texts: all there, whole, and with the labels that were agreed."""

import re
import shutil
from pathlib import Path

import pytest
from babel.messages import Catalog, Message
from babel.messages.pofile import read_po
from django.core.management import call_command
from django.utils import translation

from compliance.card.legal_basis_registry import AuthorizationType
from compliance.card.source_registry import SourceType

ROOT = Path(__file__).resolve().parent.parent
APPS = ("salesconnect", "contacts", "compliance", "unsubscribes", "exports")
LOCALE = Path("salesconnect") / "locale"
SWEDISH = LOCALE / "sv" / "LC_MESSAGES" / "django.po"
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\{? ?\w+ ?\}?\}|</?\w+")
# Template code, what it puts in the place of text, and all that is no text at all.
CLASSES = re.compile(r"{%\s*block page_class\s*%}.*?{%\s*endblock\s*%}")
COMMENTED = re.compile(r"{#.*?#}|{%\s*comment\b.*?{%\s*endcomment\s*%}|<!--.*?-->", re.DOTALL)
TRANSLATED = re.compile(r"{%\s*blocktrans.*?{%\s*endblocktrans(?:late)?\s*%}", re.DOTALL)
CODE = re.compile(r"{%.*?%}|{{.*?}}", re.DOTALL)
SPOKEN = re.compile(r"""\b(?:alt|aria-label|placeholder|title|data-label|data-say)="([^"]*)\"""")
NO_TEXT = re.compile(r"<(kbd|code|script|style)\b.*?</\1>|<[^>]*>|&\w+;", re.DOTALL)
LETTERS = re.compile(r"[^\W\d_]{2,}")
# Names stay as they are in every language.
NAMES = {"API", "Salesforce", "Sales", "Connect", "Esc", "Enter", "LinkedIn", "Facebook", "Twitter"}


def catalog(root: Path) -> Catalog:
    return read_po((root / SWEDISH).open("rb"), locale="sv")


def texts(root: Path) -> dict[tuple[str | None, object], Message]:
    return {(message.context, message.id): message for message in catalog(root) if message.id}


def both_sides(message: Message) -> list[tuple[str, str]]:
    """Return each translation beside what it translates; a plural form, beside the English of its number."""
    if isinstance(message.id, str):
        return [(message.id, str(message.string))]
    return list(zip(message.id, message.string, strict=True))


@pytest.fixture(scope="module")
def swedish() -> dict[tuple[str | None, object], Message]:
    return texts(ROOT)


def test_the_code_says_nothing_that_the_translations_lack(swedish, tmp_path, settings, monkeypatch):
    for folder in (*APPS, "templates"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__", "*.mo"))
    settings.LOCALE_PATHS = [tmp_path / LOCALE]
    monkeypatch.chdir(tmp_path)
    call_command("makemessages", verbosity=0)
    extracted = texts(tmp_path)
    assert (extracted.keys() - swedish.keys(), swedish.keys() - extracted.keys()) == (set(), set())


def test_every_text_is_translated(swedish):
    missing = [message.id for message in swedish.values() if not all(theirs for _ours, theirs in both_sides(message))]
    assert missing == []


def test_nothing_is_guessed_and_nothing_is_left_over():
    found = catalog(ROOT)
    assert ([message.id for message in found if message.id and message.fuzzy], list(found.obsolete)) == ([], [])


def test_placeholders_and_tags_are_the_same_on_both_sides(swedish):
    different = [
        (ours, theirs)
        for message in swedish.values()
        for ours, theirs in both_sides(message)
        if sorted(PLACEHOLDER.findall(ours)) != sorted(PLACEHOLDER.findall(theirs))
    ]
    assert different == []


def test_spaces_at_the_ends_and_the_last_sign_are_the_same_on_both_sides(swedish):
    different = [
        (ours, theirs)
        for message in swedish.values()
        for ours, theirs in both_sides(message)
        if ends(ours) != ends(theirs)
    ]
    assert different == []


def ends(text: str) -> tuple[bool, bool, str]:
    """Return whether a text begins and ends with a space, and its last sign when that is none of a word."""
    last = text.rstrip()[-1:]
    return text[:1].isspace(), text[-1:].isspace(), last if last in ".:?!…" else ""


def test_the_labels_are_the_agreed_ones():
    with translation.override("sv"):
        types = [str(choice.label) for choice in AuthorizationType]
        sources = [str(choice.label) for choice in SourceType]
    assert types == [
        "Samtycke",
        "Berättigat intresse",
        "Fullgörande av avtal",
        "Rättslig förpliktelse",
        "Skydd av grundläggande intressen",
        "Allmänt intresse/myndighetsutövning",
        "Annat",
    ]
    assert sources == ["CRM-synkronisering", "Import", "Manuell uppladdning", "Chrome-tillägg", "Annat"]


def test_templates_say_nothing_that_is_not_marked_for_translation():
    found = {path.name: unmarked(path.read_text(encoding="utf-8")) for path in (ROOT / "templates").rglob("*.html")}
    assert {name: words for name, words in found.items() if words} == {}


def unmarked(template: str) -> list[str]:
    """Return the words that a reader would meet in English whatever the language."""
    bare = template
    for no_text in (COMMENTED, CLASSES, TRANSLATED, CODE):
        bare = no_text.sub(" ", bare)
    visible = " ".join([NO_TEXT.sub(" ", bare), *SPOKEN.findall(bare)])
    return [word for word in LETTERS.findall(visible) if word not in NAMES]


def test_the_search_for_unmarked_words_finds_them():
    marked = '{# no #}{% translate "Yes" %}{% blocktranslate %}<b>Ours</b>{% endblocktranslate %}'
    said = f'{marked}<p title="Here" class="there">{{{{ name }}}} bare <code>code</code></p>'
    assert unmarked(said) == ["bare", "Here"]
