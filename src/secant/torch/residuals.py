"""Front ends for residuals of PyTorch tensors and of modules, with Jacobians by automatic differentiation.

rows      J'u for many u at once (vmapped reverse mode):  m backward passes, if m < n
columns   J v for many v at once (vmapped forward mode):  n forward passes, if n <= m
layers    outer products of inputs and backward signals:  one backward pass for each output, where the
          parameters are those of linear layers and a residual depends on its own sample alone
samples   one reverse pass for each sample and output, in blocks (vmapped over samples)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch

from secant.arrays import HostArray
from secant.leastsquares.functions import make_samples
from secant.leastsquares.problem import Block, Evaluation, ResidualFunction, WholeJacobian
from secant.structure import Shape, Structure
from secant.torch.graph import Graph
from secant.torch.layers import LayerRecord, Layers
from secant.torch.parameters import Parameters, check_mode
from secant.torch.sampled import SampledResiduals, per_sample

Tensor = torch.Tensor


def flat_start(x0: Tensor) -> Tensor:
    """``x0`` as a new flat tensor, checked."""
    if not x0.dtype.is_floating_point or x0.numel() == 0:
        raise ValueError(f"x0 must hold real numbers, at least one, got {x0!r}")
    return x0.detach().clone().reshape(-1)


def structure_of(x0: Any) -> Parameters:
    """The parameters of a module, or of an iterable of them."""
    return Parameters(x0)


def _flat(r: Any) -> Tensor:
    if not isinstance(r, Tensor):
        raise ValueError(f"fun must return a tensor of residuals, got {type(r).__name__}")
    if r.is_complex() or r.numel() == 0:
        raise ValueError("fun must return at least one residual, all of them real")
    return r.reshape(-1)


# ---------------------------------------------------------------------------------------- tensors


def tensor_residuals(given: Any, shape: Shape, x0: Tensor) -> ResidualFunction:
    """Residuals of one tensor, differentiated by autograd."""
    check_mode()
    samples = make_samples(given.samples, x0.numel(), given.memory)
    fun, args, kwargs = given.fun, given.args, given.kwargs

    def residuals(x: Tensor, rows: tuple[Any, ...]) -> Tensor:
        return _flat(fun(shape.nest(x), *rows, *args, **kwargs))

    if samples is not None:
        return SampledResiduals(
            residuals,
            lambda x, rows: per_sample(residuals, x.detach(), rows),
            samples,
        )

    def evaluate(x: Tensor) -> Evaluation:
        def make() -> tuple[Tensor, list[Tensor]]:
            leaf = x.detach().requires_grad_(True)
            return residuals(leaf, ()), [leaf]

        graph = Graph(make, given.memory, lambda: True)
        return _whole_if_it_fits(graph)

    return evaluate


def _whole_if_it_fits(graph: Graph) -> Evaluation:
    if not graph.fits:
        return graph

    def jacobian() -> Tensor:
        J = graph.jacobian()
        graph.release()
        return J

    return WholeJacobian(graph.r, jacobian)


# ---------------------------------------------------------------------------------------- modules


def module_residuals(given: Any, x0: Any, structure: Structure) -> ResidualFunction:
    """Residuals ``fun(*args)`` of a module's parameters."""
    check_mode()
    assert isinstance(structure, Parameters)
    module = x0 if isinstance(x0, torch.nn.Module) else None
    n = sum(p.numel() for p in structure.parameters)
    samples = make_samples(given.samples, n, given.memory)
    fun, args, kwargs = given.fun, given.args, given.kwargs
    layers = None if module is None else Layers.of(module, structure.parameters)
    if samples is None:
        return ModuleResiduals(lambda: fun(*args, **kwargs), structure, layers, given.memory)

    def residuals(x: Tensor, rows: tuple[Any, ...]) -> Tensor:
        structure.present(x)
        return _flat(fun(*rows, *args, **kwargs))

    def block(x: Tensor, rows: tuple[Any, ...]) -> Tensor:
        structure.present(x)
        record = None
        if layers is not None:
            with torch.enable_grad():
                record = layers.record(lambda: fun(*rows, *args, **kwargs))
        if record is not None and layers is not None and layers.agrees(record):
            return record.rows(0, record.samples)
        if module is None:
            return _rows_of_parameters(lambda: residuals(x, rows), structure.parameters)
        return per_sample(_functional(module, structure, fun, args, kwargs), x.detach(), rows)

    return SampledResiduals(residuals, block, samples)


@dataclass(eq=False)
class ModuleResiduals:
    """Residuals of a module without samples.

    Parameters
    ----------
    fun : callable
        Without arguments.
    structure : Parameters
    layers : Layers or None
        The module's linear layers, if it consists of nothing else with parameters.
    memory : int
    """

    fun: Callable[[], Any]
    structure: Parameters
    layers: Layers | None
    memory: int

    def __call__(self, x: Tensor) -> Evaluation:
        """The residuals at ``x``."""
        self.structure.present(x)
        if self.layers is not None and self.layers.are_trusted:
            with torch.enable_grad():
                record = self.layers.record(self.fun)
            if record is not None and self.layers.agrees(record):
                return LayerBlocks(record, self._graph(x), self.structure)
        return _whole_if_it_fits(Graph(*self._graph(x)))

    def _graph(self, x: Tensor) -> Any:
        version = -1

        def make() -> tuple[Tensor, list[Tensor]]:
            nonlocal version
            self.structure.present(x)
            version = self.structure.version
            return _flat(self.fun()), self.structure.parameters

        return make, self.memory, lambda: version == self.structure.version


@dataclass(eq=False)
class LayerBlocks:
    """`Evaluation` of a network of linear layers.

    Parameters
    ----------
    record : LayerRecord
    graph : tuple
        What a `Graph` is made of, for products.
    structure : Parameters
    """

    record: LayerRecord
    graph: Any
    structure: Parameters
    fits: bool = True

    def __post_init__(self) -> None:
        self.r = self.record.r
        self._version = self.structure.version
        self._products: Graph | None = None

    def blocks(self) -> Iterator[Block]:
        """Blocks of samples."""
        record = self.record
        if record.is_spent or self._version != self.structure.version:
            yield slice(None), self._graph().jacobian()
            return
        yield from record.blocks()

    def forward(self, v: HostArray) -> Tensor:
        """``J v``."""
        return self._graph().forward(v)

    def backward(self, u: Tensor) -> HostArray:
        """``J'u``."""
        return self._graph().backward(u)

    def _graph(self) -> Graph:
        if self._products is None:
            self._products = Graph(*self.graph)
        return self._products


def _functional(
    module: torch.nn.Module, structure: Parameters, fun: Any, args: Any, kwargs: Any
) -> Callable[[Tensor, tuple[Any, ...]], Tensor]:
    """``fun`` as a function of the flat parameters, which stand in for the module's own."""
    names = {id(p): name for name, p in module.named_parameters()}
    closure = _Closure(module, fun)

    def residuals(x: Tensor, rows: tuple[Any, ...]) -> Tensor:
        swapped = {
            f"module.{names[id(p)]}": part
            for p, part in zip(structure.parameters, structure.split(x), strict=True)
        }
        return _flat(torch.func.functional_call(closure, swapped, (*rows, *args), kwargs))

    return residuals


class _Closure(torch.nn.Module):
    """A module whose forward is the user's function of another module."""

    def __init__(self, module: torch.nn.Module, fun: Any) -> None:
        super().__init__()
        self.module = module
        self._fun = fun

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self._fun(*args, **kwargs)


def _rows_of_parameters(residuals: Callable[[], Tensor], parameters: list[Any]) -> Tensor:
    return Graph(lambda: (residuals(), parameters), 2**30, lambda: True).jacobian()
