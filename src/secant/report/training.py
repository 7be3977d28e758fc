"""The report of one training, made from its record."""

from __future__ import annotations

import math

import secant
from secant.report import plots
from secant.report.account import account_blocks
from secant.report.analysis import class_blocks, regression_blocks
from secant.report.curves import Curves
from secant.report.network_drawing import draw_network
from secant.report.numbers import count, label, short, time
from secant.report.page import (
    Block,
    Bullets,
    Code,
    Facts,
    Figure,
    Highlight,
    Note,
    Page,
    Section,
    Table,
)
from secant.report.record import Column, Outcome, Record
from secant.report.several_targets import target_blocks, target_table
from secant.report.svg import to_svg

__all__ = ["history_page", "score_tables", "training_page"]


def training_page(record: Record) -> Page:
    """The page about a training."""
    drawn = training_figures(record.curves, record.account.kept)
    sections = [
        Section("Results", (*score_tables(record.outcomes), _explanation(record), *_notes(record))),
        Section("Data", (_data(record), _columns(record))),
        Section("Network and loss", (_drawing(record), _network(record))),
        Section("Training", drawn),
        Section("Test analysis", _analysis(record)),
        Section("The optimiser's account", account_blocks(record)),
        Section("Repeat this run", _repeat(record)),
    ]
    return Page(
        title=f"{record.source}: {record.target}",
        subtitle=_subtitle(record),
        highlights=_highlights(record),
        sections=tuple(sections),
        footer=f"Written by secant {secant.__version__}.",
    )


def history_page(curves: Curves, source: str) -> Page:
    """The page about a history alone."""
    kept = int(curves["iteration"][curves.best])
    best = {name: curves[name][curves.best] for name in ("training_loss", "validation_loss")}
    shown = {name: value for name, value in best.items() if math.isfinite(value)}
    return Page(
        title=source,
        subtitle="The history of a training",
        highlights=(
            *(Highlight(short(v, 3), f"{k.replace('_', ' ')}, best") for k, v in shown.items()),
            Highlight(count(int(curves["iteration"][-1])), "iterations"),
            Highlight(time(float(curves["seconds"][-1])), "training time"),
        ),
        sections=(Section("Training", training_figures(curves, kept)),),
        footer=f"Written by secant {secant.__version__}.",
    )


def score_table(outcomes: dict[str, Outcome]) -> Table:
    """Loss and scores on the three parts of the rows."""
    names = list(outcomes["test"].scores)
    rows = [
        (
            part,
            count(outcome.rows),
            short(outcome.loss),
            *(short(outcome.scores[name]) for name in names),
        )
        for part, outcome in outcomes.items()
    ]
    return Table(("part", "rows", "loss", *map(label, names)), tuple(rows))


def score_tables(outcomes: dict[str, Outcome]) -> tuple[Table, ...]:
    """The score table, and that of each target where there are several."""
    table = score_table(outcomes)
    return (table, target_table(outcomes)) if outcomes["test"].targets else (table,)


def _explanation(record: Record) -> Note:
    text = f"The loss is the {record.error}, without the regularisation term."
    test = record.outcomes["test"]
    if "subset accuracy" in test.scores:
        text += (
            " That of all targets is the sum of theirs. The subset accuracy is the share of the rows in "
            "which all targets are right."
        )
    elif test.targets:
        text += " RMSE, the root of the mean squared error, is in the units of each target."
    elif "RMSE" in test.scores:
        text += f" RMSE, the root of the mean squared error, is in units of {record.target}."
    return Note(text)


def _notes(record: Record) -> tuple[Bullets, ...]:
    return (Bullets(record.notes),) if record.notes else ()


def _subtitle(record: Record) -> str:
    weights = count(record.layers.weights, "weight")
    return (
        f"{record.task.capitalize()} with a network of {weights}, "
        f"trained by {record.account.method}"
    )


def _highlights(record: Record) -> tuple[Highlight, ...]:
    scores = record.outcomes["test"].scores
    account = record.account
    return (
        *(
            Highlight(short(value, 3), f"{label(name)}, test rows")
            for name, value in scores.items()
        ),
        Highlight(count(account.iterations), "iterations"),
        Highlight(count(account.evaluations), "evaluations"),
        Highlight(time(account.seconds), "training time"),
    )


def _data(record: Record) -> Facts:
    rows = record.rows
    parts = {"train": "training rows", "validation": "validation rows", "test": "test rows"}
    shares = tuple(
        (label, f"{count(record.outcomes[part].rows)} ({record.outcomes[part].rows / rows:.0%})")
        for part, label in parts.items()
        if part in record.outcomes
    )
    return Facts(
        (
            ("file", record.source),
            ("rows", count(rows)),
            *shares,
            ("division", record.division),
            ("inputs of the network", count(record.layers.sizes[0])),
            ("missing cells", count(sum(column.missing for column in record.columns))),
        )
    )


_COLUMN_HEADER = (
    "column",
    "role",
    "kind",
    "scaling",
    "values",
    "missing",
    "lowest",
    "highest",
    "mean",
    "deviation",
)

_TEXT_COLUMNS = 5


def _columns(record: Record) -> Table:
    """One row for each input column, and one for each target."""
    rows = tuple(map(_column, record.columns))
    filled = [place for place in range(len(_COLUMN_HEADER)) if any(row[place] for row in rows)]
    return Table(
        tuple(_COLUMN_HEADER[place] for place in filled),
        tuple(tuple(row[place] for place in filled) for row in rows),
        sum(place < _TEXT_COLUMNS for place in filled),
    )


def _column(column: Column) -> tuple[str, ...]:
    categories = [f"{name}: {count(rows)}" for name, rows in column.categories.items()]
    # The mean of a column that was centred before is round-off.
    mean = column.mean if abs(column.mean) > 1e-12 * column.deviation else 0.0
    numbers = (column.lowest, column.highest, mean, column.deviation)
    return (
        column.name,
        column.role,
        column.kind,
        column.preparation,
        _shortened(", ".join(categories)),
        count(column.missing),
        *("" if column.categories else short(number) for number in numbers),
    )


def _shortened(text: str, limit: int = 160) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def _drawing(record: Record) -> Figure:
    layers = record.layers
    sizes = " – ".join(map(count, layers.sizes))
    return Figure(
        draw_network(layers),
        f"The layers: {sizes} units; every unit is joined to every unit of the next layer.",
        f"Drawing of the network with layers of {sizes} units",
        wide=True,
    )


def _network(record: Record) -> Facts:
    layers = record.layers
    return Facts(
        (
            ("units of each layer", " – ".join(map(str, layers.sizes))),
            ("activation", layers.activation),
            ("weights and biases", count(layers.weights)),
            ("error term", record.error),
            ("regularisation term", record.regularisation),
        )
    )


def training_figures(curves: Curves, kept: int) -> tuple[Figure, ...]:
    """Losses, and whatever else the history tells."""
    judged = "validation" if curves.shows("validation_loss") else "training"
    loss = curves[f"{judged}_loss"][curves.row_of(kept)]
    figures = [
        Figure(
            to_svg(plots.loss_curves(curves, kept), "loss"),
            f"The weights of iteration {count(kept)}, where the {judged} loss is lowest "
            f"({short(float(loss))}), were kept.",
            "Training and validation loss over the iterations",
        )
    ]
    # Where a damping takes the place of a search, every step is a full one.
    hidden = {"step"} if curves.shows("damping") else set()
    for name, words, caption, colour in _QUANTITIES:
        if curves.shows(name) and name not in hidden:
            drawn = plots.over_iterations(curves, name, words, colour, kept)
            figures.append(Figure(to_svg(drawn, name), caption, f"{words} over the iterations"))
    return tuple(figures)


_QUANTITIES = (
    (
        "gradient_norm",
        "largest gradient component",
        "Largest absolute component of the gradient of the loss index.",
        "gradient",
    ),
    (
        "step",
        "step length",
        "Length of the step along each direction, as a multiple of the proposed one; methods "
        "without a line search have other units.",
        "step",
    ),
    (
        "damping",
        "damping",
        "Damping of the Gauss-Newton matrix: large is a short gradient step, small a full one.",
        "damping",
    ),
    (
        "effective_parameters",
        "effective parameters",
        "How many of the weights the data determine, by Bayesian regularisation.",
        "validation",
    ),
)


def _analysis(record: Record) -> tuple[Block, ...]:
    if record.classes:
        return class_blocks(record.outcomes["test"], record.classes, record.target)
    if record.outcomes["test"].targets:
        return target_blocks(record.outcomes)
    return regression_blocks(record.outcomes, record.target)


def _repeat(record: Record) -> tuple[Block, ...]:
    return (
        Note("Save the text as run.toml, or use the one beside this report, and run the command."),
        Code(record.command),
        Code(record.config),
    )
