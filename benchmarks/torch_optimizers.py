"""`secant.torch` in the loop of `torch.optim.LBFGS`, beside that and Adam, on two real networks.

    python -m benchmarks.torch_optimizers            writes benchmarks/results/networks.json
    python -m benchmarks.torch_optimizers --quick    in half a minute, published nowhere

Everybody trains the network from the same weights, and a repeat, with weights of its own, runs all of
them in turn. All but Adam run in PyTorch's usual loop, ``while ...: optimizer.step(closure)``, with strong
Wolfe searches, twenty iterations a step and tolerances of zero; between the two L-BFGS only the import
differs. Adam has the rate of a grid that gets lowest in the time.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any

import torch

import secant.torch
from benchmarks import machine
from benchmarks.interleaved import progress
from benchmarks.networks import RATES, Curve, Task, diabetes, digits
from benchmarks.tables import QUICK_FOLDER, RESULTS, save, short, spread, table

TASKS: dict[str, Callable[[int], Task]] = {"diabetes": diabetes, "digits": digits}

LOSSES = {"diabetes": (1e-1, 1e-2, 1e-3, 1e-4), "digits": (1e-1, 1e-2, 1e-4, 1e-6)}
"""Losses whose times are compared."""

ENOUGH = 1e-14
"""At this loss the rest is round-off, and a run ends."""

WOLFE: dict[str, Any] = {
    "tolerance_grad": 0.0,
    "tolerance_change": 0.0,
    "line_search_fn": "strong_wolfe",
}

SECANT = "secant.torch"

OURS = f"{SECANT}.LBFGS, 100 pairs", f"{SECANT}.SSBroyden"
"""Those that the ratios compare with everybody else's."""

DROP_IN: dict[str, Callable[..., Any]] = {
    OURS[0]: lambda p: secant.torch.LBFGS(p, history_size=100, **WOLFE),
    f"{SECANT}.LBFGS, 10 pairs": lambda p: secant.torch.LBFGS(p, history_size=10, **WOLFE),
    OURS[1]: lambda p: secant.torch.SSBroyden(p, **WOLFE),
    "torch.optim.LBFGS, 100 pairs": lambda p: torch.optim.LBFGS(p, history_size=100, **WOLFE),
    "torch.optim.LBFGS, 10 pairs": lambda p: torch.optim.LBFGS(p, history_size=10, **WOLFE),
}


@dataclass(frozen=True)
class Extent:
    """How much is measured: seconds a run, and repeats."""

    seconds: float
    repeats: int


QUICK = Extent(0.5, 2)
DEFAULT = Extent(2.5, 5)


class OutOfTime(Exception):
    """The seconds are used up, or the loss has no more to lose."""


def train(task: Task, make: Callable[..., Any], seconds: float, label: str = "") -> Curve:
    """Steps of an optimizer until the time is over; a point of the curve for each evaluation."""
    curve = Curve(label)
    optimizer = make(task.network.parameters())
    began = process_time()

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = task.loss()
        loss.backward()  # type: ignore[no-untyped-call]
        curve.add(process_time() - began, loss.item())
        if curve.seconds[-1] > seconds or curve.loss[-1] <= ENOUGH:
            raise OutOfTime
        return loss

    try:
        while True:
            optimizer.step(closure)
    except OutOfTime:
        return curve


def adam(rate: float) -> Callable[..., Any]:
    """Adam with a constant rate."""
    return lambda parameters: torch.optim.Adam(parameters, lr=rate)


def best_rate(make_task: Callable[[int], Task], seconds: float) -> float:
    """Adam's rate that gets lowest in the time on the weights of the first repeat."""
    return min(RATES["Adam"], key=lambda rate: train(make_task(0), adam(rate), seconds).lowest)


def reached(curve: Curve, loss: float) -> float:
    """Seconds to the first evaluation at that loss, infinite where it was not reached."""
    pairs = zip(curve.seconds, curve.loss, strict=True)
    return next((seconds for seconds, value in pairs if value <= loss), math.inf)


def measure(extent: Extent) -> dict[str, Any]:
    """Rows of plain data, see `row`."""
    rows = []
    for name, make_task in TASKS.items():
        for make in DROP_IN.values():  # caches are filled at no one's cost
            train(make_task(0), make, 0.1)
        rate = best_rate(make_task, extent.seconds)
        contestants = DROP_IN | {f"Adam, rate {rate:g}": adam(rate)}
        for repeat in range(extent.repeats):
            progress(f"networks: {name}, repeat {repeat + 1} of {extent.repeats}")
            for label, make in contestants.items():
                curve = train(make_task(repeat), make, extent.seconds, label)
                rows.append({"task": name, "repeat": repeat, **row(curve, LOSSES[name])})
    return {"machine": machine.describe(), "budget": extent.seconds, "rows": rows}


def row(curve: Curve, losses: Sequence[float]) -> dict[str, Any]:
    """What a run is worth: lowest loss, evaluations, seconds to each loss (None where not reached)."""
    times = [reached(curve, loss) for loss in losses]
    return {
        "label": curve.label,
        "lowest": curve.lowest,
        "evaluations": len(curve.loss),
        "seconds": [None if math.isinf(t) else t for t in times],
    }


# ----------------------------------------------------------------------------------------- tables


def tables(found: dict[str, Any]) -> str:
    """For each task: seconds to the losses and the lowest one, then ratios of the same repeats."""
    parts = []
    for name in TASKS:
        rows = [row for row in found["rows"] if row["task"] == name]
        labels = list(dict.fromkeys(row["label"] for row in rows))
        by_label = {label: [row for row in rows if row["label"] == label] for label in labels}
        head = [*(f"seconds to {loss:g}" for loss in LOSSES[name]), "lowest loss", "evaluations"]
        lines = [[label, *_cells(mine)] for label, mine in by_label.items()]
        title = (
            f"{name}: {found['budget']:g} s of processor time each, one thread, all rows at once"
        )
        parts += [title, table(["", *head], lines), _ratios(name, by_label)]
    return "\n\n".join(parts)


def _cells(rows: Sequence[dict[str, Any]]) -> list[str]:
    times = zip(*(row["seconds"] for row in rows), strict=True)
    lowest = [row["lowest"] for row in rows]
    end = _scientific(lowest) if max(lowest) > ENOUGH else f"< {ENOUGH:g}"
    return [*map(_times, times), end, short(median(row["evaluations"] for row in rows))]


def _scientific(values: Sequence[float]) -> str:
    return f"{median(values):.1e} ({min(values):.0e} to {max(values):.0e})"


def _times(times: Sequence[float | None]) -> str:
    """Median and range of those that got there, and how many did if not all."""
    there = [t for t in times if t is not None]
    if not there:
        return "-"
    missed = "" if len(there) == len(times) else f" {len(there)}/{len(times)}"
    return f"{spread(there)}{missed}"


def _ratios(name: str, by_label: dict[str, list[dict[str, Any]]]) -> str:
    """Seconds and lowest losses of the others over ours, of the repeats where both got there."""
    lines = []
    for label, theirs in by_label.items():
        if label.startswith(SECANT):
            continue
        for mine in OURS:
            pairs = list(zip(theirs, by_label[mine], strict=True))
            cells = [
                spread([a["seconds"][i] / b["seconds"][i] for a, b in pairs if _both(a, b, i)])
                or "-"
                for i in range(len(LOSSES[name]))
            ]
            lowest = [a["lowest"] / b["lowest"] for a, b in pairs if a["lowest"] > ENOUGH]
            ratio = _scientific(lowest) if lowest else "both at round-off"
            lines.append([f"{label} / {mine}", *cells, ratio])
    return table(["ratios", *(f"to {loss:g}" for loss in LOSSES[name]), "lowest loss"], lines)


def _both(a: dict[str, Any], b: dict[str, Any], i: int) -> bool:
    return a["seconds"][i] is not None and b["seconds"][i] is not None


def main() -> None:
    """Measure, print, save."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.torch_optimizers")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--seconds", type=float, help="of a run")
    parser.add_argument("--repeats", type=int)
    parser.add_argument("--out", type=Path, help="folder of networks.json")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    extent = QUICK if arguments.quick else DEFAULT
    seconds, repeats = arguments.seconds, arguments.repeats
    found = measure(Extent(seconds or extent.seconds, repeats or extent.repeats))
    print(f"{machine.sentence(found['machine'])}\n\n{tables(found)}")
    print(save("networks", found, arguments.out or (QUICK_FOLDER if arguments.quick else RESULTS)))


if __name__ == "__main__":
    main()
