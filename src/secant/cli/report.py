"""``secant report``: the report of a training once more, from what the training has written."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from secant.cli.shared import Force, Json, Quiet, learning, print_json

if TYPE_CHECKING:
    from secant.report.page import Page

__all__ = ["report"]


def report(
    run: Annotated[
        Path, typer.Argument(metavar="RUN", help="Folder that train has written, or a history.csv.")
    ],
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE.html", help="File to write; by default the run's own report."),
    ] = None,
    force: Force = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Make the HTML report again from a run folder, or one from a saved history."""
    with learning("report"):
        from secant.learn.output import check_new_file, whole_file
        from secant.learn.tables.compression import without_ending
        from secant.report.html import render

        own = (
            run / "report.html"
            if run.is_dir()
            else run.with_name(without_ending(run.name)).with_suffix(".html")
        )
        place = out or own
        # The report of a run folder is there to be made again; any other file is somebody's.
        check_new_file(place, replace=force or (out is None and run.is_dir()))
        page = _page(run)
        with whole_file(place) as file:
            file.write_text(render(page), encoding="utf-8")
        if as_json:
            print_json({"file": place})
        elif not quiet:
            print(place)


def _page(run: Path) -> Page:
    from secant.learn.errors import InputError
    from secant.report.curves import read_curves
    from secant.report.record import load_record
    from secant.report.training import history_page, training_page

    if not run.is_dir():
        if run.suffix == ".json":
            return training_page(load_record(run))
        return history_page(read_curves(run), run.name)
    if (run / "report.json").is_file():
        return training_page(load_record(run / "report.json"))
    if (run / "history.csv").is_file():
        return history_page(read_curves(run / "history.csv"), run.name)
    raise InputError(f"{str(run)!r} holds no report.json and no history.csv: it is no run folder")
