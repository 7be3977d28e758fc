"""``secant evaluate``: how good a model is on the rows of another table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from secant.cli.shared import (
    Decimal,
    Encoding,
    Force,
    Json,
    Quiet,
    Separator,
    Thousands,
    learning,
    print_json,
)

__all__ = ["evaluate"]


def evaluate(
    model: Annotated[Path, typer.Argument(metavar="DIR", help="Folder that train has written.")],
    table: Annotated[
        str,
        typer.Argument(metavar="DATA.csv", help="Rows with the target; - for standard input."),
    ],
    out: Annotated[
        Path | None, typer.Option(metavar="FILE.html", help="Report to write, with pictures.")
    ] = None,
    separator: Separator = None,
    decimal: Decimal = ".",
    thousands: Thousands = None,
    encoding: Encoding = "utf-8",
    force: Force = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Score a model on the rows of a table that has the targets."""
    with learning("evaluate"):
        from rich.console import Console

        from secant.learn import load_model
        from secant.learn.output import check_new_file, whole_file
        from secant.learn.tables.dialect import Dialect
        from secant.report.evaluation import evaluate_table, evaluation_page
        from secant.report.html import render
        from secant.report.numbers import count, label, short
        from secant.report.several_targets import score_table
        from secant.report.terminal import print_table

        if out is not None:
            check_new_file(out, replace=force)
        dialect = Dialect(separator, decimal, thousands, encoding)
        found = evaluate_table(load_model(model), table, dialect)
        if out is not None:
            with whole_file(out) as file:
                file.write_text(render(evaluation_page(found)), encoding="utf-8")
        each = {name: one.scores for name, one in found.outcome.targets.items()}
        if as_json:
            whole = {"rows": found.rows, "scores": found.scores, "notes": found.notes}
            print_json(whole | {"targets": each} if each else whole)
        elif not quiet:
            for note in found.notes:
                print(f"note: {note}")
            print(f"{count(found.rows, 'row')} of {found.source}")
            for name, value in found.scores.items():
                print(f"{label(name):<24}{short(value)}")
            if each:
                print()
                print_table(Console(), score_table(each))
            if out is not None:
                print(f"{out}: the report")
