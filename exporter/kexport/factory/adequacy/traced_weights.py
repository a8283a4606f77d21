"""The weights that a traced function reads, with the names that people know them by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from kexport.bundle.signature import Array
from kexport.factory.graph.protocols import Operation
from kexport.factory.trace.program import Program
from kexport.factory.trace.protocols import GraphVariable

_HUNDREDTH = 0.01


@dataclass(frozen=True, eq=False)
class TracedWeight:
    """A weight tensor of real numbers that the outputs depend on.

    Attributes:
        name: the path of the variable, such as `"conv_2/kernel"`.
        variable: the variable of TensorFlow.
        value: its value in float64.
        scale: its largest magnitude; of zeros, that of the other weights of the layer.
    """

    name: str
    variable: GraphVariable
    value: Array
    scale: float

    @property
    def step(self) -> float:
        """A hundredth of the scale."""
        return self.scale * _HUNDREDTH

    @property
    def layer(self) -> str:
        """The path of the layer."""
        return self.name.rpartition("/")[0]

    @property
    def is_table(self) -> bool:
        """Whether its rows are looked up, as those of an Embedding are."""
        return self.value.ndim == 2 and self.name.endswith("embeddings")


def traced_weights(program: Program) -> list[TracedWeight]:
    """The real-valued variables that the traced function reads and does not assign to."""
    graph = program.core.graph
    read = ancestors([tensor.op for tensor in graph.outputs])
    handles = [external for external, internal in graph.captures if internal.op.name in read]
    state = [variable for variable, _ in program.state]
    names = _names(program)
    found: list[tuple[str, GraphVariable, Array]] = []
    for variable in graph.variables:
        is_state = any(variable is each for each in state)
        if is_state or not any(variable.handle is handle for handle in handles):
            continue
        value = np.asarray(variable.numpy())
        if value.dtype.kind == "f" or value.dtype.name == "bfloat16":
            name = names.get(id(variable.handle), _plain(variable))
            found.append((name, variable, np.asarray(value.astype(np.float64))))
    scales = _scales([(name, value) for name, _, value in found])
    ordered = sorted(zip(found, scales, strict=True), key=lambda pair: _rank(names, pair[0][0]))
    return [TracedWeight(name, variable, value, scale) for (name, variable, value), scale in ordered if value.size]


def _rank(names: dict[int, str], name: str) -> int:
    order = list(names.values())
    return order.index(name) if name in order else len(order)


def _scales(found: list[tuple[str, Array]]) -> list[float]:
    """The scale of each weight."""
    sizes = [_largest(value) for _, value in found]
    beside: dict[str, float] = {}
    for (name, _), size in zip(found, sizes, strict=True):
        layer = name.rpartition("/")[0]
        beside[layer] = max(beside.get(layer, 0.0), size)
    return [size or beside[name.rpartition("/")[0]] or 1.0 for (name, _), size in zip(found, sizes, strict=True)]


def _largest(value: Array) -> float:
    finite = np.abs(value[np.isfinite(value)])
    return float(finite.max()) if finite.size else 0.0


def _names(program: Program) -> dict[int, str]:
    """The path of each Keras variable, by the id of its handle, in the order of the layers."""
    weights: Any = [] if program.served else getattr(program.model, "weights", [])
    own = f"{program.model.name}/"
    return {
        id(each._value.handle): str(each.path).removeprefix(own) for each in weights if hasattr(each._value, "handle")
    }


def _plain(variable: GraphVariable) -> str:
    return str(getattr(variable, "name", variable._handle_name)).removesuffix(":0")


def ancestors(operations: list[Operation]) -> set[str]:
    """The names of all operations that these depend on, and their own."""
    seen: set[str] = set()
    pending = list(operations)
    while pending:
        operation = pending.pop()
        if operation.name not in seen:
            seen.add(operation.name)
            pending += [tensor.op for tensor in operation.inputs]
    return seen
