"""What a column of a table holds: numbers or categories, and the sentences when it is neither."""

from __future__ import annotations

from enum import Enum

import numpy as np
import pandas as pd

from secant.learn.errors import InputError

__all__ = ["Kind", "as_categories", "as_numbers", "kind_of"]

# A text column in which more than this share of the cells are numbers is a damaged number column.
_MOSTLY_NUMBERS = 0.5


class Kind(Enum):
    """What the cells of a column are."""

    NUMBER = "number"
    CATEGORY = "category"


def kind_of(column: pd.Series) -> Kind:
    """Numbers, or categories: text, truth values, and columns kept as text on request.

    A column in which most cells are numbers counts as numbers even if some cells are not;
    `as_numbers` then says which.
    """
    if pd.api.types.is_bool_dtype(column):
        return Kind.CATEGORY
    if pd.api.types.is_numeric_dtype(column):
        return Kind.NUMBER
    present = column.dropna().astype(str)
    share = float(pd.to_numeric(present, errors="coerce").notna().mean()) if len(present) else 1.0
    return Kind.NUMBER if share > _MOSTLY_NUMBERS else Kind.CATEGORY


def as_numbers(column: pd.Series, what: str = "column") -> pd.Series:
    """The column as float64, missing cells as NaN.

    Raises
    ------
    InputError
        If a cell holds text or an infinite number; the message gives its row.
    """
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        numbers = column.astype(np.float64)
    else:
        numbers = pd.to_numeric(column.astype("object").map(str, na_action="ignore"), "coerce")
        numbers = numbers.astype(np.float64)
    _refuse_cells(column, (numbers.isna() & column.notna()).to_numpy(), what, "text")
    _refuse_cells(column, np.isinf(numbers.to_numpy()), what, "an infinite number")
    return numbers


def _refuse_cells(column: pd.Series, wrong: np.ndarray, what: str, found: str) -> None:
    rows = np.flatnonzero(wrong)
    if not len(rows):
        return
    more = f" (and in {len(rows) - 1} more rows)" if len(rows) > 1 else ""
    raise InputError(
        f"{what} {str(column.name)!r} must hold numbers, and row {rows[0] + 1} holds {found}: "
        f"{str(column.iloc[rows[0]])!r}{more}; leave missing numbers empty"
    )


def as_categories(column: pd.Series) -> pd.Series:
    """The column as text without surrounding blanks, missing cells as None."""
    text = column.astype("object").map(lambda cell: str(cell).strip(), na_action="ignore")
    return text.where(text.notna(), None)
