"""Division of the rows into those that train, those that say when to stop, and those that judge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Division", "Parts"]

Rows = NDArray[np.intp]


@dataclass(frozen=True)
class Parts:
    """Row numbers of the three parts, each in ascending order."""

    train: Rows
    validation: Rows
    test: Rows

    def items(self) -> tuple[tuple[str, Rows], ...]:
        """The parts with their names, in the order in which tables print them."""
        return (("train", self.train), ("validation", self.validation), ("test", self.test))


@dataclass(frozen=True)
class Division:
    """Random division in whole percent, the same share of every class in each part.

    The rows are shuffled, then sorted by class (a stable sort), and held-out rows are taken at
    even distances; so every class is divided in the same proportion, to within a row.

    Attributes
    ----------
    validation, test : int
        Percent of the rows; the others train.
    seed : int
        The same seed divides the same way.
    """

    validation: int = 20
    test: int = 20
    seed: int = 0

    def __post_init__(self) -> None:
        if self.validation < 1 or self.test < 1 or self.validation + self.test > 90:
            raise ValueError(
                "validation and test must be at least 1 percent each and 90 together, not "
                f"{self.validation} and {self.test}"
            )

    def split(self, rows: int, classes: NDArray[Any] | None = None) -> Parts:
        """Divide `rows` rows; `classes`, one label a row, are represented equally in all parts."""
        order = np.random.default_rng(self.seed).permutation(rows)
        if classes is not None:
            order = order[np.argsort(classes[order], kind="stable")]
        held = _evenly(rows, self.validation + self.test, 100)
        held_rows = order[held]
        tested = _evenly(len(held_rows), self.test, self.validation + self.test)
        return Parts(np.sort(order[~held]), np.sort(held_rows[~tested]), np.sort(held_rows[tested]))


def _evenly(count: int, share: int, whole: int) -> NDArray[np.bool_]:
    """A mask with share/whole of its entries set, at even distances."""
    passed = np.arange(count + 1) * share // whole
    return np.diff(passed) > 0
