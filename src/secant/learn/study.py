"""An Optuna study: made or taken up from its file, and its trials as plain data."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from secant.learn.errors import InputError

__all__ = [
    "Trial",
    "best_of",
    "counted",
    "open_study",
    "quiet",
    "refuse_other_study",
    "require_optuna",
    "trial_of",
]

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


def require_optuna() -> Any:
    """The package; raises InputError where it is not there."""
    try:
        import optuna
    except ModuleNotFoundError:
        raise InputError(
            "a search needs the package optuna; install it with: pip install 'secant[tune]'"
        ) from None
    return optuna


@contextmanager
def quiet(optuna: Any) -> Iterator[None]:
    """Optuna logs every trial; here that is the caller's to say."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR + 10)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)


def open_study(optuna: Any, storage: str | Path | None, seed: int, prune: bool) -> Any:
    """The study in the file, or a new one; raises InputError if the file cannot be used."""
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


def refuse_other_study(study: Any, storage: str | Path | None, signature: str) -> None:
    """Raise InputError unless the study has this signature, or none yet."""
    if study.user_attrs.setdefault("signature", signature) != signature:
        raise InputError(
            f"study {str(storage)!r} is of another table, space or settings: choose another file"
        )
    study.set_user_attr("signature", signature)


def counted(study: Any) -> int:
    """Trials that came to an end; one that was killed is done again."""
    return sum(trial.state.is_finished() and not _was_cut(trial) for trial in study.trials)


def _was_cut(trial: Any) -> bool:
    return bool(trial.state.name == "FAIL" and "reason" not in trial.user_attrs)


def trial_of(trial: Any) -> Trial:
    """Optuna's trial as plain data."""
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


def best_of(trials: Sequence[Trial]) -> Trial | None:
    """The completed trial of lowest validation loss, if there is one."""
    complete = [trial for trial in trials if math.isfinite(trial.validation_loss)]
    return min(complete, key=lambda trial: trial.validation_loss, default=None)
