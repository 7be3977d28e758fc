"""Measurements of processor time: in a process with one thread and the machine's own BLAS kernels."""

from __future__ import annotations

import os
import subprocess
import sys

from benchmarks import machine

_VARIABLES = (*machine.THREAD_VARIABLES, *machine.KERNEL_VARIABLES)


def in_one_thread(module: str) -> None:
    """Return if this process has one thread; else run the module in one that has, and exit as it does."""
    wanted = machine.environment("1")
    if all(os.environ.get(name) == wanted.get(name) for name in _VARIABLES):
        return
    command = [sys.executable, "-m", module, *sys.argv[1:]]
    raise SystemExit(subprocess.run(command, env=wanted).returncode)
