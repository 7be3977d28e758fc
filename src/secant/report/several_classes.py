"""What is said and drawn about one of several targets that have two classes each."""

from __future__ import annotations

import numpy as np

from secant.report import class_plots
from secant.report.analysis import class_scores
from secant.report.numbers import count, short
from secant.report.page import Block, Figure, Note
from secant.report.record import Outcome
from secant.report.svg import to_svg

__all__ = ["class_figure", "scores_of_classes"]


def scores_of_classes(outcome: Outcome) -> dict[str, float]:
    """The scores of one target."""
    actual, predicted = outcome.labels()
    return class_scores(actual, predicted, np.asarray(outcome.probabilities))


def class_figure(place: int, target: str, outcome: Outcome, scores: dict[str, float]) -> Block:
    """ROC, precision-recall and calibration of the second class, on rows of both classes."""
    actual, predicted = outcome.labels()
    first, second = outcome.classes
    found = (
        f"{target}: {count(int(np.sum(actual == 1)))} of {count(len(actual), 'row')} are {second}, "
        f"{count(int(np.sum((actual == 1) & (predicted == 0))))} of which were taken for {first}, and "
        f"{count(int(np.sum((actual == 0) & (predicted == 1))))} of the others for {second}"
    )
    if len(np.unique(actual)) < 2:
        return Note(f"{found}. There are no curves to draw where all rows are of one class.")
    drawn = class_plots.panels(target, second, actual == 1, np.asarray(outcome.probabilities)[:, 1])
    return Figure(
        to_svg(drawn, f"target-{place}"),
        f"{found}.",
        f"{target}: ROC, precision-recall and calibration of {second}; accuracy "
        f"{short(scores['accuracy'])}, AUC {short(scores['AUC'])}",
        wide=True,
    )
