"""A model as one Python file that needs nothing but Python's standard library."""

from __future__ import annotations

import secant
from secant.learn.export.layers import environment, layers
from secant.learn.inputs import NumericInput
from secant.learn.model import Model
from secant.learn.tables.columns import MISSING_CELLS
from secant.learn.targets import ClassTargets

__all__ = ["python_source"]


def python_source(model: Model) -> str:
    """A module with ``predict(row)``, which takes and returns a dict, and a command line.

    ``python FILE.py new.csv > predictions.csv`` predicts the rows of a CSV file. Python has one kind of
    float: a network in float32 keeps its weights exactly, and they are worked with in double precision.
    """
    template = environment()
    # Texts and numbers enter the file as literals and in no other way: a name cannot be code.
    template.filters["literal"] = repr
    return template.get_template("model.py.jinja").render(
        version=secant.__version__,
        target=model.target,
        several_classes=isinstance(model.target, ClassTargets),
        targets=getattr(model.target, "columns", ()),
        inputs=model.preparation.inputs,
        is_number=lambda entry: isinstance(entry, NumericInput),
        layers=layers(model),
        activation=model.network.activation,
        missing_cells=sorted(MISSING_CELLS),
    )
