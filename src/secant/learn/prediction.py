"""Predictions for the rows of a new table, and the file they are written to."""

from __future__ import annotations

import io
from pathlib import Path

import pandas as pd

from secant.learn.model import Model
from secant.learn.output import whole_file
from secant.learn.tables.compression import compressed, without_ending
from secant.learn.tables.data import read_table
from secant.learn.tables.dialect import Dialect
from secant.learn.tables.parquet import write_parquet
from secant.learn.tables.source import Readable, is_parquet_name, open_source, separator_of

__all__ = ["predict_table", "write_predictions"]


def predict_table(
    model: Model, path: Readable, dialect: Dialect | None = None
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Predictions in the order of the rows, and sentences about missing and unknown cells.

    Columns the model does not need are ignored. What becomes of missing cells and unknown
    categories was chosen at the training and is stored in the model.

    Parameters
    ----------
    model : Model
        From `load_model` or a training.
    path : str, Path or open file
        A CSV, TSV or Parquet file, see `read_table`; ``"-"`` is standard input.
    dialect : Dialect, optional
        See `read_table`.

    Returns
    -------
    predictions : DataFrame
        As `Model.predict` gives them.
    notes : tuple of str

    Raises
    ------
    InputError
        If the file cannot be read, lacks a column, or has text where numbers are needed.

    Examples
    --------
    >>> import io
    >>> import numpy as np
    >>> import pandas as pd
    >>> from secant.learn import Settings, predict_table, train_table
    >>> x = np.linspace(-1.0, 1.0, 100)
    >>> table = io.StringIO(pd.DataFrame({"x": x, "y": np.sin(3.0 * x)}).to_csv(index=False))
    >>> model = train_table(table, Settings("y", hidden=(8,))).model
    >>> predictions, notes = predict_table(model, io.StringIO("x\\n0.5\\n"))
    >>> list(predictions.columns), round(float(predictions.iloc[0, 0]), 1), notes
    (['predicted_y'], 1.0, ())
    """
    source = open_source(path)
    frame = read_table(source, dialect=dialect, text=model.preparation.categorical)
    model.preparation.check_columns([str(name) for name in frame.columns], source.name)
    return model.predict(frame), model.preparation.gaps(frame)


def write_predictions(predictions: pd.DataFrame, path: str | Path) -> None:
    """Write predictions as the name says: CSV, TSV or Parquet, compressed by .gz, .bz2, .xz, .zst or .zip.

    The file appears whole or not at all, and is the same every time.

    Raises
    ------
    InputError
        If the file cannot be written, or pyarrow or zstandard is needed and not there.
    """
    path = Path(path)
    inside = without_ending(path.name)
    with whole_file(path) as place, compressed(place, path.name) as file:
        if is_parquet_name(inside):
            write_parquet(predictions, file, path.name)
            return
        with io.TextIOWrapper(file, encoding="utf-8", newline="") as text:
            predictions.to_csv(text, sep=separator_of(inside), index=False)
