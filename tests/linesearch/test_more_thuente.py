"""MoreThuente proposes what dcsrch of MINPACK-2 proposes."""

from __future__ import annotations

import math

import pytest
from rays import MORE_THUENTE, STARTS, Recorded, quadratic
from replay import hard_searches

from secant.linesearch import MoreThuente

dcsrch = pytest.importorskip("scipy.optimize._dcsrch")

FUNCTIONS = {
    **{f"function {name}": pair for name, (pair, _, _) in MORE_THUENTE.items()},
    "parabola": quadratic(0.7),
    "quartic": (lambda a: (a - 2.0) ** 4 - a, lambda a: 4.0 * (a - 2.0) ** 3 - 1.0),
    "exponential": (lambda a: math.exp(a) - 5.0 * a, lambda a: math.exp(a) - 5.0),
    "waves": (lambda a: -math.sin(a) + 0.01 * a * a, lambda a: -math.cos(a) + 0.02 * a),
    "line": (lambda a: -a, lambda a: -1.0),
}


def alphas_of_dcsrch(phi, slope, alpha0, c1, c2, xtol, alpha_max):
    seen = []

    def recorded(alpha):
        seen.append(alpha)
        return phi(alpha)

    search = dcsrch.DCSRCH(recorded, slope, c1, c2, xtol, 0.0, alpha_max)
    search(alpha0, phi0=phi(0.0), derphi0=slope(0.0), maxiter=30)
    return seen


@pytest.mark.parametrize("alpha0", [*STARTS, 0.7, 3.0])
@pytest.mark.parametrize(("c1", "c2"), [(1e-3, 0.9), (1e-3, 0.1), (0.1, 0.1), (1e-3, 1e-3)])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_same_trials_as_minpack(name, c1, c2, alpha0):
    phi, slope = FUNCTIONS[name]
    if name == "exponential" and alpha0 > 700.0:
        pytest.skip("overflows")
    expected = alphas_of_dcsrch(phi, slope, alpha0, c1, c2, xtol=1e-10, alpha_max=1e6)
    recorded = Recorded(phi, slope)
    MoreThuente(c1=c1, c2=c2, xtol=1e-10, alpha_max=1e6)(recorded.ray(), alpha0)
    assert recorded.alphas == pytest.approx(expected[: len(recorded.alphas)], rel=1e-6)
    assert len(expected) - len(recorded.alphas) in (0, 1)  # it may look at its best trial again


@pytest.mark.parametrize("hard", hard_searches(), ids=lambda h: h.name)
def test_same_trials_on_recorded_searches(hard):
    recorded = hard.recorded()
    expected = alphas_of_dcsrch(recorded.phi, recorded.slope, hard.alpha0, 1e-3, 0.9, 1e-10, 1e20)
    MoreThuente()(recorded.ray(), hard.alpha0)
    assert recorded.alphas == pytest.approx(expected, rel=1e-6)


def test_table_1_of_the_paper():
    """alpha and the number of evaluations that the paper prints, for function 1."""
    (phi, slope), mu, eta = MORE_THUENTE["1"]
    found = []
    for alpha0 in STARTS:
        recorded = Recorded(phi, slope)
        trial = MoreThuente(c1=mu, c2=eta, alpha_max=4e3 + alpha0)(recorded.ray(), alpha0)
        found.append((len(recorded.alphas), float(f"{trial.alpha:.2g}")))
    assert found == [(6, 1.4), (3, 1.4), (1, 10.0), (4, 37.0)]
