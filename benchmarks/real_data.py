"""Logistic regressions and small networks on scikit-learn's real data, with gradients in closed form."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from benchmarks.families import Joint
from secant.problems import Objective

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]


QUICK = ("logistic_cancer", "logistic_digits_even", "diabetes_network")
"""Those that are solved in a moment."""


def problems() -> list[Objective]:
    """All of them, in double precision."""
    from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits

    cancer, malignant = load_breast_cancer(return_X_y=True)
    digits, digit = load_digits(return_X_y=True)
    pixels = digits / 16.0
    diabetes, progression = load_diabetes(return_X_y=True)
    target = standardised(progression[:, None])
    return [
        logistic("cancer", standardised(cancer), malignant, 1e-4),
        logistic("cancer_weak_penalty", standardised(cancer), malignant, 1e-8),
        logistic("cancer_raw_columns", cancer, malignant, 1e-4),
        logistic("digits_even", pixels, digit % 2, 1e-4),
        logistic("digits_below_five", pixels, digit < 5, 1e-6),
        softmax_network("digits_softmax", pixels, digit, (), 1e-4),
        softmax_network("digits_network", pixels[:400], digit[:400], (8,), 1e-3),
        regression_network("diabetes_network", standardised(diabetes), target, (8,), 1e-3),
        regression_network("diabetes_deep", standardised(diabetes), target, (8, 8), 1e-2),
    ]


def logistic(name: str, inputs: Matrix, positive: Vector, penalty: float) -> Objective:
    """``mean log(1 + exp(-t (Xw + b))) + penalty / 2 |w|^2`` with labels t of +1 and -1."""
    rows, columns = inputs.shape
    X = np.column_stack([inputs, np.ones(rows)])
    signed = X * np.where(positive, 1.0, -1.0)[:, None]
    decay = np.full(columns + 1, penalty)
    decay[-1] = 0.0

    def both(w: Vector) -> tuple[float, Vector]:
        margin = signed @ w
        pull = -np.exp(-np.logaddexp(0.0, margin)) / rows
        f = np.logaddexp(0.0, -margin).sum() / rows + 0.5 * (decay * w) @ w
        return float(f), signed.T @ pull + decay * w

    return Objective(f"logistic_{name}", (0.0,) * (columns + 1), Joint(both), "scikit-learn")


def regression_network(
    name: str, inputs: Matrix, targets: Matrix, hidden: tuple[int, ...], penalty: float
) -> Objective:
    """Half the mean squared error of a tanh network, with weight decay."""

    def head(outputs: Matrix) -> tuple[float, Matrix]:
        error = outputs - targets
        return 0.5 * float((error * error).sum()) / len(error), error / len(error)

    return network(name, inputs, (inputs.shape[1], *hidden, targets.shape[1]), head, penalty)


def softmax_network(
    name: str, inputs: Matrix, labels: Vector, hidden: tuple[int, ...], penalty: float
) -> Objective:
    """The mean cross entropy of a tanh network, with weight decay."""
    classes = int(labels.max()) + 1
    wanted = np.eye(classes)[labels.astype(int)]

    def head(outputs: Matrix) -> tuple[float, Matrix]:
        shifted = outputs - outputs.max(axis=1, keepdims=True)
        normal = np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        f = -float(((shifted - normal) * wanted).sum()) / len(outputs)
        return f, (np.exp(shifted - normal) - wanted) / len(outputs)

    return network(name, inputs, (inputs.shape[1], *hidden, classes), head, penalty)


def network(
    name: str,
    inputs: Matrix,
    widths: tuple[int, ...],
    head: Callable[[Matrix], tuple[float, Matrix]],
    penalty: float,
) -> Objective:
    """A fully connected tanh network as a function of its weights.

    Parameters
    ----------
    widths : tuple of int
        Numbers of units, inputs and outputs included.
    head : callable
        From the outputs to the loss and its derivative by them.
    penalty : float
        ``penalty / 2 |w|^2`` is added; biases are weights too.
    """
    shapes = [(wide + 1, narrow) for wide, narrow in pairwise(widths)]
    sizes = np.cumsum([0, *[rows * columns for rows, columns in shapes]])

    def layers(w: Vector) -> list[Matrix]:
        spans = pairwise(sizes)
        return [w[a:b].reshape(shape) for (a, b), shape in zip(spans, shapes, strict=True)]

    def both(w: Vector) -> tuple[float, Vector]:
        weights = layers(w)
        activations = [inputs]
        for i, W in enumerate(weights):
            outputs = activations[-1] @ W[:-1] + W[-1]
            activations.append(outputs if i == len(weights) - 1 else np.tanh(outputs))
        f, delta = head(activations[-1])
        g = penalty * w
        for W, dW, a in zip(weights[::-1], layers(g)[::-1], activations[-2::-1], strict=True):
            dW[:-1] += a.T @ delta
            dW[-1] += delta.sum(axis=0)
            delta = (delta @ W[:-1].T) * (1.0 - a * a)
        return f + 0.5 * penalty * float(w @ w), g

    rng = np.random.default_rng(0)
    start = [rng.standard_normal(shape) / np.sqrt(shape[0]) for shape in shapes]
    x0 = np.concatenate([W.ravel() for W in start])
    return Objective(name, tuple(x0.tolist()), Joint(both), "scikit-learn")


def standardised(values: Matrix) -> Matrix:
    """Columns of mean zero and standard deviation one."""
    return (values - values.mean(axis=0)) / values.std(axis=0)
