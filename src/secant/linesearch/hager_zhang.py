"""Hager and Zhang's search: the one that still works when decreases drown in round-off."""

from __future__ import annotations

from dataclasses import dataclass

from secant import checks
from secant.linesearch.acceptance import decreases, distinguishable, wolfe
from secant.linesearch.interpolation import cubic, quadratic, secant
from secant.linesearch.proposals import SHRINK, Proposals, ProposingSearch, Routine, inside
from secant.linesearch.ray import Ray, Trial

Interval = tuple[Trial, Trial]
"""``[a, b]``: enough decrease at ``a`` and phi falling there, phi not falling at ``b``."""


@dataclass(frozen=True)
class HagerZhang(ProposingSearch):
    """Secant and cubic steps in a bracket, ended by the Wolfe conditions or the approximate ones.

    A trial is accepted if ``phi'(alpha) >= c2 phi'(0)`` and either

        phi(alpha) <= phi(0) + c1 alpha phi'(0)                                  (T1)
        phi(alpha) <= phi(0) + epsilon_k,  phi'(alpha) <= (2 c1 - 1) phi'(0)     (T2)

    (T2) stands for (T1), and alone decides, where ``phi(alpha)`` and ``phi(0)`` differ by less than
    ``epsilon_k``, the round-off in phi (`secant.linesearch.acceptance`).

    Three departures from the paper. It asks of the lower end of the bracket ``phi(a) <= phi(0) +
    epsilon_k`` and so may close in on a minimum that (T1) rejects; here (T1) or (T2) holds at ``a``,
    and the bracket always keeps an acceptable step. Inside the bracket, cubics through slopes and
    values replace the lines through slopes as long as values tell more than round-off. And U3 cuts
    where a parabola turns if that is shorter than theta.

    Parameters
    ----------
    c1 : float, default 0.1
        Sufficient decrease (delta of the paper), ``0 < c1 < 1/2``.
    c2 : float, default 0.9
        Curvature (sigma of the paper), ``c1 <= c2 < 1``.
    theta : float, default 0.5
        Where an interval that begins below and ends above phi(0), falling, is cut (U3).
    gamma : float, default 0.66
        The bracket is bisected when two secant steps left more than this fraction of it (L2).
    rho : float, default 5
        Expansion of the step while phi still falls (B3).
    max_trials : int, default 50
        Evaluations of value and slope; the lowest trial is returned when they are used up.

    References
    ----------
    .. [1] W. W. Hager, H. Zhang, "A new conjugate gradient method with guaranteed descent and an
       efficient line search", SIAM J. Optim. 16 (2005) 170-192, section 4.
    .. [2] W. W. Hager, H. Zhang, "Algorithm 851: CG_DESCENT", ACM Trans. Math. Softw. 32 (2006)
       113-137.

    Examples
    --------
    One step down (x - 3)^4 from 0, where the first trial is 10:

    >>> import secant
    >>> method = secant.GradientDescent(search=HagerZhang(c2=0.1), first=secant.Length(10.0))
    >>> secant.start(lambda x: (x[0] - 3.0) ** 4, [0.0], method=method).step().x.round(2)
    array([4.78])
    """

    c1: float = 0.1
    c2: float = 0.9
    theta: float = 0.5
    gamma: float = 0.66
    rho: float = 5.0

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.between("c1", self.c1, 0.0, 0.5)
        in_range = checks.is_number(self.c2) and self.c1 <= self.c2 < 1.0
        checks.require(in_range, "c2", self.c2, f"at least c1 = {self.c1} and below 1")
        checks.between("theta", self.theta, 0.0, 1.0)
        checks.between("gamma", self.gamma, 0.0, 1.0)
        checks.require(checks.is_number(self.rho) and self.rho > 1.0, "rho", self.rho, "above 1")

    def accepts(self, ray: Ray, trial: Trial) -> bool:
        return wolfe(self, ray, trial)

    def proposals(self, ray: Ray, first: Trial) -> Proposals:
        """L0 to L3."""
        a, b = yield from self._bracket(ray, first)
        while True:
            width = b.alpha - a.alpha
            if not a.alpha < 0.5 * (a.alpha + b.alpha) < b.alpha:
                return  # no number is left between the ends
            a, b = yield from self._secant2(ray, a, b)
            if b.alpha - a.alpha > self.gamma * width:
                c = yield 0.5 * (a.alpha + b.alpha)
                a, b = yield from self._update(ray, a, b, c)

    def _bracket(self, ray: Ray, c: Trial) -> Routine[Interval]:
        """B0 to B3: expand from ``c`` until a minimum is passed."""
        a = ray.start
        while True:
            if c.slope >= 0.0:
                return a, c
            if not decreases(self, ray, c):
                return (yield from self._cut(ray, a, c))
            a = c
            c = yield self.rho * c.alpha

    def _update(self, ray: Ray, a: Trial, b: Trial, c: Trial) -> Routine[Interval]:
        """U0 to U3: the part of [a, b] that ``c`` leaves."""
        if not a.alpha < c.alpha < b.alpha:
            return a, b
        if c.slope >= 0.0:
            return a, c
        if decreases(self, ray, c):
            return c, b
        return (yield from self._cut(ray, a, c))

    def _cut(self, ray: Ray, a: Trial, b: Trial) -> Routine[Interval]:
        """U3 a to c: phi falls at ``b`` but is too high there, or not finite."""
        while True:
            d = yield self._divided(a, b)
            if d.slope >= 0.0:
                return a, d
            if decreases(self, ray, d):
                a = d
            else:
                b = d

    def _divided(self, a: Trial, b: Trial) -> float:
        """``(1 - theta) a + theta b``, or less where a parabola through ``b`` turns much earlier."""
        if not b.is_finite:
            return inside(a.alpha, b.alpha)
        least = a.alpha + SHRINK * (b.alpha - a.alpha)
        most = (1.0 - self.theta) * a.alpha + self.theta * b.alpha
        vertex = quadratic(a, b)
        return max(vertex, least) if vertex < most else most

    def _secant2(self, ray: Ray, a: Trial, b: Trial) -> Routine[Interval]:
        """S1 to S4: a step inside [a, b], and a second one from the end that the first replaced."""
        A, B = yield from self._step(ray, (a, b), a, b)
        if B is not b:
            A, B = yield from self._step(ray, (A, B), b, B)
        elif A is not a:
            A, B = yield from self._step(ray, (A, B), a, A)
        return A, B

    def _step(self, ray: Ray, ends: Interval, p: Trial, q: Trial) -> Routine[Interval]:
        """Update ``ends`` at the minimiser of what interpolates ``p`` and ``q``, if it is inside."""
        a, b = ends
        # Values halve the error of a secant step: the cubic saves a tenth of all evaluations.
        c = cubic(p, q) if distinguishable(ray, p, q) else secant(p, q)
        if not a.alpha < c < b.alpha:
            return ends
        trial = yield c
        return (yield from self._update(ray, a, b, trial))
