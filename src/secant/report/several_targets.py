"""The blocks that judge several targets of numbers: a table of all, one figure for each."""

from __future__ import annotations

import math
from collections.abc import Mapping

from secant.report import regression_plots
from secant.report.analysis import error_scores, selection_note
from secant.report.numbers import count, label, short
from secant.report.page import Block, Figure, Note, Table
from secant.report.record import Outcome
from secant.report.svg import to_svg

__all__ = ["score_table", "target_blocks", "target_table"]

# What a page can hold: of more targets those of lowest R2 are drawn, and all share the points.
_MOST_FIGURES = 24
_MOST_POINTS, _FEWEST_POINTS = 4_000, 300


def target_table(outcomes: Mapping[str, Outcome]) -> Table:
    """Loss and scores of each target alone on the parts of the rows."""
    parts = list(outcomes)
    header = ("target", "test loss", *(f"{label('R2')}, {part}" for part in parts), "RMSE, test")
    rows = tuple(
        (
            name,
            short(test.loss),
            *(short(outcomes[part].targets[name].scores["R2"]) for part in parts),
            short(test.scores["RMSE"]),
        )
        for name, test in outcomes["test"].targets.items()
    )
    return Table(header, rows)


def score_table(scores: Mapping[str, Mapping[str, float]]) -> Table:
    """One row for each target, one column for each score."""
    names = next(iter(scores.values()))
    rows = tuple((target, *map(short, found.values())) for target, found in scores.items())
    return Table(("target", *map(label, names)), rows)


def target_blocks(outcomes: Mapping[str, Outcome], noun: str = "test row") -> tuple[Block, ...]:
    """Scores of every target on the test rows, which `noun` names, and its pictures."""
    targets = outcomes["test"].targets
    scores = {name: error_scores(*one.numbers()) for name, one in targets.items()}
    shown = _drawn(scores)
    any_target = next(iter(targets.values()))
    rows = count(any_target.rows, noun)
    return (
        score_table(scores),
        Note(_explanation(noun, len(outcomes), len(shown), len(targets))),
        *(_figure(place, name, outcomes, scores[name], rows) for place, name in enumerate(shown)),
        *selection_note(any_target),
    )


def _explanation(noun: str, parts: int, shown: int, targets: int) -> str:
    whose = " of all parts of the rows" if parts > 1 else ""
    text = (
        "Errors are predicted minus actual, in the units of each target; R² has no unit. In each "
        f"figure: predictions against actual values{whose}, on the line they are right; errors of "
        f"each {noun}, and the same against the predictions, dashed ± RMSE."
    )
    if shown == targets:
        return text
    return (
        f"{text} Drawn are the {shown} targets of lowest R²; {count(targets - shown)} others fit "
        "better."
    )


def _drawn(scores: Mapping[str, Mapping[str, float]]) -> list[str]:
    """In the order of the targets, as many as a page can hold."""
    worst = sorted(scores, key=lambda name: _rank(scores[name]["R2"]))[:_MOST_FIGURES]
    return [name for name in scores if name in worst]


def _rank(r2: float) -> float:
    return math.inf if math.isnan(r2) else r2


def _figure(
    place: int,
    name: str,
    outcomes: Mapping[str, Outcome],
    scores: Mapping[str, float],
    rows: str,
) -> Figure:
    pairs = {part: outcome.targets[name].numbers() for part, outcome in outcomes.items()}
    targets = len(outcomes["test"].targets)
    points = max(_FEWEST_POINTS, _MOST_POINTS // targets)
    found = f"{label('R2')} {short(scores['R2'])}, RMSE {short(scores['RMSE'])}"
    return Figure(
        to_svg(regression_plots.panels(pairs, name, points), f"target-{place}"),
        f"{name}: {found} on the {rows}.",
        f"{name}: predicted against actual, histogram of the errors, errors against predictions; "
        f"{found} on the {rows}",
        wide=True,
    )
