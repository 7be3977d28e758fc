"""Ctrl-C in every command that trains: what there is is written, one sentence, exit code 130."""

from __future__ import annotations

import itertools
import json
import signal
from pathlib import Path

import pandas as pd
import pytest

from secant.learn import load_model, monitor, predict_table

QUICK = ("--target", "price", "--hidden", "4", "--max-iter", "12")


@pytest.fixture
def interrupt_at(monkeypatch):
    """Let SIGINT come in the given iteration of all that are made, counted from 1."""

    def prepare(at: int) -> None:
        calls = itertools.count(1)
        observe = monitor.Monitor.observe

        def watched(self, seen):
            known = len(self.history)
            observe(self, seen)
            if len(self.history) > known and next(calls) == at:
                signal.raise_signal(signal.SIGINT)

        monkeypatch.setattr(monitor.Monitor, "observe", watched)

    return prepare


def test_restarts(secant, houses_csv, interrupt_at):
    """In the second of four starts."""
    interrupt_at(20)
    options = ("--starts", "4", "--out", "model", "--patience", "1000")
    done = secant("train", houses_csv, *QUICK, *options)
    assert done.code == 130
    assert done.err == "error: interrupted; model has the best weights so far\n"
    assert "starts: 2, number " in done.out
    assert "interrupted from the keyboard" in done.out
    told = json.loads(Path("model/report.json").read_text("utf-8"))
    assert told["account"]["status"] == "interrupted from the keyboard"
    assert len(predict_table(load_model("model"), houses_csv)[0]) == 120


def test_a_comparison(secant, houses_csv, interrupt_at, monkeypatch):
    monkeypatch.setattr("secant.learn.comparison._memory", lambda *_: 1e6)
    interrupt_at(20)
    options = ("--methods", "l-bfgs,bfgs,cg", "--repeats", "2", "--out", "c")
    done = secant("compare", houses_csv, *QUICK, *options)
    assert done.code == 130
    assert done.err == "error: interrupted; c has what there is, not all repeats were done\n"
    assert list(pd.read_csv("c/comparison.csv")["method"].sort_values()) == ["bfgs", "l-bfgs"]
    page = Path("c/comparison.html").read_text("utf-8")
    assert "interrupted from the keyboard before all repeats were done" in page


def test_a_comparison_that_is_still_measuring_memory(secant, houses_csv, interrupt_at, tmp_path):
    interrupt_at(3)
    options = ("--methods", "l-bfgs,bfgs", "--repeats", "1", "--out", "c")
    done = secant("compare", houses_csv, *QUICK, *options)
    assert (done.code, done.out, done.err) == (130, "", "error: interrupted; nothing was written\n")
    assert [path.name for path in tmp_path.iterdir()] == ["houses.csv"]


SEARCH = ("--search", "l2=log:1e-5..1e-1", "--trials", "4", "--quiet")


def test_a_search_without_a_study(secant, houses_csv, interrupt_at):
    """In the third trial."""
    pytest.importorskip("optuna")
    interrupt_at(30)
    done = secant("tune", houses_csv, *QUICK, *SEARCH, "--out", "best")
    assert done.code == 130
    assert done.err == "error: interrupted; best has the best model of the trials so far\n"
    trials = pd.read_csv("best/trials.csv")
    assert list(trials["state"]) == ["complete", "complete", "interrupted"]
    assert len(predict_table(load_model("best"), houses_csv)[0]) == 120


def test_a_search_with_a_study_goes_on_later(secant, houses_csv, interrupt_at, tmp_path):
    pytest.importorskip("optuna")
    interrupt_at(30)
    command = ("tune", houses_csv, *QUICK, *SEARCH, "--out", "best", "--study", "tune.db")
    done = secant(*command)
    assert done.code == 130
    assert done.err == "error: interrupted; tune.db keeps the trials: the same command goes on\n"
    assert not (tmp_path / "best").exists()
    assert secant(*command).code == 0
    states = list(pd.read_csv("best/trials.csv")["state"])
    assert states.count("interrupted") == 1
    assert len(states) == 5
