"""Loggers of runs: a CSV file to follow with ``tail -f``, and TensorBoard.

One object serves both kinds of run: as ``progress`` of `train_table` and `train_network`, where it
sees a `History`, and as ``callback`` of `secant.minimize` and its relatives, where it sees a
`Snapshot`. A run that begins anew (another start, another call) is counted in ``run``, from 1.

Examples
--------
>>> import secant, tempfile
>>> from pathlib import Path
>>> path = Path(tempfile.mkdtemp()) / "log.csv"
>>> with CsvLogger(path) as log:
...     done = secant.minimize(lambda x: ((x - 1.0) ** 2).sum(), [3.0, 4.0], callback=log)
>>> path.read_text().splitlines()[0]
'run,iteration,seconds,value,gradient_norm,step,evaluations,gradients,event'
"""

from __future__ import annotations

import csv
import math
from collections import deque
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from secant.learn.errors import InputError
from secant.learn.history import History
from secant.snapshot import Snapshot

__all__ = ["CsvLogger", "TensorBoardLogger"]

Record = dict[str, Any]


class _Logger:
    """What both loggers do: find the iterations that were not written yet, close once."""

    def __init__(self) -> None:
        self.run = 0
        self._history: History | None = None
        self._written = 0
        self._closed = False

    def __call__(self, seen: History | Snapshot) -> None:
        """Write what is new in a history, or one snapshot; never asks a run to stop."""
        if self._closed:
            raise InputError("the logger is closed: make another one for another run")
        if isinstance(seen, Snapshot):
            self.run += seen.k == 0 or self.run == 0
            self._write(_of_snapshot(seen))
            return
        if seen is not self._history:
            self._finish_history()
            self._history, self._written = seen, 0
            self.run += 1
        self._finish_history()

    def _finish_history(self) -> None:
        if self._history is None:
            return
        for epoch in self._history.epochs[self._written :]:
            self._written += 1
            self._write(asdict(epoch))

    def close(self) -> None:
        """Write the last iterations of a training, flush and close; a second time does nothing."""
        if not self._closed:
            # The iteration that ended a training is in its history and was in no call.
            self._finish_history()
            self._closed = True
            self._close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        self.close()

    def _write(self, record: Record) -> None:
        raise NotImplementedError

    def _close(self) -> None:
        raise NotImplementedError


def _of_snapshot(snapshot: Snapshot) -> Record:
    return {
        "iteration": snapshot.k,
        "seconds": snapshot.seconds,
        "value": snapshot.f,
        "gradient_norm": snapshot.optimality,
        "step": snapshot.alpha,
        "evaluations": snapshot.nfev,
        "gradients": snapshot.njev,
        "event": snapshot.event,
    }


class CsvLogger(_Logger):
    """One line for each iteration, all digits, flushed at once.

    The file is no atomic whole, on purpose: it can be read while a run goes on, and after a crash it
    holds every iteration up to there. It is made at the first iteration.

    Parameters
    ----------
    path : str or Path
        The file to write; its folder is made.
    append : bool
        Go on after the lines that a file has, with the next number of ``run``; by default the file
        is replaced.

    Raises
    ------
    InputError
        If the file cannot be written, or has other columns than the run.
    """

    def __init__(self, path: str | Path, *, append: bool = False) -> None:
        super().__init__()
        self.path = Path(path)
        self._append = append
        self._file: IO[str] | None = None
        self._columns: list[str] = []

    def _write(self, record: Record) -> None:
        record = {"run": self.run, **record}
        if self._file is None:
            self._columns = list(record)
            self._open()
            record["run"] = self.run
        if list(record) != self._columns:
            raise InputError(
                f"{str(self.path)!r} logs {self._columns}, and this run is another kind"
            )
        assert self._file is not None
        csv.writer(self._file, lineterminator="\n").writerow(record.values())
        self._file.flush()

    def _open(self) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            earlier = self._earlier_lines() if self._append else []
            self._file = self.path.open("a" if earlier else "w", encoding="utf-8", newline="")
        except OSError as error:
            raise InputError(
                f"{str(self.path)!r} cannot be written: {error.strerror or error}"
            ) from None
        if earlier:
            self.run += _last_run(earlier[-1])
        else:
            csv.writer(self._file, lineterminator="\n").writerow(self._columns)

    def _earlier_lines(self) -> list[list[str]]:
        """The first and the last line that the file has."""
        if not self.path.exists():
            return []
        with self.path.open(encoding="utf-8", newline="") as file:
            lines = _first_and_last(csv.reader(file))
        if lines and lines[0] != self._columns:
            raise InputError(
                f"{str(self.path)!r} has the columns {lines[0]}, and {self._columns} are to be added"
            )
        return lines

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()


def _first_and_last(lines: Iterator[list[str]]) -> list[list[str]]:
    first = next(lines, None)
    if first is None:
        return []
    return [first, *deque(lines, maxlen=1)]


def _last_run(line: list[str]) -> int:
    return int(line[0]) if line and line[0].isdigit() else 0  # the header, or a line cut short


class TensorBoardLogger(_Logger):
    """One scalar a quantity and iteration, in TensorBoard's event files.

    Numbers that are not finite are left out. The first run is written into the folder itself, later
    ones into ``run-2``, ``run-3``, ... in it; event files of earlier loggers stay. What was written is
    flushed every few seconds, and when the logger is closed.

    Parameters
    ----------
    folder : str or Path
        Where ``tensorboard --logdir`` looks.
    flush_seconds : float
        How often what was written is flushed.

    Raises
    ------
    InputError
        If the package tensorboard is not installed, or the folder cannot be written.
    """

    def __init__(self, folder: str | Path, *, flush_seconds: float = 5.0) -> None:
        super().__init__()
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ModuleNotFoundError:
            raise InputError(
                "TensorBoardLogger needs the package tensorboard; "
                "install it with: pip install 'secant[tensorboard]'"
            ) from None
        self.folder = Path(folder)
        self._make: Any = lambda place: SummaryWriter(str(place), flush_secs=flush_seconds)
        self._writer: Any = None
        self._writes = 0

    def _write(self, record: Record) -> None:
        if self._writer is None or self._writes != self.run:
            self._open()
        step = record.pop("iteration")
        for name, value in record.items():
            if isinstance(value, int | float) and math.isfinite(value):
                self._writer.add_scalar(name, value, step)
            elif isinstance(value, str) and value:
                self._writer.add_text(name, value, step)

    def _open(self) -> None:
        self._close()
        place = self.folder if self.run == 1 else self.folder / f"run-{self.run}"
        try:
            self._writer = self._make(place)
        except OSError as error:
            raise InputError(
                f"{str(place)!r} cannot be written: {error.strerror or error}"
            ) from None
        self._writes = self.run

    def _close(self) -> None:
        if self._writer is not None:
            self._writer.close()
