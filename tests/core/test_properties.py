"""What holds for every composition of a method and a search, on random convex quadratics."""

from __future__ import annotations

import math
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import secant
from secant import Status
from secant.methods import REGISTRY

NAMES = tuple(name for name, entry in REGISTRY.items() if not entry.needs_residuals)

COMPOSED = {
    "l-bfgs": secant.LBFGS,
    "bfgs": secant.BFGS,
    "broyden": secant.Broyden,
    "ssbfgs": secant.SSBFGS,
    "ssbroyden": secant.SSBroyden,
    "memoryless-bfgs": secant.MemorylessBFGS,
    "cg": secant.NonlinearCG,
    "gd": secant.GradientDescent,
    "newton": secant.Newton,
    "sr1": secant.SR1,
}

MONOTONE = (
    secant.HagerZhang,
    secant.MoreThuente,
    secant.StrongWolfe,
    secant.Backtracking,
    secant.Nash,
    secant.Brent,
    secant.GoldenSection,
)

RISING = ("rprop",)
"""Methods whose steps do not look at f."""

fast = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@dataclass(frozen=True)
class Quadratic:
    """``(x - c)'A (x - c) / 2`` with ``A = Q diag(h) Q'``; counts its calls."""

    A: np.ndarray
    c: np.ndarray
    x0: np.ndarray
    calls: list[bytes]

    def __call__(self, x):
        self.calls.append(x.tobytes())
        return 0.5 * float((x - self.c) @ self.A @ (x - self.c))

    def gradient(self, x):
        return self.A @ (x - self.c)

    def problem(self):
        return {"fun": self, "x0": self.x0, "jac": self.gradient}


@st.composite
def quadratics(draw, condition=8.0):
    n = draw(st.integers(1, 6))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    spread = draw(st.floats(0.0, condition))
    Q, _ = np.linalg.qr(rng.standard_normal((n, n)))
    h = 10.0 ** rng.uniform(-spread / 2.0, spread / 2.0, n)
    A = (Q * h) @ Q.T
    c, x0 = rng.standard_normal((2, n))
    return Quadratic(0.5 * (A + A.T), c, x0, [])


@st.composite
def compositions(draw):
    """A method of the registry as it is, or one with another search."""
    if draw(st.booleans()):
        return REGISTRY[draw(st.sampled_from([n for n in NAMES if n not in RISING]))].build()
    build = COMPOSED[draw(st.sampled_from(list(COMPOSED)))]
    return build(search=draw(st.sampled_from(MONOTONE))())


@fast
@given(quadratics(), compositions(), st.integers(1, 150))
def test_f_never_rises_and_counts_are_honest(f, method, max_evals):
    result = secant.minimize(**f.problem(), method=method, gtol=1e-9, max_evals=max_evals)
    values = result.trace.f
    assert result.nfev == len(f.calls) <= max_evals
    # a step may be taken that cannot be told from a flat one: by ten roundings of f
    assert (np.diff(values) <= 20.0 * 2.0**-52 * np.abs(values[:-1])).all()
    assert result.fun <= values[0]
    assert (np.diff(result.trace.nfev) >= 0).all()
    assert result.nit == len(values) - 1
    np.testing.assert_array_equal(result.jac, f.gradient(result.x))


@fast
@given(quadratics(), compositions())
def test_an_end_is_what_it_says(f, method):
    result = secant.minimize(**f.problem(), method=method, gtol=1e-6, max_evals=400)
    if result.status is Status.GRADIENT:
        assert np.abs(f.gradient(result.x)).max() == result.optimality <= 1e-6
    elif result.status is Status.ROUNDOFF:
        g = f.gradient(result.x)
        gain = (g @ g) ** 2 / (2.0 * g @ f.A @ g)
        assert gain <= 1000.0 * 2.0**-52 * (result.fun + np.abs(g) @ np.abs(result.x))
    else:
        assert result.status in (Status.MAX_EVALUATIONS, Status.SEARCH_FAILED)
        assert not result.success


SCALE_FREE = ("bfgs", "broyden", "dfp", "ssbfgs", "ssbroyden")
"""Their first matrix has f's unit; the first step of the others is at most -g itself."""


@fast
@given(quadratics(4.0), st.sampled_from(SCALE_FREE), st.integers(-10, 10))
def test_the_unit_of_f_does_not_matter(f, name, k):
    """A power of four changes no digit of a quotient or a root, so that not one bit of x may differ."""
    unit = 4.0**k
    options = {"method": name, "gtol": 0.0, "max_iter": 12}
    plain = secant.minimize(**f.problem(), **options)
    scaled = secant.minimize(
        lambda x: unit * f(x), f.x0, jac=lambda x: unit * f.gradient(x), **options
    )
    assert scaled.nfev == plain.nfev
    assert scaled.x.tolist() == plain.x.tolist()
    assert scaled.fun == unit * plain.fun


BY_CHANCE = ("sr1", "tr-sr1", "tr-lsr1")
"""Where the model is right already, ``y - Bs`` is round-off, and an update or none is chance."""


@fast
@given(
    quadratics(1.5),
    st.sampled_from([name for name in NAMES if name not in BY_CHANCE]),
    st.randoms(use_true_random=False),
)
def test_the_order_of_the_variables_does_not_matter(f, name, random):
    """Sums in another order round differently, so the same to some digits in the first iterations."""
    order = list(range(f.x0.size))
    random.shuffle(order)
    other = Quadratic(f.A[np.ix_(order, order)], f.c[order], f.x0[order], [])
    options = {"method": name, "gtol": 0.0, "max_iter": 3}
    one, two = (
        secant.minimize(**f.problem(), **options),
        secant.minimize(**other.problem(), **options),
    )
    rows = min(len(one.trace), len(two.trace), 4)
    scale = one.trace.f[0]
    np.testing.assert_allclose(two.trace.f[:rows], one.trace.f[:rows], rtol=1e-5, atol=1e-9 * scale)


@fast
@given(quadratics(1.5), st.sampled_from(["newton", "newton-gmw", "rate"]))
def test_the_origin_does_not_matter(f, name):
    """Where no step is measured by ``|x|``."""
    method = secant.GradientDescent(rate=0.05) if name == "rate" else name
    away = Quadratic(f.A, f.c + 8.0, f.x0 + 8.0, [])
    options = {"method": method, "gtol": 0.0, "max_iter": 4}
    one, two = (
        secant.minimize(**f.problem(), **options),
        secant.minimize(**away.problem(), **options),
    )
    rows = min(len(one.trace), len(two.trace))
    scale = one.trace.f[0]
    np.testing.assert_allclose(two.trace.f[:rows], one.trace.f[:rows], rtol=1e-6, atol=1e-9 * scale)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(quadratics(), compositions(), st.integers(0, 12))
def test_resumed_anywhere_is_uninterrupted(f, method, cut):
    options = {"gtol": 0.0, "max_iter": 10, "max_evals": 300}
    whole = secant.minimize(**f.problem(), method=method, **options)
    run = secant.start(**f.problem(), method=method, **options)
    for _ in range(cut):
        if run.status is None:
            run.step()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.npz"
        run.save(path)
        again = secant.resume(path, f, jac=f.gradient, **options).finish()
    assert again.x.tolist() == whole.x.tolist()
    assert (again.nfev, again.njev, again.status) == (whole.nfev, whole.njev, whole.status)
    assert again.trace.f.tolist() == whole.trace.f.tolist()
    assert again.message == whole.message


@fast
@given(
    quadratics(),
    st.sampled_from(NAMES),
    st.floats(0.0, 1.0),
    st.integers(0, 30),
    st.integers(1, 60),
    st.floats(1e-9, 1e3),
)
def test_the_first_stop_that_is_met_ends_the_run(f, name, part, max_iter, max_evals, gtol):
    target = part * f(f.x0)
    result = secant.minimize(
        **f.problem(), method=name, gtol=gtol, target=target, max_iter=max_iter, max_evals=max_evals
    )
    rows = result.trace.rows
    for row in rows[:-1]:
        assert row.optimality > gtol
        assert row.f > target
        assert row.k < max_iter
    ends = {
        Status.GRADIENT: rows[-1].optimality <= gtol,
        Status.TARGET: rows[-1].f <= target,
        Status.MAX_ITERATIONS: rows[-1].k == max_iter,
        Status.MAX_EVALUATIONS: result.nfev <= max_evals,
    }
    assert ends.get(result.status, result.status in (Status.ROUNDOFF, Status.SEARCH_FAILED))


@fast
@given(quadratics(), st.sampled_from(["l-bfgs", "bfgs", "ssbroyden", "memoryless-bfgs"]))
def test_looking_at_the_inverse_hessian_changes_nothing(f, name):
    """Not one bit of a run that goes on."""
    options = {"method": name, "gtol": 0.0, "max_iter": 12}
    whole = secant.minimize(**f.problem(), **options)
    run = secant.start(**f.problem(), **options)
    while run.status is None:
        run.step()
        result = run.result()
        assert math.isfinite(float(np.sum(result.hess_inv @ np.ones(f.x0.size))))
        result.hess_inv.todense()
    assert run.result().x.tolist() == whole.x.tolist()


@pytest.mark.parametrize(
    ("fun", "jac"),
    [
        (lambda x: float(x @ x), lambda x: -2.0 * x),
        (lambda x: float(np.abs(x).sum()), np.sign),
    ],
    ids=["wrong gradient", "kink"],
)
def test_the_diagnosis_is_saved_with_the_run(fun, jac, tmp_path):
    run = secant.start(fun, [3.0, -4.1], jac=jac, method="bfgs", max_evals=3000)
    before = run.finish()
    run.save(tmp_path / "run.npz")
    again = secant.resume(tmp_path / "run.npz", fun, jac=jac, max_evals=3000)
    assert repr(again.diagnosis) == repr(run.diagnosis)  # NaN is not equal to itself
    assert again.result().message == before.message
    assert again.status is before.status
