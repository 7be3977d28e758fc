"""Model files: weights in `model.safetensors`, everything else in `model.json`.

Nothing is pickled. The JSON holds a format version, the columns with their statistics, the meaning
of the target, the architecture, and name, type and shape of each tensor with a digest of them all,
so that a file that was cut short, damaged or mixed up with another is refused in a sentence. The
weights keep the precision in which they were trained, which the architecture names.
Nothing in the two files depends on the clock: the same training writes the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from errno import EISDIR
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor

import secant
from secant.learn.errors import InputError, listing
from secant.learn.inputs import read_input, read_input_of_version_1
from secant.learn.model import Model
from secant.learn.network import ACTIVATIONS, DTYPES, Perceptron, check_dtype
from secant.learn.output import whole_file
from secant.learn.preparation import Preparation
from secant.learn.schema import Fields
from secant.learn.targets import read_target, read_target_of_version_1

__all__ = ["load_model", "save_model"]

FORMAT = "secant-model"
VERSION = 3
"""Of models with several targets; 2 has one, and 1 had medians, means and deviations alone."""
DESCRIPTION = "model.json"
WEIGHTS = "model.safetensors"

_LARGEST_DESCRIPTION = 1 << 28


def save_model(model: Model, folder: str | Path) -> None:
    """Write both files into an existing folder.

    Parameters
    ----------
    model : Model
        Of a training, or from `load_model`.
    folder : str or Path

    Raises
    ------
    InputError
        If the weights are not finite, or in another precision than float64 or float32, or the files
        cannot be written.

    Examples
    --------
    >>> import io
    >>> import tempfile
    >>> import numpy as np
    >>> import pandas as pd
    >>> from secant.learn import Settings, load_model, save_model, train_table
    >>> frame = pd.DataFrame({"x": np.linspace(-1.0, 1.0, 100)})
    >>> table = io.StringIO(frame.assign(y=np.sin(3.0 * frame["x"])).to_csv(index=False))
    >>> model = train_table(table, Settings("y", hidden=(8,))).model
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_model(model, folder)
    ...     again = load_model(folder)
    >>> again.predict(frame).equals(model.predict(frame))
    True
    """
    folder = Path(folder)
    check_dtype(_type_name(model.network.dtype))
    tensors = {name: value.contiguous() for name, value in model.network.state_dict().items()}
    for name, tensor in tensors.items():
        _check_finite(tensor, f"the model cannot be saved: {name!r}")
    weights = save_tensors(tensors)
    described = _describe(model, tensors, weights)
    description = json.dumps(described, indent=2, ensure_ascii=False, allow_nan=False)
    # The description last: a folder without one is no model folder.
    with whole_file(folder / WEIGHTS) as file:
        file.write_bytes(weights)
    with whole_file(folder / DESCRIPTION) as file:
        file.write_text(description + "\n", encoding="utf-8")


def _describe(model: Model, tensors: dict[str, Tensor], weights: bytes) -> dict[str, Any]:
    return {
        "format": FORMAT,
        # The first that can hold the model: what readers of before can read, they shall.
        "version": VERSION if len(model.target.names) > 1 else 2,
        "secant": secant.__version__,
        "target": model.target.to_dict(),
        **model.preparation.to_dict(),
        "network": {
            "sizes": list(model.network.sizes),
            "activation": model.network.activation,
            "dtype": _type_name(model.network.dtype),
        },
        "tensors": {name: _type_and_shape(value) for name, value in tensors.items()},
        "sha256": hashlib.sha256(weights).hexdigest(),
    }


def _type_and_shape(tensor: Tensor) -> dict[str, Any]:
    return {"dtype": _type_name(tensor.dtype), "shape": list(tensor.shape)}


def _type_name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def _check_finite(tensor: Tensor, where: str) -> None:
    if not bool(torch.isfinite(tensor).all()):
        raise InputError(f"{where} holds values that are not finite")


def load_model(folder: str | Path) -> Model:
    """Read and check a model; `save_model` has an example.

    Parameters
    ----------
    folder : str or Path
        Where `save_model` or ``secant train`` wrote it.

    Returns
    -------
    Model

    Raises
    ------
    InputError
        If the folder holds no model, or one of its files is damaged, from another version, or
        belongs to another model.
    """
    folder = Path(folder)
    fields = _read_description(folder)
    first = fields.members["version"] == 1
    preparation = Preparation.from_fields(fields, read_input_of_version_1 if first else read_input)
    target = (read_target_of_version_1 if first else read_target)(fields.fields("target"))
    architecture = fields.fields("network")
    sizes = architecture.sizes("sizes")
    ends = (preparation.width, target.outputs)
    if len(sizes) < 2 or (sizes[0], sizes[-1]) != ends:
        raise InputError(
            f"{fields.where}: a network of sizes {list(sizes)} does not fit "
            f"{ends[0]} inputs and {ends[1]} outputs"
        )
    # Models that were written before there was a choice do not name it.
    named = "dtype" in architecture.members
    dtype = architecture.choice("dtype", tuple(DTYPES)) if named else "float64"
    tensors = _read_weights(folder, fields, sizes, DTYPES[dtype].itemsize)
    # Before the network is made: sizes that the weights do not have cost no memory.
    _check_tensors(folder / WEIGHTS, tensors, sizes, dtype, fields)
    activation = architecture.choice("activation", tuple(ACTIVATIONS))
    network = Perceptron(sizes, activation, None, DTYPES[dtype])
    network.load_state_dict(tensors)
    return Model(preparation, network, target)


def _read_description(folder: Path) -> Fields:
    path = folder / DESCRIPTION
    try:
        _refuse_large(path, _LARGEST_DESCRIPTION, "the description of a model")
        members = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        if folder.name in (DESCRIPTION, WEIGHTS) and folder.is_file():
            raise InputError(f"{str(folder)!r} is a file of a model: give its folder") from None
        raise InputError(f"{str(folder)!r} holds no {DESCRIPTION}: it is no model folder") from None
    except OSError as error:
        raise InputError(f"{str(path)!r} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"{str(path)!r} is damaged, it is no JSON: {error}") from None
    fields = Fields(members, str(path))
    fields.choice("format", (FORMAT,))
    version = fields.take("version", lambda value: type(value) is int, "a whole number")
    if not 1 <= version <= VERSION:
        raise InputError(
            f"{path} has format version {version}, and this secant ({secant.__version__}) reads "
            f"versions 1 to {VERSION}"
        )
    return fields


def _refuse_large(path: Path, most: int, of: str) -> None:
    """Before a file is read: its size must be one that can be right."""
    if path.is_dir():
        raise IsADirectoryError(EISDIR, os.strerror(EISDIR))
    size = path.stat().st_size
    if size > most:
        raise InputError(f"{path} has {size:,} bytes, and {of} takes at most {most:,}")


def _read_weights(
    folder: Path, fields: Fields, sizes: tuple[int, ...], itemsize: int
) -> dict[str, Tensor]:
    path = folder / WEIGHTS
    digest = fields.text("sha256")
    shapes = Perceptron.shapes(sizes).values()
    # The weights, and a header with a line for each tensor.
    most = itemsize * sum(map(math.prod, shapes)) + 256 * (len(shapes) + 1)
    try:
        _refuse_large(path, most, "the network that it belongs to")
        weights = path.read_bytes()
    except OSError as error:
        raise InputError(f"{str(path)!r} cannot be read: {error.strerror}") from None
    if hashlib.sha256(weights).hexdigest() != digest:
        raise InputError(
            f"{path} is not the file that was written with its {DESCRIPTION}: the digests differ"
        )
    try:
        return load_tensors(weights)
    except SafetensorError as error:
        raise InputError(f"{path} is damaged: {error}") from None


def _check_tensors(
    path: Path, tensors: dict[str, Tensor], sizes: tuple[int, ...], dtype: str, fields: Fields
) -> None:
    expected = {
        name: {"dtype": dtype, "shape": list(shape)}
        for name, shape in Perceptron.shapes(sizes).items()
    }
    described = fields.fields("tensors").members
    if tensors.keys() != expected.keys() or described.keys() != expected.keys():
        raise InputError(
            f"{path} must hold the tensors {listing(expected)}, not {listing(tensors)} "
            f"({DESCRIPTION} has {listing(described)})"
        )
    for name in expected:
        tensor = tensors[name]
        found = _type_and_shape(tensor)
        if found != expected[name] or described[name] != expected[name]:
            raise InputError(
                f"{path}: {name!r} must be {expected[name]}, not {found} "
                f"({DESCRIPTION} has {described[name]})"
            )
        _check_finite(tensor, f"{path}: {name!r}")
