"""Initial weights of a perceptron: Xavier's, scikit-learn's, He's, and Nguyen and Widrow's.

Each scheme draws the weights of one layer after another from one random generator, so that a seed
gives the same network everywhere.

References
----------
Glorot & Bengio, *AISTATS* 9, 249 (2010), eq. 16; He, Zhang, Ren & Sun, *ICCV* (2015), eq. 10;
Nguyen & Widrow, *IJCNN* 3, 21 (1990), with evenly spaced biases and the active region of the
activation as in MATLAB's ``initnw``.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from secant.learn.errors import InputError, listing
from secant.learn.network import Perceptron

__all__ = ["INITIALISATIONS", "check_initialisation", "initial_weights", "initialise"]

Matrix: TypeAlias = NDArray[np.float64]
Layer: TypeAlias = tuple[Matrix, Matrix]
"""Weights, shape (outputs, inputs), and biases, shape (outputs,)."""

Random: TypeAlias = np.random.Generator | np.random.RandomState

Scheme: TypeAlias = Callable[[tuple[int, ...], str, Random, Matrix], list[Layer]]
"""From sizes, activation, generator and the input ranges, shape (inputs, 2), to the layers."""

# Where the derivative of the activation is far from zero, and the range of its values.
_ACTIVE = {"tanh": (-2.0, 2.0), "logistic": (-4.0, 4.0)}
_VALUES = {"tanh": (-1.0, 1.0), "logistic": (0.0, 1.0)}


def initialise(
    network: Perceptron,
    scheme: str,
    random: Random,
    inputs: NDArray[np.floating] | None = None,
) -> None:
    """Draw the weights of a network anew.

    Parameters
    ----------
    network : Perceptron
        Changed in place; its dtype and device stay.
    scheme : str
        A key of `INITIALISATIONS`.
    random : numpy.random.Generator or numpy.random.RandomState
        Where the numbers come from.
    inputs : ndarray, shape (rows, inputs), optional
        The training inputs, whose ranges ``nguyen-widrow`` needs; by default from -1 to 1.

    Raises
    ------
    InputError
        If there is no such scheme, or it does not suit the activation.

    Examples
    --------
    >>> import numpy as np
    >>> network = Perceptron((3, 4, 1))
    >>> initialise(network, "he", np.random.default_rng(0))
    >>> network.layers[0].weight.shape
    torch.Size([4, 3])
    """
    ranges = (
        None
        if inputs is None
        else np.stack([inputs.min(axis=0), inputs.max(axis=0)], axis=1, dtype=np.float64)
    )
    layers = initial_weights(network.sizes, network.activation, scheme, random, ranges)
    network.fill(part for layer in layers for part in layer)


def initial_weights(
    sizes: tuple[int, ...],
    activation: str,
    scheme: str,
    random: Random,
    ranges: NDArray[np.float64] | None = None,
) -> list[Layer]:
    """The weights and biases of each layer, shapes (outputs, inputs) and (outputs,).

    Parameters
    ----------
    sizes : tuple of int
        Inputs, hidden units of each layer, outputs.
    activation : str
        Of the hidden layers.
    scheme : str
        A key of `INITIALISATIONS`.
    random : numpy.random.Generator or numpy.random.RandomState
    ranges : ndarray, shape (inputs, 2), optional
        Least and greatest value of each input; by default -1 and 1.
    """
    check_initialisation(scheme, activation)
    if ranges is None:
        ranges = np.tile([-1.0, 1.0], (sizes[0], 1))
    return INITIALISATIONS[scheme](sizes, activation, random, ranges)


def check_initialisation(scheme: str, activation: str) -> None:
    """Raise InputError unless there is such a scheme and it suits the activation."""
    if scheme not in INITIALISATIONS:
        raise InputError(
            f"initialisation must be one of {listing(INITIALISATIONS)}, not {scheme!r}"
        )
    if scheme == "nguyen-widrow" and activation not in _ACTIVE:
        raise InputError(
            f"initialisation 'nguyen-widrow' needs an activation that saturates "
            f"({listing(_ACTIVE)}), not {activation!r}: 'he' suits the others"
        )


def _xavier(sizes: tuple[int, ...], activation: str, random: Random, ranges: Matrix) -> list[Layer]:
    return [_xavier_layer(*shape, random) for shape in pairwise(sizes)]


def _xavier_layer(inputs: int, outputs: int, random: Random) -> Layer:
    limit = (6.0 / (inputs + outputs)) ** 0.5
    return random.uniform(-limit, limit, (outputs, inputs)), np.zeros(outputs)


def _scikit_learn(
    sizes: tuple[int, ...], activation: str, random: Random, ranges: Matrix
) -> list[Layer]:
    """Biases within the limits of the weights, too; the same numbers from the same RandomState."""
    factor = 2.0 if activation == "logistic" else 6.0
    layers = []
    for inputs, outputs in pairwise(sizes):
        limit = np.sqrt(factor / (inputs + outputs))
        weights = random.uniform(-limit, limit, (inputs, outputs))
        layers.append((weights.T, random.uniform(-limit, limit, outputs)))
    return layers


def _he(sizes: tuple[int, ...], activation: str, random: Random, ranges: Matrix) -> list[Layer]:
    return [
        (random.normal(0.0, (2.0 / inputs) ** 0.5, (outputs, inputs)), np.zeros(outputs))
        for inputs, outputs in pairwise(sizes)
    ]


def _nguyen_widrow(
    sizes: tuple[int, ...], activation: str, random: Random, ranges: Matrix
) -> list[Layer]:
    """The output layer, which has no active region, starts as Xavier's."""
    layers = []
    for inputs, units in pairwise(sizes[:-1]):
        layers.append(_spread(ranges[:inputs], units, _ACTIVE[activation], random))
        ranges = np.tile(_VALUES[activation], (units, 1))
    return [*layers, _xavier_layer(sizes[-2], sizes[-1], random)]


def _spread(ranges: Matrix, units: int, active: tuple[float, float], random: Random) -> Layer:
    """Random directions of length 0.7 h^(1/n), biases at even distances over the inputs' ranges.

    With inputs in [-1, 1] each unit's slab |w x + b| <= 1 then covers its share of every interval of
    length 2; the slabs are stretched to the active region, the inputs to their ranges.
    """
    lower, upper = ranges.T
    varies = upper > lower  # a constant column tells nothing: its weights are zero
    n = int(varies.sum())
    W = np.zeros((units, len(ranges)))
    if n == 0:
        return W, np.zeros(units)
    directions = random.normal(size=(units, n))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    length = 0.7 * units ** (1.0 / n)
    places = np.linspace(-1.0, 1.0, units) if units > 1 else np.zeros(1)
    half = 0.5 * (active[1] - active[0])
    middle = 0.5 * (active[1] + active[0])
    w = half * length * directions
    b = half * length * places * np.sign(directions[:, 0]) + middle
    scale = 2.0 / (upper - lower)[varies]
    b += w @ (1.0 - upper[varies] * scale)
    W[:, varies] = w * scale
    return W, b


INITIALISATIONS: dict[str, Scheme] = {
    "xavier": _xavier,
    "scikit-learn": _scikit_learn,
    "he": _he,
    "nguyen-widrow": _nguyen_widrow,
}
