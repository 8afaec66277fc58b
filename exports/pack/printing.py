"""The printable page of a pack. Sections hold labelled values, paragraphs or dated entries."""

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class DatedEntry:
    """Something that happened, with an optional note in small print."""

    when: str
    text: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class PrintedSection:
    title: str
    pairs: Sequence[tuple[str, str]] = ()
    texts: Sequence[str] = ()
    lines: Sequence[DatedEntry] = ()


@dataclass(frozen=True, slots=True)
class PrintedPage:
    title: str
    lead: str
    language: str
    foot: str
    sections: Sequence[PrintedSection] = field(default_factory=list)
