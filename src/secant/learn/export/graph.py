"""An ONNX graph under construction, in one precision."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

import secant

__all__ = ["ML", "Graph"]

# Old enough for every runtime of the last years, new enough for all operators used.
_OPSET, _ML_OPSET, _IR = 17, 3, 8

ML = "ai.onnx.ml"
"""The domain of operators on texts."""


class Graph:
    """Nodes, constants, inputs and outputs under names that are all different.

    Parameters
    ----------
    onnx : module
    taken : iterable of str
        Names that only inputs may have.
    dtype : str
        Of all numbers: ``float64`` or ``float32``.
    """

    def __init__(self, onnx: Any, taken: Iterable[str], dtype: str) -> None:
        self.onnx = onnx
        self.dtype = dtype
        self.number = "DOUBLE" if dtype == "float64" else "FLOAT"
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

    def input(self, name: str, kind: str) -> str:
        """Declare a column of the table."""
        self.inputs.append(self._declared(name, kind, ["rows", 1]))
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
        """A constant of the graph: numbers, in its precision, or a list of texts."""
        name = self.name(f"constant_{len(self.constants)}")
        if isinstance(value, list | tuple):
            texts = [text.encode("utf-8") for text in value]
            kind = self.onnx.TensorProto.STRING
            tensor = self.onnx.helper.make_tensor(name, kind, [len(texts)], texts)
        else:
            array = np.asarray(value)
            if array.dtype.kind == "f":
                array = array.astype(self.dtype)
            tensor = self.onnx.numpy_helper.from_array(array, name)
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

    def numbers(self, value: str) -> str:
        """Truth values as 0 and 1."""
        return self.add("Cast", value, to=getattr(self.onnx.TensorProto, self.number))

    def places(self, value: str) -> str:
        """Truth values as the whole numbers 0 and 1."""
        return self.add("Cast", value, to=self.onnx.TensorProto.INT64)

    def log1p(self, x: str) -> str:
        """``log(1 + x)`` without cancellation: ``x log(u) / (u - 1)`` with the rounded ``u = 1 + x``.

        The errors of ``u`` in both logarithm and difference are the same (Kahan).
        """
        one, zero = self.constant(1.0), self.constant(0.0)
        u = self.add("Add", x, one)
        rest = self.add("Sub", u, one)
        quotient = self.add("Div", self.add("Mul", x, self.add("Log", u)), rest)
        return self.add("Where", self.add("Equal", rest, zero), x, quotient)

    def expm1(self, x: str) -> str:
        """``exp(x) - 1`` without cancellation: ``(u - 1) x / log(u)`` with the rounded ``u = exp(x)``.

        Only near 0, where the difference cancels; elsewhere ``u - 1``.
        """
        one = self.constant(1.0)
        u = self.add("Exp", x)
        rest = self.add("Sub", u, one)
        quotient = self.add("Div", self.add("Mul", rest, x), self.add("Log", u))
        near = self.add("Where", self.add("Equal", u, one), x, quotient)
        small = self.add("Less", self.add("Abs", x), self.constant(0.5))
        return self.add("Where", small, near, rest)

    def to_bytes(self, described: dict[str, Any]) -> bytes:
        """The checked file; what is described stands in its metadata, lists as JSON."""
        helper = self.onnx.helper
        graph = helper.make_graph(
            self.nodes, "secant", self.inputs, self.outputs, initializer=self.constants
        )
        versions = [helper.make_opsetid("", _OPSET), helper.make_opsetid(ML, _ML_OPSET)]
        made = helper.make_model(
            graph,
            opset_imports=versions,
            ir_version=_IR,
            producer_name="secant",
            producer_version=secant.__version__,
        )
        texts = {
            name: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            for name, value in described.items()
        }
        helper.set_model_props(made, texts)
        self.onnx.checker.check_model(made, full_check=True)
        return bytes(made.SerializeToString())
