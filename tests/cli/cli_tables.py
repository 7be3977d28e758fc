"""Tables for the command line to learn from."""

from __future__ import annotations

import numpy as np
import pandas as pd


def houses(rows: int = 120, seed: int = 0) -> pd.DataFrame:
    """A table with numbers, categories and gaps; the price follows from the others."""
    random = np.random.default_rng(seed)
    size = random.uniform(40, 200, rows)
    town = random.choice(["Bern", "Genève", "Zürich"], rows)
    extra = pd.Series(town).map({"Bern": 0.0, "Genève": 90.0, "Zürich": 150.0}).to_numpy()
    price = 3 * size + extra + random.normal(0, 8, rows)
    table = pd.DataFrame({"size": size, "town": town, "age": random.integers(0, 80, rows)})
    table["age"] = table["age"].astype(float)
    table.loc[random.choice(rows, 9, replace=False), "age"] = np.nan
    table.loc[random.choice(rows, 5, replace=False), "town"] = None
    return table.assign(price=price)
