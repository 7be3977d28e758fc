"""The memory of a fit whose Jacobian alone would take gigabytes."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import Any

import torch

import secant
from benchmarks import memory
from benchmarks.interleaved import progress
from benchmarks.least_squares_training import Training


def million() -> dict[str, Any]:
    """10^6 residuals, 300 parameters: a network of 300 weights, five iterations, and the peak memory."""
    torch.manual_seed(0)
    X = torch.randn(1_000_000, 8, dtype=torch.float64)
    y = torch.sin(X.sum(1, keepdim=True))
    network = Training((8, 13, 12, 1), 1_000_000).network()
    began = time.process_time()
    fit = secant.least_squares(lambda X, y: network(X) - y, network, samples=(X, y), max_iter=5)
    return {
        "parameters": sum(p.numel() for p in network.parameters()),
        "iterations": fit.nit,
        "first loss": fit.trace.f[0],
        "loss": fit.cost,
        "seconds": time.process_time() - began,
        "peak": memory.largest_size(),
    }


def million_apart() -> dict[str, Any]:
    """In a process of its own, whose peak memory is its own."""
    command = [sys.executable, "-m", "benchmarks.least_squares", "--only", "million"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    progress(f"10^6 residuals: {found}")
    return found
