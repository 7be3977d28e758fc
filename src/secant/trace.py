"""What happened in a run, iteration by iteration."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from secant.arrays import HostArray
from secant.snapshot import Snapshot


class Row(NamedTuple):
    """One iteration."""

    k: int
    f: float
    optimality: float
    alpha: float
    nfev: int
    njev: int
    seconds: float
    event: str


@dataclass(slots=True)
class Trace:
    """The rows of a run; a column by its name.

    Examples
    --------
    >>> import secant
    >>> trace = secant.minimize(lambda x: (x**2).sum(), [3.0, 4.0]).trace
    >>> trace.f[0]
    np.float64(25.0)
    >>> trace.columns
    ('k', 'f', 'optimality', 'alpha', 'nfev', 'njev', 'seconds', 'event')
    """

    rows: list[Row] = field(default_factory=list)

    def add(self, s: Snapshot) -> None:
        """Append the iteration that ``s`` shows."""
        self.rows.append(Row(s.k, s.f, s.optimality, s.alpha, s.nfev, s.njev, s.seconds, s.event))

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns."""
        return Row._fields

    def __getitem__(self, column: str) -> HostArray:
        """A column as a NumPy array."""
        if column not in Row._fields:
            raise KeyError(f"a trace has the columns {', '.join(Row._fields)}, not {column!r}")
        return np.array([getattr(row, column) for row in self.rows])

    def __getattr__(self, column: str) -> HostArray:
        if column in Row._fields:
            return self[column]
        raise AttributeError(column)

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def to_dict(self) -> dict[str, list[Any]]:
        """Columns as lists, ready for ``pandas.DataFrame``."""
        return {name: [getattr(row, name) for row in self.rows] for name in Row._fields}

    def __repr__(self) -> str:
        if not self.rows:
            return "Trace(empty)"
        first, last = self.rows[0], self.rows[-1]
        return (
            f"Trace({len(self.rows)} rows, f {first.f:.6g} -> {last.f:.6g}, "
            f"|g| {first.optimality:.3g} -> {last.optimality:.3g}, {last.nfev} evaluations, "
            f"{last.seconds:.3g} s)"
        )
