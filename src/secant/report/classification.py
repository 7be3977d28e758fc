"""What the probabilities of a classifier are worth: ROC, precision and recall, calibration."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from secant.arrays import HostArray

__all__ = [
    "Calibration",
    "PrecisionRecall",
    "Roc",
    "brier",
    "calibration",
    "log_loss",
    "precision_recall",
    "roc",
]


@dataclass(frozen=True)
class Roc:
    """True over false positive rate as the threshold falls, and the area below.

    Attributes
    ----------
    false, true : array
        Rates at each threshold, from (0, 0) to (1, 1).
    area : float
        AUC: the probability that a positive row scores higher than a negative one, ties half.
    """

    false: HostArray
    true: HostArray
    area: float


@dataclass(frozen=True)
class PrecisionRecall:
    """Precision over recall as the threshold falls.

    Attributes
    ----------
    recall, precision : array
        From recall 0.
    average : float
        Average precision: ``sum_k (R_k - R_{k-1}) P_k``.
    share : float
        Share of the positive rows, which is the precision of guessing.
    """

    recall: HostArray
    precision: HostArray
    average: float
    share: float


@dataclass(frozen=True)
class Calibration:
    """Predicted against observed shares, in bins of the predicted probability.

    Attributes
    ----------
    predicted, observed : array
        Mean probability and share of positive rows in each bin that has rows.
    rows : array
        How many.
    error : float
        Expected calibration error: the mean of ``|predicted - observed|``, weighted by rows.
    """

    predicted: HostArray
    observed: HostArray
    rows: HostArray
    error: float


def _cumulated(positive: HostArray, score: HostArray) -> tuple[HostArray, HostArray]:
    """True and false positives at each distinct threshold, in falling order."""
    order = np.argsort(-score, kind="stable")
    last = np.flatnonzero(np.append(np.diff(score[order]) != 0, True))
    true = np.cumsum(positive[order])[last]
    return true, last + 1 - true


def roc(positive: HostArray, score: HostArray) -> Roc:
    """The ROC curve; its area is NaN unless there are rows of both classes.

    Parameters
    ----------
    positive : array of bool, shape (rows,)
    score : array, shape (rows,)
        Higher for rows that are likelier positive.

    References
    ----------
    Fawcett 2006, *An introduction to ROC analysis*, algorithms 1 and 2.

    Examples
    --------
    >>> import numpy as np
    >>> roc(np.array([True, False, True]), np.array([0.9, 0.6, 0.3])).area
    0.5
    """
    true, false = _cumulated(positive, score)
    with np.errstate(invalid="ignore", divide="ignore"):
        rates = [np.append(0.0, counts / counts[-1]) for counts in (false, true)]
    return Roc(rates[0], rates[1], _area(rates[0], rates[1]))


def _area(x: HostArray, y: HostArray) -> float:
    """Below the polygon through the points."""
    return float(np.sum(np.diff(x) * (y[1:] + y[:-1])) / 2)


def precision_recall(positive: HostArray, score: HostArray) -> PrecisionRecall:
    """Precision and recall at every threshold; arguments as of `roc`.

    The average precision is NaN without a positive row.
    """
    true, false = _cumulated(positive, score)
    with np.errstate(invalid="ignore", divide="ignore"):
        recall = np.append(0.0, true / true[-1])
    precision = true / (true + false)
    average = float(np.sum(np.diff(recall) * precision))
    # Before the first row there is no precision; the curve starts at that of the first threshold.
    return PrecisionRecall(
        recall, np.append(precision[:1], precision), average, float(positive.mean())
    )


def calibration(positive: HostArray, probability: HostArray, bins: int = 10) -> Calibration:
    """Observed shares in `bins` bins of equal width; a row at an edge is in the bin above.

    References
    ----------
    Guo et al. 2017, *On calibration of modern neural networks*, eq. 3.
    """
    place = np.minimum((probability * bins).astype(int), bins - 1)
    rows = np.bincount(place, minlength=bins)
    kept = rows > 0
    sums = [np.bincount(place, weights=w, minlength=bins)[kept] for w in (probability, positive)]
    predicted, observed = sums[0] / rows[kept], sums[1] / rows[kept]
    error = float(np.sum(rows[kept] * np.abs(predicted - observed)) / rows.sum())
    return Calibration(predicted, observed, rows[kept], error)


def brier(actual: HostArray, probabilities: HostArray) -> float:
    """Mean over the rows of the squared distance between probabilities and the actual class.

    For two classes only the second one's probability counts, as in Brier's score of an event.
    """
    if probabilities.shape[1] == 2:
        return float(np.mean((probabilities[:, 1] - actual) ** 2))
    hot = np.eye(probabilities.shape[1])[actual]
    return float(np.mean(np.sum((probabilities - hot) ** 2, axis=1)))


def log_loss(actual: HostArray, probabilities: HostArray) -> float:
    """Mean of ``-log p(actual class)``; probabilities are kept at least one rounding unit from 0."""
    chosen = probabilities[np.arange(len(actual)), actual]
    return float(-np.mean(np.log(np.maximum(chosen, np.finfo(float).eps))))
