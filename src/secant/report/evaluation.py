"""Scores of a model on the rows of a table, and a page about them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

import secant
from secant.learn.columns import Kind, as_categories, as_numbers, kind_of
from secant.learn.data import read_table
from secant.learn.dataset import class_label
from secant.learn.errors import InputError, listing, suggestion
from secant.learn.model import Model
from secant.learn.source import Readable, open_source
from secant.learn.target import ClassTarget
from secant.report.analysis import class_blocks, class_scores, error_scores, regression_blocks
from secant.report.numbers import count, label, short
from secant.report.page import Block, Bullets, Highlight, Page, Section
from secant.report.record import Outcome

__all__ = ["Evaluation", "evaluate_table", "evaluation_page"]


@dataclass(frozen=True)
class Evaluation:
    """What a model is worth on a table.

    Attributes
    ----------
    source, target : str
        The file, and the column that is predicted.
    classes : tuple of str
        Empty for numbers.
    outcome : Outcome
        Actual and predicted values.
    scores : dict of str to float
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


def evaluate_table(model: Model, table: Readable, separator: str | None = None) -> Evaluation:
    """Predict the rows of a table and compare with its target.

    Parameters
    ----------
    model : Model
    table : str, Path or open file
        See `read_table`.
    separator : str, optional

    Raises
    ------
    InputError
        If the table cannot be read, lacks a column, or has a target that the model does not know.
    """
    source = open_source(table)
    frame = read_table(source, separator=separator, text=model.preparation.categorical)
    columns = [str(name) for name in frame.columns]
    target = model.target
    if target.name not in columns:
        hint = suggestion(target.name, columns)
        raise InputError(f"{source.name} lacks the target {target.name!r} of the model; {hint}")
    model.preparation.check_columns(columns, source.name)
    cells = frame[target.name]
    missing = np.flatnonzero(cells.isna())
    if len(missing):
        raise InputError(
            f"target {target.name!r} is missing in {len(missing)} of {len(cells)} rows, first in "
            f"row {missing[0] + 1}: remove these rows"
        )
    notes = model.preparation.gaps(frame)
    outputs = model.outputs(frame)
    if not isinstance(target, ClassTarget):
        actual = as_numbers(cells, "target").to_numpy()
        predicted = np.asarray(target.decode(outputs))
        scores = error_scores(actual, predicted)
        outcome = Outcome(len(cells), float("nan"), {}, tuple(actual), tuple(predicted))
        return Evaluation(source.name, target.name, (), outcome, scores, notes)
    labels = _labels(cells)
    _refuse_unknown(labels, target)
    actual, probabilities = target.encode(labels), target.probabilities(outputs)
    predicted = probabilities.argmax(axis=1)
    scores = class_scores(actual, predicted, probabilities)
    rows = tuple(map(tuple, probabilities))
    outcome = Outcome(len(cells), float("nan"), {}, tuple(actual), tuple(predicted), rows)
    return Evaluation(source.name, target.name, target.classes, outcome, scores, notes)


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
