"""How numbers are written in tables and summaries."""

from __future__ import annotations

import math

__all__ = ["count", "label", "short", "time"]


def short(value: float, digits: int = 4) -> str:
    """Four significant digits, a dash for what is not a number.

    Examples
    --------
    >>> short(0.123456), short(123456.0), short(float("nan"))
    ('0.1235', '1.235e+05', '–')
    """
    if math.isnan(value):
        return "–"
    return f"{value:#.{digits}g}".rstrip(".") if value else "0"


def count(value: int, noun: str = "") -> str:
    """A whole number with thousands set apart, and its noun in the right number.

    Examples
    --------
    >>> count(12345, "row"), count(1, "row")
    ('12,345 rows', '1 row')
    """
    if not noun:
        return f"{value:,}"
    return f"{value:,} {noun}" if value == 1 else f"{value:,} {noun}s"


def label(score: str) -> str:
    """How a score is written for people; machines get its plain name.

    Examples
    --------
    >>> label("mean R2"), label("RMSE")
    ('mean R²', 'RMSE')
    """
    return score.replace("R2", "R²")


def time(seconds: float) -> str:
    """Seconds, as many digits as anybody wants.

    Examples
    --------
    >>> time(0.1234), time(75.2)
    ('0.12 s', '75.2 s')
    """
    return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.1f} s"
