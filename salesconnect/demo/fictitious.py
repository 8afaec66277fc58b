"""Generates fictitious people: names as frequent as real ones, addresses in `.example`, all kinds of cards."""

import datetime as dt
import random
from collections.abc import Iterator, Sequence
from itertools import accumulate

from compliance.card.legal_basis_registry import CONSENTS, AuthorizationType
from compliance.card.rules import Authorization, Source
from compliance.card.source_registry import SourceType
from compliance.card.staging import NewPerson

FIRST = (
    "Anna Lars Maria Karl Margareta Erik Elisabeth Anders Eva Per Kristina Johan Birgitta Nils Karin Jan Ingrid Mikael"
    " Emma Hans Linnea Olof Marie Gustav Sofia Lennart Kerstin Gunnar Lena Sven Helena Fredrik Johanna Bengt Sara Bo"
    " Åsa Daniel Elin Göran Ida Alexander Hanna Stefan Maja Håkan Josefin Öyvind Zoë André"
).split()
LAST = (
    "Andersson Johansson Karlsson Nilsson Eriksson Larsson Olsson Persson Svensson Gustafsson Pettersson Jonsson"
    " Jansson Hansson Bengtsson Jönsson Lindberg Jakobsson Magnusson Lindström Olofsson Lindqvist Lindgren Berg"
    " Axelsson Bergström Lundberg Lind Lundgren Lundqvist Mattsson Berglund Fredriksson Sandberg Henriksson Öberg"
    " Forsberg Sjöberg Wallin Engström Åberg Ärlig Müller García Nyström Holm Ek Dahl Hult Zetterberg"
).split()
COMPANIES = (
    "Exempel AB,Nordisk Provteknik,Fiktiva Bolaget,Övningsföretaget,Påhittade Verken,Sagolika System,Testmontage Syd,"
    "Låtsas Logistik,Skenbar Handel,Diktade Data,Fabulera Förlag,Prototyp Partner,Modellverkstan,Utkast Konsult,"
    "Ängens Åkeri,Norrsken Nät,Västan Vind,Mälar Media,Kustens Kontor,Fjäll & Friluft"
).split(",")
TITLES = (
    "Head of Sales,Account Manager,Purchaser,Chief Executive,Marketing Manager,Developer,Financial Controller,"
    "Office Manager,Project Manager,Head of IT,"
).split(",")
PURPOSES = ("Newsletter", "Invitations to events", "Product news", "Offers")
GROUNDS = {None: 30, 1: 28, 2: 24, 3: 10, 4: 4, 5: 1, 6: 1, 7: 2}
SOURCES = {2: 45, 1: 30, 3: 14, 4: 6, 5: 4, None: 1}


def people(number: int, *, seed: int = 1, first: int = 1, today: dt.date) -> Iterator[NewPerson]:
    """Yield `number` people, reproducible by `seed`. Addresses are unique, numbered from `first`."""
    # Not for secrets; a seeded generator is what makes the people reproducible.
    dice = random.Random(f"{seed}/{first}")  # noqa: S311
    first_names, last_names, companies = _zipf(FIRST), _zipf(LAST), _zipf(COMPANIES)
    for place in range(first, first + number):
        given = dice.choices(FIRST, cum_weights=first_names)[0]
        family = dice.choices(LAST, cum_weights=last_names)[0]
        company = dice.choices(COMPANIES, cum_weights=companies)[0]
        details = {
            "first_name": given,
            "last_name": family,
            "company": f"{company} {place % 997}" if place % 3 else company,
            "title": dice.choice(TITLES),
            "email": f"{_ascii(given)}.{_ascii(family)}.{place}@{_ascii(company)}.example",
            "phone": f"+4670{dice.randrange(10**7):07d}",
            "website": f"https://{_ascii(company)}.example/" if place % 4 == 0 else "",
            "linkedin": f"https://linkedin.example/in/{_ascii(given)}-{place}" if place % 5 == 0 else "",
        }
        yield NewPerson(details, _authorization(dice, today), _source(dice))


def _authorization(dice: random.Random, today: dt.date) -> Authorization:
    code = dice.choices(list(GROUNDS), list(GROUNDS.values()))[0]
    if code is None:
        return Authorization()
    kind = AuthorizationType(code)
    if kind in CONSENTS:
        given = today - dt.timedelta(days=dice.randrange(1_400))
        return Authorization(kind, consent_date=given, consent_purpose=dice.choice(PURPOSES))
    return Authorization(kind, other="Agreed at the trade fair" if kind == AuthorizationType.OTHER else "")


def _source(dice: random.Random) -> Source:
    code = dice.choices(list(SOURCES), list(SOURCES.values()))[0]
    if code is None:
        return Source()
    return Source(SourceType(code), "Business card" if code == SourceType.OTHER else "")


def _zipf(words: Sequence[str]) -> list[float]:
    return list(accumulate(1 / rank for rank in range(1, len(words) + 1)))


def _ascii(text: str) -> str:
    return text.lower().translate(TRANSLITERATED).replace(" ", "").replace("&", "")


TRANSLITERATED = str.maketrans("åäöéëüíø", "aaoeeuio")
