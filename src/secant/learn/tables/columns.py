"""What a column of a table holds: numbers or categories, and the sentences when it is neither."""

from __future__ import annotations

import re
from enum import Enum

import numpy as np
import pandas as pd

from secant.learn.errors import InputError

__all__ = [
    "MISSING_CELLS",
    "Kind",
    "are_dates",
    "as_categories",
    "as_numbers",
    "as_text",
    "kind_of",
    "refuse_commas",
]

# What a cell of a text file says when it says nothing; pandas' list, fixed so that it stays.
MISSING_CELLS = frozenset(
    {
        *("", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND"),
        *("1.#QNAN", "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"),
    }
)
# A text column in which more than this share of the cells are numbers is a damaged number column.
_MOSTLY_NUMBERS = 0.5
# Whether a text column is of dates is seen from so many of its different cells.
_CELLS_LOOKED_AT = 100
_DATE = r"\s*(\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}|\d{1,2}:\d{2})(\D|$)"


# Numbers with commas: 1,234.5 and 1,5 and 1.234,5, or without.
_WITH_COMMAS = (
    re.compile(r"[-+]?(\d{1,3}(,\d{3})+|\d+)(\.\d+)?"),
    re.compile(r"[-+]?\d+(,\d+)?"),
    re.compile(r"[-+]?(\d{1,3}(\.\d{3})+|\d+)(,\d+)?"),
)


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
    if pd.api.types.is_datetime64_any_dtype(column):
        return Kind.CATEGORY
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
    """The column as text without surrounding blanks, missing and blank cells as None."""
    text = column.astype("object").map(lambda cell: str(cell).strip(), na_action="ignore")
    return text.where(text.notna() & (text != ""), None)


def as_text(column: pd.Series) -> pd.Series:
    """Cells of any type as a text file would have them: whole numbers without a fraction."""
    return column.astype("object").map(_cell_text, na_action="ignore")


def _cell_text(cell: object) -> str:
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)


def are_dates(column: pd.Series) -> bool:
    """Whether the cells are dates or times, as such or as texts like 2024-12-31 or 31.12.2024."""
    if pd.api.types.is_datetime64_any_dtype(column) or pd.api.types.is_timedelta64_dtype(column):
        return True
    seen = column.dropna().astype(str).drop_duplicates().head(_CELLS_LOOKED_AT)
    return bool(len(seen)) and bool(seen.str.match(_DATE).all())


def refuse_commas(column: pd.Series, what: str = "column") -> None:
    """Raise InputError if the numbers of a text column are written like 1,5 or 1,234 or 1.234,5."""
    seen = column.dropna().astype(str).str.strip().drop_duplicates().head(_CELLS_LOOKED_AT)
    written = [number.fullmatch for number in _WITH_COMMAS]
    commas = seen[seen.str.contains(",")]
    if commas.empty or not all(any(fits(cell) for fits in written) for cell in seen):
        return
    thousands, decimal, both = (all(map(fits, seen)) for fits in written)
    if thousands and decimal:
        found, option = "with commas", "--thousands ',' or --decimal ','"
    elif thousands:
        found, option = "with commas between thousands", "--thousands ','"
    elif decimal:
        found, option = "with a decimal comma", "--decimal ','"
    elif both:
        found, option = "with a decimal comma", "--decimal ',' --thousands '.'"
    else:
        return
    raise InputError(
        f"{what} {str(column.name)!r} holds numbers {found}, such as {commas.iloc[0]!r}: write them "
        f"with a point alone, or give {option}"
    )
