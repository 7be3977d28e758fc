"""A model as ONNX, from the cells of a table to the prediction, in double precision.

Inputs, each of shape (rows, 1): one for every column of the model, under the column's name; numbers
as double, where NaN is a missing number; categories as strings without surrounding blanks, where
the empty string is a missing one. Categories are strings also where the table has numbers as codes:
``"3"``, not 3.

Outputs: ``predicted_<target>``, of shape (rows, 1) in the target's units or of shape (rows,) with the
class as a string, and for classes ``probabilities`` of shape (rows, classes), in the order of the
metadata entry ``classes`` (a JSON list).

What the model refuses has no sentence here: an unknown category ends the run with an error of the
runtime, a missing number gives NaN.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

import secant
from secant.learn.errors import InputError
from secant.learn.inputs import CategoricalInput, NumericInput
from secant.learn.model import Model
from secant.learn.preparation import Preparation
from secant.learn.scaling import Scaling
from secant.learn.target import ClassTarget, NumericTarget

__all__ = ["onnx_bytes"]

# Old enough for every runtime of the last years, new enough for all operators used.
_OPSET, _ML_OPSET, _IR = 17, 3, 8
_ML = "ai.onnx.ml"


def onnx_bytes(model: Model) -> bytes:
    """The model as the bytes of an ONNX file.

    Raises
    ------
    InputError
        If the package onnx is not installed.
    """
    try:
        import onnx
    except ModuleNotFoundError:
        raise InputError(
            "an export to ONNX needs the package onnx; install it with: pip install 'secant[onnx]'"
        ) from None
    graph = _Graph(onnx, model.preparation.names)
    outputs = _layers(graph, model, _prepared(graph, model.preparation))
    if isinstance(model.target, ClassTarget):
        _classes(graph, model.target, outputs)
    else:
        _numbers(graph, model.target, outputs)
    return graph.to_bytes(model)


class _Graph:
    """Nodes, constants, inputs and outputs under names that are all different."""

    def __init__(self, onnx: Any, taken: Iterable[str]) -> None:
        self.onnx = onnx
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self.inputs: list[Any] = []
        self.outputs: list[Any] = []
        self._taken = set(taken)

    def name(self, wanted: str) -> str:
        """`wanted`, lengthened until no column and no other value is called so."""
        name, number = wanted, 0
        while name in self._taken:
            number += 1
            name = f"{wanted}_{number}"
        self._taken.add(name)
        return name

    def input(self, name: str, kind: str, shape: Sequence[object]) -> str:
        """Declare an input of the graph."""
        self.inputs.append(self._declared(name, kind, shape))
        return name

    def output(self, value: str, wanted: str, kind: str, shape: Sequence[object]) -> None:
        """Make a value an output of the graph."""
        name = self.name(wanted)
        self.nodes.append(self.onnx.helper.make_node("Identity", [value], [name]))
        self.outputs.append(self._declared(name, kind, shape))

    def _declared(self, name: str, kind: str, shape: Sequence[object]) -> Any:
        element = getattr(self.onnx.TensorProto, kind)
        return self.onnx.helper.make_tensor_value_info(name, element, shape)

    def constant(self, value: NDArray[Any] | float | Sequence[str]) -> str:
        """A constant of the graph: numbers, or a list of texts."""
        name = self.name(f"constant_{len(self.constants)}")
        if isinstance(value, list | tuple):
            texts = [text.encode("utf-8") for text in value]
            kind = self.onnx.TensorProto.STRING
            tensor = self.onnx.helper.make_tensor(name, kind, [len(texts)], texts)
        else:
            tensor = self.onnx.numpy_helper.from_array(np.asarray(value), name)
        self.constants.append(tensor)
        return name

    def add(self, operator: str, *values: str, domain: str = "", **attributes: Any) -> str:
        """A node with one output, whose name is returned."""
        name = self.name(f"{operator.lower()}_{len(self.nodes)}")
        node = self.onnx.helper.make_node(
            operator, list(values), [name], domain=domain, **attributes
        )
        self.nodes.append(node)
        return name

    def double(self, value: str) -> str:
        """The value in double precision."""
        return self.add("Cast", value, to=self.onnx.TensorProto.DOUBLE)

    def to_bytes(self, model: Model) -> bytes:
        """The checked file."""
        helper = self.onnx.helper
        graph = helper.make_graph(
            self.nodes, "secant", self.inputs, self.outputs, initializer=self.constants
        )
        versions = [helper.make_opsetid("", _OPSET), helper.make_opsetid(_ML, _ML_OPSET)]
        made = helper.make_model(
            graph,
            opset_imports=versions,
            ir_version=_IR,
            producer_name="secant",
            producer_version=secant.__version__,
        )
        described = {"target": model.target.name, "task": model.target.task.value}
        if isinstance(model.target, ClassTarget):
            described["classes"] = json.dumps(model.target.classes, ensure_ascii=False)
        helper.set_model_props(made, described)
        self.onnx.checker.check_model(made, full_check=True)
        return bytes(made.SerializeToString())


def _prepared(graph: _Graph, preparation: Preparation) -> str:
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


def _plain_numbers(graph: _Graph, entries: list[NumericInput]) -> str:
    columns = [graph.input(entry.name, "DOUBLE", ["rows", 1]) for entry in entries]
    values = columns[0] if len(columns) == 1 else graph.add("Concat", *columns, axis=1)
    fills = np.array([np.nan if entry.fill is None else entry.fill for entry in entries])
    values = graph.add("Where", graph.add("IsNaN", values), graph.constant(fills), values)
    shift = np.array([entry.scaling.shift for entry in entries])
    scale = np.array([entry.scaling.scale for entry in entries])
    return _divided(graph, values, shift, scale)


def _divided(graph: _Graph, values: str, shift: Any, scale: Any) -> str:
    centred = graph.add("Sub", values, graph.constant(shift))
    return graph.add("Div", centred, graph.constant(scale))


def _column(graph: _Graph, entry: NumericInput | CategoricalInput) -> str:
    if isinstance(entry, CategoricalInput):
        return _categories(graph, entry)
    values = graph.input(entry.name, "DOUBLE", ["rows", 1])
    missing = graph.add("IsNaN", values)
    if entry.fill is not None:
        values = graph.add("Where", missing, graph.constant(np.array([entry.fill])), values)
    values = _scaled(graph, values, entry.scaling)
    return graph.add("Concat", values, graph.double(missing), axis=1) if entry.indicator else values


def _scaled(graph: _Graph, values: str, scaling: Scaling) -> str:
    if scaling.scaler == "log":
        values = graph.add("Log", graph.add("Add", values, graph.constant(np.array([1.0]))))
    return _divided(graph, values, np.array([scaling.shift]), np.array([scaling.scale]))


def _categories(graph: _Graph, entry: CategoricalInput) -> str:
    texts = graph.input(entry.name, "STRING", ["rows", 1])
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
    codes = graph.add("LabelEncoder", flat, domain=_ML, **encoded)
    rows = np.zeros((count + 2, entry.width))
    rows[: entry.width, :] = np.eye(entry.width)
    return graph.add("Gather", graph.constant(rows), codes, axis=0)


def _layers(graph: _Graph, model: Model, values: str) -> str:
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


def _activated(graph: _Graph, activation: str, values: str) -> str:
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


def _numbers(graph: _Graph, target: NumericTarget, outputs: str) -> None:
    values = graph.add("Mul", outputs, graph.constant(np.array([target.scale])))
    values = graph.add("Add", values, graph.constant(np.array([target.shift])))
    if target.scaler == "log":
        values = graph.add("Sub", graph.add("Exp", values), graph.constant(np.array([1.0])))
    graph.output(values, f"predicted_{target.name}", "DOUBLE", ["rows", 1])


def _classes(graph: _Graph, target: ClassTarget, outputs: str) -> None:
    if target.outputs == 1:  # two classes: the softmax of 0 and the output
        zeros = graph.add("Mul", outputs, graph.constant(np.array([0.0])))
        outputs = graph.add("Concat", zeros, outputs, axis=1)
    probabilities = graph.add("Softmax", outputs, axis=1)
    likeliest = graph.add("ArgMax", outputs, axis=1, keepdims=0)
    labels = graph.add("Gather", graph.constant(target.classes), likeliest, axis=0)
    graph.output(labels, f"predicted_{target.name}", "STRING", ["rows"])
    graph.output(probabilities, "probabilities", "DOUBLE", ["rows", len(target.classes)])
