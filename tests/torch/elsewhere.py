"""Tensors that live elsewhere: what a GPU is to the library, without one.

An `Elsewhere` tensor holds its numbers on the CPU and says that its device is another: "meta", the one beside
"cpu" whose backward passes every build of PyTorch runs. As on a GPU, it cannot be mixed with tensors of the
CPU, it has no view as a NumPy array, and every number that Python sees is a transfer, which is counted.
"""

import contextlib

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode, return_and_correct_aliasing
from torch.utils._pytree import tree_flatten, tree_map

aten = torch.ops.aten
DEVICE = torch.device("meta")

_BETWEEN = (aten.copy_.default, aten._to_copy.default, aten._foreach_copy_.default)
"""Operations that may have tensors of both places."""


class Elsewhere(torch.Tensor):
    """A tensor on another device; ``inner`` has its numbers."""

    @staticmethod
    def __new__(cls, inner):
        return torch.Tensor._make_wrapper_subclass(
            cls,
            inner.size(),
            strides=inner.stride(),
            storage_offset=inner.storage_offset(),
            dtype=inner.dtype,
            device=DEVICE,
        )

    def __init__(self, inner):
        self.inner = inner

    def __repr__(self):
        return f"Elsewhere({self.inner!r})"

    def tolist(self):
        """One transfer, as on a device; subclasses have none of their own."""
        return self.cpu().tolist()

    __torch_function__ = torch._C._disabled_torch_function_impl

    @classmethod
    def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
        return _run(func, args, kwargs or {})


class Device(TorchDispatchMode):
    """Where tensors may be made elsewhere, and what comes back is counted.

    Attributes
    ----------
    reads : int
        Transfers to the host.
    """

    def __init__(self):
        super().__init__()
        self.reads = 0
        self._from_data = _FromData()

    def __enter__(self):
        self._from_data.__enter__()
        return super().__enter__()

    def __exit__(self, *error):
        super().__exit__(*error)
        self._from_data.__exit__(*error)

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        self.reads += _is_read(func, args, kwargs)
        return _run(func, args, kwargs)


class _FromData(TorchFunctionMode):
    """Tensors of numbers, which are made and moved without an operation that could be seen."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        device = kwargs.get("device")
        if func not in (torch.asarray, torch.tensor, torch.as_tensor) or device is None:
            return func(*args, **kwargs)
        if isinstance(args[0], Elsewhere):
            return args[0].to(device, kwargs.get("dtype"))
        made = func(*args, **{**kwargs, "device": "cpu"})
        return elsewhere(made) if torch.device(device) == DEVICE else made


def elsewhere(tensor):
    """A copy on the other device."""
    return Elsewhere(tensor.detach().clone())


def here(tensor):
    """The numbers, without being counted."""
    return (tensor.inner if isinstance(tensor, Elsewhere) else tensor).detach()


def moved(module):
    """The module with its parameters and buffers elsewhere, in place."""
    for part in module.modules():
        for name, p in list(part.named_parameters(recurse=False)):
            setattr(part, name, torch.nn.Parameter(elsewhere(p), p.requires_grad))
        for name, buffer in list(part.named_buffers(recurse=False)):
            setattr(part, name, elsewhere(buffer))
    return module


def _is_read(func, args, kwargs):
    if func is aten._local_scalar_dense.default:
        return isinstance(args[0], Elsewhere)
    if func is aten._to_copy.default:
        where = torch.device(kwargs.get("device") or args[0].device)
        return isinstance(args[0], Elsewhere) and where.type == "cpu"
    return func is aten.copy_.default and [isinstance(t, Elsewhere) for t in args[:2]] == [
        False,
        True,
    ]


def _run(func, args, kwargs):
    tensors = [t for t in tree_flatten((args, kwargs))[0] if isinstance(t, torch.Tensor)]
    is_elsewhere = any(isinstance(t, Elsewhere) for t in tensors)
    if is_elsewhere and func not in _BETWEEN:
        _require_one_place(func, tensors)
    device = kwargs.get("device")
    if device is not None:
        is_elsewhere = torch.device(device) == DEVICE
        kwargs = {**kwargs, "device": torch.device("cpu")}
    plain_args, plain_kwargs = tree_map(_inner, (args, kwargs))
    out = func(*plain_args, **plain_kwargs)
    if func is aten.copy_.default or out is None:
        return args[0] if out is not None else None
    if not is_elsewhere:
        return out
    out = tree_map(lambda t: Elsewhere(t) if isinstance(t, torch.Tensor) else t, out)
    if device is not None:  # a new tensor
        return out
    with contextlib.suppress(NotImplementedError):
        return return_and_correct_aliasing(func, args, kwargs, out)
    return out


def _inner(value):
    return value.inner if isinstance(value, Elsewhere) else value


def _require_one_place(func, tensors):
    """As CUDA does: numbers of the CPU may take part, arrays may not."""
    joins = func in (aten.cat.default, aten.stack.default)
    for t in tensors:
        if not isinstance(t, Elsewhere) and (t.ndim > 0 or joins):
            raise RuntimeError(f"{func}: expected all tensors to be on the same device")
