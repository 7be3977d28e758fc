"""What the measurements were made on: cores, libraries, their BLAS; and how threads are set."""

from __future__ import annotations

import importlib
import importlib.metadata
import os
import platform
from typing import Any

import numpy as np

PEERS = {
    "scipy": "scipy",
    "torch": "torch",
    "torchmin": "pytorch-minimize",
    "nlopt": "nlopt",
    "jax": "jax",
    "optax": "optax",
    "optimistix": "optimistix",
    "sklearn": "scikit-learn",
}
"""Modules of the comparison and the packages that they come in."""

THREAD_VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")

KERNEL_VARIABLES = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
"""Would make OpenBLAS choose other kernels than the machine's own."""


def version(package: str) -> str | None:
    """The installed version, None if there is none."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def available(module: str) -> bool:
    """Whether a peer is installed."""
    return version(PEERS[module]) is not None


def missing() -> list[str]:
    """Packages of peers that are not installed."""
    return [package for module, package in PEERS.items() if not available(module)]


def cores() -> int:
    """Processor cores that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def describe() -> dict[str, Any]:
    """Everything that a number depends on and that is not in the repository."""
    found = {package: version(package) for package in ("numpy", *PEERS.values(), "secant")}
    return {
        "cores": cores(),
        "architecture": platform.machine(),
        "system": platform.system(),
        "python": platform.python_version(),
        "blas": blas(),
        "versions": {package: number for package, number in found.items() if number},
    }


def blas() -> str:
    """NumPy's BLAS with its version, and the kernels it has chosen."""
    built = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    name = f"{built.get('name', 'unknown')} {built.get('version', '')}".strip()
    try:
        from threadpoolctl import threadpool_info
    except ImportError:
        return name
    kernels = {pool["architecture"] for pool in threadpool_info() if "architecture" in pool}
    return f"{name} ({', '.join(sorted(kernels))} kernels)" if kernels else name


def array_module(library: str) -> Any:
    """NumPy or PyTorch."""
    return importlib.import_module(library)


def environment(threads: str) -> dict[str, str]:
    """This process's environment with one thread (``"1"``) or as many as there are cores (``"all"``)."""
    left_out = (*THREAD_VARIABLES, *KERNEL_VARIABLES)
    chosen = {name: value for name, value in os.environ.items() if name not in left_out}
    count = "1" if threads == "1" else str(cores())
    quiet = {"KINETO_LOG_LEVEL": "5"}  # PyTorch's profiler reports its own start and stop
    return chosen | quiet | dict.fromkeys(THREAD_VARIABLES, count)


def sentence(description: dict[str, Any]) -> str:
    """One line for the head of a table."""
    numbers = ", ".join(f"{name} {number}" for name, number in description["versions"].items())
    return (
        f"{description['cores']} cores ({description['architecture']}), "
        f"Python {description['python']}, {description['blas']}; {numbers}"
    )
