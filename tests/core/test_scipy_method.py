"""secant's methods inside `scipy.optimize.minimize`, with SciPy's conventions."""

import numpy as np
import pytest
from scipy.optimize import OptimizeResult, minimize, rosen, rosen_der

import secant
from secant import Status

X0 = [-1.2, 1.0]


@pytest.mark.parametrize("name", ["bfgs", "l-bfgs", "cg", "ssbroyden"])
@pytest.mark.parametrize("jac", [rosen_der, None, "3-point"])
def test_solves(name, jac):
    result = minimize(rosen, X0, jac=jac, method=secant.scipy_method(name), options={"gtol": 1e-4})
    assert isinstance(result, OptimizeResult)
    assert result.success
    np.testing.assert_allclose(result.x, 1.0, atol=1e-2)


def test_is_the_run_that_secant_makes():
    ours = secant.minimize(rosen, X0, jac=rosen_der, method="bfgs", gtol=1e-7)
    theirs = minimize(rosen, X0, jac=rosen_der, method=secant.scipy_method("bfgs"), tol=1e-7)
    assert theirs.x.tolist() == ours.x.tolist()
    assert theirs.nit == ours.nit


def test_jac_true_and_args():
    def both(x, a):
        return float(((x - a) ** 2).sum()), 2.0 * (x - a)

    result = minimize(both, X0, args=(4.0,), jac=True, method=secant.scipy_method())
    np.testing.assert_allclose(result.x, 4.0, atol=1e-5)


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({"maxiter": 2}, Status.MAX_ITERATIONS),
        ({"maxfun": 5}, Status.MAX_EVALUATIONS),
        ({"maxfev": 5}, Status.MAX_EVALUATIONS),
        ({"target": 1.0}, Status.TARGET),
        ({"gtol": 1e3}, Status.GRADIENT),
    ],
)
def test_options(options, status):
    result = minimize(rosen, X0, jac=rosen_der, method=secant.scipy_method("bfgs"), options=options)
    assert result.status is status


def test_tol_is_gtol_and_yields_to_it():
    method = secant.scipy_method("bfgs")
    loose = minimize(rosen, X0, jac=rosen_der, method=method, tol=1e-1)
    tight = minimize(rosen, X0, jac=rosen_der, method=method, tol=1e-1, options={"gtol": 1e-8})
    assert 1e-8 < loose.optimality <= 1e-1
    assert tight.optimality <= 1e-8


def test_callback_of_x():
    seen = []
    result = minimize(
        rosen, X0, jac=rosen_der, method=secant.scipy_method("bfgs"), callback=seen.append
    )
    assert len(seen) == result.nit
    assert seen[-1].tolist() == result.x.tolist()


def test_callback_of_the_intermediate_result():
    seen = []

    def callback(intermediate_result):
        seen.append(intermediate_result)
        if len(seen) == 3:
            raise StopIteration

    result = minimize(
        rosen, X0, jac=rosen_der, method=secant.scipy_method("bfgs"), callback=callback
    )
    assert result.status is Status.CALLBACK
    assert result.nit == 3
    assert seen[-1].fun == rosen(seen[-1].x) == result.fun


def test_display(capsys):
    minimize(rosen, X0, jac=rosen_der, method=secant.scipy_method(), options={"disp": True})
    assert "success: converged" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"bounds": [(0, 1), (0, 1)]}, "bounds are not supported by bfgs"),
        (
            {"constraints": {"type": "eq", "fun": lambda x: x[0]}},
            "constraints are not supported by bfgs",
        ),
        ({"options": {"maxcor": 3}}, "options may hold gtol, .* and disp, got 'maxcor'"),
    ],
)
def test_what_is_not_supported_is_said(given, sentence):
    with pytest.raises(ValueError, match=sentence):
        minimize(rosen, X0, jac=rosen_der, method=secant.scipy_method("bfgs"), **given)


def test_a_configured_method():
    method = secant.scipy_method(secant.LBFGS(memory=3))
    assert minimize(rosen, X0, jac=rosen_der, method=method).success
    with pytest.raises(ValueError, match="did you mean 'bfgs'"):
        secant.scipy_method("bgfs")
