"""Plain tables, ratios as they are printed, and files of results."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
IMAGES = ROOT / "docs" / "images"
QUICK_FOLDER = ROOT / "runs" / "benchmarks"
"""Where quick runs leave results and pictures: outside of what is published."""


def table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Columns as wide as they need, the first to the left, the others to the right."""
    cells = [list(head), *[[str(cell) for cell in row] for row in rows]]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]

    def line(row: Sequence[str]) -> str:
        first, *others = (cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        return "  ".join([row[0].ljust(len(first)), *others]).rstrip()

    rule = "  ".join("-" * width for width in widths)
    return "\n".join([line(cells[0]), rule, *map(line, cells[1:])])


def ratios(above: Sequence[float], below: Sequence[float]) -> list[float]:
    """Quotients of measurements made in the same repeats."""
    return [a / b for a, b in zip(above, below, strict=True)]


def spread(values: Sequence[float]) -> str:
    """Median, least and greatest, as in ``3.1 (2.9-3.4)``; nothing where there are none."""
    if not values:
        return ""
    return f"{short(median(values))} ({short(min(values))}-{short(max(values))})"


def short(value: float) -> str:
    """Three digits at least, none after the point from 100 on."""
    return f"{value:.0f}" if value >= 100.0 else f"{value:.3g}"


def microseconds(values: Sequence[float]) -> str:
    """The median of seconds, in microseconds."""
    return (
        f"{median(values) * 1e6:,.1f}" if median(values) < 1e-4 else f"{median(values) * 1e6:,.0f}"
    )


def save(name: str, contents: dict[str, Any], folder: Path = RESULTS) -> Path:
    """Write ``<folder>/<name>.json``, a line for each row of a list."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    parts = [f"{json.dumps(key)}: {_lines(value)}" for key, value in contents.items()]
    path.write_text("{\n" + ",\n".join(parts) + "\n}\n", encoding="utf-8")
    return path


def _lines(value: Any) -> str:
    rounded = _rounded(value)
    if isinstance(value, list):
        return "[\n" + ",\n".join(json.dumps(row) for row in rounded) + "\n]"
    return json.dumps(rounded)


def _rounded(value: Any) -> Any:
    """Seven digits are more than any measurement has."""
    if isinstance(value, float):
        return float(f"{value:.7g}")
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_rounded(item) for item in value]
    return value
