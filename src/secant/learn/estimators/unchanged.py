"""A call that fails leaves an estimator as it was: nothing is learnt by halves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["unchanged_on_failure"]


@contextmanager
def unchanged_on_failure(estimator: Any) -> Iterator[None]:
    """Take back every attribute that was set or changed in a block that an exception leaves.

    What an attribute holds is not copied: the block must replace it, not change it in place.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> estimator = SimpleNamespace(classes_=[0, 1])
    >>> try:
    ...     with unchanged_on_failure(estimator):
    ...         estimator.classes_ = [2]
    ...         raise ValueError("and three is missing")
    ... except ValueError:
    ...     print(estimator.classes_)
    [0, 1]
    """
    before = dict(vars(estimator))
    try:
        yield
    except BaseException:
        vars(estimator).update(before)  # first: another thread may be predicting
        for name in vars(estimator).keys() - before.keys():
            delattr(estimator, name)
        raise
