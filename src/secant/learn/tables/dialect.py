"""How a text file writes a table: what separates cells, how numbers are written, in which encoding."""

from __future__ import annotations

import codecs
import io
import re
from dataclasses import dataclass

import pandas as pd

from secant.learn.errors import InputError
from secant.learn.plain import settle_types

__all__ = ["Dialect"]

_THOUSANDS = (",", ".", " ", "'", "_", "\u00a0", "\u202f", "\u2019")
# Programs write these for one another: a blank that breaks no line, an apostrophe that is a quote.
_ALIKE = {" ": "[ \u00a0\u202f]", "'": "['\u2019]"}


@dataclass(frozen=True)
class Dialect:
    """How the cells of a text file are written.

    Attributes
    ----------
    separator : str, optional
        Between two cells: one character, or ``tab``. By default a comma, or a tab in files that end in
        ``.tsv`` or ``.tab``.
    decimal : str
        Before the fraction of a number: ``.`` or ``,``.
    thousands : str, optional
        Between groups of three digits, such as ``,`` in 1,234.5 and ``.`` in 1.234,5. A blank also stands
        for those that break no line, an apostrophe also for the curved one.
    encoding : str
        Of the text: a name that Python knows, such as ``latin-1`` or ``cp1252``.

    Raises
    ------
    InputError
        For a character or an encoding that cannot be.

    Examples
    --------
    >>> german = Dialect(";", decimal=",", thousands=".", encoding="latin-1")
    >>> german.numbers(pd.Series(["1.234,5", "7", "31.12.2024"])).tolist()
    ['1234.5', '7', '31.12.2024']
    """

    separator: str | None = None
    decimal: str = "."
    thousands: str | None = None
    encoding: str = "utf-8"

    def __post_init__(self) -> None:
        settle_types(self)
        if self.separator in ("\\t", "tab"):
            object.__setattr__(self, "separator", "\t")
        if self.separator is not None and not _is_separator(self.separator):
            raise InputError(
                f"separator must be one character such as ',' or ';', not {self.separator!r}"
            )
        if self.decimal not in (".", ","):
            raise InputError(f"decimal must be '.' or ',', not {self.decimal!r}")
        if self.thousands is not None and self.thousands not in _THOUSANDS:
            raise InputError(
                "thousands must be a comma, a point, a blank, an apostrophe or '_', "
                f"not {self.thousands!r}"
            )
        if self.thousands == self.decimal:
            raise InputError(f"thousands and decimal cannot both be {self.decimal!r}")
        if not _is_encoding(self.encoding):
            raise InputError(f"there is no encoding {self.encoding!r}")

    @property
    def is_utf8(self) -> bool:
        """Whether the text is UTF-8."""
        return codecs.lookup(self.encoding).name in ("utf-8", "utf-8-sig")

    @property
    def codec(self) -> str:
        """The encoding, with a byte-order mark left out of UTF-8."""
        return "utf-8-sig" if self.is_utf8 else self.encoding

    @property
    def has_own_numbers(self) -> bool:
        """Whether numbers are written otherwise than Python writes them, or all in quotes."""
        return self.decimal in (",", self.separator) or self.thousands is not None

    def numbers(self, cells: pd.Series) -> pd.Series:
        """The cells with those that are numbers here written as Python writes them."""
        point = re.escape(self.decimal)
        group = _ALIKE.get(self.thousands or "", re.escape(self.thousands or ""))
        whole = rf"\d{{1,3}}(?:{group}\d{{3}})+|\d+" if self.thousands else r"\d+"
        number = re.compile(rf"\s*([-+]?)({whole}|)(?:{point}(\d*))?([eE][-+]?\d+)?\s*")

        def plainly(cell: object) -> object:
            found = number.fullmatch(cell) if isinstance(cell, str) else None
            if found is None or not (found[2] or found[3]):
                return cell
            digits = re.sub(r"\D", "", found[2])
            fraction = "" if found[3] is None else f".{found[3]}"
            return f"{found[1]}{digits}{fraction}{found[4] or ''}"

        return cells.astype("object").map(plainly)


def _is_separator(text: str) -> bool:
    return len(text) == 1 and text not in '"\r\n\0'


def _is_encoding(name: str) -> bool:
    """Whether Python turns the bytes of a file into text by this name; base64 makes bytes of them."""
    try:
        io.TextIOWrapper(io.BytesIO(), name)
    except (LookupError, ValueError):
        return False
    return True
