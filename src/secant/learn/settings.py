"""All that can be chosen about a training, checked before anything is read."""

from __future__ import annotations

from dataclasses import dataclass, field, fields

from secant.learn.errors import InputError, listing
from secant.learn.initial import check_initialisation
from secant.learn.loss import check_loss
from secant.learn.network import ACTIVATIONS, check_dtype
from secant.learn.plain import settle_types
from secant.learn.preparation import Choices
from secant.learn.regularisation import Regularisation
from secant.learn.scaling import check_scaler, read_scalers
from secant.learn.strategy import Strategy
from secant.learn.tables.dataset import Task
from secant.learn.tables.dialect import Dialect
from secant.learn.tables.division import Division

__all__ = ["Settings"]


@dataclass(frozen=True)
class Settings:
    """All that can be chosen about a training; the command line's options.

    Attributes
    ----------
    target : str or sequence of str
        The column to learn, or several columns of numbers, or of two classes each, which are learnt
        together; ``"a,b"`` means a and b, unless a column is called so.
    hidden : tuple of int
        Units of each hidden layer; none makes a linear model.
    activation : str
        A key of `secant.learn.network.ACTIVATIONS`.
    loss : str
        ``auto`` or a key of `secant.learn.loss.LOSSES`.
    l2 : float
        Factor of the sum of squared weights.
    seed : int
        Of the division and of the initial weights.
    strategy : Strategy
        The method and the limits.
    task : Task, optional
        By default seen from the loss, then from the target column.
    ignore, categorical : tuple of str
        Columns that are no inputs, and columns whose numbers are codes.
    separator, decimal, thousands, encoding : str
        How a text file is written, see `secant.learn.Dialect`.
    division : str
        One of `secant.learn.tables.division.DIVISIONS`, see `Division`.
    validation_fraction, test_fraction : float
        Shares of the rows.
    division_column : str, optional
        What orders the rows for ``time`` or names the parts for ``column``; no input.
    missing : str
        What becomes of missing cells, see `secant.learn.preparation.Choices`.
    unknown : str
        A category that no training row has: ``ignore`` or ``error``; stored in the model.
    scaling, target_scaling : str
        Of the numbers among the inputs and of the target: ``mean-std``, ``min-max``, ``log`` or
        ``none``.
    column_scaling : tuple of str
        Inputs and targets with a scaler of their own, such as ``("price=log",)``.
    l1, smooth_l1, smoothing : float
        Other regularisation, see `LossIndex`.
    exponent, delta : float
        Of the losses ``minkowski`` and ``huber``.
    initialisation : str
        How the first weights are drawn: a key of `secant.learn.initial.INITIALISATIONS`.
    starts : int
        Trainings from different first weights, of which the one with the lowest validation loss is
        kept; the time limit of the strategy is that of all together.
    dtype : str
        ``float64`` or ``float32``: of the network's weights and of all arithmetic of the training.
    """

    target: str | tuple[str, ...]
    hidden: tuple[int, ...] = (16, 16)
    activation: str = "tanh"
    loss: str = "auto"
    l2: float = 1e-3
    seed: int = 0
    strategy: Strategy = field(default_factory=Strategy)
    task: Task | None = None
    ignore: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()
    separator: str | None = None
    decimal: str = "."
    thousands: str | None = None
    encoding: str = "utf-8"
    division: str = "auto"
    validation_fraction: float = 0.2
    test_fraction: float = 0.2
    division_column: str | None = None
    missing: str = "median"
    unknown: str = "ignore"
    scaling: str = "mean-std"
    target_scaling: str = "mean-std"
    column_scaling: tuple[str, ...] = ()
    l1: float = 0.0
    smooth_l1: float = 0.0
    smoothing: float = 1e-3
    exponent: float = 1.5
    delta: float = 1.0
    initialisation: str = "xavier"
    starts: int = 1
    dtype: str = "float64"

    def __post_init__(self) -> None:
        settle_types(self)
        if not self.targets:
            raise InputError("target must name at least one column")
        # One name is kept as a text, several as a tuple, whatever sequence they came in.
        one = len(self.targets) == 1
        object.__setattr__(self, "target", self.targets[0] if one else self.targets)
        check_loss(self.loss)
        if self.activation not in ACTIVATIONS:
            raise InputError(
                f"activation must be one of {listing(ACTIVATIONS)}, not {self.activation!r}"
            )
        if any(units < 1 for units in self.hidden):
            raise InputError(f"hidden layers need at least one unit each, not {self.hidden}")
        if not 0 <= self.seed < 2**63:
            raise InputError(f"seed must be a whole number from 0 to 2**63 - 1, not {self.seed}")
        if self.starts < 1:
            raise InputError(f"starts must be at least 1, not {self.starts}")
        check_initialisation(self.initialisation, self.activation)
        check_dtype(self.dtype)
        _ = Regularisation(self.l2, self.l1, self.smooth_l1, self.smoothing)
        self._refuse_without_use()
        self._check_division()
        check_scaler(self.target_scaling, "target_scaling")
        self.choices()
        self.dialect()

    def _check_division(self) -> None:
        self.row_division()
        ordered = self.division in ("time", "column")
        if self.division == "column" and self.division_column is None:
            raise InputError("division 'column' needs division_column, which names the parts")
        if self.division_column is not None and not ordered:
            raise InputError(
                f"division_column is for the divisions 'time' and 'column', not {self.division!r}"
            )

    def _refuse_without_use(self) -> None:
        """Nothing is accepted that would be ignored."""
        plain = {entry.name: entry.default for entry in fields(self)}
        needs = {
            "exponent": ("loss 'minkowski'", self.loss == "minkowski"),
            "delta": ("loss 'huber'", self.loss == "huber"),
            "smoothing": ("smooth_l1 above 0", self.smooth_l1 > 0),
            "validation_fraction": ("a division without column", self.division != "column"),
            "test_fraction": ("a division without column", self.division != "column"),
        }
        for name, (use, there) in needs.items():
            if getattr(self, name) != plain[name] and not there:
                raise InputError(f"{name} is for {use}")

    @property
    def targets(self) -> tuple[str, ...]:
        """The choice of targets as a tuple."""
        return (self.target,) if isinstance(self.target, str) else tuple(self.target)

    def row_division(self) -> Division:
        """How the rows are divided."""
        return Division(self.division, self.validation_fraction, self.test_fraction, self.seed)

    def dialect(self) -> Dialect:
        """How the table is written, where it is a text file."""
        return Dialect(self.separator, self.decimal, self.thousands, self.encoding)

    def choices(self) -> Choices:
        """How the inputs are prepared."""
        scalers = read_scalers(self.column_scaling)
        return Choices(self.missing, self.unknown, self.scaling, scalers)
