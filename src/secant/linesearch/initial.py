"""The first step length that a search tries."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import NamedTuple

from secant import checks
from secant.arrays import dot, norm_inf, norm_two, read
from secant.linesearch.interpolation import quadratic
from secant.linesearch.ray import Ray


class Previous(NamedTuple):
    """The previous iteration: its step length, its ``g'd`` and the value that it began at."""

    alpha: float
    slope: float
    f: float


@dataclass(frozen=True)
class FirstStep:
    """Base of the rules for the step length that a search tries first."""

    def guess(self, ray: Ray, previous: Previous | None) -> float:
        """Step length; ``previous`` is ``None`` at the first iteration and after a reset."""
        raise NotImplementedError


@dataclass(frozen=True)
class Length(FirstStep):
    """The step of a given length relative to ``x``, or the full step if that is shorter.

        alpha = min(1, length max(1, |x|_2) / |d|_2)

    For the first iteration of a quasi-Newton method, whose direction -g has no scale yet.

    Parameters
    ----------
    length : float, default 1

    Examples
    --------
    >>> import secant
    >>> method = secant.GradientDescent(first=Length(0.1))
    >>> run = secant.start(lambda x: (x**4).sum(), [1.0, 2.0], method=method)
    >>> [run.step().alpha for _ in range(3)]
    [0.00693, 0.00889, 0.01143]
    """

    length: float = 1.0

    def __post_init__(self) -> None:
        checks.positive("length", self.length)

    def guess(self, ray: Ray, previous: Previous | None = None) -> float:
        x, d = ray.point.x, ray.d
        xx, dd = read(dot(x, x), dot(d, d))
        size = max(1.0, xx)
        if 0.0 < dd < math.inf:
            return min(1.0, self.length * math.sqrt(size / dd))
        long = norm_two(d, dd)
        return min(1.0, self.length * math.sqrt(size) / long) if long > 0.0 else 1.0


@dataclass(frozen=True)
class Relative(FirstStep):
    """The step that changes ``x`` by a small part of itself: rule I0 of Hager and Zhang.

        alpha = psi0 |x|_inf / |g|_inf,   or   psi0 |f| / |g|_2^2   if x = 0,   or   1   if f = 0
        too

    Parameters
    ----------
    psi0 : float, default 0.01

    References
    ----------
    .. [1] W. W. Hager, H. Zhang, "Algorithm 851: CG_DESCENT", ACM Trans. Math. Softw. 32 (2006)
       113-137.

    Examples
    --------
    >>> import secant
    >>> method = secant.GradientDescent(first=Relative())
    >>> run = secant.start(lambda x: (x**4).sum(), [1.0, 2.0], method=method)
    >>> [run.step().alpha for _ in range(3)]
    [0.000625, 0.000638, 0.000651]
    """

    psi0: float = 0.01

    def __post_init__(self) -> None:
        checks.positive("psi0", self.psi0)

    def guess(self, ray: Ray, previous: Previous | None = None) -> float:
        d = ray.d
        size_x, size_d, square = read(norm_inf(ray.point.x), norm_inf(d), d @ d)
        if size_x > 0.0 and size_d > 0.0:
            return self.psi0 * size_x / size_d
        if ray.start.f != 0.0 and square > 0.0:
            return self.psi0 * abs(ray.start.f) / square
        return 1.0


@dataclass(frozen=True)
class UnitStep(FirstStep):
    """The full step, 1, of Newton and quasi-Newton directions.

    Parameters
    ----------
    first : FirstStep, default Length()
        Rule of the first iteration.

    Examples
    --------
    >>> UnitStep().guess(None, Previous(0.5, -1.0, 2.0))
    1.0
    """

    first: FirstStep = field(default_factory=Length)

    def guess(self, ray: Ray, previous: Previous | None) -> float:
        return self.first.guess(ray, None) if previous is None else 1.0


@dataclass(frozen=True)
class FromPreviousSlope(FirstStep):
    """The step with the first-order change of the previous one.

        alpha = alpha_{k-1} g_{k-1}'d_{k-1} / g_k'd_k

    For directions without a scale of their own: gradient descent and conjugate gradients.

    Parameters
    ----------
    first : FirstStep, default Length()
        Rule of the first iteration.
    most : float, default 10
        Largest ratio of the guess to the previous step length.

    References
    ----------
    .. [1] J. Nocedal, S. J. Wright, *Numerical Optimization*, 2nd ed., page 59.

    Examples
    --------
    >>> import secant
    >>> method = secant.GradientDescent(first=FromPreviousSlope(most=10.0))
    >>> run = secant.start(lambda x: (x**4).sum(), [1.0, 2.0], method=method)
    >>> [run.step().alpha for _ in range(3)]
    [0.0693, 0.693, 3.47]
    """

    first: FirstStep = field(default_factory=Length)
    most: float = 10.0

    def __post_init__(self) -> None:
        checks.positive("most", self.most)

    def guess(self, ray: Ray, previous: Previous | None) -> float:
        if previous is None or ray.start.slope == 0.0:
            return self.first.guess(ray, None)
        return previous.alpha * min(previous.slope / ray.start.slope, self.most)


@dataclass(frozen=True)
class QuadraticFit(FirstStep):
    """The minimiser of the parabola that would repeat the previous decrease.

        alpha = min(1, 1.01 * 2 (f_k - f_{k-1}) / g_k'd_k)

    Parameters
    ----------
    first : FirstStep, default Length()
        Rule of the first iteration.

    References
    ----------
    .. [1] J. Nocedal, S. J. Wright, *Numerical Optimization*, 2nd ed., equation (3.60).

    Examples
    --------
    >>> import secant
    >>> method = secant.GradientDescent(first=QuadraticFit())
    >>> run = secant.start(lambda x: (x**4).sum(), [1.0, 2.0], method=method)
    >>> [run.step().alpha for _ in range(3)]
    [0.0693, 0.5, 1.0]
    """

    first: FirstStep = field(default_factory=Length)

    def guess(self, ray: Ray, previous: Previous | None) -> float:
        slope = ray.start.slope
        if previous is None or slope == 0.0:
            return self.first.guess(ray, None)
        alpha = 1.01 * 2.0 * (ray.start.f - previous.f) / slope
        # A non-monotone step, or one lost in round-off, has no decrease to repeat.
        return min(1.0, alpha) if alpha > 0.0 else previous.alpha


@dataclass(frozen=True)
class HagerZhangStep(FirstStep):
    """Rules I0 to I2 of Hager and Zhang, for conjugate gradients.

    I1 (QuadStep): if phi at ``psi1 alpha_{k-1}`` is not above phi(0), and the parabola through
    that value, phi(0) and phi'(0) is convex, its minimiser; costs one evaluation of the value. I2:
    otherwise ``psi2 alpha_{k-1}``.

    Parameters
    ----------
    first : FirstStep, default Relative()
        Rule of the first iteration, I0.
    psi1 : float, default 0.1
    psi2 : float, default 2
    quad_step : bool, default True
        Whether I1 is tried.

    References
    ----------
    .. [1] W. W. Hager, H. Zhang, "Algorithm 851: CG_DESCENT", ACM Trans. Math. Softw. 32 (2006)
       113-137.

    Examples
    --------
    >>> HagerZhangStep(quad_step=False).guess(None, Previous(0.5, -1.0, 2.0))
    1.0
    """

    first: FirstStep = field(default_factory=Relative)
    psi1: float = 0.1
    psi2: float = 2.0
    quad_step: bool = True

    def __post_init__(self) -> None:
        checks.positive("psi1", self.psi1)
        checks.require(
            checks.is_number(self.psi2) and self.psi2 > 1.0, "psi2", self.psi2, "above 1"
        )

    def guess(self, ray: Ray, previous: Previous | None) -> float:
        if previous is None:
            return self.first.guess(ray, None)
        if self.quad_step:
            trial = ray.value(self.psi1 * previous.alpha)
            if trial.f <= ray.start.f:
                alpha = quadratic(ray.start, trial)
                if alpha > 0.0:
                    return alpha
        return self.psi2 * previous.alpha
