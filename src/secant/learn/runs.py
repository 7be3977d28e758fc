"""How the run of a method on a network is begun: in closed form, by autograd, or as squares."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

import secant
from secant.learn.bayesian import BayesianLevenbergMarquardt, BayesianSquares
from secant.learn.closed_form.objective import Objective, weights_of
from secant.learn.closed_form.squares import NetworkSquares
from secant.learn.errors import InputError
from secant.learn.learner import ByAutograd, InClosedForm, Learner, Seen
from secant.learn.loss import LossIndex
from secant.learn.monitor import Monitor
from secant.learn.network import Perceptron
from secant.learn.sample import Sample
from secant.leastsquares.damping import Nielsen, WithMomentum
from secant.leastsquares.levenberg_marquardt import LevenbergMarquardt, Tolerances
from secant.leastsquares.result import FitRun
from secant.leastsquares.scaling import Fixed
from secant.stopping import GradientBelow, MaxIterations
from secant.structure import Shape

__all__ = ["ORTHANT_WISE", "ClosedForm", "Options", "Prepared", "prepared"]

ORTHANT_WISE = "owl-qn"
"""The method that minimises a penalty of absolute values."""

_DAMPING = WithMomentum(Nielsen(tau=1e-2))
"""One factorisation a trial, or none. On tables of some hundred rows the first damping hardly matters: from
1e-3 to 0.04 the steps to a given loss differ by a seventh. Momentum saves an eighth of the steps to the goals
of `benchmarks.tabular`; `benchmarks.momentum` has more."""


@dataclass(frozen=True)
class Options:
    """What the optimiser itself is told."""

    method: str
    gtol: float
    max_iter: int
    max_seconds: float
    pairs: int | None = None
    single_first: bool = False

    def build(self) -> Any:
        """The configured method."""
        if self.pairs is not None:
            return secant.LBFGS(memory=self.pairs)
        return secant.methods.get(self.method).build()


class Prepared(ABC):
    """A learner, and the runs that train it."""

    learner: Learner
    options: Options

    @abstractmethod
    def run(self, monitor: Monitor) -> secant.Run:
        """Begin."""

    def runs(self, monitor: Monitor) -> Iterator[secant.Run]:
        """One run after the other, each when the last has ended."""
        yield self.run(monitor)

    def _limits(self, monitor: Monitor) -> dict[str, Any]:
        return {
            "gtol": self.options.gtol,
            "max_iter": self.options.max_iter,
            "max_seconds": self.options.max_seconds,
            "stop": (monitor.stop,),
            # The callback sees the last iteration even if another stop spoke first.
            "callback": monitor.observe,
        }


def prepared(
    network: Perceptron,
    index: LossIndex,
    train: Sample,
    validation: Sample | None,
    options: Options,
    closed: bool,
    bayesian: bool,
) -> Prepared:
    """The way to run the method on this network."""
    if options.method == "lm":
        return Squares(BySquares(network, index, train, validation, bayesian), options)
    if closed:
        learner = InClosedForm(network, index, train, validation)
        if options.single_first and learner.train.dtype == np.float64:
            from secant.learn.single_first import SingleFirst

            return SingleFirst(learner, options)
        return ClosedForm(learner, options)
    if options.method == ORTHANT_WISE:
        raise InputError(f"method {ORTHANT_WISE!r} trains a Perceptron on the CPU")
    return Autograd(ByAutograd(network, index, train, validation), options)


@dataclass
class ClosedForm(Prepared):
    """Value, gradient and products by `Objective`."""

    learner: InClosedForm
    options: Options

    def run(self, monitor: Monitor) -> secant.Run:
        """Begin."""
        x0 = weights_of(self.learner.network)
        return self._start(self.learner.train, x0, self._limits(monitor))

    def _start(
        self, objective: Objective, x0: Any, limits: dict[str, Any], warm_start: Any = None
    ) -> secant.Run:
        name = self.options.method
        method, product = self._method(objective), None
        if method.uses_hessian:
            product = objective.hessian_product
            if name == "hessian-free":
                product = objective.gauss_newton_product
        with _named(name):
            return secant.start(
                objective,
                x0,
                method=method,
                jac=True,
                hessp=product,
                warm_start=warm_start,
                **limits,
            )

    def _method(self, objective: Objective) -> Any:
        name = self.options.method
        if name == ORTHANT_WISE:
            return secant.OWLQN(l1=self.learner.index.l1 * objective.is_weight)
        if name == "gdx":  # MATLAB's rise, for a loss that falls to 0
            return secant.AdaptiveMomentum(rise=0.04)
        if name == "hessian-free":
            return secant.HessianFree(preconditioner=secant.Martens(objective.gradient_squares))
        return self.options.build()


@dataclass
class Autograd(Prepared):
    """Any module on any device."""

    learner: ByAutograd
    options: Options

    def run(self, monitor: Monitor) -> secant.Run:
        """Begin."""
        learner = self.learner
        with _named(self.options.method):
            return secant.start(
                learner.objective,
                learner.network,
                method=self.options.build(),
                **self._limits(monitor),
            )


class BySquares(InClosedForm):
    """A perceptron whose loss index is a sum of squares."""

    def __init__(
        self,
        network: Perceptron,
        index: LossIndex,
        train: Sample,
        validation: Sample | None,
        bayesian: bool,
    ) -> None:
        super().__init__(network, index, train, validation)
        kind = BayesianSquares if bayesian else NetworkSquares
        self.squares: NetworkSquares = kind(self.train)

    def penalty(self, x: Any) -> float:
        """The regularisation term, with the factor that is in force."""
        return self.squares.l2 * float((self.squares.is_weight * x) @ x)

    def columns(self, seen: Seen) -> dict[str, float]:
        """The damping takes the place of the step length."""
        known = {"step": 1.0 if seen.k else 0.0, "damping": seen.alpha}
        if isinstance(self.squares, BayesianSquares):
            known["effective_parameters"] = self.squares.effective_parameters
        return known

    def comparable(self, seen: Seen) -> float:
        """A loss index whose penalty changes cannot be compared: the last weights are the best."""
        return -float(seen.k) if isinstance(self.squares, BayesianSquares) else seen.f

    def objective_at(self, kept: Any) -> None:
        """Known: all iterations are in the network's precision."""

    def keep(self, x: Any) -> Any:
        """The vector and the factor of the penalty."""
        return x, self.squares.l2

    def restore(self, kept: Any) -> None:
        """Fill the network's parameters, and let the index say what was minimised."""
        x, l2 = kept
        super().restore(x)
        self.index = replace(self.index, l2=l2)


@dataclass
class Squares(Prepared):
    """Levenberg-Marquardt with the network's own Jacobian."""

    learner: BySquares
    options: Options

    def run(self, monitor: Monitor) -> secant.Run:
        """Begin."""
        squares, options = self.learner.squares, self.options
        x0 = weights_of(self.learner.network)
        kind = LevenbergMarquardt
        if isinstance(squares, BayesianSquares):
            kind = BayesianLevenbergMarquardt
        # the weights of a network share one unit; only the gradient says that they have converged
        method = kind(_DAMPING, Fixed((1.0,) * len(x0)), Tolerances(0.0, 0.0, 0.0))
        stops = (GradientBelow(options.gtol), monitor.stop, MaxIterations(options.max_iter))
        return FitRun(
            squares,
            method,
            None,
            Shape((len(x0),)),
            stops,
            max_evals=math.inf,
            max_seconds=options.max_seconds,
            callback=monitor.observe,
            x0=x0,
        )


@contextmanager
def _named(method: str) -> Iterator[None]:
    """Say which method cannot do what is asked."""
    try:
        yield
    except ValueError as error:
        raise InputError(f"method {method!r} cannot train a network: {error}") from error
