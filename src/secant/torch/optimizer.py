"""What the optimizers of `secant.torch` share: PyTorch's interface to steps that are runs of a method.

A step makes ``max_iter`` iterations of one of the library's methods. What the method has learned of the
curvature stays for the next step; the point does not, because the parameters are the user's between steps:
each step begins with an evaluation where they are, unless ``deterministic`` says that it would tell nothing
new. Pairs are formed within a step, never across two.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Self

import torch

from secant.problem import Problem
from secant.run import Run
from secant.status import Status
from secant.torch import options, saved_state, step_length
from secant.torch.carried import Carried, is_same_direction
from secant.torch.closure import ClosureProblem, checked_loss
from secant.torch.rollback import Rollback
from secant.torch.step import Step
from secant.torch.step_length import Demands, StepLength
from secant.torch.variables import Variables
from secant.trace import Trace

if TYPE_CHECKING:
    from secant.result import Result


class SecantOptimizer(torch.optim.Optimizer):
    """Base of the optimizers: a step of `torch.optim.Optimizer` as a run of a method.

    Subclasses say which options they have, `_method`, and where closures differ, `_problem`.

    Attributes
    ----------
    status : Status or None
        Why the last step ended; None before the first, and after one at ``lr = 0``.
    """

    _takes_bounds: ClassVar[bool] = False
    _is_first_order: ClassVar[bool] = True
    _kind_of_run: ClassVar[type[Run]] = Run
    _demands: ClassVar[Demands] = Demands()

    def __new__(cls, *args: Any, **given: Any) -> Self:
        """Refuse bounds in the words that hold for groups, where ``__init__`` knows of none."""
        cls._check_bounds(given)
        return super().__new__(cls)

    def __init__(self, params: Any, **defaults: Any) -> None:
        self._carried: Carried | None = None
        self._pending: dict[str, Any] | None = None
        self._run: Run | None = None
        self._result: Result | None = None
        if "lr" in defaults:
            defaults["lr"] = options.number("lr", defaults["lr"])
        self._check_group(defaults, defaults)
        self._method(defaults, 1.0)  # its parts check their own options
        super().__init__(params, defaults)

    # ------------------------------------------------------------------------------ the two hooks

    def _method(self, group: dict[str, Any], lr: float) -> Any:
        """The configured method."""
        raise NotImplementedError

    def _problem(self, closure: Callable[[], Any], variables: Variables, scaler: Any) -> Any:
        """The closure as a problem."""
        return ClosureProblem(closure, variables, self.param_groups[0]["maximize"], scaler)

    def _variables(self) -> Variables:
        """The parameters as they are now."""
        return Variables(self.param_groups)

    # --------------------------------------------------------------------------------------- step

    def step(self, closure: Callable[[], Any] | None = None, grad_scaler: Any = None) -> Any:
        """Make up to ``max_iter`` iterations.

        Parameters
        ----------
        closure : callable
            Clears the gradients, computes the loss, calls ``backward`` and returns the loss.
        grad_scaler : torch.amp.GradScaler, optional
            By whose scale the closure multiplies the loss before ``backward``; it returns the loss
            itself.

        Returns
        -------
        Tensor or float
            The closure's loss at the point where the parameters are left, without a graph.

        Raises
        ------
        ValueError
            If the closure is none, or what it returns is no loss.
        Exception
            Whatever the closure raises; parameters and state are then as before the step.
        """
        if not callable(closure):
            raise ValueError(
                "closure must be a function that computes the loss and its gradient, "
                f"as it is evaluated several times a step; got {closure!r}"
            )
        if torch.is_inference_mode_enabled():  # in which autograd records nothing
            with torch.inference_mode(False):
                return self._step(closure, grad_scaler)
        return self._step(closure, grad_scaler)

    def _step(self, closure: Callable[[], Any], grad_scaler: Any) -> Any:
        if all(float(group.get("lr", 1.0)) == 0.0 for group in self.param_groups):
            return self._stand_still(closure)
        variables = self._variables()
        group = self.param_groups[0]
        method = self._method(group, variables.largest_lr)
        problem = self._problem(closure, variables, grad_scaler)
        before, start = variables.read()
        carried = self._carried_for(variables, method, problem, before)
        rollback = Rollback(None if carried is None else carried.state.memory, group["max_iter"])
        step = Step(problem, variables, method, group, carried, self._is_first_order)
        try:
            run = step.begin(start, self._kind_of_run, grad_scaler)
            while run.status is None:
                rollback.before_iteration(run.state.memory)
                run.step()
            if run.status is Status.INTERRUPTED:
                raise KeyboardInterrupt
            step.settle(run)
            loss = problem.loss_at(run.point)
        except BaseException:
            variables.restore(before)
            rollback.undo()
            raise
        self._carried = step.leave(run, loss)
        self._run, self._result = run, None
        self._count(len(run.trace) - 1, problem.counts.nfev)
        problem.release()
        return loss

    def _stand_still(self, closure: Callable[[], Any]) -> Any:
        """A step of a schedule that begins at ``lr = 0``: the loss, and nothing moves."""
        with torch.enable_grad():
            loss = checked_loss(closure())
        self._count(0, 1)
        self._run = self._result = None
        return loss

    def _count(self, iterations: int, evaluations: int) -> None:
        """Add to the counts, which are kept where PyTorch's class has them."""
        counts = self.state[self._first_parameter()]
        counts["n_iter"] = counts.get("n_iter", 0) + iterations
        counts["func_evals"] = counts.get("func_evals", 0) + evaluations

    def _first_parameter(self) -> Any:
        """Whose state is the optimizer's; a group may be empty."""
        return next(p for group in self.param_groups for p in group["params"])

    def _carried_for(
        self, variables: Variables, method: Any, problem: Problem, x: Any
    ) -> Carried | None:
        """What the last step left, if it belongs to these variables and this method."""
        if self._pending is not None:
            self._carried = saved_state.unpacked(self._pending, method, x, problem)
            self._pending = None
        carried = self._carried
        if carried is None:
            return None
        if not is_same_direction(carried.method, method):
            return None
        if carried.signature.kind != variables.signature.kind and (
            carried.signature[:-1] == variables.signature[:-1]
        ):
            packed = saved_state.packed(carried)  # the module has been moved, or cast
            carried = saved_state.unpacked(packed, method, x, problem)
        return carried if carried.signature == variables.signature else None

    # -------------------------------------------------------------------------------- the outcome

    @property
    def status(self) -> Status | None:
        """Why the last step ended; None before the first, and after one at ``lr = 0``."""
        return None if self._run is None else self._run.status

    @property
    def trace(self) -> Trace:
        """The iterations of the last step."""
        return Trace() if self._run is None else self._run.trace

    @property
    def result(self) -> Result | None:
        """The last step as a `secant.Result`; its ``fun`` contains weight decay, ``x`` is flat."""
        if self._run is not None and self._result is None:
            self._result = self._make_result(self._run)
        return self._result

    def _make_result(self, run: Run) -> Result:
        from secant.result import make_result  # SciPy's optimize takes half a second to import

        variables: Any = run.structure
        result = make_result(run, run.point)
        if variables.is_scaled:
            result["jac"] = variables.vector(variables.gradient_of_x(run.point.g))
            result.pop("hess_inv", None)  # it is that of the scaled variables
        return result

    def reset(self) -> None:
        """Forget what has been learned of the curvature."""
        self._carried = self._pending = None

    # ------------------------------------------------------------------------------------- groups

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group; the curvature learned so far is that of other variables and is forgotten.

        Parameters
        ----------
        param_group : dict
            ``params``, and if they are to differ ``lr`` and ``weight_decay``. Other options hold for
            all groups.

        Raises
        ------
        ValueError
            For an option that cannot differ between groups, or that makes no sense.
        """
        if isinstance(param_group, dict):
            first = self.param_groups[0] if self.param_groups else self.defaults
            self._check_group({**first, **self.defaults, **param_group}, first)
        super().add_param_group(param_group)
        if self._carried is not None or self._pending is not None:
            self.reset()

    def _check_group(self, group: dict[str, Any], first: dict[str, Any]) -> None:
        """Refuse options that make no sense, or that ``first`` has otherwise."""
        name = type(self).__name__
        self._check_bounds(group)
        if "lr" not in first and "lr" in group:
            raise ValueError(f"lr is not an option of {name}, got lr={group['lr']!r}")
        options.check(group)
        options.check_equal(name, getattr(self, "defaults", {}), group, first)

    @classmethod
    def _check_bounds(cls, given: dict[str, Any]) -> None:
        if "bounds" in given and not cls._takes_bounds:
            raise ValueError(
                f"bounds are not supported by {cls.__name__}, got bounds={given['bounds']!r}"
            )

    def _step_length(self, group: dict[str, Any], first: Any, lr: float) -> StepLength:
        return StepLength.of(group["line_search_fn"], first, self._demands, lr)

    # ----------------------------------------------------------------------- saving, copying

    def state_dict(self) -> dict[str, Any]:
        """The state in plain tensors, numbers and strings; tensors are copies.

        Returns
        -------
        dict
            ``state`` and ``param_groups``, as every optimizer of PyTorch; ``torch.load`` reads it
            with ``weights_only=True``.
        """
        first = self._first_parameter()
        counters, groups = self.state.get(first), self.param_groups
        packed = self._packed()
        try:
            if packed is not None:
                self.state[first] = {**(counters or {}), saved_state.KEY: packed}
            if "line_search_fn" in groups[0]:
                self.param_groups = [
                    {**group, "line_search_fn": step_length.plain(group["line_search_fn"])}
                    for group in groups
                ]
            return super().state_dict()
        finally:
            self.param_groups = groups
            if packed is not None:
                del self.state[first]
                if counters is not None:
                    self.state[first] = counters

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what `state_dict` gave, cast to the dtype and device of the parameters.

        Parameters
        ----------
        state_dict : dict

        Raises
        ------
        ValueError
            If it is that of other groups or of another method.
        """
        held: list[Any] = [None]

        def strip(_: Any, given: dict[str, Any]) -> dict[str, Any]:
            # PyTorch would cast every tensor to the parameters' dtype, and cannot carry strings
            options.check_loaded(type(self).__name__, self.defaults, given["param_groups"])
            stripped, held[0] = saved_state.stripped(given)
            if held[0] is not None:
                saved_state.check(held[0], self._method(self.param_groups[0], 1.0))
            return stripped

        handle = self.register_load_state_dict_pre_hook(strip)
        try:
            super().load_state_dict(state_dict)
        finally:
            handle.remove()
        self._carried, self._pending = None, held[0]
        self._run = self._result = None

    def _packed(self) -> dict[str, Any] | None:
        if self._carried is not None:
            return saved_state.packed(self._carried)
        return self._pending

    def __getstate__(self) -> dict[str, Any]:
        """Groups and state; the last step's run holds the user's closure and is left out."""
        return {**super().__getstate__(), "_pending": self._packed()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        empty = {"_carried": None, "_pending": None, "_run": None, "_result": None}
        super().__setstate__({**empty, **state})
