"""LAPACK and BLAS as SciPy wraps them; the import, a quarter of a second, waits for the first use."""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    if name.startswith("_"):
        raise AttributeError(name)
    from scipy.linalg import blas, lapack

    routine = getattr(lapack if hasattr(lapack, name) else blas, name)
    globals()[name] = routine  # found without a call the next time
    return routine
