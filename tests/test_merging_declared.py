"""Each model that names a person says what becomes of its rows when two records are merged."""

import pytest
from django.apps import apps
from django.db import models
from django.db.models.fields.reverse_related import ForeignObjectRel

from contacts.models import Contact, OnMerge
from unsubscribes.merging.merge import rows_of_people, uniques

NUMBERS = ("contact_id", "survivor_id", "absorbed_id", "person_id")
RELATIONS = [each for each in Contact._meta.get_fields(include_hidden=True) if isinstance(each, ForeignObjectRel)]
PLAIN = [
    (model, field.name)
    for model in apps.get_models()
    for field in model._meta.get_fields()
    if field.name in NUMBERS and isinstance(field, models.IntegerField)
]


@pytest.mark.parametrize("relation", RELATIONS, ids=lambda each: f"{each.related_model._meta.label}.{each.field.name}")
def test_what_refers_to_a_person_says_how_it_is_merged(relation):
    model, key = relation.related_model, relation.field.name
    how = getattr(model, "on_merge", None)
    assert isinstance(how, OnMerge), f"{model._meta.label} does not say what a merge does to its rows"
    allowed = {OnMerge.MOVES, OnMerge.MOVES_UNLESS_THERE, OnMerge.GOES}
    if relation.one_to_one:
        assert how in {OnMerge.MERGED, OnMerge.GOES}
    elif constraints(model, key):
        assert how in allowed - {OnMerge.MOVES}, "the other record may have such a row already"
        assert how is OnMerge.GOES or len(uniques(model, key)) == len(constraints(model, key))
    else:
        assert how in allowed


@pytest.mark.parametrize(
    ("model", "field"), PLAIN, ids=lambda each: getattr(getattr(each, "_meta", None), "label", each)
)
def test_what_keeps_the_number_of_a_person_says_so(model, field):
    assert getattr(model, "on_merge", None) is OnMerge.STAYS, f"{model._meta.label}.{field}"


def test_rows_that_move_are_those_that_say_so():
    assert {model._meta.label for model, _key in rows_of_people()} == {
        "compliance.ReviewNote",
        "exports.DataRequest",
        "unsubscribes.ConsentEvidence",
        "unsubscribes.MailFailure",
        "unsubscribes.Message",
    }


def constraints(model, key):
    """Return whatever of a model lets a value be there once and names the person."""
    found = [each for each in model._meta.constraints if isinstance(each, models.UniqueConstraint)]
    named = [each for each in found if key in each.fields or key in str(each.expressions)]
    return [*named, *(each for each in model._meta.unique_together if key in each)]
