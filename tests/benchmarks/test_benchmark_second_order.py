"""The comparison with SciPy's Newton's methods: exact derivatives, honest ends, tables of what was found."""

import numpy as np
import pytest

from benchmarks import second_order_long, second_order_minima, second_order_starts
from benchmarks.second_order_problems import FAMILIES, Problem, from_objective, rosenbrock
from benchmarks.second_order_runs import METHODS, OVER_BUDGET, SOLVED, Ended, Watch, run, solvers
from secant import problems


@pytest.mark.parametrize(
    "problem",
    [*(family(5) for family in FAMILIES), from_objective(problems.helical_valley())],
    ids=lambda problem: problem.name,
)
def test_derivatives_are_exact(problem):
    x = problem.x0 + 0.1 * np.cos(np.arange(problem.n))
    h = 1e-6
    steps = h * np.eye(problem.n)
    g = [(problem.fun(x + e) - problem.fun(x - e)) / (2 * h) for e in steps]
    B = [(problem.jac(x + e) - problem.jac(x - e)) / (2 * h) for e in steps]
    np.testing.assert_allclose(problem.jac(x), g, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(problem.matrix(x), B, rtol=1e-5, atol=1e-4)
    v = np.arange(1.0, problem.n + 1.0)
    np.testing.assert_allclose(problem.at(x)(v), problem.matrix(x) @ v, rtol=1e-10)


@pytest.mark.parametrize("method", METHODS)
def test_a_run_ends_where_it_is_solved(method):
    problem = rosenbrock(4)
    outcome = run(solvers(method, problem)["secant"], problem, 500, 20.0)
    assert (outcome.solved, outcome.end) == (True, SOLVED)
    assert outcome.f < 4.0
    short = run(solvers(method, problem)["secant"], problem, 3, 20.0)
    assert (short.solved, short.end, short.nfev) == (False, OVER_BUDGET, 4)
    assert short.f >= outcome.f


def test_a_small_gradient_above_the_lowest_value_solves_nothing():
    def jac(x):
        return 2.0 * x * np.exp(-(x**2))

    def nothing(x):
        raise AssertionError("no second derivative is needed")

    x0, plateau = np.array([0.5]), np.array([10.0])
    problem = Problem(
        "well", x0, lambda x: 1.0 - float(np.exp(-(x[0] ** 2))), jac, nothing, nothing
    )
    watch = Watch(problem, 10, 20.0)
    watch.fun(x0)
    watch.fun(plateau)
    assert abs(watch.jac(plateau)[0]) < 1e-6
    assert watch.solution is None
    with pytest.raises(Ended, match=SOLVED):
        watch.jac(0.0 * x0)
    assert watch.solution == 0.0


def test_what_is_small_does_not_depend_on_the_start():
    problem = rosenbrock(2)
    far = problem.started_at(100.0 * problem.x0).started_at(1000.0 * problem.x0)
    np.testing.assert_array_equal(far.standard, problem.x0)
    outcome = run(solvers("newton-cg", far)["secant"], far, 1000, 20.0)
    assert outcome.solved
    assert outcome.f < 1e-4


def row(method, factor, ours, scipys):
    def outcome(solved, f, evaluations):
        end = SOLVED if solved else "stopped"
        found = {"solved": solved, "f": f, "nfev": evaluations, "products": evaluations}
        return {**found, "end": end, "seconds": float(evaluations)}

    names = {"method": method, "problem": "p", "factor": factor}
    return {**names, "secant": outcome(*ours), "SciPy": outcome(*scipys)}


def test_the_table_of_starts():
    rows = [
        row("dogleg", 1, (True, 0.0, 9), (True, 5.0, 19)),
        row("dogleg", 10, (False, 1.0, 99), (True, 0.0, 9)),
        row("dogleg", 100, (True, 0.0, 9), (False, None, 1)),
    ]
    text = second_order_starts.tables({"rows": rows})
    assert text.splitlines()[2].split() == [
        "dogleg",
        "3",
        "2",
        "2",
        "1",
        "1",
        "2",
        "2",
        "1",
        ":",
        "0",
    ]
    assert text.splitlines()[-1].startswith("- dogleg, p, 10 x0: secant stopped (99, f = 1)")


def test_the_table_of_minima():
    found = row("dogleg", 1, (True, 0.0, 10), (True, 4.0, 20))
    one = {**found, "secant": [found["secant"]] * 2, "SciPy": [found["SciPy"]] * 2}
    text = second_order_minima.tables({"rows": [one]})
    assert text.splitlines()[2].split() == ["p", "dogleg", "2", "0", "2", "2", "10", "20", "2"]


def test_every_start_is_another_one():
    starts = [one.x0 for one in second_order_minima.disturbed(rosenbrock(3), 4)]
    again = [one.x0 for one in second_order_minima.disturbed(rosenbrock(3), 4)]
    np.testing.assert_array_equal(starts, again)
    assert len({x.tobytes() for x in starts}) == 4
    factors = [
        factor for factor, one in second_order_starts.started() if one.name == "rosenbrock(n=2)"
    ]
    assert factors == [1, 10, 100]


def test_the_long_part_in_small():
    text = second_order_long.tables(second_order_long.measure(6))
    assert text.count("rosenbrock(n=6)") == text.count("wells(n=6)") == 5
    assert "SciPy trust-exact" in text
