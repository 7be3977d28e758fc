"""Reading a table from a text file, and what can be wrong with such a file.

Cells come out as numbers where a whole column holds numbers and as the text of the file
otherwise; what a column means is decided in `columns`. Rows are counted from 1, without the
header, in every message.
"""

from __future__ import annotations

import csv
import re
import warnings
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from secant.learn.errors import InputError, listing

__all__ = ["read_table"]

_SEPARATORS = {".tsv": "\t", ".tab": "\t"}
_NAMES = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars", " ": "spaces"}


def read_table(
    path: str | Path, *, separator: str | None = None, text: Iterable[str] = ()
) -> pd.DataFrame:
    """The table in a CSV or TSV file, columns without a name left out.

    Parameters
    ----------
    path : str or Path
        A UTF-8 text file whose first line names the columns.
    separator : str, optional
        What stands between two cells: one character. By default a comma, or a tab in files that
        end in ``.tsv`` or ``.tab``.
    text : iterable of str
        Columns whose cells are kept as the text of the file even if they look like numbers.

    Raises
    ------
    InputError
        If the file cannot be read, is no table, or repeats a column name.
    """
    path = Path(path)
    separator = _separator(path, separator)
    _refuse_binary(path)
    try:
        header = _header(path, separator)
        frame = _parse(path, separator, header, frozenset(text))
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        raise InputError(
            f"{path.name} is not UTF-8 text (byte 0x{byte:02x} cannot be read): "
            "save it again as CSV in UTF-8"
        ) from None
    if frame.empty:
        raise InputError(f"{path.name} has a header and no rows: there is nothing to read")
    return frame


def _separator(path: Path, separator: str | None) -> str:
    if separator is None:
        return _SEPARATORS.get(path.suffix.lower(), ",")
    separator = {"\\t": "\t", "tab": "\t"}.get(separator, separator)
    if len(separator) != 1 or separator in '"\r\n':
        raise InputError(f"separator must be one character such as ',' or ';', not {separator!r}")
    return separator


def _refuse_binary(path: Path) -> None:
    try:
        with path.open("rb") as file:
            start = file.read(4096)
    except FileNotFoundError:
        raise InputError(f"there is no file {str(path)!r}") from None
    except IsADirectoryError:
        raise InputError(f"{str(path)!r} is a folder, and a CSV file is needed") from None
    except OSError as error:
        raise InputError(f"{str(path)!r} cannot be read: {error.strerror}") from None
    if not start.strip():
        raise InputError(f"{path.name} is empty: a header line and rows are needed")
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InputError(f"{path.name} is UTF-16 text: save it again as CSV in UTF-8")
    if b"\0" in start or start.startswith((b"PK\x03\x04", b"PAR1", b"\x1f\x8b")):
        raise InputError(f"{path.name} is a binary file: export the table as CSV text")


def _header(path: Path, separator: str) -> list[str]:
    """The column names, checked; a column without a name gets an empty one."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        try:
            cells = next((row for row in csv.reader(file, delimiter=separator) if row), [])
        except csv.Error as error:
            raise InputError(f"the first line of {path.name} cannot be read: {error}") from None
    names = [cell.strip() for cell in cells]
    if len(names) == 1:
        _refuse_other_separator(path, names[0], separator)
    if all(_is_number(name) for name in names if name):
        raise InputError(
            f"the first line of {path.name} holds numbers only: it must name the columns"
        )
    repeated = [name for name, count in Counter(names).items() if name and count > 1]
    if repeated:
        raise InputError(f"{path.name} has more than one column named {listing(repeated)}")
    return names


def _refuse_other_separator(path: Path, name: str, separator: str) -> None:
    for other in ";\t|,":
        if other in name:
            shown = "tab" if other == "\t" else f"'{other}'"
            raise InputError(
                f"{path.name} has a single column when {_called(separator)} separate its cells: "
                f"{_called(other)} seem to, so give --separator {shown}"
            )


def _called(separator: str) -> str:
    return _NAMES.get(separator, repr(separator))


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _parse(path: Path, separator: str, header: Sequence[str], text: frozenset[str]) -> pd.DataFrame:
    # pandas refuses empty and repeated names, so nameless columns travel under their number.
    names = [name or f"\0{number}" for number, name in enumerate(header)]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            frame = pd.read_csv(
                path,
                sep=separator,
                header=0,
                names=names,
                index_col=False,
                dtype={name: str for name in names if name in text},
                encoding="utf-8-sig",
                skipinitialspace=True,
                low_memory=False,
            )
    except pd.errors.ParserWarning:
        raise InputError(_too_many_cells(path, len(header))) from None
    except pd.errors.ParserError as error:
        found = re.search(r"Expected \d+ fields in line (\d+), saw (\d+)", str(error))
        if found:
            line, count = found.groups()
            message = _too_many_cells(path, len(header), line, count)
        else:
            reason = str(error).removeprefix("Error tokenizing data. C error: ")
            message = f"{path.name} cannot be read as a table: {reason}"
        raise InputError(message) from None
    return frame.loc[:, [name for name in names if not name.startswith("\0")]]


def _too_many_cells(path: Path, columns: int, line: str = "", count: str = "more") -> str:
    where = f"line {line}" if line else "a line"
    return f"{path.name}: {where} has {count} cells while the header names {columns} columns"
