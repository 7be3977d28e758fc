"""One loss and one gradient of all the data, summed batch by batch.

    f = sum_b w_b f_b / sum_b w_b + lambda/2 |x|^2      (mean)
    f = sum_b f_b + lambda/2 |x|^2                      (sum)

with ``f_b`` the loss of batch ``b``, ``w_b`` the number of terms that it averages (its rows), and
``lambda`` the weight decay. Only one batch and its graph are in memory at a time. The last batch of a
pass is usually smaller than the others, so that the mean of the batches' means is not the mean over
the data: hence the weights.

Sums run in float32 or wider. Adding a hundred batches in bfloat16, which has eight bits of precision,
stops counting when the sum is some 256 times a summand.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch.nn import Module

from secant import checks
from secant.torch.loaders import check_loader, kind_of, moved, rows
from secant.torch.parameters import check_mode

Tensor = torch.Tensor

REDUCTIONS = ("mean", "sum")


def full_batch_closure(
    model: Module,
    loss: Callable[..., Tensor],
    loader: Iterable[Any],
    *,
    reduction: str = "mean",
    weight_decay: float = 0.0,
    whole_batch: bool = False,
    weight: Callable[[Any], float] | None = None,
    dtype: torch.dtype | None = None,
) -> FullBatchClosure:
    """A closure for `torch.optim.Optimizer.step` that goes once through all the data.

    Each call clears the gradients, calls ``loss(model(inputs), target).backward()`` for every batch
    ``(inputs, target)`` of the loader, leaves in ``p.grad`` the gradient over all of them, and returns
    their loss. It serves secant's optimizers and `torch.optim.LBFGS` alike.

    Parameters
    ----------
    model : Module
        The parameters that require a gradient take part. Batches are moved to their device.
    loss : callable
        ``loss(output, target)``, a tensor of one element, reduced over the batch as ``reduction`` says.
    loader : iterable of batches
        A `DataLoader`, or whatever can be gone through again and again. Shuffling without replacement
        is allowed: it changes the sums by round-off, so that the loss at one point is no longer the same
        bit for bit.
    reduction : str
        How ``loss`` reduces a batch, and the result the data: ``"mean"`` or ``"sum"``.
    weight_decay : float
        ``lambda >= 0``: adds ``lambda/2 |x|^2`` to the loss, once, and ``lambda x`` to the gradient.
    whole_batch : bool
        Call ``loss(model, batch)`` instead, for batches that are no pairs: dicts, longer tuples, tensors.
    weight : callable, optional
        ``weight(batch)``, the number of terms that the mean loss of a batch averages: for losses that
        leave out padding, the number of entries that are not padding. The number of rows of the first
        tensor when left out. A sum needs no weights; there they are only counted.
    dtype : torch.dtype, optional
        In which the sums run, float32 or wider; when left out, the wider of float32 and the parameter's
        own type. The loss comes back in it, gradients are rounded to the parameter's type once, at
        the end.

    Returns
    -------
    FullBatchClosure

    Raises
    ------
    ValueError
        For a loader that drops or repeats samples, so that the result would not be that of the data; for
        an iterator, which is empty after one pass; and for other arguments that make no sense.

    Warns
    -----
    UserWarning
        If layers in training mode make the loss random (dropout) or dependent on how the data is divided
        into batches (batch normalisation).

    Examples
    --------
    >>> import torch
    >>> from torch.utils.data import DataLoader, TensorDataset
    >>> from secant.torch import full_batch_closure
    >>> X = torch.linspace(-1.0, 1.0, 50).reshape(50, 1)
    >>> model = torch.nn.Linear(1, 1)
    >>> loader = DataLoader(TensorDataset(X, 3.0 * X - 1.0), batch_size=16)
    >>> closure = full_batch_closure(model, torch.nn.functional.mse_loss, loader)
    >>> opt = torch.optim.LBFGS(model.parameters(), line_search_fn="strong_wolfe")
    >>> start = opt.step(closure)
    >>> bool(closure() < 1e-6 * start), closure.samples
    (True, 50.0)
    """
    checks.one_of("reduction", reduction, REDUCTIONS)
    checks.non_negative("weight_decay", weight_decay)
    checks.require(callable(loss), "loss", loss, "callable")
    checks.require(isinstance(model, Module), "model", type(model).__name__, "a torch.nn.Module")
    checks.require(weight is None or callable(weight), "weight", weight, "callable or None")
    _check_dtype(dtype)
    check_loader(loader)
    _check_layers(model)
    if not any(p.requires_grad for p in model.parameters()):
        raise ValueError("model must have a parameter that requires a gradient, got none")
    return FullBatchClosure(
        model, loss, loader, reduction == "mean", weight_decay, whole_batch, weight or rows, dtype
    )


class FullBatchClosure:
    """Loss and gradient over all batches; made by `full_batch_closure`.

    Attributes
    ----------
    samples : float
        Sum of the batches' weights in a pass, the number of rows unless ``weight`` was given; zero before
        the first.
    """

    def __init__(
        self,
        model: Module,
        loss: Callable[..., Tensor],
        loader: Iterable[Any],
        mean: bool,
        weight_decay: float,
        whole_batch: bool,
        weight: Callable[[Any], float],
        dtype: torch.dtype | None,
    ) -> None:
        self._model = model
        self._loss = loss
        self._loader = loader
        self._mean = mean
        self._weight_decay = weight_decay
        self._whole_batch = whole_batch
        self._weight = weight
        self._dtype = dtype
        self.samples = 0.0

    def __call__(self) -> Tensor:
        """The loss over all data; the gradient is in ``p.grad`` of every parameter."""
        check_mode()
        parameters = [p for p in self._model.parameters() if p.requires_grad]
        sums = [_Sum(p, self._dtype) for p in parameters]
        try:
            total, samples = self._go_through(parameters, sums)
        except BaseException:
            for p in parameters:
                p.grad = None  # that of one batch would pass for the whole
            raise
        self._compare(samples)
        divisor = samples if self._mean else 1.0
        total /= divisor
        for p, gradient in zip(parameters, sums, strict=True):
            total += gradient.finish(p, divisor, self._weight_decay)
        return total

    def _go_through(self, parameters: list[Any], sums: list[_Sum]) -> tuple[Tensor, float]:
        """Weighted sums of loss and gradients, and the sum of the weights."""
        first = parameters[0]
        total = torch.zeros((), dtype=_wide(first.dtype, self._dtype), device=first.device)
        samples = 0.0
        for batch in self._loader:
            weight = float(self._weight(batch))
            samples += weight
            factor = weight if self._mean else 1.0
            total += factor * self._add(moved(batch, first.device), parameters, sums, factor)
        return total, samples

    def _add(self, batch: Any, parameters: list[Any], sums: list[_Sum], factor: float) -> Tensor:
        """Differentiate one batch, whose graph ends with this call."""
        for p in parameters:
            p.grad = None
        with torch.enable_grad():
            value = self._value(batch)
            value.backward()  # type: ignore[no-untyped-call]
        for p, gradient in zip(parameters, sums, strict=True):
            gradient.add(p.grad, factor)
        return value.detach().reshape(()).to(_wide(value.dtype, self._dtype))

    def _value(self, batch: Any) -> Tensor:
        if self._whole_batch:
            value = self._loss(self._model, batch)
        elif isinstance(batch, (tuple, list)) and len(batch) == 2:
            value = self._loss(self._model(batch[0]), batch[1])
        else:
            raise ValueError(
                f"a batch must be a pair (inputs, target), got {kind_of(batch)}; with "
                "whole_batch=True any batch is passed on, as loss(model, batch)"
            )
        if not (isinstance(value, Tensor) and value.numel() == 1 and value.requires_grad):
            raise ValueError(
                "loss must return a tensor of one element computed from the parameters, "
                f"got {kind_of(value)}"
            )
        return value

    def _compare(self, samples: float) -> None:
        """Every pass must see the same data, or its loss is that of another problem."""
        if not samples > 0.0:
            raise ValueError("loader must give at least one sample, got none")
        if self.samples and abs(samples - self.samples) > 1e-9 * samples:
            raise ValueError(
                f"loader must give the same samples in every pass, got {self.samples:g} "
                f"before and {samples:g} now"
            )
        self.samples = samples


class _Sum:
    """The gradient of one parameter, summed in a wide type; nothing as long as there is none."""

    def __init__(self, p: Tensor, dtype: torch.dtype | None) -> None:
        self._like = p.detach()
        self._dtype = _wide(p.dtype, dtype)
        self._total: Tensor | None = None

    def add(self, gradient: Tensor | None, factor: float) -> None:
        if gradient is None:
            return
        total = self._started()
        total += factor * gradient.detach().to(self._dtype)

    def finish(self, p: Any, divisor: float, weight_decay: float) -> Tensor | float:
        """Leave the gradient in ``p.grad``; what weight decay adds to the loss."""
        decay: Tensor | float = 0.0
        if self._total is not None:
            self._total /= divisor
        if weight_decay:
            x = p.detach().to(self._dtype)
            self._started().add_(x, alpha=weight_decay)
            decay = 0.5 * weight_decay * (x * x).sum()
        p.grad = None if self._total is None else self._total.to(p.dtype)
        return decay

    def _started(self) -> Tensor:
        if self._total is None:
            self._total = torch.zeros_like(self._like, dtype=self._dtype)
        return self._total


def _wide(own: torch.dtype, chosen: torch.dtype | None) -> torch.dtype:
    """The type of a sum of numbers of type ``own``."""
    return torch.promote_types(own, chosen or torch.float32)


def _check_dtype(dtype: torch.dtype | None) -> None:
    allowed = (None, torch.float32, torch.float64)
    checks.require(dtype in allowed, "dtype", dtype, "torch.float32, torch.float64 or None")


def _check_layers(model: Module) -> None:
    """Warn of layers for which the sum over batches is not the loss of the data."""
    active = [module for module in model.modules() if module.training]
    reasons = [
        ("dropout", torch.nn.modules.dropout._DropoutNd, "makes the loss random"),
        (
            "batch normalisation",
            torch.nn.modules.batchnorm._BatchNorm,
            "makes it depend on how the data is divided into batches",
        ),
    ]
    for name, kind, consequence in reasons:
        if any(isinstance(module, kind) for module in active):
            warnings.warn(
                f"model has {name} in training mode, which {consequence}; "
                "model.eval() before the step turns it off",
                stacklevel=3,
            )
