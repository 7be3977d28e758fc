"""The file of a saved run: one ``.npz`` with a JSON header, never a pickle, and what its header says."""

from __future__ import annotations

import importlib
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from secant.arrays import Array, HostArray
from secant.encoding import Reader, Writer

__all__ = [
    "FORMAT",
    "empty_start",
    "method_fields",
    "read_saved",
    "saved_method",
    "whole_run",
    "write_saved",
]

FORMAT = 1
"""Version of the file format."""

_LIBRARIES = ("torch", "array_api_strict")
"""What may be imported because a file names it."""


@contextmanager
def whole_run(path: str | os.PathLike[str]) -> Iterator[None]:
    """What is missing in a file, or of another kind, makes one sentence."""
    try:
        yield
    except (KeyError, IndexError, TypeError, AttributeError, ImportError) as reason:
        raise ValueError(f"{path} is not a whole saved run: {reason!r}") from None


def write_saved(path: Path, content: dict[str, Any], stored: dict[str, HostArray]) -> None:
    """Write beside ``path``, then rename, so that no half-written file is left."""
    header = np.frombuffer(json.dumps(content).encode(), dtype=np.uint8)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez(file, **{"header": header, **stored})  # type: ignore[arg-type]
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def read_saved(path: Path) -> tuple[dict[str, Any], dict[str, HostArray]]:
    """The header and the arrays; raises ValueError for what is no saved run."""
    try:
        with np.load(path, allow_pickle=False) as file:
            stored = {name: file[name] for name in file.files}
        content = json.loads(stored.pop("header").tobytes())
        if not isinstance(content, dict):
            raise TypeError(f"its header is a {type(content).__name__}")
    except FileNotFoundError:
        raise
    except Exception as reason:
        raise ValueError(f"{path} is not a saved run: {reason}") from None
    if content.get("format") != FORMAT:
        raise ValueError(
            f"{path} has format {content.get('format')!r}, this version reads {FORMAT}"
        )
    return content, stored


def empty_start(content: dict[str, Any], stored: dict[str, HostArray]) -> Array:
    """The saved iterate as a flat array of the saved library."""
    x = stored[content["state"]["fields"]["point"]["x"]]
    if content["library"] == "numpy":
        return x
    if content["library"] not in _LIBRARIES:
        raise ValueError(
            f"x0 must be given to resume a run on arrays of {content['library']!r}: its values come "
            "from the file, its library and device from x0"
        )
    library = importlib.import_module(content["library"])
    return library.asarray(x.tolist(), dtype=getattr(library, content["dtype"]))


def method_fields(method: Any) -> Any:
    """The method as nested fields, or None where a part is a function of the user's."""
    try:
        return Writer(arrays_allowed=False).encode(method)
    except TypeError:
        return None


def saved_method(fields: Any) -> Any:
    """The way back from `method_fields`; raises ValueError for None."""
    if fields is None:
        raise ValueError(
            "method must be given: the saved run's method holds a function or an array, "
            "which the file cannot carry"
        )
    return Reader({}, None, None).decode(fields)
