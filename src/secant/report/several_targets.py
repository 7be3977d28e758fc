"""The blocks that judge several targets: a table of all, one figure for each."""

from __future__ import annotations

import math
from collections.abc import Mapping

from secant.report import regression_plots
from secant.report.analysis import error_scores, selection_note
from secant.report.numbers import count, label, short
from secant.report.page import Block, Figure, Note, Table
from secant.report.record import Outcome
from secant.report.several_classes import class_figure, scores_of_classes
from secant.report.svg import to_svg

__all__ = ["score_table", "target_blocks", "target_table"]

# What a page can hold: of more targets the worst are drawn, and all share the points.
_MOST_FIGURES = 24
_MOST_POINTS, _FEWEST_POINTS = 4_000, 300


def target_table(outcomes: Mapping[str, Outcome]) -> Table:
    """Loss and scores of each target alone: the first score on all parts of the rows."""
    targets = outcomes["test"].targets
    first, *others = next(iter(targets.values())).scores
    parts = list(outcomes)
    header = (
        "target",
        "test loss",
        *(f"{label(first)}, {part}" for part in parts),
        *(f"{label(name)}, test" for name in others),
    )
    rows = tuple(
        (
            target,
            short(test.loss),
            *(short(outcomes[part].targets[target].scores[first]) for part in parts),
            *(short(test.scores[name]) for name in others),
        )
        for target, test in targets.items()
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
    any_target = next(iter(targets.values()))
    if any_target.classes:
        return _class_blocks(targets, noun)
    scores = {name: error_scores(*one.numbers()) for name, one in targets.items()}
    shown = _drawn(scores, "R2")
    rows = count(any_target.rows, noun)
    whose = " of all parts of the rows" if len(outcomes) > 1 else ""
    explanation = (
        "Errors are predicted minus actual, in the units of each target; R² has no unit. In each "
        f"figure: predictions against actual values{whose}, on the line they are right; errors of "
        f"each {noun}, and the same against the predictions, dashed ± RMSE."
    )
    return (
        score_table(scores),
        Note(explanation + _left_out(len(shown), len(targets), "R2")),
        *(_figure(place, name, outcomes, scores[name], rows) for place, name in enumerate(shown)),
        *selection_note(any_target),
    )


def _class_blocks(targets: Mapping[str, Outcome], noun: str) -> tuple[Block, ...]:
    scores = {name: scores_of_classes(one) for name, one in targets.items()}
    shown = _drawn(scores, "AUC")
    explanation = (
        f"Each target by itself, on the {noun}s. In each figure, of the second class: ROC and precision "
        "over recall as the threshold on its probability falls, dashed: guessing; and what is observed "
        "where a probability was predicted, in ten bins."
    )
    figures = (
        class_figure(place, name, targets[name], scores[name]) for place, name in enumerate(shown)
    )
    return (
        score_table(scores),
        Note(explanation + _left_out(len(shown), len(targets), "AUC")),
        *figures,
        *selection_note(next(iter(targets.values()))),
    )


def _left_out(shown: int, targets: int, score: str) -> str:
    """What to say where the page has not all targets."""
    if shown == targets:
        return ""
    others = count(targets - shown)
    return f" Drawn are the {shown} targets of lowest {label(score)}; {others} others fit better."


def _drawn(scores: Mapping[str, Mapping[str, float]], judge: str) -> list[str]:
    """In the order of the targets, as many as a page can hold."""
    worst = sorted(scores, key=lambda name: _rank(scores[name][judge]))[:_MOST_FIGURES]
    return [name for name in scores if name in worst]


def _rank(score: float) -> float:
    return math.inf if math.isnan(score) else score


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
