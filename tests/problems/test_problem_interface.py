"""What an objective says of itself, what it refuses, and the lists of problems."""

import numpy as np
import pytest

from secant import problems
from secant.problems import Direct, Objective


def test_mgh_is_the_papers_list_in_its_order():
    names = [f.name for f in problems.mgh()]
    assert len(names) == len(set(names)) == 18
    assert names[:3] == ["helical_valley", "biggs_exp6", "gaussian"]
    assert names[-3:] == ["beale", "wood", "chebyquad"]
    sizes = [3, 6, 3, 2, 3, 10, 12, 10, 10, 2, 4, 3, 10, 10, 12, 2, 4, 8]
    assert [f.n for f in problems.mgh()] == sizes


def test_catalogue_lists_nothing_twice_and_omits_nothing():
    labels = [str(f) for f in problems.catalogue()]
    assert len(labels) == len(set(labels))
    assert {str(f) for f in problems.mgh()} <= set(labels)


@pytest.mark.parametrize("f", problems.catalogue(), ids=str)
def test_the_name_is_the_constructors(f):
    assert callable(getattr(problems, f.name))
    assert f.source


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: problems.rosenbrock(1), "n must be an integer >= 2, got 1"),
        (lambda: problems.rastrigin(0), "n must be an integer >= 1, got 0"),
        (lambda: problems.watson(32), "n must be from 2 to 31, got 32"),
        (lambda: problems.extended_rosenbrock(3), "n must be a positive even number, got 3"),
        (lambda: problems.extended_powell(6), "n must be a positive multiple of 4, got 6"),
        (lambda: problems.gulf(m=101), "m must be from 3 to 100, got 101"),
        (lambda: problems.box(m=2), "m must be at least 3, got 2"),
        (lambda: problems.biggs_exp6(m=5), "m must be at least 6, got 5"),
        (lambda: problems.quadratic(kappa=0.5), "kappa must be at least 1, got 0.5"),
        (lambda: problems.diagonal([1.0, -1.0]), "h must be a sequence of positive numbers"),
        (lambda: problems.diagonal([]), "h must be a sequence of positive numbers"),
    ],
)
def test_sizes_out_of_range_are_refused(make, sentence):
    with pytest.raises(ValueError, match=sentence):
        make()


def test_wrong_shape_is_refused_by_every_method():
    f = problems.beale()
    sentence = r"x of beale\(n=2\) must have shape \(2,\), got \(3,\)"
    for method in (f, f.gradient, f.value_and_gradient, f.residuals, f.jacobian, f.hessian):
        with pytest.raises(ValueError, match=sentence):
            method(np.zeros(3))


def test_what_is_not_there_is_said():
    f = problems.rastrigin()
    assert not f.is_sum_of_squares
    assert not f.has_hessian
    with pytest.raises(TypeError, match="not a sum of squares"):
        f.residuals(f.start())
    with pytest.raises(TypeError, match="not a sum of squares"):
        f.jacobian(f.start())
    with pytest.raises(TypeError, match="no analytic Hessian"):
        f.hessian(f.start())


def test_own_objective():
    f = Objective("bowl", (1.0, 2.0), Direct(lambda x: x @ x, lambda x: 2.0 * x), "folklore")
    assert f.x_star is None
    assert f.f_star is None
    assert float(f(f.start())) == 5.0
    np.testing.assert_array_equal(f.gradient(f.start()), [2.0, 4.0])


def test_minimizers_of_the_wrong_length_are_refused():
    formula = Direct(lambda x: x @ x, lambda x: 2.0 * x)
    with pytest.raises(ValueError, match="must have the length of x0, 1, got 2"):
        Objective("bowl", (1.0,), formula, "folklore", f_star=0.0, minimizers=((0.0, 0.0),))


@pytest.mark.parametrize("kappa", [1.0, 1e8])
def test_quadratic_has_the_condition_number_asked_for(kappa):
    f = problems.quadratic(kappa=kappa, n=20, seed=3)
    H = f.hessian(f.start())
    np.testing.assert_array_equal(H, H.T)
    eigenvalues = np.linalg.eigvalsh(H)
    assert eigenvalues[-1] / eigenvalues[0] == pytest.approx(kappa, rel=1e-6)
    assert problems.quadratic(kappa=kappa, n=20, seed=3).x_star == f.x_star
    assert problems.quadratic(kappa=kappa, n=20, seed=4).x_star != f.x_star
