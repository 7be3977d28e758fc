"""The outcome of a run, in SciPy's names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import OptimizeResult

from secant import arrays
from secant.curvature.operator import InverseHessian
from secant.point import Point

if TYPE_CHECKING:
    from secant.run import Run


class Result(OptimizeResult):
    """SciPy's `OptimizeResult` with a typed status and the trace.

    Attributes
    ----------
    x : array or nest
        Best point found, in the shape of ``x0``; the flat parameter vector for a module.
    fun : float
        Value there.
    jac : array or nest
        Gradient there.
    nit, nfev, njev, nhev : int
        Iterations, evaluations of value, gradient and Hessian products.
    success : bool
    status : Status or None
        Why the run ended; None for a run that has not.
    message : str
        The status as a sentence, with what was found where a search failed.
    diagnosis : Diagnosis or None
        Why a search failed: a wrong gradient, noise, chance, a kink, round-off.
    optimality : float
        Largest absolute component of ``jac``.
    hess_inv : InverseHessian
        What a quasi-Newton method has learned: ``hess_inv @ v`` and ``hess_inv.todense()``. Absent for
        methods that learn none.
    memory : Learned
        What the method has learned, for ``warm_start``.
    trace : Trace
        Value, gradient, step, evaluations, seconds and events, iteration by iteration.
    seconds : float
        Time inside the run.
    method : str
        Name of the method.

    Examples
    --------
    >>> import secant
    >>> result = secant.minimize(lambda x: ((x - 3) ** 2).sum(), [0.0, 0.0])
    >>> result.success, round(float(result.x[0]), 6)
    (True, 3.0)
    """

    def __repr__(self) -> str:
        lines = [
            f"{'success' if self.success else 'no success'}: {self.message}",
            f"   method: {self.method}",
            f"      fun: {self.fun:.10g}",
            f"  max |g|: {self.optimality:.3g}",
            f"        x: {_short(self.x)}",
            f"     work: {self.nit} iterations, {self.nfev} function and {self.njev} gradient "
            f"evaluations, {self.seconds:.3g} s",
        ]
        if self.events:
            lines.append(f"   events: {self.events}")
        return "\n".join(lines)

    @property
    def events(self) -> str:
        """What was out of the ordinary on the way, with how often it happened."""
        seen: dict[str, int] = {}
        for row in self.trace:
            if row.event:
                seen[row.event] = seen.get(row.event, 0) + 1
        return "; ".join(f"{event} ({times}x)" for event, times in seen.items())

    def plot(self, against: str = "nfev") -> Any:
        """Draw value and gradient over the run (needs matplotlib).

        Parameters
        ----------
        against : str
            ``"nfev"``, ``"k"`` or ``"seconds"``.

        Returns
        -------
        matplotlib.figure.Figure
        """
        from secant.report.convergence import plot_trace

        return plot_trace(self.trace, against, title=self.method)


def make_result(run: Run, best: Point) -> Result:
    """The result of ``run`` at its best point."""
    status, counts = run.status, run.problem.counts
    fields: dict[str, Any] = {
        "x": run.structure.nest(arrays.copy(best.x)),
        "fun": best.f,
        "jac": run.structure.nest(arrays.copy(best.g)),
        "nit": run.state.k,
        "nfev": counts.nfev,
        "njev": counts.njev,
        "nhev": counts.nhev,
        "success": status is not None and status.success,
        "status": status,
        "message": _message(run),
        "diagnosis": run.diagnosis,
        "optimality": best.optimality,
        "memory": run.memory,
        "trace": run.trace,
        "seconds": run.seconds,
        "method": run.method.name,
    }
    if hasattr(run.state.memory, "solve"):
        fields["hess_inv"] = InverseHessian(run.state.memory, best.x, run.structure.vector)
    return Result(**fields)


def _message(run: Run) -> str:
    if run.status is None:
        return "the run has not ended"
    found = run.diagnosis
    return run.status.value if found is None else f"{run.status.value}: {found.message}"


def _short(x: Any) -> str:
    if not arrays.is_array(x):
        return type(x).__name__
    with np.printoptions(precision=6, threshold=8, edgeitems=3):
        return str(arrays.to_numpy(x)).replace("\n", "\n" + 11 * " ")
