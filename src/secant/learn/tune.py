"""A search for good settings: many trainings on the same division, judged by their validation loss.

Optuna proposes the settings (its tree-structured Parzen estimator) and stops trainings that look
hopeless (the median of earlier trials at the same iteration). A study lives in an SQLite file if
asked to, so that it can be interrupted and gone on with.

References
----------
Akiba, Sano, Yanase, Ohta & Koyama, *KDD* (2019), 2623; Bergstra, Bardenet, Bengio & Kegl, *NIPS* 24
(2011).
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import Any

import pandas as pd

from secant.learn.errors import InputError
from secant.learn.history import History
from secant.learn.job import Trained, train_prepared
from secant.learn.prepared import prepare_dataset, read_settings_dataset
from secant.learn.settings import Settings
from secant.learn.space import Space, applied, check_space, default_space, described
from secant.learn.study import (
    Trial,
    best_of,
    counted,
    open_study,
    quiet,
    refuse_other_study,
    require_optuna,
    trial_of,
)
from secant.learn.tables.dataset import Dataset
from secant.learn.tables.source import Readable
from secant.status import Status

__all__ = ["Trial", "Tuned", "tune_table"]


@dataclass(frozen=True)
class Tuned:
    """The end of a search.

    Attributes
    ----------
    trials : tuple of Trial
        All of the study, those of earlier calls among them.
    best : Trial
    settings : Settings
        The best ones.
    trained : Trained
        A training with them.
    interrupted : bool
        Whether Ctrl-C ended the search.
    """

    trials: tuple[Trial, ...]
    best: Trial
    settings: Settings
    trained: Trained
    interrupted: bool = False


def tune_table(
    path: Readable,
    settings: Settings,
    *,
    space: Space | None = None,
    trials: int = 30,
    storage: str | Path | None = None,
    max_seconds: float = math.inf,
    prune: bool = True,
    seed: int | None = None,
    progress: Callable[[Trial, Trial | None], None] | None = None,
) -> Tuned:
    """Search for settings with a low validation loss, then train with the best ones.

    Ctrl-C ends a search without `storage`: its best model so far is returned, if there is one. A study
    that is stored loses nothing, and KeyboardInterrupt is raised.

    Parameters
    ----------
    path : str, Path or open file
        See `train_table`.
    settings : Settings
        What the search does not choose; its ``strategy.max_seconds`` limits each training.
    space : mapping of str to Choice, Whole or Real, optional
        What is searched: ``depth`` and ``width`` of the hidden layers, and attributes of `Settings`
        and `Strategy` by their names; by default `secant.learn.space.default_space`.
    trials : int
        How many trials the study has in the end. Those that it has count, so a call that is repeated
        after an interruption does the rest.
    storage : str or Path, optional
        An SQLite file that keeps the study, made if it is not there.
    max_seconds : float
        Limit on the time of the search; a trial that runs is finished.
    prune : bool
        Stop trials whose loss is above the median of the others at the same iteration.
    seed : int, optional
        Of the proposals; by default that of the settings. The same seed proposes the same trials as
        long as the trainings give the same losses (no time limit cuts them) and the study is done in
        one call.
    progress : callable, optional
        ``progress(trial, best)`` after each trial.

    Raises
    ------
    InputError
        If Optuna is not installed, the table, the settings or the space cannot be used, the study is
        of another table or space, or no trial could be completed.
    """
    optuna = require_optuna()
    space = default_space(settings) if space is None else dict(space)
    check_space(space, settings)
    if trials < 1:
        raise InputError(f"trials must be at least 1, not {trials}")
    if not max_seconds > 0:
        raise InputError(f"max_seconds must be a positive number, not {max_seconds}")
    search = _Search(optuna, path, settings, space)
    with quiet(optuna):
        study = open_study(optuna, storage, settings.seed if seed is None else seed, prune)
        refuse_other_study(study, storage, search.signature)
        interrupted = False
        if counted(study) < trials:
            stop = _Stop(trials, perf_counter() + max_seconds, progress)
            try:
                study.optimize(search, callbacks=[stop])
            except KeyboardInterrupt:
                if storage is not None or search.best is None:
                    raise
                interrupted = True
        done = tuple(trial_of(trial) for trial in study.trials)
    best = best_of(done)
    if best is None:
        reasons = sorted({trial.reason for trial in done if trial.reason})
        why = reasons[0] if reasons else "the time was too short"
        raise InputError(f"no trial of {len(done)} could be completed: {why}")
    return search.finish(done, best, interrupted)


class _Search:
    """The objective: settings from a trial, a training, its lowest validation loss."""

    def __init__(self, optuna: Any, path: Readable, settings: Settings, space: Space) -> None:
        self.optuna = optuna
        self.settings = settings
        self.space = space
        self.dataset = read_settings_dataset(path, settings)
        self.best: tuple[int, Trained] | None = None
        # Bad settings are a sentence now, not the failure of every trial.
        prepare_dataset(self.dataset, replace(settings, hidden=()))
        self.signature = _signature(self.dataset, settings, space)

    def __call__(self, trial: Any) -> float:
        choices = {name: part.suggest(trial, name) for name, part in self.space.items()}
        try:
            settings = applied(self.settings, choices)
            prepared = prepare_dataset(self.dataset, settings)
            trained = train_prepared(prepared, _Pruning(self.optuna, trial))
        except InputError as error:  # such as a method that cannot have a penalty: told, not fatal
            trial.set_user_attr("reason", str(error))
            return math.nan
        if trained.training.status is Status.INTERRUPTED:
            raise KeyboardInterrupt
        loss = trained.training.best.validation_loss
        if not math.isfinite(loss):
            trial.set_user_attr("reason", "the validation loss is not finite")
        elif self.best is None or loss < self.best[1].training.best.validation_loss:
            self.best = (trial.number, trained)
        return loss

    def finish(self, done: tuple[Trial, ...], best: Trial, interrupted: bool) -> Tuned:
        """The model of the best trial; one of an earlier call is trained again, from the same seeds."""
        settings = applied(self.settings, best.choices)
        if self.best is not None and self.best[0] == best.number:
            trained = self.best[1]
        else:
            trained = train_prepared(prepare_dataset(self.dataset, settings))
        return Tuned(done, best, settings, trained, interrupted)


class _Pruning:
    """The progress of one training: its lowest validation loss so far, told to the pruner.

    It is told at 5, 10, 15, 20, 25, 31, 38, 47, ... iterations: the same ones in every trial, and few,
    as each is written to the study's file.
    """

    def __init__(self, optuna: Any, trial: Any) -> None:
        self.optuna = optuna
        self.trial = trial
        self.lowest = math.inf
        self._calls = 0
        self._next = 5

    def __call__(self, history: History) -> None:
        """Raise TrialPruned where the training looks hopeless."""
        # Calls are counted, because another start begins with iteration 0 again.
        self._calls += 1
        self.lowest = min(self.lowest, history.epochs[-1].validation_loss)
        if self._calls < self._next:
            return
        self.trial.report(self.lowest, self._calls)
        self._next = max(self._calls + 5, self._calls * 5 // 4)
        if self.trial.should_prune():
            raise self.optuna.TrialPruned


def _signature(dataset: Dataset, settings: Settings, space: Space) -> str:
    """What has to be the same for losses to be of the same study."""
    table = pd.concat([dataset.frame, dataset.target], axis=1)
    cells = pd.util.hash_pandas_object(table, index=False)
    told = json.dumps([int(cells.sum()), dataset.source, described(space), repr(settings)])
    return hashlib.sha256(told.encode("utf-8")).hexdigest()


class _Stop:
    """After each trial: report it; end the study at its limits."""

    def __init__(
        self, trials: int, deadline: float, progress: Callable[[Trial, Trial | None], None] | None
    ) -> None:
        self.trials = trials
        self.deadline = deadline
        self.progress = progress

    def __call__(self, study: Any, trial: Any) -> None:
        if self.progress is not None:
            self.progress(trial_of(trial), best_of(tuple(map(trial_of, study.trials))))
        if counted(study) >= self.trials or perf_counter() >= self.deadline:
            study.stop()
