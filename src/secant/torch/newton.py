"""Newton's methods by products with the Hessian, behind PyTorch's interface."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from secant import checks, methods
from secant.linesearch import Length, UnitStep
from secant.torch.graph_closure import Diagonal, GraphProblem
from secant.torch.optimizer import SecantOptimizer
from secant.torch.step_length import Demands
from secant.torch.variables import Variables


class SecondOrderOptimizer(SecantOptimizer):
    """Base of the methods that multiply with the Hessian."""

    _is_first_order = False

    def _problem(self, closure: Callable[[], Any], variables: Variables, scaler: Any) -> Any:
        if scaler is not None:
            raise ValueError(
                f"grad_scaler must be None for {type(self).__name__}: products with the Hessian "
                f"are not scaled; got {scaler!r}"
            )
        return GraphProblem(
            closure, variables, self.param_groups[0]["maximize"], self._preconditioner
        )

    _preconditioner: Diagonal | None = None


_FULL_STEP = UnitStep(first=Length(1e18))
"""The full step from the first iteration on: Newton's directions have their scale at once."""


class NewtonCG(SecondOrderOptimizer):
    """Inexact Newton by conjugate gradients on products with the Hessian, which is never formed.

    The closure returns the loss *without* calling ``backward``: products then are one backward pass
    through the gradient each. With a closure that calls it, they are differences of gradients.

    Parameters
    ----------
    params, lr, max_iter, max_eval, tolerance_grad, tolerance_change
        As in `LBFGS`.
    damping : float, optional
        Martens' Hessian-free method, with this first damping relative to the curvature along the
        first gradient, in the place of Newton's.
    max_products : int, optional
        Products an iteration may cost; ``2 n`` (250 when damped) when left out.
    line_search_fn : str or search
    weight_decay, maximize, deterministic
        As in `LBFGS`.
    preconditioner : callable or sequence of tensors, optional
        The diagonal of the loss's Hessian or of its Gauss-Newton matrix, of which the sizes are used:
        one tensor for each parameter, in its shape. A callable without arguments gives it for the
        parameters as they are then. Decay and the groups' scales are added to it. A ``state_dict``
        does not hold it.

    Raises
    ------
    ValueError
        For a preconditioner of other shapes, or that is neither; with ``damping``, for a negative one.

    References
    ----------
    Nocedal & Wright, *Numerical Optimization*, 2nd ed., Algorithm 7.1; Martens, ICML 2010.

    Examples
    --------
    >>> import torch
    >>> import secant.torch
    >>> w = torch.nn.Parameter(torch.tensor([-1.2, 1.0], dtype=torch.float64))
    >>> opt = secant.torch.NewtonCG([w], max_iter=50, max_eval=200)
    >>> opt.step(lambda: 100 * (w[1] - w[0] ** 2) ** 2 + (1 - w[0]) ** 2).item() < 1e-12
    True
    """

    _demands = Demands(first=_FULL_STEP)

    def __init__(
        self,
        params: Any,
        lr: Any = 1.0,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        damping: float | None = None,
        max_products: int | None = None,
        line_search_fn: Any = "hager_zhang",
        *,
        weight_decay: float = 0.0,
        maximize: bool = False,
        deterministic: bool = False,
        preconditioner: Any = None,
    ) -> None:
        if max_products is not None:
            checks.count("max_products", max_products)
        _check_preconditioner(preconditioner)
        self._preconditioner = preconditioner
        super().__init__(
            params,
            lr=lr,
            max_iter=max_iter,
            max_eval=max_eval,
            tolerance_grad=tolerance_grad,
            tolerance_change=tolerance_change,
            damping=damping,
            max_products=max_products,
            line_search_fn=line_search_fn,
            weight_decay=weight_decay,
            maximize=maximize,
            deterministic=deterministic,
        )

    def _method(self, group: dict[str, Any], lr: float) -> Any:
        length = self._step_length(group, _FULL_STEP, lr)
        search, first, limit = length.search, length.first, group["max_products"]
        M = None if self._preconditioner is None else "jacobi"  # the problem has it
        if group["damping"] is None:
            return methods.NewtonCG(max_iter=limit, search=search, first=first, preconditioner=M)
        return methods.HessianFree(
            group["damping"],
            preconditioner=M,
            max_iter=limit or 250,
            search=search,
            first=first,
        )

    def __getstate__(self) -> dict[str, Any]:
        """A callable preconditioner still looks at the parameters that it looked at."""
        return {**super().__getstate__(), "_preconditioner": self._preconditioner}


def _check_preconditioner(given: Any) -> None:
    is_function = callable(given) and not isinstance(given, (type, torch.nn.Module))
    is_sequence = isinstance(given, (list, tuple)) and all(
        isinstance(part, torch.Tensor) for part in given
    )
    checks.require(
        given is None or is_function or is_sequence,
        "preconditioner",
        given,
        "a callable without arguments or a sequence of tensors, one for each parameter",
    )


class TrustRegionNewton(SecondOrderOptimizer):
    """Newton in a trust region by truncated conjugate gradients; closures as for `NewtonCG`.

    Parameters
    ----------
    params, max_iter, max_eval, tolerance_grad, tolerance_change
        As in `LBFGS`.
    lr : float
        Factor of the radius; in groups also their scale.
    weight_decay, maximize, deterministic
        As in `LBFGS`.

    References
    ----------
    Steihaug (1983); Nocedal & Wright, *Numerical Optimization*, 2nd ed., Algorithm 7.2.

    Examples
    --------
    >>> import torch
    >>> import secant.torch
    >>> w = torch.nn.Parameter(torch.tensor([-1.2, 1.0], dtype=torch.float64))
    >>> opt = secant.torch.TrustRegionNewton([w], max_iter=50)
    >>> opt.step(lambda: 100 * (w[1] - w[0] ** 2) ** 2 + (1 - w[0]) ** 2).item() < 1e-12
    True
    """

    def __init__(
        self,
        params: Any,
        lr: Any = 1.0,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        *,
        weight_decay: float = 0.0,
        maximize: bool = False,
        deterministic: bool = False,
    ) -> None:
        super().__init__(
            params,
            lr=lr,
            max_iter=max_iter,
            max_eval=max_eval,
            tolerance_grad=tolerance_grad,
            tolerance_change=tolerance_change,
            weight_decay=weight_decay,
            maximize=maximize,
            deterministic=deterministic,
        )

    def _method(self, group: dict[str, Any], lr: float) -> Any:
        return methods.TrustNCG()
