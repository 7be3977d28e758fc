"""What a training shows in a terminal: one line while it runs, a summary when it is over."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table as RichTable
from rich.text import Text

from secant.report.numbers import short, time
from secant.report.page import Table

if TYPE_CHECKING:
    from secant.learn.history import History

__all__ = ["comparison_bar", "print_table", "training_line"]

_SECONDS_BETWEEN = 0.1


@contextmanager
def training_line(quiet: bool) -> Iterator[Callable[[History], None]]:
    """A function to call after each iteration; it keeps one line of the terminal up to date.

    Nothing is shown where standard error is no terminal.
    """
    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield lambda history: None
        return
    with console.status("reading the table") as status:
        shown = 0.0

        def show(history: History) -> None:
            nonlocal shown
            now = monotonic()
            if now - shown >= _SECONDS_BETWEEN:
                shown = now
                status.update(_line(history))

        yield show


def _line(history: History) -> Text:
    """Short enough for 80 columns."""
    last, best = history.epochs[-1], history.best
    return Text(
        f"iteration {last.iteration}  loss {short(last.training_loss)}  "
        f"validation {short(last.validation_loss)} "
        f"(best {short(best.validation_loss)} at {best.iteration})  {time(last.seconds)}"
    )


@contextmanager
def comparison_bar(quiet: bool) -> Iterator[Callable[[int, int, str, History | None], None]]:
    """The progress of a comparison: how many trainings are over, and the one that runs."""
    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield lambda done, total, method, history: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("reading the table", total=None)
        shown = 0.0

        def show(done: int, total: int, method: str, history: History | None) -> None:
            nonlocal shown
            now = monotonic()
            if history is not None and now - shown < _SECONDS_BETWEEN:
                return
            shown = now
            loss = f"  loss {short(history.epochs[-1].objective)}" if history else ""
            bar.update(task, completed=done, total=total, description=f"{method}{loss}")

        yield show


def print_table(console: Console, table: Table) -> None:
    """Print a table of a page without its frame."""
    printed = RichTable(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="bold")
    for place, name in enumerate(table.header):
        numbers = place >= table.text_columns
        printed.add_column(Text(name), justify="right" if numbers else "left", overflow="fold")
    for row in table.rows:
        printed.add_row(*(Text(cell) for cell in row))
    console.print(printed)
