"""Predictions for the rows of a new table."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from secant.learn.data import read_table
from secant.learn.model import Model

__all__ = ["predict_table"]


def predict_table(
    model: Model, path: str | Path, separator: str | None = None
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Predictions in the order of the rows, and sentences about missing and unknown cells.

    Columns the model does not need are ignored. A missing number is the median of the training
    rows; a missing or unknown category is none of the known ones.

    Parameters
    ----------
    model : Model
        From `load_model` or a training.
    path : str or Path
        The CSV file.
    separator : str, optional
        See `read_table`.

    Raises
    ------
    InputError
        If the file cannot be read, lacks a column, or has text where numbers are needed.
    """
    frame = read_table(path, separator=separator, text=model.preparation.categorical)
    model.preparation.check_columns([str(name) for name in frame.columns], Path(path).name)
    return model.predict(frame), model.preparation.gaps(frame)
