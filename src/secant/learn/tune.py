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
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import Any

import pandas as pd

from secant.learn.dataset import Dataset
from secant.learn.errors import InputError
from secant.learn.history import History
from secant.learn.job import (
    Settings,
    Trained,
    prepare_dataset,
    read_settings_dataset,
    train_prepared,
)
from secant.learn.source import Readable
from secant.learn.space import Space, applied, check_space, default_space, described
from secant.status import Status

__all__ = ["Trial", "Tuned", "tune_table"]

STUDY = "secant"
# Trials that are never pruned, and iterations of every trial before it may be.
_FIRST_TRIALS, _FIRST_ITERATIONS = 5, 10
_ENDED = {"COMPLETE": "complete", "PRUNED": "pruned", "FAIL": "failed", "RUNNING": "interrupted"}


@dataclass(frozen=True)
class Trial:
    """One training of a search.

    Attributes
    ----------
    number : int
        From 0.
    state : str
        ``complete``, ``pruned``, ``failed`` or ``interrupted``.
    validation_loss : float
        The lowest of the training; NaN unless it was completed.
    choices : dict of str to object
        What was proposed for each quantity of the space.
    seconds : float
    reason : str
        Why it failed.
    """

    number: int
    state: str
    validation_loss: float
    choices: dict[str, Any]
    seconds: float
    reason: str = ""


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
    optuna = _optuna()
    space = default_space(settings) if space is None else dict(space)
    check_space(space, settings)
    if trials < 1:
        raise InputError(f"trials must be at least 1, not {trials}")
    if not max_seconds > 0:
        raise InputError(f"max_seconds must be a positive number, not {max_seconds}")
    search = _Search(optuna, path, settings, space)
    with _quiet(optuna):
        study = _study(optuna, storage, settings.seed if seed is None else seed, prune)
        _refuse_other_study(study, storage, search.signature)
        interrupted = False
        if _counted(study) < trials:
            stop = _Stop(trials, perf_counter() + max_seconds, progress)
            try:
                study.optimize(search, callbacks=[stop])
            except KeyboardInterrupt:
                if storage is not None or search.best is None:
                    raise
                interrupted = True
        done = tuple(_trial(trial) for trial in study.trials)
    best = _best(done)
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
            self.progress(_trial(trial), _best(tuple(map(_trial, study.trials))))
        if _counted(study) >= self.trials or perf_counter() >= self.deadline:
            study.stop()


def _optuna() -> Any:
    try:
        import optuna
    except ModuleNotFoundError:
        raise InputError(
            "a search needs the package optuna; install it with: pip install 'secant[tune]'"
        ) from None
    return optuna


@contextmanager
def _quiet(optuna: Any) -> Iterator[None]:
    """Optuna logs every trial; here that is the caller's to say."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR + 10)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)


def _study(optuna: Any, storage: str | Path | None, seed: int, prune: bool) -> Any:
    pruner = (
        optuna.pruners.MedianPruner(_FIRST_TRIALS, _FIRST_ITERATIONS)
        if prune
        else optuna.pruners.NopPruner()
    )
    try:
        study = optuna.create_study(
            study_name=STUDY,
            storage=None if storage is None else _address(Path(storage)),
            pruner=pruner,
            load_if_exists=True,
        )
        # With the trials that are there in the seed: a study gone on with must not repeat itself.
        study.sampler = optuna.samplers.TPESampler(seed=(seed + len(study.trials)) % 2**32)
    except Exception as error:  # SQLAlchemy's many kinds, all about the file
        reason = str(error).splitlines()[0]
        raise InputError(f"study {str(storage)!r} cannot be used: {reason}") from error
    return study


def _address(path: Path) -> str:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{str(path)!r} cannot be written: {error.strerror}") from None
    return f"sqlite:///{path}"


def _refuse_other_study(study: Any, storage: str | Path | None, signature: str) -> None:
    if study.user_attrs.setdefault("signature", signature) != signature:
        raise InputError(
            f"study {str(storage)!r} is of another table, space or settings: choose another file"
        )
    study.set_user_attr("signature", signature)


def _counted(study: Any) -> int:
    """Trials that came to an end; one that was killed is done again."""
    return sum(trial.state.is_finished() and not _was_cut(trial) for trial in study.trials)


def _was_cut(trial: Any) -> bool:
    return bool(trial.state.name == "FAIL" and "reason" not in trial.user_attrs)


def _trial(trial: Any) -> Trial:
    state = "interrupted" if _was_cut(trial) else _ENDED.get(trial.state.name, "interrupted")
    duration = trial.duration
    return Trial(
        trial.number,
        state,
        float(trial.value) if state == "complete" else math.nan,
        dict(trial.params),
        0.0 if duration is None else duration.total_seconds(),
        str(trial.user_attrs.get("reason", "")),
    )


def _best(trials: tuple[Trial, ...]) -> Trial | None:
    complete = [trial for trial in trials if math.isfinite(trial.validation_loss)]
    return min(complete, key=lambda trial: trial.validation_loss, default=None)
