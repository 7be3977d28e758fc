"""``secant export``: a model in the form of others."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from secant.cli.shared import Force, Json, Quiet, fail, learning, print_json

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
        from secant.learn.output import check_new_file

        chosen = format or _by_ending(out)
        if chosen not in _ENDINGS:
            fail(f"--format must be one of {', '.join(_ENDINGS)}, not {chosen!r}")
        file = out or model / f"model{_ENDINGS[chosen]}"
        check_new_file(file, replace=force)
        export_model(load_model(model), file, chosen)
        size = file.stat().st_size
        if as_json:
            print_json({"file": file, "format": chosen, "bytes": size})
        elif not quiet:
            print(f"{file}: {size:,} bytes\n{_NEXT[chosen].format(file=file)}")


def _by_ending(out: Path | None) -> str:
    found = [name for name, ending in _ENDINGS.items() if out and out.suffix.lower() == ending]
    if not found:
        fail(f"--format is missing: choose one of {', '.join(_ENDINGS)}")
    return found[0]
