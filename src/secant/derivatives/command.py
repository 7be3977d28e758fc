"""``secant check``: the derivatives of a function in a file, checked from the command line."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from secant.derivatives.check import Check, check_gradient, check_hessian
from secant.derivatives.task import as_variables, differentiates
from secant.functions import as_start, real_floating
from secant.structure import is_nest
from secant.userfile import UserFileError, load_file, named, split


def check_file(target: str, jac: str | None, hess: str | None, x0: str, points: int) -> list[Check]:
    """Check the gradient, and the Hessian if one is named, of ``file.py:function``.

    Parameters
    ----------
    target : str
        ``file.py:function``.
    jac, hess : str, optional
        Names in the file.
    x0 : str
        Numbers with commas between them, or a name in the file: of an array, a tensor, a module, or
        of a function that returns one.
    points : int

    Raises
    ------
    UserFileError
        For whatever the user can put right.
    """
    path, name = split(target)
    module = load_file(path)
    fun = _callable(module, path, name)
    try:
        start = _start(module, path, x0)
        given = _gradient(module, path, jac, fun, start)
        checks = [check_gradient(fun, start, given, points=points)]
        if hess is not None:
            H = _callable(module, path, hess)
            checks.append(check_hessian(fun, start, H, given, points=points))
    except UserFileError:
        raise
    except (Exception, SystemExit) as error:  # the user's function, or what it returns
        raise UserFileError(
            f"{target} cannot be checked: {type(error).__name__}: {error}"
        ) from error
    return checks


def _callable(module: ModuleType, path: Path, name: str) -> Any:
    found = named(module, path, name)
    if not callable(found):
        raise UserFileError(f"{name} in {path} must be a function, got {type(found).__name__}")
    return found


def _gradient(module: ModuleType, path: Path, jac: str | None, fun: Any, start: Any) -> Any:
    """The named gradient; True for a function that returns value and gradient; autograd's on torch."""
    if jac is not None:
        return _callable(module, path, jac)
    if differentiates(start):
        return None
    if isinstance(fun(deepcopy(start)), tuple):
        return True
    raise UserFileError(
        f"--jac is missing: name the gradient in {path}, or let the function return (value, gradient)"
    )


def _start(module: ModuleType, path: Path, text: str) -> Any:
    """The numbers in ``text``, or what has this name in the file, as it is."""
    try:
        return np.array([float(part) for part in text.split(",")])
    except ValueError:
        found = named(module, path, text.strip())
    if callable(found) and not hasattr(found, "parameters"):
        found = found()
    found = as_variables(found)
    if is_nest(found) or differentiates(found):
        return found
    return real_floating("x", as_start(found))
