"""Every test problem once, in a size that a test can afford."""

from __future__ import annotations

from secant.problems.classics import beale, booth, himmelblau, rastrigin, rosenbrock
from secant.problems.more_garbow_hillstrom import mgh
from secant.problems.objective import Objective
from secant.problems.quadratics import diagonal, quadratic

__all__ = ["catalogue"]


def catalogue() -> tuple[Objective, ...]:
    """Return the quadratics, the classics and Moré, Garbow and Hillstrom's set, none twice.

    Examples
    --------
    >>> from secant import problems
    >>> [f.name for f in problems.catalogue()][:4]
    ['quadratic', 'diagonal', 'booth', 'rosenbrock']
    """
    classics = (booth(), rosenbrock(2), rosenbrock(10), beale(), himmelblau(), rastrigin(2))
    seen = {str(problem) for problem in classics}
    others = tuple(problem for problem in mgh() if str(problem) not in seen)
    return (quadratic(), diagonal([1.0, 10.0, 100.0]), *classics, *others)
