"""Scores of a model on the rows of a table, and a page about them."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

import secant
from secant.arrays import HostArray
from secant.learn.errors import InputError, listing, suggestion
from secant.learn.model import Model
from secant.learn.scores import of_all, of_all_classes
from secant.learn.tables.columns import Kind, as_categories, as_numbers, kind_of
from secant.learn.tables.data import read_table
from secant.learn.tables.dialect import Dialect
from secant.learn.tables.source import Readable, open_source
from secant.learn.targets import (
    ClassTarget,
    ClassTargets,
    NumericTarget,
    NumericTargets,
    Target,
)
from secant.learn.targets.columns import class_label
from secant.report.analysis import class_blocks, class_scores, error_scores, regression_blocks
from secant.report.numbers import count, label, short
from secant.report.page import Block, Bullets, Highlight, Page, Section
from secant.report.record import Outcome
from secant.report.several_targets import target_blocks

__all__ = ["Evaluation", "evaluate_table", "evaluation_page"]


@dataclass(frozen=True)
class Evaluation:
    """What a model is worth on a table.

    Attributes
    ----------
    source, target : str
        The file, and what is predicted: the column, or the columns as far as a title holds them.
    classes : tuple of str
        Empty for numbers.
    outcome : Outcome
        Actual and predicted values.
    scores : dict of str to float
        Of several targets together; those of each are in ``outcome.targets``.
    notes : tuple of str
        Sentences about missing cells and unknown categories.
    """

    source: str
    target: str
    classes: tuple[str, ...]
    outcome: Outcome
    scores: dict[str, float]
    notes: tuple[str, ...]

    @property
    def rows(self) -> int:
        """How many rows were judged."""
        return self.outcome.rows


def evaluate_table(model: Model, table: Readable, dialect: Dialect | None = None) -> Evaluation:
    """Predict the rows of a table and compare with its target.

    Parameters
    ----------
    model : Model
    table : str, Path or open file
        See `read_table`.
    dialect : Dialect, optional
        How a text file is written.

    Raises
    ------
    InputError
        If the table cannot be read, lacks a column, or has a target that the model does not know.
    """
    source = open_source(table)
    frame = read_table(source, dialect=dialect, text=model.preparation.categorical)
    columns = [str(name) for name in frame.columns]
    _check_targets(frame, columns, model.target, source.name)
    model.preparation.check_columns(columns, source.name)
    notes = model.preparation.gaps(frame)
    outputs, target = model.outputs(frame), model.target
    if isinstance(target, ClassTarget):
        outcome = _of_classes(frame[target.name], target, outputs)
        return Evaluation(source.name, target.name, target.classes, outcome, outcome.scores, notes)
    if isinstance(target, ClassTargets):
        outcome = _of_labels(frame, target, outputs)
    else:
        outcome = _of_numbers(frame, target, outputs)
    return Evaluation(source.name, target.name, (), outcome, outcome.scores, notes)


def _of_numbers(
    frame: pd.DataFrame, target: NumericTarget | NumericTargets, outputs: HostArray
) -> Outcome:
    actual = np.column_stack([as_numbers(frame[name], "target") for name in target.names])
    predicted = np.asarray(target.decode(outputs)).reshape(actual.shape)
    each = {name: _outcome(actual[:, k], predicted[:, k]) for k, name in enumerate(target.names)}
    if len(each) == 1:
        return each[target.name]
    scores = of_all(one.scores["R2"] for one in each.values())
    return Outcome(len(actual), math.nan, scores, (), (), targets=each)


def _of_labels(frame: pd.DataFrame, target: ClassTargets, outputs: HostArray) -> Outcome:
    each = {
        column.name: replace(_of_classes(frame[column.name], column, own), classes=column.classes)
        for column, own in target.each(outputs)
    }
    actual, predicted = (
        np.column_stack(places)
        for places in zip(*(one.labels() for one in each.values()), strict=True)
    )
    scores = of_all_classes(actual, predicted)
    return Outcome(len(frame), math.nan, scores, (), (), targets=each)


def _check_targets(frame: pd.DataFrame, columns: list[str], target: Target, source: str) -> None:
    """Raise InputError unless every target is there in every row."""
    for name in target.names:
        if name not in columns:
            hint = suggestion(name, columns)
            raise InputError(f"{source} lacks the target {name!r} of the model; {hint}")
        missing = np.flatnonzero(frame[name].isna())
        if len(missing):
            raise InputError(
                f"target {name!r} is missing in {len(missing)} of {len(frame)} rows, first in "
                f"row {missing[0] + 1}: remove these rows"
            )


def _outcome(actual: HostArray, predicted: HostArray) -> Outcome:
    scores = error_scores(actual, predicted)
    return Outcome(len(actual), math.nan, scores, tuple(actual), tuple(predicted))


def _of_classes(cells: pd.Series, target: ClassTarget, outputs: HostArray) -> Outcome:
    labels = _labels(cells)
    _refuse_unknown(labels, target)
    actual, probabilities = target.encode(labels), target.probabilities(outputs)
    predicted = probabilities.argmax(axis=1)
    scores = class_scores(actual, predicted, probabilities)
    rows = tuple(map(tuple, probabilities))
    return Outcome(len(cells), math.nan, scores, tuple(actual), tuple(predicted), rows)


def _labels(cells: pd.Series) -> pd.Series:
    """The classes as training reads them."""
    if kind_of(cells) is Kind.NUMBER:
        return as_numbers(cells, "target").map(class_label)
    return as_categories(cells)


def _refuse_unknown(labels: pd.Series, target: ClassTarget) -> None:
    unknown = labels[~labels.isin(target.classes)]
    if len(unknown):
        raise InputError(
            f"target {target.name!r}: row {unknown.index[0] + 1} has the class "
            f"{str(unknown.iloc[0])!r}, and the model knows {listing(target.classes)}"
        )


def evaluation_page(found: Evaluation) -> Page:
    """The page about an evaluation."""
    if found.classes:
        blocks = class_blocks(found.outcome, found.classes, found.target, "row")
    elif found.outcome.targets:
        blocks = target_blocks({"test": found.outcome}, "row")
    else:
        blocks = regression_blocks({"test": found.outcome}, found.target, "row")
    notes: tuple[Block, ...] = (Bullets(found.notes),) if found.notes else ()
    shown = list(found.scores.items())[:3]
    return Page(
        title=f"{found.source}: {found.target}",
        subtitle=f"A model judged on {count(found.rows, 'row')}",
        highlights=tuple(Highlight(short(value, 3), label(name)) for name, value in shown),
        sections=(Section("Evaluation", (*notes, *blocks)),),
        footer=f"Written by secant {secant.__version__}.",
    )
