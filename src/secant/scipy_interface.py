"""secant's methods inside ``scipy.optimize.minimize``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from secant import methods
from secant.minimize import minimize
from secant.snapshot import Snapshot

if TYPE_CHECKING:
    from secant.result import Result

_OPTIONS = {
    "gtol": "gtol",
    "tol": "gtol",
    "maxiter": "max_iter",
    "max_iter": "max_iter",
    "maxfun": "max_evals",
    "maxfev": "max_evals",
    "max_evals": "max_evals",
    "max_seconds": "max_seconds",
    "target": "target",
    "stop": "stop",
}
"""Options by SciPy's names and ours; SciPy hands ``tol`` over as an option."""


def scipy_method(method: Any = "l-bfgs") -> Callable[..., Result]:
    """A method for ``scipy.optimize.minimize(..., method=...)``.

    Parameters
    ----------
    method : str or method
        As in `secant.minimize`.

    Returns
    -------
    callable
        Honours ``args``, ``jac``, ``hess``, ``hessp``, ``callback`` (SciPy's conventions), ``tol``
        (as ``gtol``) and the options ``gtol``, ``maxiter``, ``maxfun`` or ``maxfev``, ``disp``, and
        `minimize`'s own. For ``bounds``, ``constraints`` and other options it raises a ValueError.

    Examples
    --------
    >>> from scipy.optimize import minimize, rosen, rosen_der
    >>> import secant
    >>> result = minimize(rosen, [-1.2, 1.0], jac=rosen_der, method=secant.scipy_method("bfgs"))
    >>> result.success, result.x.round(4)
    (True, array([1., 1.]))
    """
    configured = methods.resolve(method)

    def solve(
        fun: Callable[..., Any],
        x0: Any,
        args: tuple[Any, ...] = (),
        jac: Any = None,
        hess: Any = None,
        hessp: Any = None,
        bounds: Any = None,
        constraints: Any = (),
        callback: Any = None,
        disp: bool = False,
        **options: Any,
    ) -> Result:
        if constraints:
            raise ValueError(f"constraints are not supported by {configured.name}")
        result = minimize(
            fun,
            x0,
            args,
            configured,
            jac,
            hess,
            hessp,
            bounds,
            callback=None if callback is None else _scipy_callback(callback),
            **_translate(options),
        )
        if disp:
            print(result)
        return result

    return solve


def _translate(options: dict[str, Any]) -> dict[str, Any]:
    translated: dict[str, Any] = {}
    for name, value in options.items():
        if name not in _OPTIONS:
            raise ValueError(f"options may hold {', '.join(_OPTIONS)} and disp, got {name!r}")
        if name == "tol" and "gtol" in options:
            continue  # SciPy's rule: an explicit gtol goes before tol
        translated[_OPTIONS[name]] = value
    return translated


def _scipy_callback(callback: Any) -> Callable[[Snapshot], object]:
    """SciPy's callbacks start after the first iteration and may take ``intermediate_result``."""
    from scipy import optimize

    make_result: Any = optimize.OptimizeResult  # its stubs know no fields
    keyword = _takes_intermediate_result(callback)

    def call(snapshot: Snapshot) -> object:
        if snapshot.k == 0:
            return False
        if keyword:
            return callback(intermediate_result=make_result(x=snapshot.x, fun=snapshot.f))
        return callback(snapshot.x)

    return call


def _takes_intermediate_result(callback: Any) -> bool:
    import inspect

    try:
        return set(inspect.signature(callback).parameters) == {"intermediate_result"}
    except (TypeError, ValueError):  # a builtin without a signature takes x
        return False
