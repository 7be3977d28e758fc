"""``secant check``: a gradient against differences."""

from __future__ import annotations

import json
import math
import sys
from contextlib import nullcontext, redirect_stdout
from typing import TYPE_CHECKING, Annotated, Any

import typer

from secant.cli.shared import Json, fail

if TYPE_CHECKING:
    from secant.derivatives.check import Check

__all__ = ["check"]


def check(
    target: Annotated[
        str, typer.Argument(metavar="FILE.py:FUNCTION", help="A function in a file of yours.")
    ],
    x0: Annotated[
        str, typer.Option(help="Where: numbers such as -1.2,1, or a name in the file.")
    ] = "x0",
    jac: Annotated[str | None, typer.Option(help="Name of its gradient in the file.")] = None,
    hess: Annotated[str | None, typer.Option(help="Name of its Hessian in the file.")] = None,
    points: Annotated[int, typer.Option(min=1, help="At how many points to compare.")] = 5,
    as_json: Json = False,
) -> None:
    """Compare a gradient with differences; exit code 1 if it is wrong, doubtful or undecided.

    The file is run as Python does. With tensors and modules autograd's gradient is checked.
    """
    from secant.derivatives.command import check_file
    from secant.userfile import UserFileError

    try:
        # what the user's own code prints must not come between a program and its JSON
        with redirect_stdout(sys.stderr) if as_json else nullcontext():
            found = check_file(target, jac, hess, x0, points)
    except UserFileError as error:
        fail(str(error))
    if as_json:
        print(json.dumps({"ok": all(one.ok for one in found), "checks": list(map(_plain, found))}))
    else:
        for one in found:
            print(one)
    if not all(one.ok for one in found):
        raise typer.Exit(1)


def _plain(found: Check) -> dict[str, Any]:
    # Not by `secant.learn.plain`: checking a gradient needs none of the packages that training does.
    return {
        "what": found.what,
        "ok": found.ok,
        "verdict": found.verdict.name.lower(),
        "error": found.error if math.isfinite(found.error) else None,
        "component": [int(place) for place in found.component],
        "points": len(found.points),
    }
