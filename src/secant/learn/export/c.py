"""A model as one C99 file that needs nothing but the C library, in double or in float."""

from __future__ import annotations

import re
import unicodedata

import numpy as np

import secant
from secant.learn.export.layers import environment, layers
from secant.learn.export.precision import check_constants, parts, precision_of, scaled_fill
from secant.learn.inputs import NumericInput
from secant.learn.model import Model
from secant.learn.tables.columns import MISSING_CELLS
from secant.learn.targets import ClassTargets

__all__ = ["c_source"]

_SAFE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 _-.,=+()<>:;")


def c_source(model: Model) -> str:
    """A translation unit with ``secant_predict``; compiled with ``-DSECANT_MAIN`` a filter.

    The filter reads a CSV table from its standard input and writes predictions. A network in float32
    becomes a file in which everything is ``float``.

    Raises
    ------
    InputError
        If float32 has no place for a constant of the model.
    """
    check_constants(model)
    dtype = precision_of(model)
    single = dtype == "float32"
    template = environment()
    # Texts and numbers enter the file as literals and in no other way: a name cannot be code.
    template.filters["text"] = _text
    template.filters["number"] = _float if single else _double
    names = [_identifier(place, name) for place, name in enumerate(model.preparation.names)]
    entries = list(zip(names, model.preparation.inputs, strict=True))
    return template.get_template("model.c.jinja").render(
        version=secant.__version__,
        target=model.target,
        classes=getattr(model.target, "classes", ()),
        several_classes=isinstance(model.target, ClassTargets),
        targets=getattr(model.target, "columns", ()),
        real="float" if single else "double",
        f="f" if single else "",
        digits=9 if single else 17,
        parts=lambda shift: parts(shift, dtype),
        scaled_fill=scaled_fill,
        entries=entries,
        is_number=lambda entry: isinstance(entry, NumericInput),
        width=model.preparation.width,
        sizes=model.network.sizes,
        layers=layers(model),
        widest=max(model.network.sizes),
        activation=model.network.activation,
        missing_cells=sorted(MISSING_CELLS),
    )


def _double(value: float) -> str:
    return repr(float(value))


def _float(value: float) -> str:
    """The fewest digits that are this number, and the suffix without which it would be a double."""
    return f"{np.float32(value)!s}f"


def _identifier(place: int, name: str) -> str:
    """A member name that nothing else has and no keyword is: its number, then what C can spell."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode("ascii")
    spelt = re.sub(r"[^A-Za-z0-9]+", "_", plain).strip("_")[:40]
    return f"x{place}_{spelt}" if spelt else f"x{place}"


def _text(text: str) -> str:
    """A string literal of its UTF-8 bytes; three octal digits end an escape, whatever follows."""
    characters = (
        chr(byte) if chr(byte) in _SAFE else f"\\{byte:03o}" for byte in text.encode("utf-8")
    )
    return '"' + "".join(characters) + '"'
