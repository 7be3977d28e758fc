"""Division: disjoint, complete, 60/20/20, stratified, seeded."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from secant.learn.errors import InputError
from secant.learn.tables.division import Division


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


@pytest.mark.parametrize("shares", [(0, 0.2), (0.2, 0), (0.5, 0.5), (float("nan"), 0.2)])
def test_impossible_shares(shares):
    with pytest.raises(InputError, match=r"must be at least 0\.01 each and 0\.9 together"):
        Division("random", *shares)


@pytest.mark.parametrize("kind", ["random", "blocks"])
@given(st.integers(30, 300), st.floats(0.1, 0.4), st.floats(0.1, 0.4))
def test_shares_can_be_chosen(kind, rows, validation, test):
    parts = Division(kind, validation, test).split(rows)
    # Less than two: the held-out rows are a whole number, and so is their division.
    assert abs(len(parts.validation) - validation * rows) < 2
    assert abs(len(parts.test) - test * rows) < 2
    together = np.concatenate([parts.train, parts.validation, parts.test])
    np.testing.assert_array_equal(np.sort(together), np.arange(rows))


def test_blocks_follow_the_table():
    parts = Division("blocks", 0.3, 0.2).split(10)
    np.testing.assert_array_equal(parts.train, range(5))
    np.testing.assert_array_equal(parts.validation, range(5, 8))
    np.testing.assert_array_equal(parts.test, range(8, 10))


def test_time_follows_a_column():
    dates = pd.Series(["2024-03-01", "2023-01-01", "2024-01-01", "2022-12-31", "2024-02-01"])
    parts = Division("time").split(5, marks=dates)
    np.testing.assert_array_equal(parts.train, [1, 2, 3])
    np.testing.assert_array_equal(parts.validation, [4])
    np.testing.assert_array_equal(parts.test, [0])
    numbers = pd.Series([5.0, 4.0, 3.0, 2.0, 1.0])
    np.testing.assert_array_equal(Division("time").split(5, marks=numbers).test, [0])


def test_a_column_names_the_parts():
    marks = pd.Series(["train", "Test", "valid ", "train", "VALIDATION", "training"])
    parts = Division("column").split(6, marks=marks)
    np.testing.assert_array_equal(parts.train, [0, 3, 5])
    np.testing.assert_array_equal(parts.validation, [2, 4])
    np.testing.assert_array_equal(parts.test, [1])


BAD_MARKS = {
    "other word": ("column", ["train", "holdout"], "and row 2 holds 'holdout'"),
    "empty cell": ("column", ["train", None], "and row 2 is empty"),
    "no test": ("column", ["train", "validation"], "the division leaves no test row"),
    "no dates": ("time", ["2024-01-01", "soon"], "numbers or dates such as 2024-12-31, and row 2"),
    "no marks": ("column", None, "needs division_column"),
    "too few": ("blocks", None, "the division leaves no validation row"),
    "no classes": ("stratified", None, "'stratified' needs classes"),
}


@pytest.mark.parametrize(("kind", "marks", "expected"), BAD_MARKS.values(), ids=BAD_MARKS)
def test_marks_that_cannot_divide(kind, marks, expected):
    column = None if marks is None else pd.Series(marks, name="part", dtype=object)
    with pytest.raises(InputError, match=expected):
        Division(kind).split(2, marks=column)


def test_unknown_division():
    with pytest.raises(InputError, match="division must be one of 'auto', 'random'"):
        Division("chance")
