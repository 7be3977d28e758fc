"""The optimizers by name: each is a method of `secant.methods` behind PyTorch's interface."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from secant import checks, methods
from secant.linesearch import FirstStep, FromPreviousSlope, Length, QuadraticFit, UnitStep
from secant.torch.optimizer import SecantOptimizer
from secant.torch.step_length import Demands
from secant.torch.variables import Variables


class LBFGS(SecantOptimizer):
    """L-BFGS in compact form, in the place of `torch.optim.LBFGS`.

    Parameters
    ----------
    params : iterable
        Parameters, named parameters or groups of them.
    lr : float
        Factor of the first trial of every search (of every step, without one). In groups also their
        scale: a group of a quarter of the largest ``lr`` moves a quarter as far along its gradient.
    max_iter : int
        Iterations of a step.
    max_eval : int, optional
        Evaluations of a step; 5/4 of ``max_iter`` and at least 25 when left out.
    tolerance_grad : float
        A step ends when no component of the gradient is larger.
    tolerance_change : float
        A step ends when an iteration changes the loss by less than this fraction of it.
    history_size : int
        Pairs kept: ``2 history_size n`` numbers in one block.
    line_search_fn : str, search or None
        ``"strong_wolfe"``, ``"hager_zhang"``, a search such as ``secant.MoreThuente()``, or None for
        steps of length ``lr`` without a search.
    history_dtype : str, optional
        Keep the pairs in ``"float32"`` or ``"bfloat16"``.
    history_device : str, optional
        ``"cpu"`` keeps the pairs, and does the algebra, there, wherever the parameters are.
    weight_decay : float
        Adds ``weight_decay |x|^2 / 2`` to what is minimised.
    maximize : bool
        Whether the loss is to grow.
    deterministic : bool
        Whether the loss is a function of the parameters alone. Then the last evaluation of a step is
        the first of the next.

    References
    ----------
    Byrd, Nocedal & Schnabel, *Math. Program.* 63, 129 (1994).

    Examples
    --------
    >>> import torch
    >>> import secant.torch
    >>> model = torch.nn.Linear(1, 1)
    >>> x = torch.linspace(0.0, 1.0, 20)[:, None]
    >>> y = 2.0 * x - 1.0
    >>> opt = secant.torch.LBFGS(model.parameters(), lr=1, max_iter=20, history_size=100)
    >>> def closure():
    ...     opt.zero_grad()
    ...     loss = ((model(x) - y) ** 2).mean()
    ...     loss.backward()
    ...     return loss
    >>> loss = opt.step(closure)
    >>> loss.item() < 1e-6, opt.status.success
    (True, True)
    """

    def __init__(
        self,
        params: Any,
        lr: Any = 1.0,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: Any = "strong_wolfe",
        *,
        history_dtype: str | None = None,
        history_device: str | None = None,
        weight_decay: float = 0.0,
        maximize: bool = False,
        deterministic: bool = False,
    ) -> None:
        checks.count("history_size", history_size)
        checks.require(
            history_device in (None, "cpu"), "history_device", history_device, "None or 'cpu'"
        )
        if history_dtype is not None:
            checks.one_of("history_dtype", history_dtype, ("float64", "float32", "bfloat16"))
        super().__init__(
            params,
            lr=lr,
            max_iter=max_iter,
            max_eval=max_eval,
            tolerance_grad=tolerance_grad,
            tolerance_change=tolerance_change,
            history_size=history_size,
            line_search_fn=line_search_fn,
            history_dtype=history_dtype,
            history_device=history_device,
            weight_decay=weight_decay,
            maximize=maximize,
            deterministic=deterministic,
        )

    def _method(self, group: dict[str, Any], lr: float) -> Any:
        length = self._step_length(group, UnitStep(first=Length(0.3)), lr)
        return methods.LBFGS(
            group["history_size"],
            search=length.search,
            first=length.first,
            history_dtype=group["history_dtype"],
        )

    def _variables(self) -> Variables:
        group = self.param_groups[0]
        on_host = group["history_device"] == "cpu"
        # NumPy has no bfloat16
        return Variables(self.param_groups, on_host, group["history_dtype"] == "bfloat16")


class DenseQuasiNewton(SecantOptimizer):
    """Base of the methods with a dense inverse Hessian, ``n^2`` numbers."""

    _first: ClassVar[FirstStep]
    _build: ClassVar[Callable[..., Any]]

    def __init__(
        self,
        params: Any,
        lr: Any = 1.0,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        line_search_fn: Any = "hager_zhang",
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
            line_search_fn=line_search_fn,
            weight_decay=weight_decay,
            maximize=maximize,
            deterministic=deterministic,
        )

    def _method(self, group: dict[str, Any], lr: float) -> Any:
        length = self._step_length(group, self._first, lr)
        return type(self)._build(search=length.search, first=length.first)


class BFGS(DenseQuasiNewton):
    """BFGS with a dense inverse Hessian: up to some thousands of parameters.

    The parameters are those of `LBFGS` without the history.

    References
    ----------
    Nocedal & Wright, *Numerical Optimization*, 2nd ed., Algorithm 6.1.

    Examples
    --------
    >>> import torch
    >>> import secant.torch
    >>> w = torch.nn.Parameter(torch.tensor([-1.2, 1.0], dtype=torch.float64))
    >>> opt = secant.torch.BFGS([w], max_iter=100)
    >>> def closure():
    ...     opt.zero_grad()
    ...     loss = 100 * (w[1] - w[0] ** 2) ** 2 + (1 - w[0]) ** 2
    ...     loss.backward()
    ...     return loss
    >>> opt.step(closure).item() < 1e-12
    True
    """

    _first = UnitStep()
    _build = staticmethod(methods.BFGS)


class SSBroyden(DenseQuasiNewton):
    """Self-scaled Broyden: the parameters are those of `BFGS`.

    References
    ----------
    Al-Baali (1998); Urban, Stefanou & Pons, *J. Comput. Phys.* 523, 113656 (2025).

    Examples
    --------
    >>> import torch
    >>> import secant.torch
    >>> w = torch.nn.Parameter(torch.ones(3, dtype=torch.float64))
    >>> opt = secant.torch.SSBroyden([w])
    >>> def closure():
    ...     opt.zero_grad()
    ...     loss = ((w - 3.0) ** 4).sum()
    ...     loss.backward()
    ...     return loss
    >>> opt.step(closure).item() < 1e-6
    True
    """

    _first = QuadraticFit()
    _build = staticmethod(methods.SSBroyden)


class NonlinearCG(SecantOptimizer):
    """Nonlinear conjugate gradients: memory of a few vectors.

    Parameters
    ----------
    params, lr, max_iter, max_eval, tolerance_grad, tolerance_change
        As in `LBFGS`.
    beta : str
        "fletcher-reeves", "polak-ribiere", "polak-ribiere+", "hestenes-stiefel", "dai-yuan" or
        "hager-zhang".
    line_search_fn : str or search
        As in `LBFGS`, with the constant ``c2 = 0.1`` that conjugate directions need.
    weight_decay, maximize, deterministic
        As in `LBFGS`.

    References
    ----------
    Nocedal & Wright, *Numerical Optimization*, 2nd ed., Algorithm 5.4.

    Examples
    --------
    >>> import torch
    >>> import secant.torch
    >>> w = torch.nn.Parameter(torch.ones(3, dtype=torch.float64))
    >>> opt = secant.torch.NonlinearCG([w])
    >>> def closure():
    ...     opt.zero_grad()
    ...     loss = ((w - torch.arange(3)) ** 2).sum()
    ...     loss.backward()
    ...     return loss
    >>> opt.step(closure).item() < 1e-12
    True
    """

    _demands = Demands(c2=0.1, first=None)

    def __init__(
        self,
        params: Any,
        lr: Any = 1.0,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        beta: str = "hager-zhang",
        line_search_fn: Any = "hager_zhang",
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
            beta=beta,
            line_search_fn=line_search_fn,
            weight_decay=weight_decay,
            maximize=maximize,
            deterministic=deterministic,
        )

    def _method(self, group: dict[str, Any], lr: float) -> Any:
        length = self._step_length(group, FromPreviousSlope(), lr)
        return methods.NonlinearCG(group["beta"], search=length.search, first=length.first)
