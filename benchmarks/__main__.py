"""Everything that is measured, in one run.

    python -m benchmarks                                   all parts, tables and pictures
    python -m benchmarks overhead dense problems memory    some of them
    python -m benchmarks --quick                           in about a minute, published nowhere
    python -m benchmarks --tables                          the tables of the last run again

Measurements are made in processes of their own, whose threads are set before they start; repeats of all
solvers, and of all ways of setting threads, take turns. Tables show ratios of measurements of the same
repeat: the median, the least and the greatest.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks import dense, machine, memory, overhead, profiles, second_order, suite, targets
from benchmarks.interleaved import progress
from benchmarks.tables import IMAGES, QUICK_FOLDER, RESULTS, save

QUICK, DEFAULT, LARGE = "quick", "default", "large"


@dataclass(frozen=True)
class Part:
    """One part: how it is measured, printed and drawn.

    Attributes
    ----------
    measure : callable
        From the arguments to plain data.
    tables : callable
        From that data to text.
    picture : str or None
        Name of the function in `pictures`.
    """

    measure: Callable[[argparse.Namespace], dict[str, Any]]
    tables: Callable[[dict[str, Any]], str]
    picture: str | None = None


def _overhead(arguments: argparse.Namespace) -> dict[str, Any]:
    extents = {QUICK: overhead.QUICK, DEFAULT: overhead.DEFAULT, LARGE: overhead.LARGE}
    extent = extents[arguments.extent]
    if arguments.repeats:
        extent = replace(extent, repeats=arguments.repeats, few=arguments.repeats)
    return overhead.measure(extent, arguments.threads)


def _dense(arguments: argparse.Namespace) -> dict[str, Any]:
    extent = {QUICK: dense.QUICK, DEFAULT: dense.DEFAULT, LARGE: dense.LARGE}[arguments.extent]
    return dense.measure(
        replace(extent, repeats=arguments.repeats) if arguments.repeats else extent
    )


def _problems(arguments: argparse.Namespace) -> dict[str, Any]:
    progress("problems: all solvers, which takes a while")
    return _in_a_process("benchmarks.suite", "--extent", arguments.extent)


def _memory(arguments: argparse.Namespace) -> dict[str, Any]:
    progress("memory: peaks and host reads")
    return _in_a_process("benchmarks.memory")


def _squares(arguments: argparse.Namespace) -> dict[str, Any]:
    progress("squares: Levenberg-Marquardt and its peers, which takes minutes")
    return _in_a_process("benchmarks.least_squares", "--extent", arguments.extent)


def _second_order(arguments: argparse.Namespace) -> dict[str, Any]:
    progress("second order: Newton's methods and trust regions, which takes minutes")
    return _in_a_process("benchmarks.second_order", "--extent", arguments.extent)


def _squares_tables(found: dict[str, Any]) -> str:
    from benchmarks import least_squares  # torch takes a second to import

    return least_squares.tables(found)


PARTS = {
    "overhead": Part(_overhead, overhead.tables, "overheads"),
    "dense": Part(_dense, dense.tables, "matrices"),
    "problems": Part(_problems, lambda found: profiles.tables(suite.load(found)), "performance"),
    "memory": Part(_memory, memory.tables),
    "squares": Part(_squares, _squares_tables),
    "second_order": Part(_second_order, second_order.tables),
}


def _in_a_process(module: str, *options: str) -> dict[str, Any]:
    """What a module measures in a process with one thread."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "found.json"
        command = [sys.executable, "-m", module, *options, "--out", str(out)]
        done = subprocess.run(
            command, env=machine.environment("1"), stderr=subprocess.PIPE, text=True
        )
        if done.returncode:
            raise SystemExit(f"{module} failed:\n{done.stderr}")
        found: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
        return found


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="secant beside its peers, in one run"
    )
    parser.add_argument("parts", nargs="*", metavar="part", help=f"{', '.join(PARTS)}; all if none")
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", dest="extent", action="store_const", const=QUICK, default=DEFAULT)
    size.add_argument("--large", dest="extent", action="store_const", const=LARGE)
    parser.add_argument(
        "--threads", choices=("1", "all"), default="all", help="1: leave out the rest"
    )
    parser.add_argument("--repeats", type=int, help="of every measurement of time")
    parser.add_argument(
        "--tables", action="store_true", help="print saved results, measure nothing"
    )
    arguments = parser.parse_args()
    unknown = [part for part in arguments.parts if part not in PARTS]
    if unknown:
        parser.error(f"there is no part {unknown[0]!r}; the parts are {', '.join(PARTS)}")
    return arguments


def _found(name: str, arguments: argparse.Namespace) -> dict[str, Any]:
    """Measured now and saved, or read from the last run."""
    folder = QUICK_FOLDER if arguments.extent == QUICK else RESULTS
    if arguments.tables:
        text = (folder / f"{name}.json").read_text(encoding="utf-8")
        found: dict[str, Any] = json.loads(text)
        return found
    found = PARTS[name].measure(arguments)
    found["extent"] = arguments.extent
    save(name, found, folder)
    return found


def _draw(picture: str, found: dict[str, Any]) -> None:
    from benchmarks import pictures  # matplotlib takes a second to import

    folder = QUICK_FOLDER if found["extent"] == QUICK else IMAGES
    progress(f"drawn: {getattr(pictures, picture)(found, folder).name}")


def main() -> None:
    """Measure, print, save and draw."""
    arguments = _arguments()
    for package in machine.missing():
        print(f"{package} is not installed: its solvers are left out")
    every: dict[str, dict[str, Any]] = {}
    for name in arguments.parts or PARTS:
        found = every[name] = _found(name, arguments)
        print(f"\n== {name}: {machine.sentence(found['machine'])}\n")
        print(PARTS[name].tables(found), flush=True)
        picture = PARTS[name].picture
        if picture:
            _draw(picture, found)
    print(f"\n== targets\n\n{targets.tables(every)}")


if __name__ == "__main__":
    main()
