"""Models in the forms of others: ONNX, a Python file, a C file.

Each holds the whole way from the cells of a table to the prediction: filling, scaling, categories,
the network, and the units or classes of the target. Nothing of secant is needed to use them. The
precision is that of the network; a model in float64 may be exported in float32.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from secant.learn.errors import InputError, listing
from secant.learn.export.c import c_source
from secant.learn.export.onnx import onnx_bytes
from secant.learn.export.precision import in_precision
from secant.learn.export.python import python_source
from secant.learn.model import Model
from secant.learn.output import whole_file

__all__ = ["FORMATS", "c_source", "export_model", "onnx_bytes", "python_source"]

FORMATS: dict[str, Callable[[Model], bytes]] = {
    "onnx": onnx_bytes,
    "python": lambda model: python_source(model).encode("utf-8"),
    "c": lambda model: c_source(model).encode("ascii"),
}


def export_model(model: Model, path: str | Path, format: str, dtype: str | None = None) -> None:
    """Write a model in another form; the file appears whole or not at all.

    Parameters
    ----------
    model : Model
        From `load_model` or a training.
    path : str or Path
        The file to write.
    format : str
        ``onnx``, ``python`` or ``c``.
    dtype : str, optional
        ``float64`` or ``float32``; by default the precision in which the model was trained.
        `secant.learn.export.rounding.rounding_error` measures what float32 changes.

    Raises
    ------
    InputError
        If there is no such format or precision, a number of the model has no place in it, the package
        for ONNX is missing, or the file cannot be written.
    """
    if format not in FORMATS:
        raise InputError(f"format must be one of {listing(FORMATS)}, not {format!r}")
    content = FORMATS[format](in_precision(model, dtype))
    with whole_file(Path(path)) as file:
        file.write_bytes(content)
