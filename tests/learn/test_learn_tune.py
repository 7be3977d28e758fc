"""The search: resumable, reproducible, honest about what failed."""

from __future__ import annotations

import itertools
import logging
import math
import sys

import numpy as np
import pandas as pd
import pytest

from secant.learn import tune as tune_module
from secant.learn.errors import InputError
from secant.learn.job import train_table
from secant.learn.settings import Settings
from secant.learn.space import (
    Choice,
    Real,
    Whole,
    applied,
    check_space,
    default_space,
    read_space,
)
from secant.learn.strategy import Strategy
from secant.learn.tune import tune_table

optuna = pytest.importorskip("optuna")

SETTINGS = Settings("y", hidden=(3,), strategy=Strategy(max_iter=15))
SPACE = {"method": Choice(("l-bfgs", "gd")), "width": Whole(1, 6), "l2": Real(1e-6, 10.0, log=True)}


@pytest.fixture
def wave(tmp_path):
    """A table with a curve that one unit cannot follow."""
    x = np.linspace(-2, 2, 80)
    path = tmp_path / "wave.csv"
    pd.DataFrame({"x": x, "y": np.sin(2 * x)}).to_csv(path, index=False)
    return path


def told(tuned):
    return [(trial.choices, trial.validation_loss, trial.state) for trial in tuned.trials]


def test_the_best_trial_is_trained(wave):
    seen = []
    tuned = tune_table(
        wave, SETTINGS, space=SPACE, trials=6, prune=False, progress=lambda *a: seen.append(a)
    )
    losses = [trial.validation_loss for trial in tuned.trials]
    assert [trial.state for trial in tuned.trials] == ["complete"] * 6
    assert tuned.best.validation_loss == min(losses)
    assert tuned.trained.training.best.validation_loss == tuned.best.validation_loss
    assert tuned.settings == applied(SETTINGS, tuned.best.choices)
    again = train_table(wave, tuned.settings)
    assert again.training.best.validation_loss == tuned.best.validation_loss
    assert [trial.number for trial, _ in seen] == list(range(6))
    assert seen[-1][1] == tuned.best


def test_the_seed_decides(wave):
    first, same, other = (
        tune_table(wave, SETTINGS, space=SPACE, trials=4, seed=seed) for seed in (1, 1, 2)
    )
    assert str(told(first)) == str(told(same))
    assert str(told(first)) != str(told(other))


def test_a_study_is_gone_on_with(wave, tmp_path):
    study = tmp_path / "deep" / "tune.db"
    options = {"space": SPACE, "storage": study, "prune": False}
    first = tune_table(wave, SETTINGS, trials=2, **options)
    more = tune_table(wave, SETTINGS, trials=5, **options)
    assert told(more)[:2] == told(first)
    assert len(more.trials) == 5
    assert len({str(choices) for choices, _, _ in told(more)}) == 5  # nothing is proposed twice
    done = tune_table(wave, SETTINGS, trials=3, **options)  # there are enough
    assert told(done) == told(more)


def test_an_interrupted_trial_is_done_again(wave, tmp_path):
    study = tmp_path / "tune.db"

    def interrupt(trial, best):
        if trial.number == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tune_table(wave, SETTINGS, space=SPACE, trials=4, storage=study, progress=interrupt)
    tuned = tune_table(wave, SETTINGS, space=SPACE, trials=4, storage=study)
    assert sum(trial.state in ("complete", "pruned") for trial in tuned.trials) == 4


def test_ctrl_c_without_a_study_keeps_the_best_model(wave, monkeypatch):
    """In the third training, after two trials."""
    whole = tune_table(wave, SETTINGS, space=SPACE, trials=2)
    real, calls = tune_module.train_prepared, itertools.count()

    def interrupt(history):
        raise KeyboardInterrupt

    def watched(prepared, progress=None):
        return real(prepared, interrupt if next(calls) == 2 else progress)

    monkeypatch.setattr(tune_module, "train_prepared", watched)
    tuned = tune_table(wave, SETTINGS, space=SPACE, trials=9)
    assert next(calls) == 3  # neither a further trial, nor a training of the best one
    assert tuned.interrupted
    assert not whole.interrupted
    assert [trial.state for trial in tuned.trials] == ["complete", "complete", "interrupted"]
    assert tuned.best.number == whole.best.number
    np.testing.assert_array_equal(tuned.trained.predicted, whole.trained.predicted)


def test_ctrl_c_in_the_first_trial_leaves_nothing_to_keep(wave, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(tune_module, "train_prepared", interrupted)
    with pytest.raises(KeyboardInterrupt):
        tune_table(wave, SETTINGS, space=SPACE, trials=3)


def test_a_killed_trial_does_not_count(wave, tmp_path):
    study = tmp_path / "tune.db"
    tune_table(wave, SETTINGS, space=SPACE, trials=1, storage=study)
    loaded = optuna.load_study(study_name="secant", storage=f"sqlite:///{study}")
    loaded.ask()  # what a killed process leaves: a trial that runs
    tuned = tune_table(wave, SETTINGS, space=SPACE, trials=2, storage=study)
    assert [trial.state for trial in tuned.trials].count("interrupted") == 1
    assert len(tuned.trials) == 3


def test_another_study_is_refused(wave, tmp_path):
    study = tmp_path / "tune.db"
    tune_table(wave, SETTINGS, space=SPACE, trials=1, storage=study)
    other = tmp_path / "other.csv"
    table = pd.read_csv(wave)
    table.loc[3, "x"] += 0.5
    table.to_csv(other, index=False)
    for path, space in ((other, SPACE), (wave, {"l2": SPACE["l2"]})):
        with pytest.raises(InputError, match="is of another table, space or settings"):
            tune_table(path, SETTINGS, space=space, trials=2, storage=study)
    (tmp_path / "text.db").write_text("no database, but long enough to be looked at" * 50)
    with pytest.raises(InputError, match=r"text\.db' cannot be used"):
        tune_table(wave, SETTINGS, space=SPACE, trials=1, storage=tmp_path / "text.db")


def test_hopeless_trials_are_pruned(wave):
    space = {"l2": Choice((1e-6, 1e3)), "width": Whole(4, 9)}
    settings = Settings("y", strategy=Strategy("gd", max_iter=40, patience=1000))
    tuned = tune_table(wave, settings, space=space, trials=14)
    pruned = [trial for trial in tuned.trials if trial.state == "pruned"]
    assert pruned
    assert all(math.isnan(trial.validation_loss) for trial in pruned)
    assert tuned.best.choices["l2"] == 1e-6
    kept = tune_table(wave, settings, space=space, trials=len(pruned) + 6, prune=False)
    assert {trial.state for trial in kept.trials} == {"complete"}


def test_a_choice_that_fails_is_told_and_does_not_end_the_search(wave):
    space = {"method": Choice(("l-bfgs",)), "l1": Choice((0.0, 0.1))}  # which l-bfgs cannot have
    tuned = tune_table(wave, SETTINGS, space=space, trials=8)
    failed = [trial for trial in tuned.trials if trial.state == "failed"]
    assert failed
    assert all("l1 has no gradient" in trial.reason for trial in failed)
    assert len(tuned.trials) == 8
    with pytest.raises(InputError, match="no trial of 2 could be completed: l1 has no gradient"):
        tune_table(wave, SETTINGS, space={"l1": Choice((0.1,))}, trials=2)


def test_the_time_limit_ends_the_search(wave):
    tuned = tune_table(wave, SETTINGS, space=SPACE, trials=10_000, max_seconds=0.3)
    assert 1 <= len(tuned.trials) < 10_000


def test_optuna_is_quiet(wave, capfd):
    before = optuna.logging.get_verbosity()
    tune_table(wave, SETTINGS, space=SPACE, trials=2)
    assert capfd.readouterr() == ("", "")
    assert optuna.logging.get_verbosity() == before
    assert logging.getLogger().level == logging.WARNING


def test_spaces():
    assert read_space(["width=log:4..64", "l2=1e-6..1", "bayesian=true,false", "starts=1,2"]) == {
        "width": Whole(4, 64, log=True),
        "l2": Real(1e-6, 1.0),
        "bayesian": Choice((True, False)),
        "starts": Choice((1, 2)),
    }
    settings = applied(SETTINGS, {"depth": 2, "activation": "relu", "max_iter": 3})
    assert (settings.hidden, settings.activation, settings.strategy.max_iter) == ((3, 3), "relu", 3)
    assert set(default_space(SETTINGS)) == {"method", "depth", "width", "l2", "activation"}
    check_space(default_space(SETTINGS), SETTINGS)


BAD_SPACES = {
    "nothing": ({}, "the space is empty"),
    "name": ({"widht": Whole(1, 2)}, "has 'widht', which cannot be searched; did you mean 'width'"),
    "rows": ({"seed": Whole(1, 2)}, "has 'seed', which cannot be searched"),
    "part": ({"width": (1, 2)}, "must be a Choice, Whole or Real"),
}


@pytest.mark.parametrize(("space", "expected"), BAD_SPACES.values(), ids=BAD_SPACES)
def test_bad_spaces(space, expected):
    with pytest.raises(InputError, match=expected):
        check_space(space, SETTINGS)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("width", "a search must be like"),
        ("width=", "a search must be like"),
        ("width=4..x", "a range must be like"),
        ("width=9..3", "must go from a number up to another"),
        ("l2=log:0..1", "must begin above 0"),
        ("l2=sqrt:1..2", "has the scale 'log' or none, not 'sqrt'"),
    ],
)
def test_bad_texts(text, expected):
    with pytest.raises(InputError, match=expected):
        read_space([text])
    with pytest.raises(InputError, match="'width' is searched twice"):
        read_space(["width=1,2", "width=3..4"])


def test_bad_limits(wave):
    with pytest.raises(InputError, match="trials must be at least 1, not 0"):
        tune_table(wave, SETTINGS, trials=0)
    with pytest.raises(InputError, match="max_seconds must be a positive number, not 0"):
        tune_table(wave, SETTINGS, max_seconds=0)
    with pytest.raises(InputError, match="has no column 'z'"):
        tune_table(wave, Settings("z"), trials=1)


def test_a_missing_package_is_a_sentence(monkeypatch, wave):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(InputError, match=r"pip install 'secant\[tune\]'"):
        tune_table(wave, SETTINGS)
