"""The list of doors is whole: one that is nowhere declared, or that a column cannot hold, is named here."""

from typing import get_args

import pytest
from django.utils.functional import Promise

from compliance.models import ImportJob
from contacts.models import Batch, ContactEvent
from salesconnect.lib.door_registry import DOORS, LIMIT, Door
from unsubscribes.models import Message


def test_every_door_is_declared_and_each_declared_one_is_a_door():
    assert set(DOORS) == set(get_args(Door))


@pytest.mark.parametrize("door", DOORS)
def test_the_columns_hold_it(door):
    assert 0 < len(door) <= LIMIT


@pytest.mark.parametrize("door", DOORS)
def test_its_words_are_translated_when_they_are_read(door):
    assert not DOORS[door].words or isinstance(DOORS[door].words, Promise)


@pytest.mark.parametrize("model", [Batch, ContactEvent, ImportJob, Message])
def test_each_table_has_room_for_all(model):
    assert model._meta.get_field("door").max_length == LIMIT
