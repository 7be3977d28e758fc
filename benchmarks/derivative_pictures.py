"""The pictures of docs/derivatives.md and docs/spectrum.md.

python -m benchmarks.derivative_pictures
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

import secant
from secant.report.differences import difference_errors, plot_difference_errors
from secant.report.edge_of_stability import plot_edge_of_stability
from secant.report.spectrum import plot_spectrum

IMAGES = Path(__file__).resolve().parent.parent / "docs" / "images"


def differences() -> Figure:
    """Error against step for f = exp(x) / (sin^3 x + cos^3 x), the example of Squire and Trapp."""

    def fun(x):
        return np.exp(x) / (np.sin(x) ** 3 + np.cos(x) ** 3)

    def exact(x):
        s, c = np.sin(x), np.cos(x)
        bottom = s**3 + c**3
        return np.exp(x) * (bottom - 3.0 * s**2 * c + 3.0 * c**2 * s) / bottom**2

    steps = 10.0 ** np.linspace(0.0, -20.0, 161)
    errors = difference_errors(fun, exact, np.linspace(1.3, 1.7, 41), steps)
    for scheme in ("2-point", "3-point", "cs"):
        best = int(np.argmin(errors[scheme]))
        print(f"{scheme}: best step {steps[best]:.1e}, error {errors[scheme][best]:.1e}")
    print(f"richardson: error {errors['richardson'][0]:.1e}")
    return plot_difference_errors(
        errors, "Derivative of exp(x) / (sin³ x + cos³ x), 41 points near 1.5"
    )


def network(classes: int = 5, width: int = 16, rows: int = 400):
    """A classifier of Gaussian clouds, whose Hessian has about as many outliers as classes."""
    torch.manual_seed(0)
    centres = 0.9 * torch.randn(classes, 8, dtype=torch.float64)
    labels = torch.arange(rows) % classes
    X = centres[labels] + torch.randn(rows, 8, dtype=torch.float64)
    model = torch.nn.Sequential(
        torch.nn.Linear(8, width), torch.nn.Tanh(), torch.nn.Linear(width, classes)
    ).double()

    def loss():
        return torch.nn.functional.cross_entropy(model(X), labels)

    return model, loss


def bulk_and_outliers() -> Figure:
    """The spectrum of a trained network with 229 weights, all of its eigenvalues by Lanczos."""
    model, loss = network()
    result = secant.minimize(loss, model, max_iter=40)
    found = secant.spectrum(loss, model)
    print(f"loss {result.fun:.3g} after {result.nit} iterations\n{found}")
    print("outliers:", np.round(found.outliers, 5))
    return plot_spectrum(
        found,
        f"Hessian of a trained classifier, {found.n} weights, 5 classes: {found.products} products",
    )


def edge_of_stability() -> Figure:
    """Gradient descent at two rates on a network: the sharpness rises to 2 / eta and stays."""
    torch.manual_seed(3)
    X = torch.linspace(-1.0, 1.0, 20, dtype=torch.float64)[:, None]
    y = 4.0 * X**3 - 3.0 * X  # a Chebyshev polynomial, as in Cohen et al.
    runs = []
    for eta in (0.1, 0.05):
        torch.manual_seed(3)
        model = torch.nn.Sequential(
            torch.nn.Linear(1, 50),
            torch.nn.Tanh(),
            torch.nn.Linear(50, 50),
            torch.nn.Tanh(),
            torch.nn.Linear(50, 1),
        ).double()
        watch = secant.EdgeOfStability(eta=eta, every=20)
        secant.minimize(
            lambda model=model: 0.5 * ((model(X) - y) ** 2).mean(),
            model,
            method=secant.GradientDescent(rate=eta),
            max_iter=6000,
            gtol=0.0,
            callback=watch,
        )
        print(f"eta {eta}: sharpness {watch['sharpness'][-20:].mean():.2f}, limit {watch.limit}")
        runs.append(watch)
    return plot_edge_of_stability(
        *runs, title="Gradient descent on a network with 2 x 50 tanh units"
    )


def main() -> None:
    """Draw all three."""
    torch.set_num_threads(1)
    IMAGES.mkdir(parents=True, exist_ok=True)
    for name, draw in (
        ("difference-errors", differences),
        ("spectrum", bulk_and_outliers),
        ("edge-of-stability", edge_of_stability),
    ):
        figure = draw()
        FigureCanvasAgg(figure).print_figure(IMAGES / f"{name}.png", dpi=150)
        print(IMAGES / f"{name}.png")


if __name__ == "__main__":
    main()
