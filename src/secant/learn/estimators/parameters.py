"""The estimators' parameters, checked when `fit` begins: scikit-learn forbids it in the constructor."""

from __future__ import annotations

import math
from numbers import Integral, Real
from typing import Any

import numpy as np

from secant.learn.activations import ACTIVATIONS
from secant.learn.errors import InputError, listing
from secant.learn.initial import check_initialisation
from secant.learn.network import check_dtype
from secant.learn.strategy_settings import method_name

__all__ = ["check_parameters", "hidden_sizes", "solver_name"]

# Least value, and whether it is allowed itself.
_NUMBERS: dict[str, tuple[float, bool]] = {
    "alpha": (0.0, True),
    "learning_rate_init": (0.0, False),
    "tol": (0.0, True),
    "gtol": (0.0, True),
}
_COUNTS = {"max_iter": 1, "n_iter_no_change": 1, "n_restarts": 0}
_FLAGS = ("early_stopping", "warm_start")


def check_parameters(estimator: Any) -> None:
    """Raise InputError for the first parameter whose value makes no sense."""
    hidden_sizes(estimator)
    if not isinstance(estimator.solver, str):
        raise InputError(f"solver must be 'auto' or the name of a method, not {estimator.solver!r}")
    method_name(estimator.solver, "solver")
    _one_of(estimator, "activation", ACTIVATIONS)
    check_dtype(estimator.dtype)
    check_initialisation(estimator.initialisation, estimator.activation)
    for name, (least, inclusive) in _NUMBERS.items():
        value = getattr(estimator, name)
        if not (_is_number(value) and (value > least or (inclusive and value == least))):
            allowed = f"a number from {least:g}" if inclusive else f"a number above {least:g}"
            raise InputError(f"{name} must be {allowed}, not {value!r}")
    for name, low in _COUNTS.items():
        _check_count(name, getattr(estimator, name), low)
    if estimator.max_fun is not None:
        _check_count("max_fun", estimator.max_fun, 1)
    if estimator.batch_size != "auto":
        _check_count("batch_size", estimator.batch_size, 1)
    for name in _FLAGS:
        if not isinstance(getattr(estimator, name), bool | np.bool_):  # a grid has NumPy's
            raise InputError(f"{name} must be True or False, not {getattr(estimator, name)!r}")
    _check_limits(estimator)


def hidden_sizes(estimator: Any) -> tuple[int, ...]:
    """The units of each hidden layer; a number stands for a single layer."""
    given = estimator.hidden_layer_sizes
    sizes = tuple(given) if hasattr(given, "__iter__") else (given,)
    whole = [isinstance(units, Integral) and not isinstance(units, bool) for units in sizes]
    if not all(whole) or any(units < 1 for units in sizes):
        raise InputError(
            f"hidden_layer_sizes must be whole numbers from 1, one for each layer, not {given!r}"
        )
    return tuple(int(units) for units in sizes)


def solver_name(estimator: Any) -> str:
    """The solver as the registry writes it, whatever its case."""
    return str(estimator.solver).strip().lower()


def _check_limits(estimator: Any) -> None:
    seconds, goal, part = estimator.max_seconds, estimator.goal, estimator.validation_fraction
    if seconds is not None and not (_is_number(seconds) and seconds > 0):
        raise InputError(f"max_seconds must be a number above 0 or None, not {seconds!r}")
    if goal is not None and not _is_number(goal):
        raise InputError(f"goal must be a number or None, not {goal!r}")
    if not (_is_number(part) and 0 < part < 1):
        raise InputError(f"validation_fraction must be a number between 0 and 1, not {part!r}")


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(float(value))


def _check_count(name: str, value: Any, low: int) -> None:
    if not isinstance(value, Integral) or isinstance(value, bool) or value < low:
        raise InputError(f"{name} must be a whole number from {low}, not {value!r}")


def _one_of(estimator: Any, name: str, allowed: Any) -> None:
    value = getattr(estimator, name)
    if not isinstance(value, str) or value not in allowed:
        raise InputError(f"{name} must be one of {listing(allowed)}, not {value!r}")
