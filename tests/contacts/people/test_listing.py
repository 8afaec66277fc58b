import pytest

from compliance.card.source_registry import SourceType
from compliance.models import ComplianceCard
from contacts.models import Contact
from contacts.people import listing
from contacts.people.listing import PATHS, ordering_keys, people_page
from salesconnect.common.filters import filtered
from salesconnect.lib.actor import system
from salesconnect.lib.errors import Invalid

NAMES = ["Zorn", "Åberg", "Ärlig", "Öberg", "Berg", "berg Lind", "Ek"]


@pytest.fixture
def seven(person):
    for place, name in enumerate(NAMES):
        person(last_name=name, first_name="A", email=f"{place}@example.com", company=f"Firma {place % 2}")


def walk(ordering: str, size: int = 2, people=None) -> tuple[list[str], list[str]]:
    """Return the names met by paging to the end, and those met by paging back from there."""
    fields = {*PATHS.values(), "card__contact_id", "last_name"}
    queryset = (Contact.objects if people is None else people).values(*fields)
    forth, back, cursor = [], [], None
    while True:
        page = people_page(queryset, ordering, cursor, size)
        forth += [row["last_name"] for row in page.rows]
        if not page.next:
            break
        cursor = page.next
    back = [row["last_name"] for row in page.rows]
    while page.previous:
        page = people_page(queryset, ordering, page.previous, size)
        back = [row["last_name"] for row in page.rows] + back
    return forth, back


def test_names_sort_as_swedes_read_them(seven):
    assert walk("")[0] == ["Berg", "berg Lind", "Ek", "Zorn", "Åberg", "Ärlig", "Öberg"]


@pytest.mark.parametrize(
    "ordering", ["", "-last_name", "company,-created_at", "-email", "updated_at", "first_name", "-id"]
)
@pytest.mark.parametrize("size", [1, 2, 3])
def test_paging_meets_everybody_once_in_both_directions(seven, ordering, size):
    forth, back = walk(ordering, size)
    assert (sorted(forth), forth) == (sorted(NAMES), back)


def test_an_order_that_is_not_offered_is_refused():
    with pytest.raises(Invalid):
        ordering_keys("password")


def test_a_cursor_says_nothing_and_cannot_be_made_up(seven):
    cursor = people_page(Contact.objects.values(*PATHS.values(), "card__contact_id"), "", None, 2).next
    assert "berg" not in cursor.lower()
    with pytest.raises(Invalid):
        people_page(Contact.objects.values(*PATHS.values()), "", "x" + cursor, 2)


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({"search": "ber"}, 2),
        ({"search": "firma 1"}, 3),
        ({"search": "EXAMPLE åb"}, 1),
        ({"search": "3@example.com"}, 1),
        ({"search": "@"}, 0),
        ({"company": "ma 0"}, 4),
        ({"owner": "null"}, 7),
        ({"unsubscribed": "false"}, 7),
        ({"unsubscribed": "true"}, 0),
        ({"source_type": "not_recorded,import"}, 7),
        ({"created_after": "2020-01-01"}, 7),
        ({"created_before": "2020-01-01T00:00:00Z"}, 0),
        ({"consent_before": "2020-01-01"}, 0),
        ({"verdict": "ask_first"}, 7),
    ],
)
def test_filters_keep_who_is_meant(seven, member, query, count):
    assert filtered(member, query).count() == count


def test_the_count_is_exact_up_to_its_cap(seven):
    assert Contact.objects.capped_count() == (7, False)
    assert Contact.objects.capped_count(5) == (5, True)


@pytest.mark.parametrize("steps", [(), (1,), (2, 2, 2), (4_000,)])
@pytest.mark.parametrize("ordering", ["", "-last_name", "company,-created_at", "-updated_at"])
def test_paging_through_what_a_search_finds_meets_everybody_once(seven, person, monkeypatch, ordering, steps):
    monkeypatch.setattr(listing, "SCAN_STEPS", steps)
    monkeypatch.setattr(listing, "SELECTIVITY", 0)
    person(last_name="Holm", first_name="Zoë", email="zoe@example.org", company="Elsewhere")
    found = filtered(system("command"), {"search": "firma"})
    forth, back = walk(ordering, 2, found)
    assert (sorted(forth), forth) == (sorted(NAMES), back)


@pytest.mark.parametrize("step", [1, 3, 4_000])
@pytest.mark.parametrize("ordering", ["", "-last_name", "company,-created_at", "-updated_at"])
def test_paging_through_a_company_meets_everybody_once(seven, person, monkeypatch, ordering, step):
    monkeypatch.setattr(listing, "SCAN_STEPS", (step,))
    person(last_name="Holm", first_name="Zoë", email="zoe@example.org", company="Elsewhere")
    forth, back = walk(ordering, 2, filtered(system("command"), {"company": "IRMA", "unsubscribed": "false"}))
    assert (sorted(forth), forth) == (sorted(NAMES), back)


@pytest.mark.parametrize("most", [0, 30_000])
@pytest.mark.parametrize("ordering", ["company,-created_at", "-email", "-id", "email,-updated_at"])
def test_paging_past_people_with_other_cards_meets_everybody_once(seven, person, monkeypatch, ordering, most):
    monkeypatch.setattr(listing, "HASH_MIN", -1)
    monkeypatch.setattr(listing, "HASH_MAX", most)
    ComplianceCard.objects.update(source_type=SourceType.IMPORT)
    person(last_name="Holm", first_name="Zoë", email="zoe@example.org", company="Elsewhere")
    forth, back = walk(ordering, 2, filtered(system("command"), {"source_type": "import"}))
    assert (sorted(forth), forth) == (sorted(NAMES), back)


@pytest.mark.parametrize("query", [{"source_type": "import"}, {"company": "firma"}])
def test_who_is_narrowed_further_is_listed_narrowed(seven, monkeypatch, query):
    monkeypatch.setattr(listing, "HASH_MIN", -1)
    ComplianceCard.objects.update(source_type=SourceType.IMPORT)
    found = filtered(system("command"), query)
    assert walk("-email", 2, found.filter(last_name="Ek"))[0] == ["Ek"]
    assert "Ek" not in walk("-email", 2, found.exclude(last_name="Ek"))[0]
