"""Predictions for the rows of a new table."""

from __future__ import annotations

import pandas as pd

from secant.learn.data import read_table
from secant.learn.model import Model
from secant.learn.source import Readable, open_source

__all__ = ["predict_table"]


def predict_table(
    model: Model, path: Readable, separator: str | None = None
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Predictions in the order of the rows, and sentences about missing and unknown cells.

    Columns the model does not need are ignored. What becomes of missing cells and unknown
    categories was chosen at the training and is stored in the model.

    Parameters
    ----------
    model : Model
        From `load_model` or a training.
    path : str, Path or open file
        A CSV, TSV or Parquet file; ``"-"`` is standard input.
    separator : str, optional
        See `read_table`.

    Raises
    ------
    InputError
        If the file cannot be read, lacks a column, or has text where numbers are needed.
    """
    source = open_source(path)
    frame = read_table(source, separator=separator, text=model.preparation.categorical)
    model.preparation.check_columns([str(name) for name in frame.columns], source.name)
    return model.predict(frame), model.preparation.gaps(frame)
