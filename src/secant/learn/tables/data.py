"""Reading a table from a CSV, TSV or Parquet file, compressed or not, and what can be wrong with it.

Cells come out as numbers where a whole column holds numbers and as the text of the file
otherwise; what a column means is decided in `columns`. Rows are counted from 1, without the
header, in every message.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain, islice

import pandas as pd

from secant.learn.errors import InputError, enough_memory, listing
from secant.learn.tables.columns import MISSING_CELLS, as_text
from secant.learn.tables.dialect import Dialect
from secant.learn.tables.parquet import read_parquet
from secant.learn.tables.source import Readable, Source, open_source, separator_of

__all__ = ["read_columns_as_text", "read_table"]

_NAMES = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars", " ": "spaces"}
_BINARY = (b"PK\x03\x04", b"\x1f\x8b", b"\x89HDF", b"%PDF")


def read_table(
    path: Readable | Source, *, dialect: Dialect | None = None, text: Iterable[str] = ()
) -> pd.DataFrame:
    """The table in a file, columns without a name left out.

    Parameters
    ----------
    path : str, Path or open file
        A text file whose first line names the columns, or a Parquet file; compressed by gzip, bzip2, xz
        or zstd, or alone in a zip archive, if you like; ``"-"`` is standard input.
    dialect : Dialect, optional
        How a text file is written; by default UTF-8 with decimal points, and commas between cells, or
        tabs in files that end in ``.tsv`` or ``.tab``.
    text : iterable of str
        Columns whose cells are kept as the text of the file even if they look like numbers.

    Raises
    ------
    InputError
        If the file cannot be read, is no table, or repeats a column name.
    """
    source = open_source(path)
    with enough_memory(source.name):
        if source.is_parquet:
            _refuse_dialect(source, dialect)
            frame = read_parquet(source)
            for name in frozenset(text).intersection(frame.columns):
                frame[name] = as_text(frame[name])
        else:
            frame = _read_text(source, dialect or Dialect(), frozenset(text), None)
    if frame.empty:
        raise InputError(f"{source.name} has a header and no rows: there is nothing to read")
    return frame


def read_columns_as_text(
    path: Readable | Source, columns: Iterable[str], *, dialect: Dialect | None = None
) -> pd.DataFrame:
    """These columns alone, their cells as the text of the file; see `read_table`."""
    source, wanted = open_source(path), frozenset(columns)
    with enough_memory(source.name):
        if source.is_parquet:
            return read_parquet(source, list(wanted)).apply(as_text)
        return _read_text(source, dialect or Dialect(), wanted, wanted)


def _refuse_dialect(source: Source, dialect: Dialect | None) -> None:
    if dialect not in (None, Dialect()):
        raise InputError(
            f"{source.name} is a Parquet file: separator, decimal, thousands and encoding are for text"
        )


def _read_text(
    source: Source, dialect: Dialect, text: frozenset[str], only: frozenset[str] | None
) -> pd.DataFrame:
    if dialect.separator is None:
        dialect = replace(dialect, separator=separator_of(source.table_name))
    _refuse_binary(source, dialect)
    try:
        header = _header(source, dialect)
        frame = _parse(source, dialect, header, text, only)
    except UnicodeError as error:
        where = ""
        if isinstance(error, UnicodeDecodeError):
            where = f" (byte 0x{error.object[error.start]:02x} cannot be read)"
        known = "UTF-8" if dialect.is_utf8 else repr(dialect.encoding)
        raise InputError(
            f"{source.name} is not {known} text{where}: save it again as CSV in UTF-8, or say which "
            "--encoding it has, such as latin-1"
        ) from None
    if dialect.has_own_numbers:
        for name in frame.columns:
            if name not in text and not pd.api.types.is_numeric_dtype(frame[name]):
                frame[name] = _numbers(frame[name], dialect)
    return frame


def _numbers(cells: pd.Series, dialect: Dialect) -> pd.Series:
    """The column as numbers, if all of its cells are; else as text with plain numbers."""
    texts = dialect.numbers(cells)
    as_before = texts.map(lambda cell: isinstance(cell, str)) & (texts == cells)
    odd = [cell for cell in cells[as_before] if "." in cell and _is_number(cell)]
    if odd and dialect.decimal == ",":
        raise InputError(
            f"column {str(cells.name)!r} holds {odd[0]!r}, which is no number with a decimal comma"
            + ("" if dialect.thousands else ": give --thousands '.' if it separates thousands")
        )
    numbers = pd.to_numeric(texts.where(texts.map(lambda cell: isinstance(cell, str))), "coerce")
    return numbers if bool((numbers.notna() | texts.isna()).all()) else texts


def _refuse_binary(source: Source, dialect: Dialect) -> None:
    with source.open() as file:
        start = file.read(4096)
    if not start.strip():
        raise InputError(f"{source.name} is empty: a header line and rows are needed")
    if not dialect.is_utf8:  # which may have zeros in its characters
        if start.startswith(codecs.BOM_UTF8):
            raise InputError(
                f"{source.name} begins with the mark of UTF-8 text: leave out "
                f"--encoding {dialect.encoding}"
            )
        return
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InputError(
            f"{source.name} is UTF-16 text: save it again as CSV in UTF-8, or give --encoding utf-16"
        )
    if b"\0" in start or start.startswith(_BINARY):
        raise InputError(f"{source.name} is a binary file: export the table as CSV text")


@contextmanager
def _lines(source: Source, dialect: Dialect) -> Iterator[Iterator[str]]:
    """The file as text, a byte-order mark left out."""
    with source.open() as file, io.TextIOWrapper(file, dialect.codec, newline="") as lines:
        first = next(lines, "")
        yield chain([first.removeprefix("\ufeff")], lines)  # which utf-16-le and others leave there


def _header(source: Source, dialect: Dialect) -> list[str]:
    """The column names, checked; a column without a name gets an empty one."""
    separator = str(dialect.separator)
    try:
        with _lines(source, dialect) as lines:
            cells = next((row for row in csv.reader(lines, delimiter=separator) if row), [])
    except csv.Error as error:
        raise InputError(f"the first line of {source.name} cannot be read: {error}") from None
    names = [cell.strip() for cell in cells]
    _refuse_other_separator(source, names, dialect)
    if all(_is_number(name) for name in names if name):
        raise InputError(
            f"the first line of {source.name} holds numbers only: it must name the columns"
        )
    repeated = [name for name, count in Counter(names).items() if name and count > 1]
    if repeated:
        raise InputError(f"{source.name} has more than one column named {listing(repeated)}")
    return names


def _refuse_other_separator(source: Source, names: list[str], dialect: Dialect) -> None:
    """Another character divides the first lines into more cells, and all of them alike."""
    separator = str(dialect.separator)
    for other in ";\t|,":
        if other == separator or not any(other in name for name in names):
            continue
        with _lines(source, dialect) as lines:
            counts = {len(row) for row in csv.reader(islice(lines, 6), delimiter=other) if row}
        if len(names) == 1 or (len(counts) == 1 and counts.pop() > len(names)):
            shown = "tab" if other == "\t" else f"'{other}'"
            found = "a single column" if len(names) == 1 else f"{len(names)} columns"
            raise InputError(
                f"{source.name} has {found} when {_called(separator)} separate its cells: "
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


def _parse(
    source: Source,
    dialect: Dialect,
    header: Sequence[str],
    text: frozenset[str],
    only: frozenset[str] | None,
) -> pd.DataFrame:
    # pandas refuses empty and repeated names, so nameless columns travel under their number.
    names = [name or f"\0{number}" for number, name in enumerate(header)]
    # A comma is both in "1,5","2,5": pandas refuses that, so `_numbers` reads all of these.
    quoted = dialect.decimal == dialect.separator
    try:
        with warnings.catch_warnings(), source.open() as file:
            warnings.simplefilter("error", pd.errors.ParserWarning)
            frame = pd.read_csv(
                file,
                sep=dialect.separator,
                decimal="." if quoted else dialect.decimal,
                header=0,
                names=names,
                usecols=None if only is None else [name for name in names if name in only],
                index_col=False,
                dtype={name: str for name in names if quoted or name in text},
                encoding=dialect.codec,
                skipinitialspace=True,
                keep_default_na=False,
                na_values=sorted(MISSING_CELLS),
                low_memory=False,
            )
    except pd.errors.ParserWarning:
        raise InputError(_too_many_cells(source, len(header))) from None
    except pd.errors.ParserError as error:
        raise InputError(_why_unreadable(source, len(header), str(error))) from None
    return frame.loc[:, [str(name) for name in frame.columns if not str(name).startswith("\0")]]


def _why_unreadable(source: Source, columns: int, error: str) -> str:
    found = re.search(r"Expected \d+ fields in line (\d+), saw (\d+)", error)
    if found:
        return _too_many_cells(source, columns, *found.groups())
    reason = error.removeprefix("Error tokenizing data. C error: ")
    return f"{source.name} cannot be read as a table: {reason}"


def _too_many_cells(source: Source, columns: int, line: str = "", count: str = "more") -> str:
    where = f"line {line}" if line else "a line"
    return f"{source.name}: {where} has {count} cells while the header names {columns} columns"
