"""``secant export``: a model in the form of others."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from secant.cli.shared import Force, Json, Quiet, fail, learning, print_json

if TYPE_CHECKING:
    from secant.learn import Model
    from secant.learn.export.rounding import Rounding

__all__ = ["export"]

_ENDINGS = {"onnx": ".onnx", "python": ".py", "c": ".c"}
_NEXT = {
    "onnx": "inputs and outputs are described in docs/model-files.md",
    "python": "next: python {file} new.csv > predictions.csv",
    "c": "next: cc -std=c99 -O2 -DSECANT_MAIN {file} -o model -lm && ./model < new.csv",
}


def export(
    model: Annotated[Path, typer.Argument(metavar="DIR", help="Folder that train has written.")],
    format: Annotated[
        str | None, typer.Option(help="onnx, python or c; by default by the ending of --out.")
    ] = None,
    dtype: Annotated[
        str | None, typer.Option(help="float32 or float64; by default as the model was trained.")
    ] = None,
    rows: Annotated[
        str | None,
        typer.Option(metavar="TABLE.csv", help="Where to measure what another dtype changes."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="File to write; by default in DIR.")
    ] = None,
    force: Force = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Write a model as ONNX, or as a Python or C file that needs nothing else."""
    with learning("export"):
        from secant.learn import load_model
        from secant.learn.export import export_model
        from secant.learn.export.rounding import described
        from secant.learn.output import check_new_file

        chosen = format or _by_ending(out)
        if chosen not in _ENDINGS:
            fail(f"--format must be one of {', '.join(_ENDINGS)}, not {chosen!r}")
        file = out or model / f"model{_ENDINGS[chosen]}"
        check_new_file(file, replace=force)
        loaded = load_model(model)
        rounding = _rounding(loaded, chosen, dtype, rows)
        export_model(loaded, file, chosen, dtype)
        size = file.stat().st_size
        if as_json:
            print_json({"file": file, "format": chosen, "bytes": size, "rounding": rounding})
        elif not quiet:
            print(f"{file}: {size:,} bytes")
            if rounding is not None:
                print(described(rounding, rows or "drawn from the statistics of the columns"))
            print(_NEXT[chosen].format(file=file))


def _rounding(model: Model, format: str, dtype: str | None, rows: str | None) -> Rounding | None:
    """What the other precision changes, measured before anything is written."""
    from secant.learn.export.precision import precision_of
    from secant.learn.export.rounding import rounding_error
    from secant.learn.tables.data import read_table

    if dtype is None or dtype == precision_of(model):
        if rows is not None:
            fail(f"--rows is for another --dtype than the model's, {precision_of(model)}")
        return None
    table = None if rows is None else read_table(rows, text=model.preparation.categorical)
    return rounding_error(model, dtype, format, table)


def _by_ending(out: Path | None) -> str:
    found = [name for name, ending in _ENDINGS.items() if out and out.suffix.lower() == ending]
    if not found:
        fail(f"--format is missing: choose one of {', '.join(_ENDINGS)}")
    return found[0]
