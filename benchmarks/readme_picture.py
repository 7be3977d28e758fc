"""The picture of the README: training loss against seconds for four optimisers on one network.

python -m benchmarks.readme_picture
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import matplotlib
import numpy as np
import torch

from benchmarks import networks
from benchmarks.networks import Curve

matplotlib.use("Agg")
import matplotlib.pyplot as plt

PICTURE = Path(__file__).resolve().parent.parent / "docs" / "images" / "loss-against-seconds.png"

COLOURS = {"L-BFGS": "#1f5fa8", "BFGS": "#0f8a6d", "Adam": "#d1661b", "gradient": "#8a8f98"}
INK, FAINT = "#22262b", "#d9dde2"


def measure(seconds: float, seed: int) -> list[Curve]:
    """The four curves, from the same start."""
    networks.by_secant("warm-up", "bfgs", 0.2, seed)  # imports and caches cost no method its time
    networks.best_rate("Adam", 0.02, seed)
    return [
        networks.by_secant("L-BFGS (secant)", "l-bfgs", seconds, seed),
        networks.by_secant("BFGS (secant)", "bfgs", seconds, seed),
        networks.best_rate("Adam", seconds, seed),
        networks.best_rate("gradient descent", seconds, seed),
    ]


def draw(curves: Sequence[Curve], seconds: float, path: Path) -> None:
    """Log loss over seconds, each curve named at its end."""
    plt.rcParams.update({"font.family": "DejaVu Sans", "font.size": 10.5, "text.color": INK})
    figure, axes = plt.subplots(figsize=(8.4, 4.7), dpi=180)
    for curve in curves:
        colour = next(c for name, c in COLOURS.items() if curve.label.startswith(name))
        x, y = _thinned(curve)
        ended = x[-1] <= 0.95 * seconds
        width = 2.0 if "secant" in curve.label else 1.1
        axes.plot(x, y, color=colour, linewidth=width, solid_capstyle="round", zorder=3)
        if ended:  # at round-off
            axes.plot(x[-1:], y[-1:], "o", color=colour, markersize=5, zorder=4)
        _name(axes, curve, colour, seconds)
    lowest = min(min(curve.loss) for curve in curves)
    axes.set_yscale("log")
    axes.set_ylim(10 ** np.floor(np.log10(lowest) - 1.4), 3.0)
    axes.set_xlim(-0.01 * seconds, seconds)
    axes.set_yticks(
        [10.0**power for power in range(0, -33, -4) if 10.0**power > axes.get_ylim()[0]]
    )
    axes.minorticks_off()
    axes.grid(axis="y", color=FAINT, linewidth=0.8)
    axes.tick_params(length=0, colors="#565c64", pad=6)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color("#a9afb7")
    axes.set_xlabel("seconds of processor time, one thread", color="#565c64", labelpad=8)
    figure.subplots_adjust(left=0.085, right=0.775, top=0.83, bottom=0.135)
    figure.text(0.022, 0.935, "Training loss against time", fontsize=14, fontweight="bold")
    figure.text(
        0.022,
        0.880,
        "scikit-learn's diabetes data, two hidden layers of 24 tanh units in float64, same start;"
        " lower is better. A dot: at round-off.",
        color="#565c64",
        fontsize=9.2,
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)
    plt.close(figure)


def _thinned(curve: Curve, points: int = 2_000) -> tuple[np.ndarray, np.ndarray]:
    """At most ``points`` of the curve, evenly spaced, the first and the last among them."""
    every = np.unique(np.linspace(0, len(curve.loss) - 1, points).astype(int))
    return np.array(curve.seconds)[every], np.array(curve.loss)[every]


def _name(axes: plt.Axes, curve: Curve, colour: str, seconds: float) -> None:
    """The name of a curve beside its end; a second line holds its learning rate."""
    name, _, rest = curve.label.partition(", ")
    end = (curve.seconds[-1], curve.loss[-1])
    offset = 10.0
    if curve.seconds[-1] > 0.95 * seconds:
        end = (seconds, min(curve.loss[-500:]))
    text = {"textcoords": "offset points", "color": colour, "annotation_clip": False}
    axes.annotate(name, end, (offset, 5 if rest else -4), fontweight="bold", **text)
    if rest:
        axes.annotate(f"PyTorch, {rest}", end, (offset, -8), fontsize=9, **text)


def main() -> None:
    """Measure and draw."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.readme_picture")
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--seed", type=int, default=0, help="of the network's first weights")
    parser.add_argument("--out", type=Path, default=PICTURE)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    curves = measure(arguments.seconds, arguments.seed)
    for curve in curves:
        print(f"{curve.label}: {curve.steps} iterations, lowest loss {curve.lowest:.2g}")
    draw(curves, arguments.seconds, arguments.out)
    print(arguments.out)


if __name__ == "__main__":
    main()
