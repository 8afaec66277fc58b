"""The trees, against RFC 6962 as it is written: recursively."""

from hashlib import sha256

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg2.extras import Json

from contacts.sealing import tree

TEXTS = st.text(st.characters(exclude_characters="\x00", exclude_categories=("Cs",)))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


def by_the_book(leaves):
    """MTH of RFC 6962, 2.1, over leaf hashes."""
    if len(leaves) == 1:
        return leaves[0]
    cut = 1
    while cut * 2 < len(leaves):
        cut *= 2
    return sha256(b"\x01" + by_the_book(leaves[:cut]) + by_the_book(leaves[cut:])).digest()


@pytest.mark.parametrize("size", [*range(1, 34), 100, 1_000])
def test_root_and_paths_are_those_of_rfc_6962(size):
    leaves = [tree.leaf_hash(str(number).encode()) for number in range(size)]
    root = by_the_book(leaves)
    assert (tree.tree_root(leaves), tree.levels(leaves)[-1]) == (root, [root])
    for position in {0, size // 2, size - 1}:
        assert climb(leaves[position], position, size, tree.path(tree.levels(leaves), position)) == root


def climb(hashed, position, size, path):
    """RFC 9162, 2.1.3.2, from below."""
    last = size - 1
    for step in path:
        if position & 1 or position == last:
            hashed = tree.node_hash(step, hashed)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            hashed = tree.node_hash(hashed, step)
        position, last = position >> 1, last >> 1
    return hashed


def test_a_known_tree_has_the_root_that_others_compute_for_it():
    # The test data of Certificate Transparency's own tree: the leaves "", 00, 10.
    leaves = [tree.leaf_hash(bytes.fromhex(leaf)) for leaf in ("", "00", "10")]
    assert tree.tree_root(leaves[:1]).hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert tree.tree_root(leaves[:2]).hex() == "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"
    assert tree.tree_root(leaves).hex() == "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"


@pytest.mark.django_db
@settings(suppress_health_check=list(HealthCheck), deadline=None)
@given(VALUES)
def test_values_are_written_as_postgresql_writes_them(value):
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::jsonb::text", [Json(value)])
        assert tree.canonical(value) == cursor.fetchone()[0].encode()
