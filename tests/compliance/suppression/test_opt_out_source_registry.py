"""The list of sources of an opt-out is whole: what a new one lacks is missing here by its code."""

import datetime as dt

import pytest

from compliance.models import Suppression
from compliance.suppression.opt_out_source_registry import (
    FACTS,
    GIVEN_BY_USERS,
    REPEATED,
    SAID_BY_SOMEBODY,
    OptOutSource,
    Teller,
)
from compliance.verdict.reason_registry import RULES, Facts, OptOut
from salesconnect.common import history_words

SINCE = dt.datetime(2026, 5, 1, 8, 0, tzinfo=dt.UTC)


@pytest.mark.parametrize("source", OptOutSource, ids=str)
class TestEverySource:
    def test_is_declared_with_its_sentence_and_whose_word_it_is(self, source):
        assert "%(date)s" in str(FACTS[source].sentence)
        assert FACTS[source].teller in Teller

    def test_is_told_by_the_verdict(self, source):
        [rule] = [rule for rule in RULES if rule.code == "unsubscribed"]
        assert rule.words(Facts(), None, OptOut(SINCE, source)) == FACTS[source].sentence % {"date": "1 May 2026"}

    def test_has_a_label_in_the_history(self, source):
        assert history_words.source_label(source) not in {"", source.value}

    def test_fits_its_column(self, source):
        assert len(source) <= Suppression._meta.get_field("source").max_length


def test_what_follows_from_whose_word_it_is():
    assert set(REPEATED) | set(SAID_BY_SOMEBODY) == set(OptOutSource)
    assert set(REPEATED) & set(SAID_BY_SOMEBODY) == set()
    assert set(GIVEN_BY_USERS) == {OptOutSource.MANUAL, OptOutSource.IMPORT}
    assert set(REPEATED) == {
        OptOutSource.BOUNCE,
        OptOutSource.SALESFORCE_SYNC,
        OptOutSource.CRM_SYNC,
        OptOutSource.IMPORT,
    }
