"""The factor of a model, whichever way the rows came and however they lie in memory."""

import numpy as np
import pytest

from secant.leastsquares.guarded import ClearGram, GuardedBuilder
from secant.leastsquares.normal import GramBuilder, add_gram
from secant.leastsquares.qr import Triangular, TriangularBuilder


def rows(m, n, seed=0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((m, n)), rng.standard_normal(m)


@pytest.mark.parametrize("n", [1, 3, 19, 20, 40])
@pytest.mark.parametrize("layout", ["C", "F", "strided"])
def test_gram_matrices_are_added_up(n, layout):
    """Six thousand rows are several blocks from 13 columns on."""
    J, _ = rows(6_000, n)
    if layout == "strided":
        given = np.repeat(np.repeat(J, 2, axis=0), 2, axis=1)[::2, ::2]
        assert not given.flags.c_contiguous or n == 1
    else:
        given = np.array(J, order=layout)
    A = np.asfortranarray(np.eye(n))
    add_gram(A, given)
    np.testing.assert_allclose(np.tril(A), np.tril(np.eye(n) + J.T @ J), rtol=1e-12, atol=1e-10)


@pytest.mark.parametrize("builder_of", [TriangularBuilder, GuardedBuilder])
@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (5, 5), (6, 5), (39, 5), (400, 5), (20_000, 5)])
def test_rows_at_once_and_in_blocks_make_one_model(shape, builder_of):
    J, r = rows(*shape)
    n = shape[1]
    at_once = builder_of(n).whole(J, r)
    builder = builder_of(n)
    for part in np.array_split(np.arange(len(r)), 3):
        builder.add(J[part], r[part])
    p = np.linspace(-1.0, 2.0, n)
    for model in (at_once, builder.finish()):
        np.testing.assert_allclose(model.g, J.T @ r, rtol=1e-11, atol=1e-11)
        np.testing.assert_allclose(model.column_norms, np.linalg.norm(J, axis=0), rtol=1e-12)
        assert model.length2(p) == pytest.approx(np.sum((J @ p) ** 2), rel=1e-11)
        for damping in (0.0, 0.3):
            factor = model.factor(damping, model.column_norms)
            if shape[0] < n and damping == 0.0:
                assert factor is None
                continue
            D = np.diag(np.sqrt(damping) * model.column_norms)
            stacked, wanted = np.vstack([J, D]), np.concatenate([-r, np.zeros(n)])
            expected = np.linalg.lstsq(stacked, wanted, rcond=None)[0]
            np.testing.assert_allclose(factor.solve(), expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("builder", [TriangularBuilder, GramBuilder])
def test_single_precision_rows_make_a_double_model(builder):
    J, r = rows(2_000, 6)
    J, r = J.astype(np.float32), r.astype(np.float32)
    model = builder(6).whole(J, r)
    exact = J.astype(float).T @ r.astype(float)
    assert model.g.dtype == np.float64
    np.testing.assert_allclose(model.g, exact, rtol=1e-4, atol=1e-3)


def test_what_is_given_is_not_written_to():
    for m, order in ((7, "F"), (7, "C"), (900, "F"), (900, "C")):
        J, r = rows(m, 4)
        given = np.array(J, order=order), r.copy()
        GuardedBuilder(4).whole(*given)
        assert (given[0] == J).all()
        assert (given[1] == r).all()


def nearly_dependent(m, gap, seed=2):
    J, r = rows(m, 3, seed)
    J[:, 2] = J[:, 0] + gap * J[:, 2]
    return J, r


@pytest.mark.parametrize("m", [6, 400])
@pytest.mark.parametrize("units", [(1.0, 1.0, 1.0), (1e-30, 1.0, 1e40)])
def test_the_short_way_is_taken_where_the_columns_are_well_separated(m, units):
    J, r = nearly_dependent(m, 0.1)
    assert isinstance(GuardedBuilder(3).whole(J * units, r), ClearGram)
    J, r = nearly_dependent(m, 1e-4)
    model = GuardedBuilder(3).whole(J * units, r)
    assert isinstance(model, Triangular)
    p = model.factor(0.0, model.column_norms).solve()
    np.testing.assert_allclose(p, -np.linalg.lstsq(J, r, rcond=None)[0] / units, rtol=1e-9)


def in_a_chain(n, link):
    """Each column is mostly the one before: no pivot is small, and yet the first is spanned by the others."""
    orthogonal = np.linalg.qr(rows(3 * n + 5, n)[0])[0]
    return orthogonal @ (np.eye(n) + link * np.eye(n, k=1))


@pytest.mark.parametrize(("n", "link", "is_clear"), [(6, 3.0, True), (6, 100.0, False)])
@pytest.mark.parametrize("backwards", [False, True])
def test_columns_are_compared_with_those_after_them_too(n, link, is_clear, backwards):
    J = in_a_chain(n, link)[:, :: -1 if backwards else 1]
    model = GuardedBuilder(n).whole(J, np.ones(len(J)))
    assert isinstance(model, ClearGram) == is_clear


@pytest.mark.parametrize("n", [5, 30])
def test_clear_is_what_the_inverse_says(n):
    """Whichever column comes last, its squared pivot is above a millionth of its square, or not."""
    rng = np.random.default_rng(n)
    told = []
    for gap in np.logspace(-5.0, 0.0, 60):
        J = rng.normal(size=(2 * n, n))
        J[:, 0] = J[:, 1:] @ rng.normal(size=n - 1) + gap * J[:, 0]
        Q, R = np.linalg.qr(J / np.linalg.norm(J, axis=0))
        least = 1.0 / (np.linalg.inv(R) ** 2).sum(axis=1).max()
        clear = isinstance(GuardedBuilder(n).whole(J, Q[:, 0]), ClearGram)
        assert clear == (least > 1e-6)
        told.append(clear)
    assert 10 < sum(told) < 50


@pytest.mark.parametrize("size", [1e-155, 1e-148, 1e155, np.inf, np.nan])
def test_squares_that_leave_the_range_of_numbers_go_to_qr(size):
    J, r = rows(6, 3)
    J[0, 1] = size
    if size < 1.0:
        J[:, 1] *= size
    with np.errstate(all="ignore"):
        assert isinstance(GuardedBuilder(3).whole(J, r), Triangular)
