"""Division: disjoint, complete, 60/20/20, stratified, seeded."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from secant.learn.division import Division


@given(st.integers(10, 500), st.integers(0, 10))
def test_parts_are_disjoint_complete_and_of_the_right_size(rows, seed):
    parts = Division(seed=seed).split(rows)
    together = np.concatenate([parts.train, parts.validation, parts.test])
    np.testing.assert_array_equal(np.sort(together), np.arange(rows))
    assert abs(len(parts.validation) - 0.2 * rows) <= 1
    assert abs(len(parts.test) - 0.2 * rows) <= 1


@given(st.lists(st.integers(5, 60), min_size=2, max_size=8), st.integers(0, 10))
def test_every_class_is_divided_alike_and_reaches_every_part(counts, seed):
    classes = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))
    parts = Division(seed=seed).split(len(classes), classes)
    for label, count in enumerate(counts):
        for share, rows in zip((0.6, 0.2, 0.2), (p for _, p in parts.items()), strict=True):
            found = int((classes[rows] == label).sum())
            assert found >= 1
            assert abs(found - share * count) <= 2


def test_the_seed_decides():
    one, same, other = (Division(seed=seed).split(50) for seed in (3, 3, 4))
    np.testing.assert_array_equal(one.test, same.test)
    assert not np.array_equal(one.test, other.test)


def test_rows_are_taken_at_random():
    test = Division(seed=0).split(1000).test
    assert 400 < test.mean() < 600
    assert len(set(np.diff(test))) > 5


@pytest.mark.parametrize("shares", [(0, 20), (20, 0), (50, 50)])
def test_impossible_shares(shares):
    with pytest.raises(ValueError, match="validation and test must be at least 1 percent"):
        Division(*shares)
