"""Steps in the space of the residuals in two precisions, and what passes and blocks are reused."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest
import torch

from secant.learn import LossIndex, Perceptron, Strategy, train_network
from secant.learn.bayesian import BayesianSquares
from secant.learn.closed_form import kernel as kernel_module
from secant.learn.closed_form.inner_products import DampedKernel
from secant.learn.closed_form.kernel import KernelModel, Kernels
from secant.learn.closed_form.objective import Objective, weights_of
from secant.learn.closed_form.squares import NetworkSquares
from secant.learn.error_terms import MeanSquared
from secant.learn.sample import Sample
from secant.leastsquares.normal import Gram

SINGLE, DOUBLE = np.float32, np.float64
LOST = 2e-4
"""Part of the reduction that a step in single precision may lose, with some room for rounding."""


def data(rows, outputs=1, dtype=torch.float64):
    random = np.random.default_rng(rows)
    x = random.normal(size=(rows, 4))
    y = np.sin(x[:, :1]) + 0.3 * random.normal(size=(rows, outputs))
    return Sample(torch.as_tensor(x).to(dtype), torch.as_tensor(y).to(dtype))


def problem_of(rows, hidden=(15, 12), l2=1e-3, kind=NetworkSquares, outputs=1, dtype=torch.float64):
    given = data(rows, outputs, dtype)
    network = Perceptron((4, *hidden, outputs), seed=1, dtype=dtype)
    index = LossIndex(MeanSquared(), l2=l2)
    return kind(Objective(network, index, given.inputs, given.targets)), weights_of(network)


def dense(point):
    """Jacobian with the penalty's rows, and the residuals, in float64."""
    J = np.vstack([block for _, block in point.evaluation.blocks()]).astype(float)
    return J, np.asarray(point.evaluation.r, dtype=float)


def scale_of(model):
    return np.full(len(model.g), float(model.column_norms.max()))


def reduction(J, r, ridge, p):
    """What the damped model falls by."""
    return -(r @ (J @ p)) - 0.5 * np.sum((J @ p) ** 2) - 0.5 * ridge * p @ p


@pytest.mark.parametrize("l2", [0.0, 1e-3, 1.0])
@pytest.mark.parametrize(("rows", "outputs"), [(150, 1), (330, 1), (70, 3)])
def test_a_strongly_damped_step_in_single_precision_loses_next_to_nothing(rows, outputs, l2):
    """The second of these networks has fewer weights than residuals, which changes nothing."""
    problem, x = problem_of(rows, l2=l2, outputs=outputs)
    point = problem.at(x)
    model = point.model
    assert isinstance(model, KernelModel)
    J, r = dense(point)
    scale = scale_of(model)
    for damping in (1.0, 1e-2, 1e-3):
        ridge = damping * scale[0] ** 2
        factor = model.factor(damping, scale)
        assert factor.L.dtype == SINGLE
        p = factor.solve()
        C = J.T @ J + ridge * np.eye(len(x))
        best = -np.linalg.solve(C, J.T @ r)
        most = reduction(J, r, ridge, best)
        assert most * (1.0 - LOST) <= reduction(J, r, ridge, p) <= most * (1.0 + 1e-9)
        assert model.length2(p) == pytest.approx(np.sum((J @ p) ** 2), rel=1e-10)
        v = np.sin(np.arange(len(x)))
        expected = v @ np.linalg.solve(C, v)
        assert factor.inverse_norm2(v) == pytest.approx(expected, rel=LOST)


@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize("hidden", [(), (1,), (6,), (1, 5), (5, 1), (6, 5), (4, 3, 2)], ids=str)
@pytest.mark.parametrize("dtype", [SINGLE, DOUBLE])
def test_products_of_rows_are_those_of_the_jacobian(hidden, outputs, dtype):
    """Whatever layers there are, and in memory that was used before."""
    problem, x = problem_of(30, hidden, outputs=outputs)
    kernel = None
    for at in (x, x + 0.1):
        J, _ = dense(problem.at(at))
        J = J[: 30 * outputs]
        S = 2.0 * problem.is_weight + 0.5
        (rows,) = problem.residuals.rows(at)
        kernel = kernel or DampedKernel(rows, np.dtype(dtype))
        M = kernel.of(rows, 2.5, 0.5)
        expected = np.eye(len(J)) + (J / S) @ J.T
        np.testing.assert_allclose(np.tril(M), np.tril(expected), atol=20 * np.finfo(dtype).eps)
        assert not np.triu(M, 1).any()


def test_single_precision_does_not_touch_the_gradient():
    problem, x = problem_of(150)
    model = problem.at(x).model
    J, r = dense(problem.at(x))
    model.factor(1e-2, scale_of(model)).solve()
    np.testing.assert_allclose(model.g, J.T @ r, rtol=1e-12, atol=1e-15)


def test_weak_damping_is_for_double_precision():
    problem, x = problem_of(150)
    point = problem.at(x)
    model, (J, r) = point.model, dense(point)
    scale = scale_of(model)
    factor = model.factor(1e-8, scale)
    assert factor.L.dtype == DOUBLE
    C = J.T @ J + 1e-8 * scale[0] ** 2 * np.eye(len(x))
    expected = -np.linalg.solve(C, J.T @ r)
    np.testing.assert_allclose(factor.solve(), expected, atol=1e-6 * np.abs(expected).max())


@pytest.mark.parametrize("damping", [1e-6, 1e-8, 1e-10, 1e-12])
def test_where_corrections_fail_double_precision_takes_over(damping, monkeypatch):
    """However ill-conditioned the matrix that is factorised in single precision."""
    problem, x = problem_of(150)
    model = problem.at(x).model
    J, r = dense(problem.at(x))
    scale = scale_of(model)
    ridge = damping * scale[0] ** 2
    best = reduction(J, r, ridge, model.exact_factor(ridge).solve())
    monkeypatch.setattr(kernel_module, "_WELL_CONDITIONED", np.inf)
    p = model.factor(damping, scale).solve()
    assert reduction(J, r, ridge, p) == pytest.approx(best, rel=LOST)


def test_corrections_that_never_help_are_noticed(monkeypatch):
    problem, x = problem_of(150)
    model = problem.at(x).model
    ridge = 1e-2 * scale_of(model)[0] ** 2
    expected = model.exact_factor(ridge).solve()
    monkeypatch.setattr(kernel_module, "_CORRECTIONS", 0)
    factor = model.factor(1e-2, scale_of(model))
    assert factor.L.dtype == SINGLE
    assert np.array_equal(factor.solve(), expected)


def test_numbers_too_large_for_single_precision_are_for_double():
    """Inputs whose squares overflow in float32."""
    problem, x = problem_of(80)
    problem.residuals.objective._inputs[:, 0] *= 1e25
    model = problem.at(x).model
    p = model.factor(1e-2, scale_of(model)).solve()
    assert np.isfinite(p).all()
    assert np.array_equal(p, model.exact_factor(1e-2 * scale_of(model)[0] ** 2).solve())


@pytest.mark.parametrize("rows", [150, 330])
def test_the_trace_is_taken_in_double_precision(rows):
    problem, x = problem_of(rows)
    point = problem.at(x)
    model, (J, _) = point.model, dense(point)
    scale = scale_of(model)
    factor = model.factor(1e-2, scale)
    assert factor.L.dtype == SINGLE
    weights = problem.is_weight > 0.0
    inverse = np.linalg.inv(J.T @ J + 1e-2 * scale[0] ** 2 * np.eye(len(x)))
    expected = np.trace(inverse[np.ix_(weights, weights)])
    assert factor.weights_trace(problem.is_weight) == pytest.approx(expected, rel=1e-9)


def test_networks_in_single_precision_have_steps_of_the_same_kind():
    problem, x = problem_of(150, dtype=torch.float32)
    point = problem.at(x)
    model, (J, r) = point.model, dense(point)
    ridge = 1e-2 * scale_of(model)[0] ** 2
    p = model.factor(1e-2, scale_of(model)).solve()
    best = reduction(J, r, ridge, -np.linalg.solve(J.T @ J + ridge * np.eye(len(x)), J.T @ r))
    assert reduction(J, r, ridge, p) == pytest.approx(best, rel=LOST)


@pytest.mark.parametrize(("rows", "hidden"), [(150, (15, 12)), (2_500, (15,))])
def test_a_training_needs_no_more_iterations_than_in_double_precision(rows, hidden, monkeypatch):
    """By inner products of rows and, with many more rows than weights, by J'J."""

    def train():
        network = Perceptron((4, *hidden, 1), seed=1)
        index, strategy = LossIndex(MeanSquared(), l2=1e-3), Strategy("lm", max_iter=25, gtol=1e-9)
        return train_network(network, index, data(rows), None, strategy)

    rough = train()
    monkeypatch.setattr(kernel_module, "_MANY", 10**9)
    monkeypatch.setattr(NetworkSquares, "may_round", False)
    exact = train()
    # a trial at the edge of what is accepted may fall to either side
    assert abs(rough.evaluations - exact.evaluations) <= 1
    losses = [one.history.column("objective") for one in (rough, exact)]
    assert losses[0] != losses[1]
    np.testing.assert_allclose(*losses, rtol=1e-2)


# ------------------------------------------------------------------------------------- many rows


def test_damping_decides_the_precision_of_the_product():
    problem, x = problem_of(2_500, hidden=(15,))
    J, r = dense(problem.at(x))
    expected = np.tril(J.T @ J)
    size = np.abs(expected).max()
    for damping, least, most in ((1e-2, 1e-12, 1e-5), (1e-4, 0.0, 1e-13)):
        problem.damping = damping
        model = problem.at(x.copy()).model
        assert isinstance(model, Gram)
        error = np.abs(np.tril(model.A) - expected).max() / size
        assert least <= error <= most
        np.testing.assert_allclose(model.g, J.T @ r, rtol=1e-10, atol=1e-14)


def test_bayesian_regularisation_never_rounds():
    problem, x = problem_of(2_500, hidden=(15,), kind=BayesianSquares)
    problem.damping = 1.0
    point = problem.at(x)
    J, _ = dense(point)
    np.testing.assert_allclose(np.tril(point.model.A), np.tril(J.T @ J), rtol=1e-9, atol=1e-13)


# ------------------------------------------------------------------------------------ the passes


@pytest.mark.parametrize("rows", [150, 2_500])
def test_a_pass_is_reused_for_its_own_weights_only(rows):
    """Several blocks, trials in between, and a block of another size."""
    problem, x = problem_of(rows, hidden=(15,))
    here = problem.at(x)
    problem.at(x + 0.1)
    other, _ = problem_of(rows, hidden=(15,))
    np.testing.assert_array_equal(here.model.g, other.at(x.copy()).model.g)
    again = problem.at(x)
    problem.residuals.objective.passes.rows = 50
    np.testing.assert_allclose(again.model.g, here.model.g, rtol=1e-9, atol=1e-14)


def test_a_model_needs_no_pass_of_its_own(monkeypatch):
    problem, x = problem_of(150)
    point = problem.at(x)
    monkeypatch.setattr(problem.residuals._passes, "forward", None)
    assert np.isfinite(point.model.g).all()


def test_the_memory_of_a_training_is_free_when_it_ends(monkeypatch):
    """Not only after a garbage collection, until when the next training would take as much again."""
    kernels = []

    class Watched(Kernels):
        def __init__(self):
            super().__init__()
            kernels.append(weakref.ref(self))

    monkeypatch.setattr("secant.learn.closed_form.squares.Kernels", Watched)
    network = Perceptron((4, 15, 12, 1), seed=1)
    gc.disable()
    try:
        train_network(
            network, LossIndex(MeanSquared()), data(150), None, Strategy("lm", max_iter=3)
        )
        assert [kernel() for kernel in kernels] == [None]
    finally:
        gc.enable()
