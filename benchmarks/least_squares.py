"""Levenberg-Marquardt against its peers: curve fits, network training, and memory.

    python -m benchmarks squares
    python -m benchmarks.least_squares --only curves|networks|limits|memory

Every peer makes a fixed number of its steps (on curves until it has converged) and is timed; secant is then
timed until it is at the loss which the peer has reached. Repetitions are interleaved, times are medians of
processor time of one thread, and a ratio above 1 means that secant was faster. The floor is the time of the
user's residuals and Jacobians alone, as often as secant evaluates them. Then all train for the same time,
and their lowest losses are compared. All compute in float64 from the same start. SciPy and optimistix are
installed with ``pip install scipy optimistix``, torch-levenberg-marquardt by its name; a peer that is
missing is left out. JAX's compilation is not counted.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
os.environ.setdefault(
    "XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
)

import torch  # noqa: E402 (after the number of threads is set)

from benchmarks import machine  # noqa: E402
from benchmarks.least_squares_curves import curve_comparisons  # noqa: E402
from benchmarks.least_squares_memory import million, million_apart  # noqa: E402
from benchmarks.least_squares_networks import limited_trainings, network_comparisons  # noqa: E402
from benchmarks.least_squares_training import Training  # noqa: E402
from benchmarks.tables import ratios, spread, table  # noqa: E402

torch.set_num_threads(1)

SMALL, MIDDLE, LARGE = (
    Training((5, 12, 10, 1), 1_000),
    Training((5, 16, 16, 1), 10_000),
    Training((8, 16, 16, 1), 100_000),
)


@dataclass(frozen=True)
class Extent:
    """How much is measured.

    Attributes
    ----------
    repetitions : int
    most : int
        Data of the largest curve.
    steps : dict
        Steps of the peers on each network.
    seconds : dict
        Time to train each network.
    """

    repetitions: int
    most: int
    steps: dict[Training, int]
    seconds: dict[Training, float]


QUICK = Extent(3, 10_000, {SMALL: 30}, {SMALL: 1.0})
DEFAULT = Extent(7, 10**6, {SMALL: 100, MIDDLE: 50, LARGE: 15}, {SMALL: 4.0, MIDDLE: 10.0})

PARTS = ("curves", "networks", "limits", "memory")


def measure(extent: Extent, parts: Sequence[str] = PARTS) -> dict[str, Any]:
    """Everything, as plain data."""
    rows, limits, million_rows = [], [], []
    if "curves" in parts:
        rows += curve_comparisons(extent.repetitions, extent.most)
    if "networks" in parts:
        rows += network_comparisons(extent.repetitions, extent.steps)
    if "limits" in parts:
        limits = limited_trainings(extent.seconds)
    if "memory" in parts:
        million_rows = [million_apart()]
    return {
        "machine": machine.describe(),
        "rows": rows,
        "limits": limits,
        "million": million_rows,
    }


def tables(found: dict[str, Any]) -> str:
    """Times to the peers' losses, losses after the same time, and the memory of the largest fit."""
    lines = [
        [
            row["problem"],
            row["peer"],
            f"{statistics.median(row['peer seconds']):.4f}",
            f"{statistics.median(row['seconds']):.4f}",
            spread(ratios(row["peer seconds"], row["seconds"])),
            spread(ratios(row["seconds"], row["floor"])) if row["floor"] else "",
            f"{row['peer loss']:.4e}",
            "" if row["loss"] <= row["peer loss"] * (1 + 1e-9) else "not reached",
        ]
        for row in found["rows"]
    ]
    head = ["problem", "peer", "peer s", "secant s", "ratio", "secant / floor", "loss", ""]
    text = [table(head, lines)] if lines else []
    if found["limits"]:
        names = list(found["limits"][0]["losses"])
        lines = [
            [row["problem"], f"{row['seconds']:g} s", *(f"{row['losses'][n]:.3e}" for n in names)]
            for row in found["limits"]
        ]
        text.append(
            "lowest loss after the same time\n\n" + table(["problem", "time", *names], lines)
        )
    for row in found["million"]:
        text.append(
            f"10^6 residuals x {row['parameters']} parameters: f {row['first loss']:.4g} -> "
            f"{row['loss']:.4g} in {row['iterations']} iterations, {row['seconds']:.1f} s; peak "
            f"memory {row['peak'] / 2**30:.2f} GiB, J alone would be "
            f"{1e6 * row['parameters'] * 8 / 2**30:.2f} GiB"
        )
    return "\n\n".join(text)


def main() -> None:
    """Print the tables, or write the data to a file."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.least_squares")
    parser.add_argument("--only", choices=(*PARTS, "million"))
    parser.add_argument("--extent", choices=("quick", "default", "large"), default="default")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    if arguments.only == "million":
        print(json.dumps(million()))
        return
    parts = (arguments.only,) if arguments.only else PARTS
    found = measure(QUICK if arguments.extent == "quick" else DEFAULT, parts)
    if arguments.out is None:
        print(tables(found))
    else:
        arguments.out.write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main()
