"""How a text file writes a table: what separates cells, how numbers are written, in which encoding."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

import pandas as pd

from secant.learn.errors import InputError

__all__ = ["Dialect"]

_THOUSANDS = (",", ".", " ", "'", "_", "\u00a0", "\u202f", "\u2019")


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
        Between groups of three digits, such as ``,`` in 1,234.5 and ``.`` in 1.234,5.
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
        if self.separator is not None:
            named = {"\\t": "\t", "tab": "\t"}.get(self.separator, self.separator)
            object.__setattr__(self, "separator", named)
            if len(named) != 1 or named in '"\r\n':
                raise InputError(
                    f"separator must be one character such as ',' or ';', not {named!r}"
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
        if self.separator == self.decimal:
            raise InputError(
                f"separator and decimal are both {self.decimal!r}: such cells cannot be told apart"
            )
        try:
            codecs.lookup(self.encoding)
        except LookupError:
            raise InputError(f"there is no encoding {self.encoding!r}") from None

    @property
    def is_utf8(self) -> bool:
        """Whether the text is UTF-8."""
        return codecs.lookup(self.encoding).name == "utf-8"

    @property
    def codec(self) -> str:
        """The encoding, with a byte-order mark left out of UTF-8."""
        return "utf-8-sig" if self.is_utf8 else self.encoding

    def numbers(self, cells: pd.Series) -> pd.Series:
        """The cells with those that are numbers here written as Python writes them."""
        point, group = re.escape(self.decimal), re.escape(self.thousands or "")
        whole = rf"\d{{1,3}}(?:{group}\d{{3}})+|\d+" if self.thousands else r"\d+"
        number = re.compile(rf"\s*([-+]?)({whole}|)(?:{point}(\d*))?([eE][-+]?\d+)?\s*")

        def plainly(cell: object) -> object:
            found = number.fullmatch(cell) if isinstance(cell, str) else None
            if found is None or not (found[2] or found[3]):
                return cell
            digits = found[2].replace(self.thousands or "", "")
            fraction = "" if found[3] is None else f".{found[3]}"
            return f"{found[1]}{digits}{fraction}{found[4] or ''}"

        return cells.astype("object").map(plainly)
