"""A drawing of a network: its layers as columns of units, joined by lines, as SVG markup."""

from __future__ import annotations

from html import escape
from itertools import pairwise

from secant.report.numbers import count
from secant.report.record import Layers

__all__ = ["draw_network"]

_HEIGHT, _TOP = 300.0, 46.0
_GAP, _RADIUS = 26.0, 8.0
_MOST_UNITS = 9
_NAME_WIDTH, _LAYER_WIDTH = 150.0, 150.0
_LETTERS = 20


def draw_network(layers: Layers) -> str:
    """The `<svg>` element; of wide layers the first and last units are drawn, and a gap between.

    The colours are variables of the page, so the drawing is at home in light and dark.
    """
    columns = [_units(size) for size in layers.sizes]
    x = [_NAME_WIDTH + _LAYER_WIDTH * place for place in range(len(columns))]
    width = x[-1] + _NAME_WIDTH
    parts = [
        f'<svg viewBox="0 0 {width:g} {_HEIGHT:g}" class="network" font-size="12">',
        *_lines(columns, x),
    ]
    for place, column in enumerate(columns):
        kind = {0: "input", len(columns) - 1: "output"}.get(place, "hidden")
        parts += _column(column, x[place], kind)
        parts += _captions(layers, place, x[place], kind)
    parts += _names(layers.inputs, columns[0], x[0] - 18, "end", layers.sizes[0])
    parts += _names(layers.outputs, columns[-1], x[-1] + 18, "start", layers.sizes[-1])
    return "\n".join([*parts, "</svg>"])


def _units(size: int) -> list[tuple[int, float]]:
    """Number and height of each unit that is drawn; -1 marks the gap."""
    if size <= _MOST_UNITS:
        shown = list(range(size))
    else:
        half = _MOST_UNITS // 2
        shown = [*range(half), -1, *range(size - half, size)]
    middle = _TOP + (_HEIGHT - _TOP) / 2
    first = middle - _GAP * (len(shown) - 1) / 2
    return [(unit, first + _GAP * place) for place, unit in enumerate(shown)]


def _lines(columns: list[list[tuple[int, float]]], x: list[float]) -> list[str]:
    moves = [
        f"M{left + _RADIUS:g} {y:.1f}L{right - _RADIUS:g} {z:.1f}"
        for (left, right), (before, after) in zip(pairwise(x), pairwise(columns), strict=True)
        for unit, y in before
        for other, z in after
        if unit >= 0 and other >= 0
    ]
    return [f'<path class="links" fill="none" d="{"".join(moves)}"/>']


def _column(column: list[tuple[int, float]], x: float, kind: str) -> list[str]:
    parts = []
    for unit, y in column:
        if unit >= 0:
            parts.append(f'<circle class="{kind}" cx="{x:g}" cy="{y:.1f}" r="{_RADIUS:g}"/>')
        else:
            dots = (
                f'<circle class="dot" cx="{x:g}" cy="{y + d:.1f}" r="1.6"/>' for d in (-6, 0, 6)
            )
            parts += dots
    return parts


def _captions(layers: Layers, place: int, x: float, kind: str) -> list[str]:
    """Size and activation above a layer."""
    size = layers.sizes[place]
    noun = {"input": "input", "output": "output", "hidden": "unit"}[kind]
    below = layers.activation if kind == "hidden" else ("linear" if kind == "output" else "")
    lines = [_text(x, 14.0, count(size, noun), "middle", "strong")]
    return lines + ([_text(x, 29.0, below, "middle", "soft")] if below else [])


def _names(
    names: tuple[str, ...], column: list[tuple[int, float]], x: float, anchor: str, size: int
) -> list[str]:
    """Names beside the units, as far as they are known."""
    if len(names) < min(size, _MOST_UNITS):
        return []
    return [
        _text(x, y + 4, _shortened(names[unit]), anchor, "soft")
        for unit, y in column
        if 0 <= unit < len(names)
    ]


def _text(x: float, y: float, text: str, anchor: str, style: str) -> str:
    return (
        f'<text class="{style}" x="{x:g}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
    )


def _shortened(name: str) -> str:
    return name if len(name) <= _LETTERS else f"{name[: _LETTERS - 1]}…"
