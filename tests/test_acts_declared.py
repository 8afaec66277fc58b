"""Each act on people is declared once, and complete: what lacks an endpoint, a dialog, words or a row is named."""

import pytest
from babel.messages.pofile import read_po
from django.template.loader import select_template
from django.urls import resolve
from django.utils import translation
from django.utils.functional import Promise

from contacts.jobs.acts import ACTS
from contacts.jobs.selected import Counts, selected_acts
from contacts.models import Batch, Contact
from salesconnect.api import bulk as api
from salesconnect.api import urls
from salesconnect.api.bulk_bodies import body_of
from salesconnect.common import history_words
from salesconnect.lib.role_registry import ALL_RIGHTS, RIGHTS
from salesconnect.pages.bulk import selection_bar as pages
from salesconnect.pages.bulk.forms import form_of
from salesconnect.pages.tasks import batch_words
from tests.test_translations import ROOT, SWEDISH

SELECTED = selected_acts()
# Ordered from the page that lists whom they are about; every other act is in the selection bar.
FROM_A_QUEUE = {"informed": "compliance/informing.html", "reviewed": "compliance/review.html"}
EXAMPLES = {
    "authorization": {"type": 3, "other": "", "consent_date": None, "consent_purpose": ""},
    "source": {"type": 2, "other": ""},
    "owner": {"owner": 7, "owner_name": "bob"},
}
"""What an order of an act with a headline of its own stores."""
MAY_NAME_PEOPLE = {"other", "consent_purpose"}


@pytest.mark.parametrize("kind", ACTS)
class TestEveryAct:
    def test_asks_for_a_right_that_there_is(self, kind):
        assert ACTS[kind].right in ALL_RIGHTS

    def test_has_words_for_the_list_of_tasks(self, kind):
        act, batch = ACTS[kind], Batch(kind=kind, params=EXAMPLES.get(kind, {}), changed=2, state="done")
        assert batch_words.headline(batch) not in {"", kind}
        assert act.done(2) % {"n": 2} in batch_words.result(batch)

    def test_has_words_for_the_history(self, kind):
        action = getattr(ACTS[kind], "action", "")
        assert action in history_words.SENTENCES if action else kind == "undo"

    def test_can_be_taken_back_if_it_says_so(self, kind):
        act = ACTS[kind]
        assert act.undoable == (type(act).take_back is not type(act).__mro__[-2].take_back)

    def test_an_old_order_keeps_what_its_headline_says(self, kind):
        params = EXAMPLES.get(kind, {})
        kept = {name: value for name, value in params.items() if name in ACTS[kind].kept_params}
        described = {name for name, value in params.items() if value} - set(kept)
        assert described <= MAY_NAME_PEOPLE
        if not described:
            said = [batch_words.headline(Batch(kind=kind, params=each)) for each in (params, kept)]
            assert said[0] == said[1]

    def test_says_all_of_it_in_swedish(self, kind):
        catalog = read_po((ROOT / SWEDISH).open("rb"), locale="sv")
        known = {message.id if isinstance(message.id, str) else message.id[0] for message in catalog if message.string}
        for words in said_by(ACTS[kind]):
            assert words in known, words


@pytest.mark.parametrize("kind", SELECTED)
class TestEveryActOnASelection:
    def test_has_an_endpoint_that_asks_for_its_right(self, kind):
        if kind in api.ELSEWHERE:
            assert resolve(f"/api/v1/{api.ELSEWHERE[kind]}").func.cls.rights
            return
        assert resolve(f"/api/v1/bulk/{kind}/").func.cls is api.BulkViewSet
        assert api.BulkViewSet.rights[f"order_{kind}"] == SELECTED[kind].right
        assert {"selection", "dry_run"} < set(body_of(SELECTED[kind])().fields) | {"more"}

    def test_has_a_row_in_the_table_of_rights(self, kind):
        from tests.test_api_rights import ENDPOINTS  # noqa: PLC0415 - the table is large

        address = api.ELSEWHERE.get(kind, f"bulk/{kind}/")
        assert f"POST {address}" in ENDPOINTS

    def test_has_a_dialog(self, kind, db):
        act = SELECTED[kind]
        if kind == pages.MAIL:
            return
        assert pages.find(kind) is act
        assert {parameter.name for parameter in act.parameters} <= set(form_of(act)().fields)
        assert select_template([f"bulk/bulk_{kind}.html", "bulk/bulk.html"])

    def test_is_where_people_find_it(self, kind):
        if kind in FROM_A_QUEUE:
            assert f'{{% url "bulk" "{kind}" %}}' in (ROOT / "templates" / FROM_A_QUEUE[kind]).read_text()
        else:
            assert kind in pages.BAR

    def test_counts_nobody_among_nobody(self, kind, db):
        params = EXAMPLES.get(kind, {"reason": "", "on_request": False, "subject": "Hello", "body": "News"})
        counts = SELECTED[kind].preview(Contact.objects.none(), params)
        assert isinstance(counts, Counts)
        assert (counts.total, counts.change, counts.unchanged) == (0, 0, 0)

    def test_is_refused_to_who_lacks_its_right(self, kind, db, auditor):
        may = SELECTED[kind].right in RIGHTS["auditor"]
        assert auditor.may(SELECTED[kind].right) == may
        assert may == (kind == "export")


def said_by(act) -> list[str]:
    """Return the English texts of an act: what its words are where no translation is in use."""
    with translation.override("en"):
        said = [act.done(1)]
        if act.kind not in SELECTED:
            return said
        lazy = [act.label, act.hint, *(parameter.label for parameter in act.parameters)]
        assert all(isinstance(words, Promise) for words in lazy if words), "words are translated when they are read"
        return [*said, act.title(1), act.button(1), *(str(words) for words in lazy if words)]


def test_the_endpoints_are_in_the_api():
    assert any(getattr(pattern.callback, "cls", None) is api.BulkViewSet for pattern in urls.urlpatterns)
