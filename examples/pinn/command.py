"""The command line of both examples: warm up, race, print, draw."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import torch

from examples.pinn.picture import draw
from examples.pinn.race import Curve, Problem, everybody, race, warm_up

RIVAL = "torch.optim.LBFGS"


def arguments(program: str, description: str, points: int) -> argparse.ArgumentParser:
    """The options that both examples have."""
    parser = argparse.ArgumentParser(prog=f"python -m examples.{program}", description=description)
    parser.add_argument("--seconds", type=float, default=20.0, help="processor time of each method")
    parser.add_argument("--out", type=Path, default=Path("runs/pinn"), help="folder of the results")
    parser.add_argument("--width", type=int, default=20, help="units in a hidden layer")
    parser.add_argument("--depth", type=int, default=3, help="hidden layers")
    parser.add_argument("--points", type=int, default=points, help="collocation points")
    parser.add_argument("--warm-up", type=int, default=1000, help="steps of Adam before the race")
    parser.add_argument("--seed", type=int, default=0, help="of the first weights")
    return parser


def run(
    name: str,
    title: str,
    given: argparse.Namespace,
    make: Callable[[argparse.Namespace], Problem],
) -> list[Curve]:
    """Race everybody; write ``<name>.png`` and ``<name>.json`` to the folder.

    Returns
    -------
    list of Curve
    """
    torch.set_num_threads(1)
    problem = make(given)
    weights = sum(p.numel() for p in problem.network.parameters())
    lowest = warm_up(problem, given.warm_up)
    print(f"{title}: {weights} weights, {given.points} points")
    print(f"after {given.warm_up} steps of Adam: loss {lowest:.2e}, error {problem.error():.2e}\n")
    print(f"{'':30s}{'loss':>10s}{'error':>10s}{'evaluations':>13s}{'seconds':>9s}")
    curves = []
    for curve in race(problem, everybody(), given.seconds):
        curves.append(curve)
        print(
            f"{curve.label:30s}{curve.loss[-1]:10.1e}{curve.errors[-1]:10.1e}"
            f"{curve.evaluations:13,d}{curve.ended:9.1f}",
            flush=True,
        )
    print(f"\n{compared(curves)}")
    subtitle = (
        f"{given.depth} hidden layers of {given.width} tanh units, {weights} weights, float64; "
        f"all from the same weights after {given.warm_up} steps of Adam. Lower is better."
    )
    draw(curves, title, subtitle, given.seconds, given.out / f"{name}.png")
    _save(curves, given.out / f"{name}.json")
    print(f"written: {given.out / name}.png, {given.out / name}.json")
    return curves


def compared(curves: Sequence[Curve]) -> str:
    """How many times lower each of secant's curves is than the best of PyTorch's L-BFGS."""
    rival = min((c for c in curves if c.label.startswith(RIVAL)), key=lambda c: c.loss[-1])
    lines = [
        f"{curve.label}: loss {rival.loss[-1] / curve.loss[-1]:.2g} times lower than "
        f"{rival.label}, error {rival.errors[-1] / curve.errors[-1]:.2g} times"
        for curve in curves
        if "secant" in curve.label
    ]
    return "\n".join(lines)


def _save(curves: Sequence[Curve], path: Path) -> None:
    """Each curve by its label, written whole or not at all."""
    unfinished = path.with_name(f".{path.name}")
    text = json.dumps({curve.label: asdict(curve) for curve in curves})
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(path)
