"""``secant compare``: every method on the same table, from the same first weights."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from secant.cli.settings import chosen, new_folder, take_table, takes_settings, words
from secant.cli.shared import Force, Json, Quiet, end_interrupted, learning, print_json, run_name

if TYPE_CHECKING:
    from secant.learn.comparison import Comparison

__all__ = ["compare"]

_MARKER = "comparison.json"
_FILES = ("comparison.html", "comparison.csv", "comparison.png", _MARKER, "run.toml")
_SECONDS = 10.0
_KEYS = {"data": str, "out": str, "methods": tuple[str, ...], "repeats": int, "to_loss": float}


@takes_settings(without=("method", "patience", "max_seconds", "starts", "single_first"))
def compare(
    context: typer.Context,
    data: Annotated[
        str | None,
        typer.Argument(metavar="DATA.csv", help="Table with a header line; - for standard input."),
    ] = None,
    *,
    methods: Annotated[str, typer.Option(help="all, or names such as l-bfgs,lm,adam.")] = "all",
    max_seconds: Annotated[float, typer.Option(help="Limit on each training.")] = _SECONDS,
    repeats: Annotated[int, typer.Option(help="Trainings by each method.")] = 3,
    to_loss: Annotated[float | None, typer.Option(help="Loss to which times are measured.")] = None,
    out: Annotated[str | None, typer.Option(metavar="DIR", help="New folder to write.")] = None,
    force: Force = False,
    quiet: Quiet = False,
    as_json: Json = False,
    **options: Any,
) -> None:
    """Compare methods by speed, memory and precision, and write a table and pictures.

    All trainings have the same rows and, in each repeat, the same first weights; none stops for its
    validation loss.
    """
    with learning("compare"):
        from secant.learn.comparison import compare_table
        from secant.learn.config import settings_from
        from secant.report.terminal import comparison_bar

        choice = chosen(context, _KEYS, plain={"methods": words(methods)})
        table = take_table(choice)
        own = {name: choice.pop(name) for name in _KEYS if name in choice}
        settings = settings_from(_with_a_method(choice))
        name = f"compare-{run_name(table, settings.targets)}"
        folder = new_folder(own.pop("out", None), name, replace=force, marker=_MARKER)
        wanted = own.pop("methods", ("all",))
        with comparison_bar(quiet or as_json) as progress:
            found = compare_table(
                table, settings, "all" if wanted == ("all",) else wanted, progress=progress, **own
            )
        _write(found, folder, table, own | {"methods": wanted})
        if as_json:
            print_json({"folder": folder, "files": _FILES, **_for_machines(found)})
        elif not quiet:
            _summarise(found, folder)
        if found.interrupted:
            end_interrupted(f"{folder} has what there is, not all repeats were done")


def _with_a_method(choice: dict[str, Any]) -> dict[str, Any]:
    """The choice with a method that all given options are for: the settings know just one."""
    options = dict(choice)
    options.setdefault("strategy.max_seconds", _SECONDS)
    options["strategy.method"] = "lm" if options.get("strategy.bayesian") else "auto"
    return options


def _write(found: Comparison, folder: Path, table: str, own: dict[str, Any]) -> None:
    from secant.learn.config import config_text
    from secant.learn.output import whole_folder
    from secant.report.comparison import comparison_figure, comparison_page
    from secant.report.html import render

    config = config_text(found.settings, data=table, **own)
    command = shlex.join(["secant", "compare", "--config", str(folder / "run.toml")])
    with whole_folder(folder) as place:
        found.write_csv(place / "comparison.csv")
        _write_json(place / _MARKER, _for_machines(found) | {"attempts": found.attempts})
        comparison_figure(found).savefig(place / "comparison.png", dpi=150)
        page = render(comparison_page(found, config, command))
        (place / "comparison.html").write_text(page, encoding="utf-8")
        (place / "run.toml").write_text(config, encoding="utf-8")


def _write_json(path: Path, data: dict[str, Any]) -> None:
    import json

    from secant.learn.plain import plain

    path.write_text(json.dumps(plain(data), ensure_ascii=False, allow_nan=False), encoding="utf-8")


def _for_machines(found: Comparison) -> dict[str, Any]:
    return {
        "source": found.source,
        "target": found.target,
        "weights": found.weights,
        "parts": found.parts,
        "score": found.score,
        "to_loss": found.to_loss,
        "memory": "peak bytes beyond the data, by tracemalloc in a run of its own",
        "interrupted": found.interrupted,
        "rows": found.rows,
    }


def _summarise(found: Comparison, folder: Path) -> None:
    from rich.console import Console

    from secant.report.comparison import comparison_table
    from secant.report.numbers import short
    from secant.report.page import Table
    from secant.report.terminal import print_table

    whole = comparison_table(found)
    shown = [0, 1, 2, 4, 6, 10]  # what 80 columns hold
    rows = tuple(tuple(row[place] for place in shown) for row in whole.rows)
    print(f"times to the loss {short(found.to_loss)}:")
    titles = ("method", "seconds", "evaluations", "best loss", whole.header[6], "memory")
    print_table(Console(), Table(titles, rows))
    for row in found.rows:
        if row.failed:
            print(f"{row.method} could not train: {row.reason}")
    print(f"{folder}: {', '.join(_FILES)}")
