"""Packages that parts of the library need, and that `import secant` does without."""

from __future__ import annotations

from importlib.util import find_spec

__all__ = ["require_packages"]


def require_packages(part: str, extra: str, *packages: str) -> None:
    """Say what to install where a package is missing; none is imported.

    Parameters
    ----------
    part : str
        What needs them.
    extra : str
        Which of secant's extras brings them.
    *packages : str
        Their names.

    Raises
    ------
    ModuleNotFoundError
        With the name of the first that is missing.

    Examples
    --------
    >>> require_packages("secant.learn", "train", "numpy", "no_such_package")
    Traceback (most recent call last):
    ...
    ModuleNotFoundError: secant.learn needs no_such_package; install it with: pip install 'secant[train]'
    """
    for package in packages:
        if find_spec(package) is None:
            sentence = f"{part} needs {package}; install it with: pip install 'secant[{extra}]'"
            raise ModuleNotFoundError(sentence, name=package)
