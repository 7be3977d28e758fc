"""How often L-BFGS on PyTorch waits for a number: reads from tensors to Python, per iteration.

    python -m benchmarks memory

On a device each read waits until all that was queued before it is done. Counted are the profiler's
``aten::_local_scalar_dense`` (behind ``item``, ``float``, ``bool`` and tensors as scalar arguments) and
calls of ``tolist`` and ``numpy``, which read without it.
"""

from __future__ import annotations

from typing import Any

from benchmarks import timed
from benchmarks.stopwatch import Subject, Watch
from benchmarks.tables import table

MEMORIES = (10, 100)

EXTRA = 20
"""Iterations that are counted."""


def measure(n: int = 1_000) -> list[dict[str, Any]]:
    """Reads per iteration once the memory is full, as plain data."""
    rows = []
    for memory in MEMORIES:
        for subject in timed.limited_memory("torch", memory)[:2]:
            reads, evaluations = count(subject, n, memory + 5)
            rows.append(
                {
                    "solver": subject.label,
                    "memory": memory,
                    "reads": reads,
                    "evaluations": evaluations,
                }
            )
    return rows


def count(subject: Subject, n: int, first: int) -> tuple[float, float]:
    """Reads and evaluations per iteration after ``first``."""
    import torch

    d = torch.logspace(0.0, 6.0, n, dtype=torch.float64)
    recording = Recording()

    def quadratic(x: Any) -> tuple[Any, Any]:
        g = d * (x - 1.0)
        return 0.5 * (g @ (x - 1.0)), g

    def recorded(x: Any) -> tuple[Any, Any]:
        if len(watch.entered) == subject.offset + 1:
            recording.start()
        return quadratic(x)

    x0 = torch.zeros_like(d)
    subject.warm_up(quadratic, x0, first)
    watch = Watch(recorded)
    subject.iterate(watch, x0, first + EXTRA)
    reads = recording.stop()
    return reads / EXTRA, (len(watch.entered) - subject.offset) / EXTRA


class Recording:
    """Counts reads from `start` to `stop`, which may lie in different functions."""

    def __init__(self) -> None:
        from torch.overrides import TorchFunctionMode
        from torch.profiler import ProfilerActivity, profile

        class Direct(TorchFunctionMode):  # type: ignore[misc]
            seen = 0

            def __torch_function__(
                self, func: Any, types: Any, args: Any = (), kwargs: Any = None
            ) -> Any:
                self.seen += getattr(func, "__name__", "") in ("tolist", "numpy", "__array__")
                return func(*args, **(kwargs or {}))

        self._direct = Direct()
        self._profile = profile(activities=[ProfilerActivity.CPU])

    def start(self) -> None:
        """Count from here."""
        self._profile.start()
        self._direct.__enter__()

    def stop(self) -> int:
        """The reads so far."""
        self._direct.__exit__(None, None, None)
        self._profile.stop()
        events = self._profile.key_averages()
        scalars = sum(e.count for e in events if e.key == "aten::_local_scalar_dense")
        return int(scalars + self._direct.seen)


def tables(rows: list[dict[str, Any]]) -> str:
    """Reads beside evaluations."""
    lines = [
        [
            row["solver"],
            row["memory"],
            f"{row['evaluations']:.2f}",
            f"{row['reads']:.1f}",
            f"evaluations {row['reads'] - row['evaluations']:+.1f}",
        ]
        for row in rows
    ]
    head = ["solver", "m", "evaluations/iter", "reads/iter", "or"]
    return f"L-BFGS on PyTorch: reads from tensors to Python\n\n{table(head, lines)}"
