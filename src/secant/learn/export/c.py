"""A model as one C99 file that needs nothing but the C library."""

from __future__ import annotations

import re
import unicodedata

import secant
from secant.learn.columns import MISSING_CELLS
from secant.learn.export.layers import environment, layers
from secant.learn.inputs import NumericInput
from secant.learn.model import Model

__all__ = ["c_source"]

_SAFE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 _-.,=+()<>:;")


def c_source(model: Model) -> str:
    """A translation unit with ``secant_predict``; compiled with ``-DSECANT_MAIN`` a filter.

    The filter reads a CSV table from its standard input and writes predictions.
    """
    template = environment()
    # Texts and numbers enter the file as literals and in no other way: a name cannot be code.
    template.filters["text"] = _text
    template.filters["number"] = repr
    names = [_identifier(place, name) for place, name in enumerate(model.preparation.names)]
    entries = list(zip(names, model.preparation.inputs, strict=True))
    return template.get_template("model.c.jinja").render(
        version=secant.__version__,
        target=model.target,
        classes=getattr(model.target, "classes", ()),
        entries=entries,
        is_number=lambda entry: isinstance(entry, NumericInput),
        width=model.preparation.width,
        sizes=model.network.sizes,
        layers=layers(model),
        widest=max(model.network.sizes),
        activation=model.network.activation,
        missing_cells=sorted(MISSING_CELLS),
    )


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
