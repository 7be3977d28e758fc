"""What about a table may be worth another setting: said, not done."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from secant.learn.errors import listing
from secant.learn.scaling import read_scalers
from secant.learn.settings import Settings
from secant.learn.tables.dataset import Dataset, Task

__all__ = ["hints"]

# A target whose largest value is so many medians is called skewed; 10 to 20 are common among prices.
_SKEWED = 50.0
# Where a class has this share of the rows, an accuracy says little.
_UNEVEN = 0.9


def hints(dataset: Dataset, settings: Settings) -> list[str]:
    """A sentence about skewed numbers, and one about each target that has hardly any class but one."""
    if dataset.task is Task.CLASSIFICATION:
        cells = pd.DataFrame(dataset.target)
        return [_of_classes(cells[name]) for name in cells.columns if _is_uneven(cells[name])]
    skewed = _skewed(dataset, settings)
    if not skewed:
        return []
    return [f"a few large values outweigh the others (--target-scaling log): {listing(skewed)}"]


def _is_uneven(classes: pd.Series) -> bool:
    return bool(classes.value_counts(normalize=True).iloc[0] >= _UNEVEN)


def _of_classes(classes: pd.Series) -> str:
    shares = classes.value_counts(normalize=True)
    return (
        f"{str(classes.name)!r} is {str(shares.index[0])!r} in {shares.iloc[0]:.1%} of the rows: whoever "
        "always says so has that accuracy"
    )


def _skewed(dataset: Dataset, settings: Settings) -> list[str]:
    """Targets of numbers over several powers of ten, for which no scaler was chosen."""
    if settings.target_scaling == "log":
        return []
    own, cells = read_scalers(settings.column_scaling), pd.DataFrame(dataset.target)
    return [
        name
        for name in dataset.target_names
        if name not in own and _is_skewed(cells[name].to_numpy(dtype=np.float64))
    ]


def _is_skewed(values: NDArray[np.float64]) -> bool:
    return bool(values.min() >= 0.0 and values.max() > _SKEWED * np.median(values) > 0.0)
