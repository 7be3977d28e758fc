"""Parquet files as tables, and tables as Parquet files."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Sequence
from typing import IO, Any

import pandas as pd

from secant.learn.errors import InputError, listing
from secant.learn.tables.source import Source

__all__ = ["read_parquet", "write_parquet"]


def read_parquet(source: Source, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """The table in a Parquet file, or some of its columns.

    Raises
    ------
    InputError
        If pyarrow is not installed, the file is damaged, repeats a name, or has a column of
        lists, structures or bytes.
    """
    pa, parquet = _pyarrow(source.name, "reading")
    try:
        with source.open() as file:
            # A table's end is read first, which a stream of decompressed bytes cannot.
            opened = parquet.ParquetFile(file if file.seekable() else io.BytesIO(file.read()))
            names = list(opened.schema_arrow.names)
            _refuse_repeated(source.name, names)
            wanted = names if columns is None else [name for name in names if name in set(columns)]
            table = opened.read(columns=wanted)
    except (pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"{source.name} cannot be read as Parquet: {reason}") from None
    for field in table.schema:
        if pa.types.is_nested(field.type) or pa.types.is_binary(field.type):
            raise InputError(
                f"{source.name}: column {field.name!r} holds {field.type}, and a cell must be one "
                "number or text"
            )
    # Without the index that pandas may have stored: a column is a column.
    return pd.DataFrame(table.to_pandas(ignore_metadata=True)).rename(columns=str)


def write_parquet(frame: pd.DataFrame, file: IO[bytes], name: str) -> None:
    """Write a table into a file that is called `name`; raises InputError without pyarrow."""
    pa, parquet = _pyarrow(name, "writing")
    parquet.write_table(pa.Table.from_pandas(frame, preserve_index=False), file)


def _pyarrow(name: str, doing: str) -> tuple[Any, Any]:
    try:
        import pyarrow
        from pyarrow import parquet
    except ModuleNotFoundError:
        raise InputError(
            f"{name} is a Parquet file, and {doing} it needs pyarrow; "
            "install it with: pip install 'secant[parquet]'"
        ) from None
    return pyarrow, parquet


def _refuse_repeated(name: str, columns: list[str]) -> None:
    repeated = [column for column, count in Counter(columns).items() if count > 1]
    if repeated:
        raise InputError(f"{name} has more than one column named {listing(repeated)}")
