"""Is a gradient, a Jacobian or a Hessian right? `check_gradient`, `check_jacobian`, `check_hessian`.

Each is compared with extrapolated differences at several points: where the user says, where a short
minimisation from there ends (small gradients show errors that large ones hide), and around. Of every
gap between the two, what the differences' own error explains is taken away first.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np

from secant import arrays, checks, functions
from secant.arrays import Array, HostArray, like, to_numpy
from secant.derivatives.differences import extrapolated
from secant.derivatives.products import flat_task, hessian_times
from secant.functions import Task
from secant.structure import Shape

_SMALL = 1e-8
"""Components below this fraction of the largest are compared with it, not with themselves."""

_ROUND_OFF = 1000.0
"""Gaps below so many eps of the largest component of all points are round-off.

Near an optimum a gradient is what is left of terms that cancel, each as large as components elsewhere or some
times larger, and has their round-off.
"""

_HERE = "at x"

_SHORT_RUN = 50
"""Iterations that may lead near an optimum."""


class Verdict(Enum):
    """What a relative error says about a derivative; ``verdict.value`` is the sentence."""

    RIGHT = "right: relative error below 1e-7"
    PLAUSIBLE = "plausible: relative error between 1e-7 and 1e-5 (kinks? single precision?)"
    DOUBTFUL = "doubtful: relative error between 1e-5 and 1e-3"
    WRONG = "wrong: relative error above 1e-3"
    UNDECIDED = "undecided: f is too noisy, or not smooth enough, for differences to tell"

    @classmethod
    def of(cls, error: float, resolution: float) -> Verdict:
        """The verdict on a relative error that is known up to ``resolution``."""
        if not error <= 1e-3:
            return cls.WRONG
        if not resolution <= 1e-3:
            return cls.UNDECIDED
        if error > 1e-5:
            return cls.DOUBTFUL
        return cls.PLAUSIBLE if error > 1e-7 else cls.RIGHT

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True)
class CheckedPoint:
    """The comparison at one point.

    Attributes
    ----------
    where : str
        Which point it is.
    x : array
        The point, flat, on the host.
    error : float
        Largest relative error of a component.
    resolution : float
        Median relative error of the differences themselves.
    component : tuple of int
        Index of the worst component: in the shape of ``x``; for Jacobians and Hessians its row first.
    given, expected : float
        That component, as given and by differences.
    """

    where: str
    x: HostArray
    error: float
    resolution: float
    component: tuple[int, ...]
    given: float
    expected: float

    @property
    def verdict(self) -> Verdict:
        """The verdict at this point."""
        return Verdict.of(self.error, self.resolution)


@dataclass(frozen=True)
class Check:
    """Outcome of `check_gradient`, `check_jacobian`, `check_hessian`.

    Attributes
    ----------
    what : str
        ``"gradient"``, ``"Jacobian"`` or ``"Hessian"``.
    points : tuple of CheckedPoint
    """

    what: str
    points: tuple[CheckedPoint, ...]

    @property
    def worst(self) -> CheckedPoint:
        """The point with the largest error, of those where the differences can tell."""
        decided = [p for p in self.points if p.verdict is not Verdict.UNDECIDED]
        return max(decided or self.points, key=lambda point: point.error)

    @property
    def verdict(self) -> Verdict:
        """The worst verdict of all points."""
        return self.worst.verdict

    @property
    def error(self) -> float:
        """The largest relative error of all points."""
        return self.worst.error

    @property
    def component(self) -> tuple[int, ...]:
        """Index of the worst component."""
        return self.worst.component

    @property
    def ok(self) -> bool:
        """Whether nothing speaks against the derivative: right or plausible everywhere."""
        return self.verdict in (Verdict.RIGHT, Verdict.PLAUSIBLE)

    def __bool__(self) -> bool:
        return self.ok

    def __repr__(self) -> str:
        worst = self.worst
        lines = [f"{self.what} {self.verdict}"]
        if self.verdict is not Verdict.RIGHT:
            name = ", ".join(map(str, worst.component))
            lines.append(
                f"   worst: [{name}] is {worst.given:.8g}, differences give {worst.expected:.8g} "
                f"({worst.where})"
            )
        width = max(len(point.where) for point in self.points)
        for point in self.points:
            lines.append(
                f"   {point.where:<{width}}  error {point.error:.1e}, "
                f"differences good to {point.resolution:.0e}  {point.verdict.name}"
            )
        return "\n".join(lines)


def check_gradient(
    fun: Callable[..., Any],
    x: Any,
    jac: Any = None,
    args: tuple[Any, ...] = (),
    *,
    points: int = 5,
    components: int = 200,
    seed: int = 0,
) -> Check:
    """Compare a gradient with differences of the function.

    The relative error of a component is ``(|g_i - d_i| - e_i) / max(|g_i|, |d_i|)``, where ``d_i`` is the
    extrapolated centred difference and ``e_i`` its own estimated error.

    Parameters
    ----------
    fun, x, jac, args
        As ``fun, x0, jac, args`` of `secant.minimize`: NumPy callables with their gradient, functions
        of torch tensors and modules (whose gradient is autograd's, when ``jac`` is left out), nests.
    points : int
        Points to look at: ``x``, where a short minimisation from ``x`` ends, and random ones around.
    components : int
        So many components at most, chosen at random, are looked at in each point.
    seed : int
        Of the random points.

    Returns
    -------
    Check
        True if nothing speaks against the gradient; its repr tells the rest.

    Raises
    ------
    ValueError
        If there is no gradient to check.

    References
    ----------
    Nocedal & Wright, *Numerical Optimization*, 2nd ed., section 8.1; Ridders 1982.

    Examples
    --------
    >>> import numpy as np
    >>> import secant
    >>> check = secant.check_gradient(lambda x: (x**3).sum(), [1.0, 2.0], jac=lambda x: 3 * x**2)
    >>> check.verdict.name
    'RIGHT'
    >>> def wrong(x):
    ...     return 3 * x**2 * [1.0, 1.1]
    >>> check = secant.check_gradient(lambda x: (x**3).sum(), [1.0, 2.0], jac=wrong)
    >>> check.verdict.name, check.component
    ('WRONG', (1,))
    """
    if jac is None or isinstance(jac, str):
        _require_autograd("jac", jac, x)
    task = flat_task(fun, x, args, jac)

    def given(at: Array) -> HostArray:
        return to_numpy(task.problem.at(at).g)

    def value(at: Array) -> float:
        return task.problem.at(at).f

    with _undisturbed(task):
        near = _near_optimum(fun, x, args, jac, task) if points > 1 else None
        return _compare("gradient", task, given, value, near, points, components, seed)


def check_hessian(
    fun: Callable[..., Any],
    x: Any,
    hess: Any = None,
    jac: Any = None,
    args: tuple[Any, ...] = (),
    *,
    hessp: Any = None,
    points: int = 5,
    components: int = 50,
    seed: int = 0,
) -> Check:
    """Compare a Hessian, or Hessian-vector products, with differences of the gradient.

    Parameters
    ----------
    fun, x, hess, jac, args, hessp
        As in `secant.minimize`; ``jac`` is needed for NumPy, and trusted (see `check_gradient`). For
        torch without ``hess`` and ``hessp`` autograd's Hessian is checked.
    points, seed
        As in `check_gradient`.
    components : int
        So many columns at most.

    Returns
    -------
    Check

    Raises
    ------
    ValueError
        If there is no Hessian or no gradient.

    Examples
    --------
    >>> import numpy as np
    >>> import secant
    >>> def g(x):
    ...     return 4 * x**3
    >>> def wrong(x):
    ...     return np.diag(12 * x**2 + [0.0, 1.0])
    >>> check = secant.check_hessian(lambda x: (x**4).sum(), [1.0, 2.0], hess=wrong, jac=g)
    >>> check.verdict.name, check.component
    ('WRONG', (1, 1))
    """
    if jac is None or isinstance(jac, str):
        _require_autograd("jac", jac, x)
    if hess is None and hessp is None:
        _require_autograd("hess", hess, x)
    task = flat_task(fun, x, args, jac, hess, hessp)

    def given(at: Array, column: int) -> HostArray:
        e = np.zeros(at.shape[0])
        e[column] = 1.0
        point = task.problem.at(at)
        return to_numpy(hessian_times(task.problem, point, like(e, at)))

    def gradient(at: Array) -> HostArray:
        return to_numpy(task.problem.at(at).g)

    with _undisturbed(task):
        near = _near_optimum(fun, x, args, jac, task) if points > 1 else None
        return _compare("Hessian", task, given, gradient, near, points, components, seed)


def check_jacobian(
    fun: Callable[..., Any],
    x: Any,
    jac: Any = None,
    args: tuple[Any, ...] = (),
    *,
    points: int = 5,
    components: int = 50,
    seed: int = 0,
) -> Check:
    """Compare the Jacobian of a vector-valued function with differences of the function.

    Parameters
    ----------
    fun : callable
        ``fun(x, *args)``, an array of m numbers in any shape.
    x : array
        Of NumPy, torch or another Array API library, or numbers.
    jac : callable, optional
        ``jac(x, *args)``, m x n numbers in any shape; autograd's for torch when left out.
    args, points, seed
        As in `check_gradient`; there is no optimum to come near.
    components : int
        So many columns at most.

    Returns
    -------
    Check

    Examples
    --------
    >>> import numpy as np
    >>> import secant
    >>> def r(x):
    ...     return np.array([x[0] * x[1], x[0] + x[1]])
    >>> def J(x):
    ...     return np.array([[x[1], x[0]], [1.0, -1.0]])
    >>> check = secant.check_jacobian(r, [1.0, 2.0], J)
    >>> check.verdict.name, check.component
    ('WRONG', (1, 1))
    """
    if jac is None:
        _require_autograd("jac", jac, x)
        from secant.torch.jacobian import autograd_jacobian

        jac = autograd_jacobian(fun)
    checks.require(callable(jac), "jac", jac, "a callable")
    x0 = functions.as_start(x)
    shape, flat = tuple(x0.shape), arrays.reshape(arrays.copy(x0), (-1,))
    n = flat.shape[0]

    def values(at: Array) -> HostArray:
        r = fun(arrays.reshape(arrays.copy(at), shape), *args)
        return np.asarray(to_numpy(r) if arrays.is_array(r) else r, dtype=float).reshape(-1)

    def given(at: Array) -> HostArray:
        J = jac(arrays.reshape(arrays.copy(at), shape), *args)
        J = np.asarray(to_numpy(J) if arrays.is_array(J) else J, dtype=float)
        m = values(at).size
        if m * n != J.size:
            raise ValueError(f"jac must return an ({m}, {n}) array, got shape {J.shape}")
        return J.reshape(m, n)

    task = Task(None, flat, Shape(shape))  # type: ignore[arg-type]
    return _compare("Jacobian", task, given, values, None, points, components, seed)


# ------------------------------------------------------------------------------------ comparison


def _compare(
    what: str,
    task: Task,
    given: Callable[..., HostArray],
    values: Callable[[Array], Any],
    near: Array | None,
    points: int,
    components: int,
    seed: int,
) -> Check:
    checks.count("points", points)
    checks.count("components", components)
    rng = np.random.default_rng(seed)
    compared = []
    for where, x in _places(task.x0, near, points, rng):
        chosen = np.sort(rng.permutation(x.shape[0])[:components])
        g = _chosen(what, given, x, chosen)
        compared.append((where, x, chosen, g, *_differences(values, x, chosen)))
    largest = max(float(np.max(np.abs(g), initial=0.0)) for _, _, _, g, _, _ in compared)
    floor = _ROUND_OFF * arrays.eps_of(task.x0) * (largest if math.isfinite(largest) else 0.0)
    found = [
        _worst(where, x, g, d, np.maximum(e, floor), chosen, what, task)
        for where, x, chosen, g, d, e in compared
    ]
    return Check(what, tuple(found))


def _chosen(what: str, given: Callable[..., HostArray], x: Array, chosen: HostArray) -> HostArray:
    """The columns under test: of a Hessian one product each, else parts of the whole."""
    if what == "Hessian":
        return np.stack([given(x, int(i)) for i in chosen], axis=-1).astype(float)
    return np.asarray(given(x), dtype=float)[..., chosen]


def _differences(
    values: Callable[[Array], Any], x: Array, chosen: HostArray
) -> tuple[HostArray, HostArray]:
    host = to_numpy(x)

    def of_chosen(part: HostArray) -> Any:
        whole = host.copy()
        whole[chosen] = part
        return values(like(whole, x))

    with np.errstate(all="ignore"):
        return extrapolated(of_chosen, host[chosen])


def _worst(
    where: str,
    x: Array,
    g: HostArray,
    d: HostArray,
    e: HostArray,
    chosen: HostArray,
    what: str,
    task: Task,
) -> CheckedPoint:
    with np.errstate(all="ignore"):
        size = np.maximum(np.abs(g), np.abs(d))
        size = np.maximum(size, _SMALL * np.max(size, initial=0.0))
        unexplained = np.maximum(np.abs(g - d) - e, 0.0)
        relative = np.where(unexplained > 0.0, unexplained / size, 0.0)
    # elsewhere the differences may leave the domain of f, at x they have to be there to say anything
    known = np.isfinite(g) & (np.isfinite(d) if where == _HERE else True)
    relative = np.where(known, relative, np.inf)
    index = np.unravel_index(int(np.argmax(relative)), relative.shape)
    scale = float(np.max(size, initial=0.0))
    resolution = float(np.median(e)) / scale if scale > 0.0 else 0.0
    component = _index(int(chosen[index[-1]]), task, what)
    return CheckedPoint(
        where,
        to_numpy(x),
        float(relative[index]),
        resolution,
        (*(int(i) for i in index[:-1]), *component),
        float(g[index]),
        float(d[index]),
    )


def _index(flat: int, task: Task, what: str) -> tuple[int, ...]:
    shape = getattr(task.structure, "shape", None)
    if what != "gradient" or shape is None:
        return (flat,)
    return tuple(int(i) for i in np.unravel_index(flat, shape))


# ------------------------------------------------------------------------------------ the points


def _places(
    x0: Array, near: Array | None, points: int, rng: np.random.Generator
) -> Iterator[tuple[str, Array]]:
    yield _HERE, x0
    if near is not None:
        yield "near an optimum", near
    host = to_numpy(x0)
    for k in range(points - 1 - (near is not None)):
        noise = rng.standard_normal(host.size) * np.maximum(0.1, np.abs(host))
        yield f"around x, {k + 1}", like(host + 0.1 * 10.0**-k * noise, x0)


def _near_optimum(fun: Any, x: Any, args: Any, jac: Any, task: Task) -> Array | None:
    """Where a short minimisation ends; it may go wrong in any way that a wrong gradient leads it."""
    from secant.methods import LBFGS
    from secant.minimize import launch

    fresh = flat_task(fun, x, args, jac)
    largest = fresh.problem.at(fresh.x0).optimality
    if not 0.0 < largest < math.inf:
        return None
    small = math.sqrt(arrays.eps_of(fresh.x0)) * largest  # half of the digits are left to compare
    run = launch(
        fresh, LBFGS(), fresh.x0, gtol=small, max_iter=_SHORT_RUN, max_evals=4 * _SHORT_RUN
    )
    while run.status is None:
        run.step()
    return run.best.x if run.best.is_finite else None


@contextmanager
def _undisturbed(task: Task) -> Iterator[None]:
    """Leave a module's parameters as they were."""
    x0 = arrays.copy(task.x0)
    try:
        yield
    finally:
        task.structure.present(x0)


def _require_autograd(name: str, given: Any, x: Any) -> None:
    from secant.derivatives.products import differentiates

    if given is not None or not differentiates(x):
        raise ValueError(f"{name} must be what is to be checked, a callable, got {given!r}")
