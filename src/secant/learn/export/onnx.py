"""A model as ONNX, from the cells of a table to the prediction, in the precision of its network.

Inputs, each of shape (rows, 1): one for every column of the model, under the column's name; numbers
as double, or float where the network is in float32, with NaN for a missing number; categories as
strings without surrounding blanks, where the empty string is a missing one. Categories are strings
also where the table has numbers as codes: ``"3"``, not 3.

Outputs: ``predicted_<target>``, one for each target, of shape (rows, 1) in the target's units, or of
shape (rows,) with the class as a string; and for classes ``probabilities``, of shape (rows, classes) in
the order of the metadata entry ``classes`` (a JSON list). For several targets of two classes these are
the probabilities of the second class of each, of shape (rows, targets), and ``classes`` holds a list for
each. A graph in float32 has no double at all.

What the model refuses has no sentence here: an unknown category ends the run with an error of the
runtime, a missing number gives NaN.
"""

from __future__ import annotations

from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from secant.learn.errors import InputError
from secant.learn.export.graph import ML, Graph
from secant.learn.export.precision import check_constants, parts, precision_of, scaled_fill
from secant.learn.inputs import CategoricalInput, NumericInput
from secant.learn.model import Model
from secant.learn.preparation import Preparation
from secant.learn.scaling import Scaling
from secant.learn.targets import ClassTarget, ClassTargets, NumericTarget

__all__ = ["onnx_bytes"]


def onnx_bytes(model: Model) -> bytes:
    """The model as the bytes of an ONNX file.

    Raises
    ------
    InputError
        If the package onnx is not installed, a column has no name, or float32 has no place for a constant
        of the model.
    """
    try:
        import onnx
    except ModuleNotFoundError:
        raise InputError(
            "an export to ONNX needs the package onnx; install it with: pip install 'secant[onnx]'"
        ) from None
    check_constants(model)
    if "" in model.preparation.names:
        raise InputError("a column without a name can be no input of an ONNX graph: give it one")
    graph = Graph(onnx, model.preparation.names, precision_of(model))
    outputs = _layers(graph, model, _prepared(graph, model.preparation))
    described: dict[str, Any] = {"target": model.target.name, "task": model.target.task.value}
    if isinstance(model.target, ClassTarget):
        _classes(graph, model.target, outputs)
        described["classes"] = model.target.classes
        return graph.to_bytes(described)
    described["targets"] = model.target.names
    if isinstance(model.target, ClassTargets):
        _two_classes_each(graph, model.target, outputs)
        described["classes"] = [column.classes for column in model.target.columns]
    else:
        for column, own in zip(model.target.columns, _each(graph, model, outputs), strict=True):
            _number(graph, column, own)
    return graph.to_bytes(described)


def _prepared(graph: Graph, preparation: Preparation) -> str:
    """What the network sees, shape (rows, width)."""
    pieces: list[str] = []
    # Neighbouring columns of plain numbers go through the same few nodes: tables can have thousands.
    for plain, entries in groupby(preparation.inputs, _is_plain_number):
        if plain:
            pieces.append(
                _plain_numbers(graph, [e for e in entries if isinstance(e, NumericInput)])
            )
        else:
            pieces += [_column(graph, entry) for entry in entries]
    return pieces[0] if len(pieces) == 1 else graph.add("Concat", *pieces, axis=1)


def _is_plain_number(entry: NumericInput | CategoricalInput) -> bool:
    return isinstance(entry, NumericInput) and not entry.indicator and entry.scaling.scaler != "log"


def _plain_numbers(graph: Graph, entries: list[NumericInput]) -> str:
    columns = [graph.input(entry.name, graph.number) for entry in entries]
    values = columns[0] if len(columns) == 1 else graph.add("Concat", *columns, axis=1)
    missing = graph.add("IsNaN", values)
    shift = np.array([entry.scaling.shift for entry in entries])
    scale = np.array([entry.scaling.scale for entry in entries])
    values = _divided(graph, values, shift, scale)
    fills = graph.constant(np.array([scaled_fill(entry) for entry in entries]))
    return graph.add("Where", missing, fills, values)


def _divided(graph: Graph, values: str, shift: ArrayLike, scale: ArrayLike) -> str:
    for part in parts(shift, graph.dtype):
        values = graph.add("Sub", values, graph.constant(part))
    return graph.add("Div", values, graph.constant(np.asarray(scale)))


def _column(graph: Graph, entry: NumericInput | CategoricalInput) -> str:
    if isinstance(entry, CategoricalInput):
        return _categories(graph, entry)
    values = graph.input(entry.name, graph.number)
    missing = graph.add("IsNaN", values)
    fill = graph.constant(np.array([scaled_fill(entry)]))
    values = graph.add("Where", missing, fill, _scaled(graph, values, entry.scaling))
    return (
        graph.add("Concat", values, graph.numbers(missing), axis=1) if entry.indicator else values
    )


def _scaled(graph: Graph, values: str, scaling: Scaling) -> str:
    if scaling.scaler == "log":
        values = graph.log1p(values)
    return _divided(graph, values, [scaling.shift], [scaling.scale])


def _categories(graph: Graph, entry: CategoricalInput) -> str:
    texts = graph.input(entry.name, "STRING")
    flat = graph.add("Reshape", texts, graph.constant(np.array([-1], dtype=np.int64)))
    count = len(entry.categories)
    # Row `count` of the units is a missing cell, the next an unknown one; a row that is not there
    # makes the runtime refuse the table.
    outside = count + 2
    missing = outside if entry.required else count
    if entry.fill is not None:
        missing = entry.categories.index(entry.fill)
    encoded: dict[str, Any] = {
        "keys_strings": [*entry.categories, ""],
        "values_int64s": [*range(count), missing],
        "default_int64": outside if entry.unknown == "error" else count + 1,
    }
    codes = graph.add("LabelEncoder", flat, domain=ML, **encoded)
    rows = np.zeros((count + 2, entry.width))
    rows[: entry.width, :] = np.eye(entry.width)
    return graph.add("Gather", graph.constant(rows), codes, axis=0)


def _layers(graph: Graph, model: Model, values: str) -> str:
    """The raw outputs of the network, shape (rows, outputs)."""
    layers = model.network.state_dict()
    last = len(model.network.sizes) - 2
    for place in range(last + 1):
        weight = layers[f"layers.{place}.weight"].cpu().numpy().T.copy()
        bias = layers[f"layers.{place}.bias"].cpu().numpy()
        values = graph.add("MatMul", values, graph.constant(weight))
        values = graph.add("Add", values, graph.constant(bias))
        if place < last:
            values = _activated(graph, model.network.activation, values)
    return values


_OPERATORS = {"tanh": "Tanh", "logistic": "Sigmoid", "relu": "Relu"}


def _activated(graph: Graph, activation: str, values: str) -> str:
    """The activation; where runtimes have an operator in single precision only, from others."""
    if activation == "identity":
        return values
    if activation in _OPERATORS:
        return graph.add(_OPERATORS[activation], values)
    if activation == "silu":
        return graph.add("Mul", values, graph.add("Sigmoid", values))
    if activation == "softplus":  # max(x, 0) + log(1 + exp(-|x|)) does not overflow
        shrunk = graph.add("Exp", graph.add("Neg", graph.add("Abs", values)))
        larger = graph.add("Add", graph.constant(np.array(1.0)), shrunk)
        return graph.add("Add", graph.add("Relu", values), graph.add("Log", larger))
    if activation == "elu":
        zero = graph.constant(np.array(0.0))
        below = graph.add("Exp", graph.add("Min", values, zero))
        below = graph.add("Sub", below, graph.constant(np.array(1.0)))
        return graph.add("Where", graph.add("Greater", values, zero), values, below)
    raise InputError(f"activation {activation!r} has no form in ONNX")


def _each(graph: Graph, model: Model, outputs: str) -> list[str]:
    """The columns of the network's outputs, each of shape (rows, 1)."""
    count = model.target.outputs
    if count == 1:
        return [outputs]
    places = (graph.constant(np.array([place])) for place in range(count))
    return [graph.add("Gather", outputs, place, axis=1) for place in places]


def _number(graph: Graph, target: NumericTarget, output: str) -> None:
    """An output of the network in the units of its target."""
    values = graph.add("Mul", output, graph.constant(np.array([target.scale])))
    values = graph.add("Add", values, graph.constant(np.array([target.shift])))
    if target.scaler == "log":
        values = graph.expm1(values)
    graph.output(values, f"predicted_{target.name}", graph.number, ["rows", 1])


def _classes(graph: Graph, target: ClassTarget, outputs: str) -> None:
    if target.outputs == 1:  # two classes: the softmax of 0 and the output
        zeros = graph.add("Mul", outputs, graph.constant(np.array([0.0])))
        outputs = graph.add("Concat", zeros, outputs, axis=1)
    probabilities = graph.add("Softmax", outputs, axis=1)
    likeliest = graph.add("ArgMax", outputs, axis=1, keepdims=0)
    labels = graph.add("Gather", graph.constant(target.classes), likeliest, axis=0)
    graph.output(labels, f"predicted_{target.name}", "STRING", ["rows"])
    graph.output(probabilities, "probabilities", graph.number, ["rows", len(target.classes)])


def _two_classes_each(graph: Graph, target: ClassTargets, outputs: str) -> None:
    """The second class of a target where its probability is above 1/2."""
    probabilities = graph.add("Sigmoid", outputs)
    above = graph.places(graph.add("Greater", probabilities, graph.constant(np.array(0.5))))
    for place, column in enumerate(target.columns):
        second = graph.add("Gather", above, graph.constant(np.array(place)), axis=1)
        labels = graph.add("Gather", graph.constant(column.classes), second, axis=0)
        graph.output(labels, f"predicted_{column.name}", "STRING", ["rows"])
    graph.output(probabilities, "probabilities", graph.number, ["rows", target.outputs])
