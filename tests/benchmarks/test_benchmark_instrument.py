"""The instrument: profiles of a known table, sane rows, honest counts. Nothing here asserts a time."""

import math
import time

import numpy as np
import pytest

import secant
from benchmarks import cell, host_reads, machine, overhead, profiles, suite, tables, targets, timed
from benchmarks.contestants import Contestant
from benchmarks.families import CHAINS
from benchmarks.interleaved import ONE, Measured
from benchmarks.race import Race
from benchmarks.solvers import secant_solver
from benchmarks.stopwatch import Subject, Watch
from benchmarks.valley import valley
from secant import problems


def test_profile_of_a_toy_table():
    costs = {"a": {"p": 1.0, "q": 10.0, "r": None}, "b": {"p": 2.0, "q": 5.0, "r": None}}
    ratios = profiles.ratios(costs)
    assert ratios["a"].tolist() == [1.0, 2.0, math.inf]
    assert ratios["b"].tolist() == [1.0, 2.0, math.inf]
    assert profiles.within(ratios["a"], 1.0) == pytest.approx(1 / 3)
    assert profiles.within(ratios["a"], 2.0) == pytest.approx(2 / 3)
    assert profiles.within(ratios["b"], 1e300) == pytest.approx(2 / 3)
    assert profiles.total_ratio(costs["a"], costs["b"]) == pytest.approx(11 / 7)
    assert profiles.mean_ratio(costs["a"], costs["b"]) == pytest.approx(1.0)


def test_watch_counts_the_time_outside_only():
    def inside(x):
        time.sleep(0.02)
        return x

    watch = Watch(inside)
    for _ in range(4):
        watch(0)
        time.sleep(0.002)
    wall, processor = watch.outside(1)
    assert 0.006 <= wall < 0.06
    assert processor <= wall


@pytest.mark.parametrize(("library", "solvers"), [("numpy", 2), ("torch", 1)])
def test_a_cell_gives_sane_rows(library, solvers, monkeypatch):
    every = timed.limited_memory  # the peers on PyTorch import its compiler, which takes seconds
    monkeypatch.setattr(timed, "limited_memory", lambda *what: every(*what)[:solvers])
    bench = cell.Bench(cell.Cell("limited-memory", library, "float64", 50, 8, 18, memory=4))
    answer = bench.measure()
    assert answer["floor"] > 0.0
    assert len(answer["timings"]) == solvers
    for timing in answer["timings"].values():
        assert timing["wall"] > 0.0
        assert timing["evaluations"] >= 1.0


def test_a_dense_cell_gives_sane_rows():
    bench = cell.Bench(cell.Cell("dense", "numpy", "float64", 20, 3, 8))
    assert set(bench.measure()["timings"]) == {"secant BFGS", "secant SSBroyden", "SciPy BFGS"}


def test_a_solver_that_stops_early_is_not_timed():
    subject = Subject("early", lambda watch, x0, iterations: iterations - 1)
    with pytest.raises(cell.Stalled, match="stopped after 2 of 3"):
        subject.iterate(Watch(abs), 0, 3)


@pytest.mark.parametrize("n", [10, 300])
def test_the_valley_keeps_solvers_going(n):
    f = valley(n)
    watch = Watch(f)
    result = secant.minimize(watch, f.start(), jac=True, gtol=0.0, max_iter=60)
    assert result.nit == 60
    assert len(watch.entered) < 1.5 * 60


def test_tables_of_measured_rows():
    row = Measured(overhead.cell("numpy", "float64", 1_000, 10), ONE)
    for seconds in (1e-5, 2e-5, 4e-5):
        timing = {"wall": seconds, "processor": seconds, "evaluations": 1.0}
        timings = {"secant": timing, "SciPy L-BFGS-B": {**timing, "processor": 3 * seconds}}
        row.add({"floor": 1e-5, "timings": timings})
    found = {"rows": [row.to_dict()]}
    assert "3 (3-3)" in overhead.tables(found)
    (target,) = targets.targets({"overhead": found})
    assert target.is_met
    assert target.worst == pytest.approx(3.0)
    assert tables.table(["a", "bc"], [["x", 1]]).splitlines()[2] == "x   1"


def outcome_of(problem, solve, tol=1e-6, **options):
    race = Race(problem, **options)
    end = Contestant("one", solve).run(race)
    return race, end, race.solved_at(tol, race.lowest if problem.f_star is None else problem.f_star)


def test_a_race_finds_where_it_was_solved():
    race, end, at = outcome_of(problems.rosenbrock(2), secant_solver("bfgs"))
    assert end == "solved"
    assert 0 < at < len(race.f)
    assert race.gradient[at] <= 1e-6 * race.gradient[0] or race.f[at] <= 1e-8 * race.f[0]
    assert list(race.clock) == sorted(race.clock)


def test_a_race_ends_at_its_budget():
    race, end, at = outcome_of(problems.rosenbrock(50), secant_solver("gd"), budget=30)
    assert (end, at, len(race.f)) == ("OutOfBudget", None, 30)


def test_a_race_is_not_solved_on_a_plateau():
    def leap(race, x0):
        race(x0)
        race(x0 + np.array([0.0, 0.0, 300.0]))  # gulf is flat there, and higher
        return "left"

    _, _, at = outcome_of(problems.gulf(), leap)
    assert at is None


def test_a_solver_that_raises_has_an_end():
    def fail(race, x0):
        raise RuntimeError("no luck\nat all")

    race = Race(problems.beale())
    assert Contestant("one", fail).run(race) == "RuntimeError: no luck"


def test_the_suite_on_one_problem():
    solvers = [
        Contestant("secant l-bfgs", secant_solver("l-bfgs")),
        Contestant("secant bfgs", secant_solver("bfgs"), is_dense=True),
        Contestant("peer", secant_solver("cg")),
    ]
    outcomes = [
        one
        for build in CHAINS[:3]
        for one in suite.race_all("families", build(12), solvers, suite.QUICK)
    ]
    assert all(one.cost(1e-6, "evaluations") is not None for one in outcomes)
    text = profiles.tables(outcomes)
    assert "3/3" in text
    assert "Every problem that a peer solves is solved." in text


def test_host_reads_do_not_grow_with_the_history():
    pytest.importorskip("torch")
    counts = {}
    for memory in (5, 20):
        (subject, *_) = timed.limited_memory("torch", memory)
        counts[memory] = host_reads.count(subject, 200, memory + 5)
    for reads, evaluations in counts.values():
        assert reads <= evaluations + 2.0


def test_the_environment_of_children(monkeypatch):
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "7")
    assert machine.environment("1")["OPENBLAS_NUM_THREADS"] == "1"
    assert machine.environment("all")["OMP_NUM_THREADS"] == str(machine.cores())
