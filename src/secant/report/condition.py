"""How curved the loss index is at the weights that were kept: the ends of its Hessian's spectrum."""

from __future__ import annotations

import numpy as np
import torch

from secant.learn.job import Trained
from secant.report.record import ConditionEstimate
from secant.spectrum.front import spectrum

__all__ = ["condition_estimate"]

# Rows times weights of one product with the Hessian: some hundredths of a second.
_WORK = 4_000_000
_FEWEST_ROWS = 200
_MOST_WEIGHTS = 50_000
# Networks up to this size have all their eigenvalues computed.
_ALL = 200
_PRODUCTS = 60


def condition_estimate(trained: Trained) -> ConditionEstimate | None:
    """Extreme eigenvalues of the Hessian of the loss index, from products with it.

    Of large tables an even selection of the training rows is taken. None for networks so large that
    an estimate would take long, and where the loss has no Hessian there.
    """
    network, index = trained.model.network, trained.index
    if network.count > _MOST_WEIGHTS:
        return None
    rows = trained.parts.train
    most = max(_FEWEST_ROWS, _WORK // network.count)
    rows = rows[:: max(1, -(-len(rows) // most))]
    cells = trained.dataset.frame.iloc[rows]
    dtype = next(network.parameters()).dtype
    inputs = torch.as_tensor(trained.model.preparation.transform(cells), dtype=dtype)
    targets = torch.as_tensor(trained.model.target.encode(trained.dataset.target.iloc[rows]))
    try:
        found = spectrum(
            lambda: index(network, inputs, targets),
            network,
            k=1,
            rtol=1e-3,
            max_products=_ALL if network.count <= _ALL else _PRODUCTS,
            with_density=False,
        )
    except (FloatingPointError, np.linalg.LinAlgError):
        return None
    complete = found.everything is not None
    return ConditionEstimate(
        float(found.largest[0]),
        float(found.smallest[0]),
        found.condition_number,
        int(np.sum(found.everything < 0)) if found.everything is not None else -1,
        found.products,
        len(rows),
        complete,
    )
