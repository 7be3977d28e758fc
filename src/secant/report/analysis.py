"""The blocks that judge predictions: of numbers by their errors, of classes by their probabilities."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from secant.arrays import HostArray
from secant.learn.scores import confusion
from secant.report import class_plots, regression_plots
from secant.report.classification import (
    PrecisionRecall,
    Roc,
    brier,
    calibration,
    log_loss,
    precision_recall,
    roc,
)
from secant.report.numbers import count, label, short
from secant.report.page import Block, Facts, Figure, Note, Table
from secant.report.record import Outcome
from secant.report.svg import to_svg

__all__ = ["class_blocks", "class_scores", "error_scores", "regression_blocks", "selection_note"]

# Larger matrices and more curves than these cannot be read.
_MOST_TILES = 40
_MOST_CURVES = 10


def error_scores(actual: HostArray, predicted: HostArray) -> dict[str, float]:
    """What the errors ``predicted - actual`` amount to, in the units of the target but for R2."""
    errors = predicted - actual
    variation = float(np.sum((actual - actual.mean()) ** 2))
    r2 = 1.0 - float(np.sum(errors**2)) / variation if variation > 0 else float("nan")
    return {
        "R2": r2,
        "RMSE": float(np.sqrt(np.mean(errors**2))),
        "mean absolute error": float(np.mean(np.abs(errors))),
        "median absolute error": float(np.median(np.abs(errors))),
        "largest absolute error": float(np.max(np.abs(errors))),
        "mean error": float(np.mean(errors)),
    }


def class_scores(
    actual: HostArray, predicted: HostArray, probabilities: HostArray
) -> dict[str, float]:
    """Accuracy and what the probabilities amount to; areas are means over the classes."""
    classes = probabilities.shape[1]
    present = [place for place in range(classes) if np.any(actual == place)]
    recalls = [float(np.mean(predicted[actual == place] == place)) for place in present]
    judged = [1] if classes == 2 else range(classes)
    areas = [roc(actual == place, probabilities[:, place]).area for place in judged]
    averages = [
        precision_recall(actual == place, probabilities[:, place]).average for place in judged
    ]
    return {
        "accuracy": float(np.mean(actual == predicted)),
        "balanced accuracy": float(np.mean(recalls)),
        "AUC": float(np.mean(areas)),
        "average precision": float(np.mean(averages)),
        "log loss": log_loss(actual, probabilities),
        "Brier score": brier(actual, probabilities),
    }


def _facts(scores: Mapping[str, float]) -> Facts:
    return Facts(tuple((label(name), short(value)) for name, value in scores.items()))


def regression_blocks(
    outcomes: Mapping[str, Outcome], target: str, noun: str = "test row"
) -> tuple[Block, ...]:
    """Scores of the test rows, which `noun` names, parity of all parts, errors and residuals."""
    actual, predicted = outcomes["test"].numbers()
    pairs = {name: outcome.numbers() for name, outcome in outcomes.items()}
    rows = count(len(actual), noun)
    scores = error_scores(actual, predicted)
    return (
        _facts(scores),
        Note(f"Errors are predicted minus actual, in units of {target}; R² has no unit."),
        Figure(
            to_svg(regression_plots.parity(pairs, target), "parity"),
            "Each point is a row; on the line the prediction is right.",
            f"Predicted against actual {target}; on the {rows} the root of the mean squared "
            f"error is {short(scores['RMSE'])}",
        ),
        Figure(
            to_svg(regression_plots.error_histogram(predicted - actual, target), "errors"),
            f"Errors of the {rows}.",
            f"Histogram of the errors of {target} on the {rows}",
        ),
        Figure(
            to_svg(regression_plots.residuals(actual, predicted, target), "residuals"),
            f"Errors of the {rows} against their predictions; dashed: ± RMSE. A trend, or a "
            "spread that grows, is something the network has not learnt.",
            f"Errors of {target} on the {rows} against the predictions",
        ),
        *selection_note(outcomes["test"]),
    )


def class_blocks(
    outcome: Outcome, classes: tuple[str, ...], target: str, noun: str = "test row"
) -> tuple[Block, ...]:
    """Scores of the test rows, which `noun` names, confusion, ROC, precision-recall, calibration."""
    actual, predicted = outcome.labels()
    probabilities = np.asarray(outcome.probabilities)
    names = np.array(classes, dtype=object)
    counts = confusion(names[actual], names[predicted], classes)
    rows = count(len(actual), noun)
    blocks: list[Block] = [_facts(class_scores(actual, predicted, probabilities))]
    if len(classes) <= _MOST_TILES:
        blocks.append(_confusion(counts, classes, target, rows))
    blocks.append(_by_class(counts, classes))
    blocks += _curves(actual, probabilities, classes, target, rows)
    return (*blocks, *selection_note(outcome))


def selection_note(outcome: Outcome) -> tuple[Note, ...]:
    """What to say where not all rows are judged."""
    if not outcome.selected:
        return ()
    drawn, rows = count(len(outcome.actual)), count(outcome.rows)
    return (Note(f"Of {rows} rows an even selection of {drawn} is judged here."),)


def _confusion(counts: HostArray, classes: tuple[str, ...], target: str, rows: str) -> Figure:
    right = int(counts.diagonal().sum())
    return Figure(
        to_svg(class_plots.confusion_matrix(counts, classes), "confusion"),
        f"The {rows}: how many of each actual class were predicted as each class. The darker, "
        "the larger the share of the actual class.",
        f"Confusion matrix of {target} on the {rows}: {count(right)} of "
        f"{count(int(counts.sum()))} right",
    )


def _by_class(counts: HostArray, classes: tuple[str, ...]) -> Table:
    right, actual, predicted = counts.diagonal(), counts.sum(axis=1), counts.sum(axis=0)
    rows = tuple(
        (
            name,
            count(int(actual[place])),
            short(_share(right[place], predicted[place])),
            short(_share(right[place], actual[place])),
            short(_share(2 * right[place], predicted[place] + actual[place])),
        )
        for place, name in enumerate(classes)
    )
    return Table(("class", "rows", "precision", "recall", "F1"), rows)


def _share(part: int, whole: int) -> float:
    return float(part / whole) if whole else float("nan")


def _curves(
    actual: HostArray,
    probabilities: HostArray,
    classes: tuple[str, ...],
    target: str,
    rows: str,
) -> list[Block]:
    """ROC and precision-recall of the second of two classes, or of each class against the rest."""
    places = [1] if len(classes) == 2 else list(range(len(classes)))[:_MOST_CURVES]
    rocs: dict[str, Roc] = {}
    precisions: dict[str, PrecisionRecall] = {}
    for place in places:
        positive = actual == place
        if 0 < positive.sum() < len(positive):
            rocs[classes[place]] = roc(positive, probabilities[:, place])
            precisions[classes[place]] = precision_recall(positive, probabilities[:, place])
    if not rocs:
        return [Note("All rows are of one class, so there are no curves to draw.")]
    versus = f"class {classes[1]}" if len(classes) == 2 else "each class against the others"
    if len(classes) > _MOST_CURVES:
        versus += f", the first {_MOST_CURVES}"
    areas = ", ".join(f"{name} {short(curve.area, 3)}" for name, curve in rocs.items())
    return [
        Figure(
            to_svg(class_plots.roc_curves(rocs), "roc"),
            f"ROC of {versus}, as the threshold on its probability falls; dashed: guessing.",
            f"ROC curves of {target} on the {rows}; areas: {areas}",
        ),
        Figure(
            to_svg(class_plots.precision_recall_curves(precisions), "precision"),
            f"Precision and recall of {versus}.",
            f"Precision-recall curves of {target} on the {rows}",
        ),
        _calibration(actual, probabilities, classes, target, rows),
    ]


def _calibration(
    actual: HostArray,
    probabilities: HostArray,
    classes: tuple[str, ...],
    target: str,
    rows: str,
) -> Figure:
    if len(classes) == 2:
        found = calibration(actual == 1, probabilities[:, 1])
        what = f"the probability of {classes[1]}"
    else:  # every probability of every row is a statement that can be checked
        hot = np.arange(len(classes)) == actual[:, None]
        found = calibration(hot.ravel(), probabilities.ravel())
        what = "the probabilities of all classes"
    return Figure(
        to_svg(class_plots.calibration_curve(found), "calibration"),
        f"Calibration of {what} on the {rows}, in ten bins; larger points hold more rows. On the "
        f"line a probability is what is observed; the mean distance is {short(found.error, 3)}.",
        f"Calibration of the predicted probabilities of {target}; expected calibration error "
        f"{short(found.error, 3)}",
    )
