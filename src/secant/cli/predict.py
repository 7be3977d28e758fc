"""``secant predict``: a model and new rows in, predictions out."""

from __future__ import annotations

import sys
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
    fail,
    learning,
    print_json,
)

__all__ = ["predict"]


def predict(
    model: Annotated[Path, typer.Argument(metavar="DIR", help="Folder that train has written.")],
    table: Annotated[
        str, typer.Argument(metavar="NEW.csv", help="Rows to predict; - for standard input.")
    ],
    out: Annotated[
        str, typer.Option(metavar="FILE", help="File to write; - for standard output.")
    ] = "predictions.csv",
    separator: Separator = None,
    decimal: Decimal = ".",
    thousands: Thousands = None,
    encoding: Encoding = "utf-8",
    force: Force = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Predict the targets for the rows of a table, in their order."""
    with learning("predict"):
        from secant.learn import load_model
        from secant.learn.output import check_new_file
        from secant.learn.prediction import predict_table, write_predictions
        from secant.learn.tables.compression import check_ending
        from secant.learn.tables.dialect import Dialect

        if out == "-":
            if as_json:
                fail("--json and --out - both want standard output: choose one of them")
        else:
            check_ending(Path(out).name)
            check_new_file(Path(out), replace=force)
        dialect = Dialect(separator, decimal, thousands, encoding)
        predictions, notes = predict_table(load_model(model), table, dialect)
        if out == "-":
            predictions.to_csv(sys.stdout, index=False)
        else:
            write_predictions(predictions, out)
        if as_json:
            columns = [str(name) for name in predictions.columns]
            print_json({"file": out, "rows": len(predictions), "columns": columns, "notes": notes})
        elif not quiet:
            # Where the predictions are on standard output, words go beside them.
            beside = sys.stderr if out == "-" else sys.stdout
            for note in notes:
                print(f"note: {note}", file=beside)
            if out != "-":
                print(f"{out}: {len(predictions):,} predictions")
