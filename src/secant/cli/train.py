"""``secant train``: a table in, a model, a history and a report out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from secant.cli.settings import chosen, new_folder, take_table, takes_settings
from secant.cli.shared import (
    Force,
    Json,
    Quiet,
    end_interrupted,
    learning,
    next_command,
    print_json,
    run_name,
)

if TYPE_CHECKING:
    from secant.learn import Trained
    from secant.report.record import Outcome, Record

__all__ = ["end_if_interrupted", "train", "write_run"]

_FILES = (
    "model.safetensors",
    "model.json",
    "history.csv",
    "run.toml",
    "report.json",
    "report.html",
)


@takes_settings()
def train(
    context: typer.Context,
    data: Annotated[
        str | None,
        typer.Argument(metavar="DATA.csv", help="Table with a header line; - for standard input."),
    ] = None,
    *,
    out: Annotated[
        str | None, typer.Option(metavar="DIR", help="New folder for model and report.")
    ] = None,
    force: Force = False,
    quiet: Quiet = False,
    as_json: Json = False,
    **options: Any,
) -> None:
    """Train a network on a table and write the model and a report.

    Rows are divided into those that train, those that say when to stop and those that judge.
    """
    with learning("train"):
        from secant.learn import train_table
        from secant.learn.config import settings_from
        from secant.report.terminal import training_line

        choice = chosen(context, {"data": str, "out": str})
        data, out = take_table(choice), choice.pop("out", None)
        settings = settings_from(choice)
        name = run_name(data, settings.targets)
        folder = new_folder(out, name, replace=force, marker="model.json")
        with training_line(quiet or as_json) as progress:
            trained = train_table(data, settings, progress)
        record = write_run(trained, folder, data)
        if as_json:
            print_json(_for_machines(record, folder))
        elif not quiet:
            _summarise(record, folder)
            print(next_command(settings, folder))
        end_if_interrupted(trained, folder)


def end_if_interrupted(trained: Trained, folder: Path) -> None:
    """Tell a script, and the user, that a run that was written was cut short."""
    from secant import Status

    if trained.training.status is Status.INTERRUPTED:
        end_interrupted(f"{folder} has the best weights so far")


def write_run(
    trained: Trained, folder: Path, data: str, also: Callable[[Path], None] = lambda place: None
) -> Record:
    """Write the run folder of a training on the table `data`, and what `also` puts into it.

    Returns
    -------
    Record
        What the report shows.
    """
    from secant.learn import save_model
    from secant.learn.output import whole_folder
    from secant.report.html import render
    from secant.report.record import save_record
    from secant.report.recorder import record_of
    from secant.report.training import training_page

    record = record_of(trained, data, str(folder / "run.toml"))
    with whole_folder(folder) as place:
        save_model(trained.model, place)
        trained.training.history.write_csv(place / "history.csv")
        (place / "run.toml").write_text(record.config, encoding="utf-8")
        save_record(record, place / "report.json")
        (place / "report.html").write_text(render(training_page(record)), encoding="utf-8")
        also(place)
    return record


def _scores(outcome: Outcome) -> dict[str, Any]:
    """Rows, loss and scores for machines, with those of each of several targets."""
    scores = {"rows": outcome.rows, "loss": outcome.loss, **outcome.scores}
    each = {name: _scores(one) for name, one in outcome.targets.items()}
    return scores | {"targets": each} if each else scores


def _for_machines(record: Record, folder: Path) -> dict[str, Any]:
    account = record.account
    return {
        "folder": folder,
        "files": _FILES,
        "target": record.target,
        "targets": [column.name for column in record.columns if column.role == "target"],
        "task": record.task,
        "method": account.method,
        "status": account.status,
        "iterations": account.iterations,
        "kept_iteration": account.kept,
        "evaluations": account.evaluations,
        "seconds": account.seconds,
        "weights": record.layers.weights,
        "scores": {part: _scores(outcome) for part, outcome in record.outcomes.items()},
        "notes": record.notes,
        "config": record.config,
    }


def _summarise(record: Record, folder: Path) -> None:
    from rich.console import Console

    from secant.report.numbers import count, time
    from secant.report.terminal import print_table
    from secant.report.training import score_tables

    account = record.account
    for note in record.notes:
        print(f"note: {note}")
    for name, text in account.more.items():
        print(f"{name}: {text}")
    for place, table in enumerate(score_tables(record.outcomes)):
        print(end="\n" if place else "")
        print_table(Console(), table)
    print(
        f"{account.status}\n"
        f"{count(account.iterations, 'iteration')}, "
        f"{count(account.evaluations, 'evaluation')}, {time(account.seconds)}; "
        f"the weights of iteration {account.kept} were kept\n"
        f"{folder}: {', '.join(_FILES)}"
    )
