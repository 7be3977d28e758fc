"""One BLAS thread for secant's own algebra, the user's threads for the user's function.

A matrix-vector product moves more than it computes: a second thread gains little where the memory is the
limit, and where another process holds the other core, the wake-ups and the spinning of OpenBLAS cost 2 to
50 times the product itself. So `Single` sets the thread count of NumPy's and SciPy's BLAS to one inside a
step, and `AsBefore` gives it back around each evaluation of the user's function.

The count is one number for the whole process. Runs in several Python threads share one `_Limit`, so that
the last one out restores what the first one in has found.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import cache
from typing import Any, TypeVar

import numpy as np

SMALLEST = 40_000
"""Products with fewer numbers than this do not wake a second thread of OpenBLAS."""


@dataclass(frozen=True)
class _Library:
    """One loaded BLAS: how to get and set its number of threads."""

    get: Callable[[], int]
    set: Callable[[int], None]


@dataclass
class _Limit:
    """How many steps run single-threaded now, and what to restore after the last of them."""

    inside: int = 0
    before: list[int] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def enter(self) -> None:
        with self.lock:
            if self.inside == 0:
                self.before = [library.get() for library in _libraries()]
                for library, count in zip(_libraries(), self.before, strict=True):
                    if count != 1:
                        library.set(1)
            self.inside += 1

    def leave(self) -> None:
        with self.lock:
            self.inside -= 1
            if self.inside == 0:
                for library, count in zip(_libraries(), self.before, strict=True):
                    if count != 1:
                        library.set(count)


_LIMIT = _Limit()


class Single(AbstractContextManager[None]):
    """One BLAS thread inside."""

    def __enter__(self) -> None:
        _LIMIT.enter()

    def __exit__(self, *error: object) -> None:
        _LIMIT.leave()


class AsBefore(AbstractContextManager[None]):
    """What `Single` found, inside of a `Single`."""

    def __enter__(self) -> None:
        _LIMIT.leave()

    def __exit__(self, *error: object) -> None:
        _LIMIT.enter()


Returned = TypeVar("Returned")


def on_one_thread(call: Callable[..., Returned]) -> Callable[..., Returned]:
    """``call`` inside of a `Single`."""

    def single(*args: Any) -> Returned:
        with Single():
            return call(*args)

    return single


def may_wake(x: Any, size: int) -> bool:
    """Whether a step would wake a second BLAS thread.

    Parameters
    ----------
    x : array
        The variables.
    size : int
        Numbers in the largest array that a step multiplies with.
    """
    return type(x) is np.ndarray and size >= SMALLEST and bool(_libraries())


@cache
def _libraries() -> tuple[_Library, ...]:
    """NumPy's and SciPy's OpenBLAS, which are two in their wheels; none for another BLAS."""
    from scipy.linalg import _fblas

    found = [_openblas(str(module.__file__)) for module in (np.linalg._umath_linalg, _fblas)]
    return tuple(library for library in found if library is not None)


def _openblas(extension: str) -> _Library | None:
    try:
        loaded = ctypes.CDLL(extension)  # already in the process: gives a handle, loads nothing
    except OSError:
        return None
    for prefix in ("scipy_openblas", "openblas"):
        for suffix in ("64_", "_64", ""):
            getter = getattr(loaded, f"{prefix}_get_num_threads{suffix}", None)
            setter = getattr(loaded, f"{prefix}_set_num_threads{suffix}", None)
            if getter is not None and setter is not None:
                return _Library(getter, setter)
    return None
