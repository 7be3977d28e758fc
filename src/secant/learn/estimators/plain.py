"""What needs no conversion: scikit-learn's checks cost as much as a small fit."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import validate_data

__all__ = ["kind_of_classes", "validated"]


def validated(estimator: Any, X: Any, y: Any, dtype: np.dtype, reset: bool) -> tuple[Any, Any]:
    """Rows and targets as `sklearn.utils.validation.validate_data` gives them.

    Arrays of finite numbers that already are what it would make of them only pass its checks of the
    columns; all others are converted, or refused in its words. Labels in a sparse matrix become an array.
    """
    y = y.toarray() if hasattr(y, "toarray") else y
    if _is_plain(X, y, dtype):
        return validate_data(estimator, X, y, reset=reset, skip_check_array=True)  # type: ignore[no-any-return]
    return validate_data(estimator, X, y, multi_output=True, dtype=dtype, reset=reset)  # type: ignore[no-any-return]


def _is_plain(X: Any, y: Any, dtype: np.dtype) -> bool:
    if not (type(X) is type(y) is np.ndarray and X.ndim == 2 and y.ndim in (1, 2)):
        return False
    fits = X.dtype == dtype and y.dtype.kind in "iuf" and len(X) == len(y)
    if not fits or X.size == 0:
        return False
    with np.errstate(all="ignore"):  # a sum that overflows goes the long way, which looks closer
        return bool(np.isfinite(X.sum()) and np.isfinite(y.sum()))


def kind_of_classes(y: Any) -> str:
    """`sklearn.utils.multiclass.type_of_target`, without its search where the numbers are whole."""
    if y.ndim == 1 and y.dtype.kind in "iu":
        classes = len(np.unique(y))
        if classes <= len(y) // 2:  # more may be numbers to be learnt: it has a word for that
            return "multiclass" if classes > 2 else "binary"
    return str(type_of_target(y, input_name="y"))
