"""From a training to the record that its report is made from."""

from __future__ import annotations

import shlex
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pandas as pd

from secant.arrays import HostArray
from secant.learn.config import config_text
from secant.learn.job import Trained
from secant.learn.preparation import NumericInput
from secant.learn.restarts import Restarts
from secant.learn.scores import Scores
from secant.learn.settings import Settings
from secant.learn.strategy import Training
from secant.learn.tables.columns import Kind
from secant.learn.targets import ClassTarget, ClassTargets
from secant.report.condition import condition_estimate
from secant.report.curves import curves_of
from secant.report.numbers import count, short
from secant.report.record import Account, Column, Layers, Outcome, Record

__all__ = ["record_of"]

_MOST_CATEGORIES = 12
_MOST_NAMES = 200
_MOST_ROWS = {"train": 4_000, "validation": 2_000, "test": 100_000}
# Several targets share these rows, but each has so many.
_FEWEST_DRAWN = 500

# Attributes of a training that have a place of their own in the account.
_PLACED = {
    "status",
    "history",
    "best",
    "iterations",
    "evaluations",
    "gradients",
    "seconds",
    "method",
}


def record_of(trained: Trained, data: str, config: str = "run.toml") -> Record:
    """What the report of a training needs, as plain data.

    Parameters
    ----------
    trained : Trained
        What `train_table` returned.
    data : str
        The table as the user named it.
    config : str
        The name of the file that the configuration is saved in.
    """
    dataset, model, index = trained.dataset, trained.model, trained.index
    target = model.target
    classes = target.classes if isinstance(target, ClassTarget) else ()
    return Record(
        source=dataset.source,
        task=target.task.value,
        target=target.name,
        classes=classes,
        notes=tuple(dataset.notes),
        columns=tuple(_columns(trained)),
        division=_division(trained.settings, bool(classes)),
        layers=Layers(
            tuple(model.network.sizes),
            model.network.activation,
            model.network.count,
            tuple(model.preparation.feature_names[:_MOST_NAMES]),
            classes if len(classes) > 2 else target.names[:_MOST_NAMES],
        ),
        error=index.error.name,
        regularisation=_regularisation(index),
        account=_account(trained),
        outcomes={name: _outcome(trained, name) for name in trained.scores},
        config=config_text(trained.settings, data=data),
        command=shlex.join(["secant", "train", "--config", config]),
        curves=curves_of(trained.training.history),
    )


def _columns(trained: Trained) -> list[Column]:
    dataset, entries = trained.dataset, trained.model.preparation.inputs[:_MOST_NAMES]
    columns = []
    for entry in entries:
        values = dataset.frame[entry.name]
        if isinstance(entry, NumericInput):
            columns.append(_numbers(entry.name, "input", values, entry.scaling.scaler))
        else:
            width = f"{entry.width} inputs"
            columns.append(_categories(entry.name, "input", values, width))
    target, cells = trained.model.target, pd.DataFrame(dataset.target)
    if isinstance(target, ClassTarget | ClassTargets):
        return columns + [_categories(name, "target", cells[name], "") for name in target.names]
    return columns + [
        _numbers(one.name, "target", cells[one.name], one.scaler) for one in target.columns
    ]


def _numbers(name: str, role: str, cells: pd.Series, preparation: str) -> Column:
    values = cells.to_numpy(dtype=float)
    present = values[~np.isnan(values)]
    return Column(
        name,
        role,
        Kind.NUMBER.value,
        len(values) - len(present),
        float(present.min()),
        float(present.max()),
        float(present.mean()),
        float(present.std()),
        preparation=preparation,
    )


def _categories(name: str, role: str, cells: pd.Series, preparation: str) -> Column:
    rows = cells.value_counts()
    shown = {str(label): int(count) for label, count in rows.iloc[:_MOST_CATEGORIES].items()}
    if len(rows) > _MOST_CATEGORIES:
        shown[f"and {len(rows) - _MOST_CATEGORIES} more"] = int(rows.iloc[_MOST_CATEGORIES:].sum())
    missing = int(cells.isna().sum())
    return Column(
        name, role, Kind.CATEGORY.value, missing, categories=shown, preparation=preparation
    )


def _division(settings: Settings, classes: bool) -> str:
    """The kind of division in words, with what it goes by."""
    kind = settings.division
    if kind == "auto":
        kind = "stratified" if classes else "random"
    if settings.division_column:
        return f"{kind}, by {settings.division_column}"
    return kind if kind in ("blocks", "time") else f"{kind}, seed {settings.seed}"


def _regularisation(index: Any) -> str:
    """The terms of the index with a factor other than zero."""
    terms = {
        "l2": "sum of squared weights",
        "l1": "sum of absolute weights",
        "smooth_l1": "sum of smoothed absolute weights",
    }
    factors = {name: float(getattr(index, name, 0.0)) for name in terms}
    used = [f"{factors[name]:g} × {text}" for name, text in terms.items() if factors[name]]
    return " + ".join(used) or "none"


def _account(trained: Trained) -> Account:
    training = trained.training
    return Account(
        method=str(getattr(training, "method", "") or trained.settings.strategy.method),
        status=training.status.value,
        iterations=training.iterations,
        kept=training.best.iteration,
        evaluations=training.evaluations,
        gradients=training.gradients,
        seconds=training.seconds,
        more=_more(training) | _starts(trained.restarts),
        condition=condition_estimate(trained),
    )


def _more(training: Training) -> dict[str, str]:
    """What else the training says: texts and numbers, under their names in words."""
    more: dict[str, str] = {}
    for entry in fields(training):
        value = getattr(training, entry.name)
        if entry.name in _PLACED or value is None or value == "":
            continue
        label = {"reason": "why this method"}.get(entry.name, entry.name.replace("_", " "))
        if isinstance(value, bool | str):
            more[label] = str(value)
        elif isinstance(value, int | float):
            more[label] = short(float(value))
    return more


def _starts(restarts: Restarts | None) -> dict[str, str]:
    """What the trainings from several starts came to; the other numbers are those of the best one."""
    if restarts is None or len(restarts.trainings) == 1:
        return {}
    reached = [
        "failed" if one is None else short(one.best.validation_loss) for one in restarts.trainings
    ]
    losses = f"validation losses {', '.join(reached)}"
    return {"starts": f"{count(len(reached))}, number {restarts.chosen + 1} was the best: {losses}"}


def _outcome(trained: Trained, name: str) -> Outcome:
    rows = dict(trained.parts.items())[name]
    scores = trained.scores[name]
    most = max(_FEWEST_DRAWN, _MOST_ROWS[name] // max(1, len(scores.targets)))
    drawn = rows[:: max(1, -(-len(rows) // most))]
    target, probable = trained.model.target, name == "test"
    actual, predicted = trained.dataset.target.iloc[drawn], trained.predicted[drawn]
    if isinstance(target, ClassTarget | ClassTargets):
        outputs = trained.model.outputs(trained.dataset.frame.iloc[drawn]) if probable else None
        if isinstance(target, ClassTarget):
            return _of_classes(scores, target, actual, predicted, outputs)
        targets = {
            column.name: replace(
                _of_classes(
                    scores.targets[column.name],
                    column,
                    actual[column.name],
                    predicted[:, k],
                    None if outputs is None else outputs[:, k : k + 1],
                ),
                classes=column.classes,
            )
            for k, column in enumerate(target.columns)
        }
        return _of_several(scores, targets)
    numbers = actual.to_numpy(dtype=float), np.asarray(predicted, dtype=float)
    if not scores.targets:
        return _of_numbers(scores, *numbers)
    each = zip(scores.targets.items(), numbers[0].T, numbers[1].T, strict=True)
    return _of_several(scores, {column: _of_numbers(one, a, p) for (column, one), a, p in each})


def _of_several(scores: Scores, targets: dict[str, Outcome]) -> Outcome:
    return Outcome(scores.rows, scores.loss, dict(scores.values), (), (), targets=targets)


def _of_numbers(scores: Scores, actual: HostArray, predicted: HostArray) -> Outcome:
    return Outcome(
        scores.rows,
        scores.loss,
        dict(scores.values),
        tuple(map(float, actual)),
        tuple(map(float, predicted)),
    )


def _of_classes(
    scores: Scores,
    target: ClassTarget,
    actual: pd.Series | pd.DataFrame,
    predicted: HostArray,
    outputs: HostArray | None,
) -> Outcome:
    """Places of the actual and predicted classes, with the probabilities of each where there are outputs."""
    outcome = _of_numbers(scores, target.encode(actual), target.encode(pd.Series(predicted)))
    if outputs is None:
        return outcome
    found = target.probabilities(outputs)
    return replace(outcome, probabilities=tuple(tuple(map(float, row)) for row in found))
