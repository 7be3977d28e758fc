"""All that the report of a training shows, as plain data that is saved beside the model.

The report is made from a record alone, so it can be made again without the table, the optimiser or
PyTorch. A record is JSON (``report.json``) and is checked, type by type, when it is read.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from secant.arrays import HostArray
from secant.learn.errors import InputError
from secant.learn.plain import convert, plain
from secant.report.curves import Curves

__all__ = [
    "Account",
    "Column",
    "ConditionEstimate",
    "Layers",
    "Outcome",
    "Record",
    "load_record",
    "save_record",
]

FORMAT = "secant-report"
VERSION = 1


@dataclass(frozen=True)
class Column:
    """One column of the table: its role, kind and range over all rows.

    Attributes
    ----------
    name, role, kind : str
        The role is "input" or "target"; the kind "number" or "category".
    missing : int
        Cells without a value.
    lowest, highest, mean, deviation : float
        Of a column of numbers; NaN for categories.
    categories : dict of str to int
        Rows of each category, the most frequent first; empty for numbers.
    preparation : str
        How the network sees it.
    """

    name: str
    role: str
    kind: str
    missing: int
    lowest: float = float("nan")
    highest: float = float("nan")
    mean: float = float("nan")
    deviation: float = float("nan")
    categories: dict[str, int] = field(default_factory=dict)
    preparation: str = ""


@dataclass(frozen=True)
class Layers:
    """The network: sizes from inputs to outputs, names of the first inputs and of the outputs."""

    sizes: tuple[int, ...]
    activation: str
    weights: int
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


@dataclass(frozen=True)
class ConditionEstimate:
    """Eigenvalues of the Hessian of the loss index at the weights that were kept.

    Attributes
    ----------
    largest, smallest : float
        By Lanczos' process; inside the true spectrum if not `complete`.
    condition : float
        Largest over smallest absolute eigenvalue if `complete`, else largest over smallest; NaN if the
        smallest that was found is not positive.
    negative : int
        Negative eigenvalues, -1 if not all were found.
    products : int
        Products with the Hessian.
    rows : int
        Training rows in the loss whose Hessian it is.
    complete : bool
        Whether all eigenvalues were found.
    """

    largest: float
    smallest: float
    condition: float
    negative: int
    products: int
    rows: int
    complete: bool


@dataclass(frozen=True)
class Account:
    """What the optimiser did.

    Attributes
    ----------
    method, status : str
        What trained, and the sentence why it stopped.
    iterations, kept, evaluations, gradients : int
        `kept` is the iteration whose weights the model has.
    seconds : float
    more : dict of str to str
        What a method adds, by name: why it was chosen, effective parameters.
    condition : ConditionEstimate, optional
    """

    method: str
    status: str
    iterations: int
    kept: int
    evaluations: int
    gradients: int
    seconds: float
    more: dict[str, str] = field(default_factory=dict)
    condition: ConditionEstimate | None = None


@dataclass(frozen=True)
class Outcome:
    """Loss, scores and predictions on one part of the rows.

    Attributes
    ----------
    rows : int
    loss : float
    scores : dict of str to float
        R2 and RMSE, or accuracy.
    actual, predicted : tuple of float
        Numbers, or places of the classes; of at most some thousand rows, evenly selected.
    probabilities : tuple of tuple of float
        Of each class, for test rows of a classification.
    targets : dict of str to Outcome
        Of each of several targets alone, by its name; then `actual` and `predicted` are empty here.
    classes : tuple of str
        The two classes of one of several targets; else empty.
    """

    rows: int
    loss: float
    scores: dict[str, float]
    actual: tuple[float, ...]
    predicted: tuple[float, ...]
    probabilities: tuple[tuple[float, ...], ...] = ()
    targets: dict[str, Outcome] = field(default_factory=dict)
    classes: tuple[str, ...] = ()

    @property
    def selected(self) -> bool:
        """Whether the predictions are those of a selection of the rows."""
        return len(self.actual) < self.rows

    def numbers(self) -> tuple[HostArray, HostArray]:
        """Actual and predicted values as arrays."""
        return np.asarray(self.actual), np.asarray(self.predicted)

    def labels(self) -> tuple[HostArray, HostArray]:
        """Places of the actual and of the predicted classes."""
        return np.asarray(self.actual, dtype=np.intp), np.asarray(self.predicted, dtype=np.intp)


@dataclass(frozen=True)
class Record:
    """A training as its report shows it.

    Attributes
    ----------
    source, task, target : str
        File, "regression" or "classification", and what was learnt: the column, or the columns as
        far as a title holds them.
    classes : tuple of str
        Empty for a regression.
    notes : tuple of str
        Sentences about decisions taken for the user.
    columns : tuple of Column
        Inputs in order, then the targets.
    division : str
        How the rows were divided.
    layers : Layers
    error, regularisation : str
        The two terms of the loss index.
    account : Account
    outcomes : dict of str to Outcome
        For "train", "validation" and "test".
    config, command : str
        The TOML text and the command line that repeat the run.
    curves : Curves
        The history; saved in a file of its own.
    """

    source: str
    task: str
    target: str
    classes: tuple[str, ...]
    notes: tuple[str, ...]
    columns: tuple[Column, ...]
    division: str
    layers: Layers
    error: str
    regularisation: str
    account: Account
    outcomes: dict[str, Outcome]
    config: str
    command: str
    curves: Curves

    @property
    def rows(self) -> int:
        """All rows of the table."""
        return sum(outcome.rows for outcome in self.outcomes.values())


def save_record(record: Record, path: str | Path) -> None:
    """Write a record as JSON."""
    data = {"format": FORMAT, "version": VERSION, **plain(record)}
    text = json.dumps(data, ensure_ascii=False, allow_nan=False)
    Path(path).write_text(text + "\n", encoding="utf-8")


def load_record(path: str | Path) -> Record:
    """Read what `save_record` wrote.

    Raises
    ------
    InputError
        If the file is not there, damaged, or from another version.
    """
    path = Path(path)
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{str(path)!r} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"{str(path)!r} is damaged, it is no JSON: {error}") from None
    if not isinstance(data, dict) or data.pop("format", None) != FORMAT:
        raise InputError(f"{str(path)!r} is no record of a training")
    version = data.pop("version", None)
    if version != VERSION:
        raise InputError(f"{path} has version {version}, and this secant reads version {VERSION}")
    record: Record = convert(data, Record, path.name)
    return record
