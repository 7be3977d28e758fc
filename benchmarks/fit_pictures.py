"""The pictures of docs/least-squares.md.

python -m benchmarks.fit_pictures
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from scipy import stats

import secant
from secant.leastsquares import Nielsen
from secant.leastsquares.normal import Gram

IMAGES = Path(__file__).resolve().parent.parent / "docs" / "images"

BLUE, ORANGE, GREY = "#1f5a99", "#c8641e", "#888888"


def kinetics(b, substrate):
    """Michaelis and Menten's rate, ``V S / (K + S)``."""
    return b[0] * substrate / (b[1] + substrate)


def confidence_band() -> Figure:
    """Puromycin (Bates & Watts 1988, table A1.3): fit, 95 per cent band of the curve, residuals."""
    S = np.repeat([0.02, 0.06, 0.11, 0.22, 0.56, 1.10], 2)
    rate = np.array([76, 47, 97, 107, 123, 139, 159, 152, 191, 201, 207, 200.0])
    fit = secant.least_squares(lambda b: kinetics(b, S) - rate, [205.0, 0.08])
    print(f"V, K = {fit.x}, standard errors {fit.standard_errors}")
    grid = np.linspace(0.0, 1.2, 200)
    J = np.stack([grid / (fit.x[1] + grid), -fit.x[0] * grid / (fit.x[1] + grid) ** 2], axis=1)
    width = stats.t.ppf(0.975, len(S) - 2) * np.sqrt(np.einsum("ij,jk,ik->i", J, fit.covariance, J))
    curve = kinetics(fit.x, grid)
    figure = Figure(figsize=(7.0, 4.2), layout="constrained")
    axes = figure.subplots()
    axes.fill_between(
        grid,
        curve - width,
        curve + width,
        color=BLUE,
        alpha=0.2,
        lw=0,
        label="95% band of the curve",
    )
    axes.plot(grid, curve, color=BLUE, label="fit")
    axes.plot(S, rate, "o", color=ORANGE, ms=5, label="data")
    axes.set(
        xlabel="substrate (ppm)", ylabel="rate (counts / min²)", xlim=(0.0, 1.2), ylim=(0, 230)
    )
    errors = fit.standard_errors
    axes.set_title(
        f"V = {fit.x[0]:.1f} ± {errors[0]:.1f},  K = {fit.x[1]:.4f} ± {errors[1]:.4f}", fontsize=11
    )
    axes.legend(loc="lower right", frameon=False)
    return figure


def rosenbrock(x):
    """Two residuals whose sum of squares is a curved valley."""
    return np.array([10.0 * (x[1] - x[0] ** 2), 1.0 - x[0]])


def slope(x):
    """Their Jacobian."""
    return np.array([[-20.0 * x[0], 10.0], [-1.0, 0.0]])


def damping_and_gain() -> Figure:
    """Nielsen's rule on Rosenbrock's residuals: f, lambda, and the gain ratio that moves it."""
    run = secant.start_least_squares(rosenbrock, [-1.2, 1.0], slope, damping=Nielsen(), xtol=0.0)
    gains, points = [], [run.point]
    for _ in run:
        if run.point is not points[-1]:
            points.append(run.point)
    for before, after in pairwise(points):
        p = after.x - before.x
        predicted = -before.model.g @ p - 0.5 * before.model.length2(p)
        gains.append((before.f - after.f) / predicted)
    trace = run.trace
    figure = Figure(figsize=(7.0, 6.0), layout="constrained")
    top, middle, bottom = figure.subplots(3, 1, sharex=True)
    k = trace.k
    shown = trace.f > 0.0
    top.semilogy(k[shown], trace.f[shown], "o-", color=BLUE, ms=3.5)
    top.set_ylabel("f")
    middle.semilogy(k[1:], trace.alpha[1:], "o-", color=BLUE, ms=3.5)
    rejected = [i for i, event in enumerate(trace.to_dict()["event"]) if "rejected" in event]
    middle.semilogy(
        k[rejected],
        trace.alpha[rejected],
        "o",
        color=ORANGE,
        ms=7,
        mfc="none",
        label="after rejections",
    )
    middle.set_ylabel("λ")
    middle.legend(frameon=False)
    bottom.axhline(1.0, color=GREY, lw=0.8)
    bottom.plot(range(1, len(gains) + 1), np.clip(gains, 0.0, 1.5), "o-", color=BLUE, ms=3.5)
    bottom.set(
        ylabel="gain ratio ρ",
        xlabel="iteration",
        ylim=(0.0, 1.55),
        xticks=range(0, int(k[-1]) + 1, 2),
    )
    return figure


def path() -> Figure:
    """All damped steps from one point: from Gauss-Newton's (lambda = 0) to the scaled gradient's end."""
    x = np.array([-0.4, 0.9])
    r, J = rosenbrock(x), slope(x)
    model = Gram(np.asfortranarray(J.T @ J), J.T @ r)
    scale = np.ones(2)
    lambdas = np.geomspace(1e-4, 1e5, 200)
    steps = np.array([model.factor(value, scale).solve() for value in lambdas])
    newton = model.factor(0.0, scale).solve()
    figure = Figure(figsize=(7.0, 4.6), layout="constrained")
    axes = figure.subplots()
    a, b = np.meshgrid(np.linspace(-0.9, 1.25, 240), np.linspace(-1.2, 1.2, 240))
    f = 0.5 * (100.0 * (b - a**2) ** 2 + (1.0 - a) ** 2)
    axes.contour(a, b, f, np.geomspace(0.05, 300.0, 14), colors=GREY, linewidths=0.6)
    whole = x + np.vstack([np.zeros(2), steps[::-1], newton])
    axes.plot(*whole.T, color=BLUE, lw=2.0, label="x + p(λ)")
    for value in (1e3, 1e2, 1e1, 1.0, 0.1):
        p = x + model.factor(value, scale).solve()
        axes.plot(*p, "o", color=BLUE, ms=4)
        axes.annotate(f"λ = {value:g}", p, textcoords="offset points", xytext=(10, 5), fontsize=8)
    axes.plot(*x, "o", color=ORANGE, ms=7, label="x")
    axes.plot(*(x + newton), "s", color=ORANGE, ms=6, label="Gauss-Newton, λ = 0")
    g = -model.g / np.linalg.norm(model.g)
    axes.annotate("", x + 0.35 * g, x, arrowprops={"arrowstyle": "->", "color": ORANGE, "lw": 1.6})
    axes.annotate("-g", x + 0.35 * g, textcoords="offset points", xytext=(-20, 6), color=ORANGE)
    axes.plot(1.0, 1.0, "*", color="black", ms=9, label="minimum")
    axes.set(xlabel="x₁", ylabel="x₂", xlim=(-0.9, 1.25), ylim=(-1.2, 1.2))
    axes.legend(loc="lower left", frameon=True, fontsize=8)
    return figure


def main() -> None:
    """Draw all of them."""
    pictures = {
        "fit-band.png": confidence_band,
        "damping-and-gain.png": damping_and_gain,
        "damped-path.png": path,
    }
    for name, draw in pictures.items():
        figure = draw()
        FigureCanvasAgg(figure)
        figure.savefig(IMAGES / name, dpi=120)
        print(f"drawn: {name}")


if __name__ == "__main__":
    main()
