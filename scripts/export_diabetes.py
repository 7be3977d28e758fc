"""Write scikit-learn's diabetes table to a CSV file, in real units, with the target `progression`.

    python scripts/export_diabetes.py data/diabetes.csv

442 patients: age, sex, body mass index, mean blood pressure, six blood serum values, and a measure
of how far the disease went one year later (Efron, Hastie, Johnstone & Tibshirani 2004). The table
comes with scikit-learn; nothing is downloaded.
"""

from __future__ import annotations

import sys
from pathlib import Path

from sklearn.datasets import load_diabetes


def main(arguments: list[str]) -> int:
    """Write the table to the one path in `arguments`."""
    if len(arguments) != 1:
        print("usage: python scripts/export_diabetes.py OUT.csv", file=sys.stderr)
        return 2
    path = Path(arguments[0])
    path.parent.mkdir(parents=True, exist_ok=True)
    table = load_diabetes(as_frame=True, scaled=False).frame
    table = table.rename(columns={"target": "progression"})
    table.to_csv(path, index=False)
    print(f"{path}: {len(table)} rows, {len(table.columns)} columns")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
