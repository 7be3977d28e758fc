"""The page and the picture of a comparison of methods."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing

import secant
from secant.arrays import HostArray
from secant.learn.comparison import Attempt, Comparison, Row
from secant.report.numbers import count, label, short, time
from secant.report.page import Bullets, Code, Facts, Figure, Highlight, Note, Page, Section, Table
from secant.report.plots import axes_for, log_scale
from secant.report.svg import MARK, drawing, to_svg

__all__ = ["comparison_figure", "comparison_page", "comparison_table"]

_NAMED = 9
"""Methods with a colour and a name in the pictures; the others are grey."""

Work = Literal["seconds", "evaluations"]


def comparison_page(found: Comparison, config: str, command: str) -> Page:
    """The page about a comparison.

    Parameters
    ----------
    found : Comparison
    config, command : str
        The TOML text and the command line that repeat it.
    """
    trained = [row for row in found.rows if not row.failed]
    best = min(trained, key=lambda row: row.best_loss, default=None)
    sections = [
        Section("Methods", (comparison_table(found), Note(_explanation(found)))),
        Section("Curves", tuple(_curves(found))),
        Section("Stops and failures", (_reasons(found),)),
        Section("Data and network", (_facts(found),)),
        Section("Repeat this comparison", (Code(command), Code(config))),
    ]
    highlights = [
        Highlight(count(len(found.methods)), "methods"),
        Highlight(short(found.to_loss, 3), "loss to reach"),
    ]
    if best is not None:
        highlights += [
            Highlight(found.rows[0].method, "fastest to that loss"),
            Highlight(best.method, f"lowest loss, {short(best.best_loss, 3)}"),
        ]
    repeats = count(len({one.repeat for one in found.attempts}), "repeat")
    return Page(
        title=f"{found.source}: {found.target}",
        subtitle=f"{count(len(found.methods), 'method')} on the same rows from the same first "
        f"weights, {repeats}",
        highlights=tuple(highlights),
        sections=tuple(sections),
        footer=f"Written by secant {secant.__version__}.",
    )


_HEADER = (
    "method",
    "seconds to the loss",
    "evaluations to the loss",
    "reached it",
    "best loss",
    "test loss",
    "test {score}",
    "seconds",
    "iterations",
    "evaluations",
    "memory",
    "numbers / weight",
)


def comparison_table(found: Comparison) -> Table:
    """One row for each method, the fastest first."""
    header = tuple(title.format(score=label(found.score)) for title in _HEADER)
    return Table(header, tuple(_cells(row) for row in found.rows))


def _cells(row: Row) -> tuple[str, ...]:
    if row.failed:
        return (row.method, *("–" for _ in _HEADER[1:]))
    return (
        row.method,
        short(row.seconds_to_loss, 3),
        _whole(row.evaluations_to_loss),
        f"{row.reached} of {row.repeats}",
        short(row.best_loss),
        short(row.test_loss),
        short(row.test_score, 3),
        short(row.seconds, 3),
        _whole(row.iterations),
        _whole(row.evaluations),
        _bytes(row.memory_bytes),
        _whole(row.memory_words),
    )


def _whole(value: float) -> str:
    return count(round(value)) if math.isfinite(value) else "–"


def _bytes(value: float) -> str:
    """
    >>> _bytes(2_300_000.0)
    '2.3 MB'
    """
    if not math.isfinite(value):
        return "–"
    for unit, size in (("GB", 1e9), ("MB", 1e6)):
        if value >= size:
            return f"{value / size:.1f} {unit}"
    return f"{value / 1e3:.0f} kB"


def _explanation(found: Comparison) -> str:
    which = "the lowest that the median method reaches" if found.is_median else "as asked for"
    return (
        f"The loss is the loss index on the training rows, with its penalty; times are measured to "
        f"{short(found.to_loss)}, {which}. All numbers are medians over the repeats. Every "
        "method began at the same weights, and no training was stopped for its validation loss; the "
        "test score is that of the weights of lowest validation loss. Memory is the most that was "
        "held at once beyond the data in the first iterations of a run of its own, by tracemalloc, "
        "in bytes and as numbers of 8 bytes for each weight of the network; it includes the rows' "
        "activations, which all methods need."
    )


def _curves(found: Comparison) -> list[Figure]:
    figures = []
    works: tuple[tuple[Work, str], ...] = (("seconds", "seconds"), ("evaluations", "evaluations"))
    for work, words in works:
        with drawing():
            figure, axes = axes_for("", "loss index")
            _draw(axes, found, work)
        figures.append(
            Figure(
                to_svg(figure, work),
                f"The lowest loss index so far over the {words}, in the first repeat. Dotted: the "
                "loss to reach.",
                f"Loss index over {words} for {count(len(found.methods), 'method')}",
            )
        )
    return figures


def comparison_figure(found: Comparison) -> Drawing:
    """Both pictures side by side, for a file of its own."""
    with drawing():
        figure = Drawing(figsize=(12.0, 4.8), layout="constrained")
        left, right = figure.subplots(1, 2, sharey=True)
        left.set_ylabel("loss index")
        _draw(left, found, "seconds")
        _draw(right, found, "evaluations")
        figure.suptitle(f"{found.source}: {found.target}", parse_math=False)
    return figure


def _draw(axes: Axes, found: Comparison, work: Work) -> None:
    """A line for each method, the fastest ones named and in front."""
    trained = [row for row in found.rows if not row.failed]
    named = [row.method for row in trained[:_NAMED]]
    lines = {row.method: found.of(row.method)[0] for row in trained}
    first = min((_first(line, work) for line in lines.values()), default=1.0)
    for row in reversed(trained):
        x, y = _steps(lines[row.method], work, first)
        style: dict[str, Any] = {"color": MARK, "linewidth": 0.8, "alpha": 0.6}
        if row.method in named:
            colour = colormaps["tab10"](named.index(row.method))
            style = {"color": colour, "linewidth": 1.6, "label": row.method}
        axes.plot(x, y, drawstyle="steps-post", **style)
    if math.isfinite(found.to_loss):
        axes.axhline(found.to_loss, color=MARK, linewidth=1, linestyle=(0, (1, 2)))
    axes.set_xlabel({"seconds": "seconds", "evaluations": "evaluations of the loss"}[work])
    if all(value > 0 for line in lines.values() for value in line.curve.objective):
        log_scale(axes)
    axes.set_xscale("log")
    _legend(axes, named, len(trained))


def _legend(axes: Axes, named: Sequence[str], trained: int) -> None:
    """The named methods from the fastest on, and what the grey lines are."""
    lines = {line.get_label(): line for line in axes.lines}
    handles, labels = [lines[name] for name in named if name in lines], list(named)
    if trained > len(named):
        handles.append(next(line for line in axes.lines if line.get_label() not in named))
        labels.append(f"{trained - len(named)} others")
    if handles:
        axes.legend(handles, labels, fontsize=8.5, loc="lower left")


def _first(one: Attempt, work: Work) -> float:
    """The least work other than none."""
    return min((x for x in getattr(one.curve, work) if x > 0), default=1.0)


def _steps(one: Attempt, work: Work, first: float) -> tuple[HostArray, HostArray]:
    """The lowest loss so far over the work; the start, at no work, stands at `first`."""
    x = np.maximum(np.asarray(getattr(one.curve, work)), first)
    return x, np.minimum.accumulate(np.asarray(one.curve.objective))


def _reasons(found: Comparison) -> Bullets:
    """The methods by what ended them."""
    methods: dict[str, list[str]] = {}
    for row in found.rows:
        reason = f"could not train: {row.reason}" if row.failed else row.reason
        methods.setdefault(reason, []).append(row.method)
    lines = [f"{', '.join(names)}: {reason}" for reason, names in methods.items()]
    ended = ("interrupted from the keyboard before all repeats were done",)
    return Bullets((*(ended if found.interrupted else ()), *lines))


def _facts(found: Comparison) -> Facts:
    settings = found.settings
    return Facts(
        (
            ("file", found.source),
            *((f"{part} rows", count(rows)) for part, rows in found.parts.items()),
            ("hidden layers", ", ".join(map(str, settings.hidden)) or "none"),
            ("activation", settings.activation),
            ("weights and biases", count(found.weights)),
            ("limit for each training", time(settings.strategy.max_seconds)),
            ("seed", str(settings.seed)),
        )
    )
