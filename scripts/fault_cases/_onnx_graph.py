"""Changing an ONNX file: constants, attributes, and operators put in between."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

Change = Callable[[Any], Any]


class OnnxGraph:
    """The main graph of an ONNX file. Nodes are found by their operator and the Keras layer that they come from."""

    def __init__(self, path: Path) -> None:
        import onnx

        self.path = path
        self.model = onnx.load(path)
        self.graph = self.model.graph
        self._count = 0

    def save(self) -> None:
        """Write the file, every node after those whose results it takes."""
        import onnx

        _sort(self.graph)
        onnx.checker.check_model(self.model, full_check=False)
        onnx.save(self.model, self.path)

    def nodes(self, operator: str, layer: str = "") -> list[Any]:
        """The nodes of an operator, in the order of the graph."""
        return [node for node in self.graph.node if node.op_type == operator and _is_of(node, layer)]

    def node(self, operator: str, layer: str = "", which: int | None = None) -> Any:
        """The one node of an operator in a layer, or that of an index."""
        found = self.nodes(operator, layer)
        assert len(found) == 1 or (which is not None and found), self._lacking(operator, layer, found)
        return found[which or 0]

    def value(self, name: str) -> Any:
        """The array of a constant."""
        from onnx import numpy_helper

        for tensor in self.graph.initializer:
            if tensor.name == name:
                return numpy_helper.to_array(tensor)
        for node in self.graph.node:
            if node.op_type == "Constant" and name in node.output:
                return numpy_helper.to_array(node.attribute[0].t)
        raise AssertionError(f"{name!r} is not constant")

    def change(self, operator: str, layer: str, operand: int, change: Change, which: int | None = None) -> None:
        """Give a node another constant than the one it has."""
        node = self.node(operator, layer, which)
        old = self.value(node.input[operand])
        new = np.asarray(change(np.array(old)), old.dtype)
        node.input[operand] = self.constant(new)

    def attribute(self, operator: str, layer: str, which: int | None = None, **values: Any) -> None:
        """Set attributes of a node; None removes one."""
        from onnx import helper

        node = self.node(operator, layer, which)
        kept = [attribute for attribute in node.attribute if attribute.name not in values]
        del node.attribute[:]
        node.attribute.extend(kept)
        node.attribute.extend(helper.make_attribute(key, value) for key, value in values.items() if value is not None)

    def change_all(self, change: Change) -> None:
        """Change every array of more than one real number."""
        from onnx import numpy_helper

        for tensor in self.graph.initializer:
            old = numpy_helper.to_array(tensor)
            if old.dtype.kind == "f" and old.size > 1:
                tensor.CopyFrom(numpy_helper.from_array(np.asarray(change(old), old.dtype), tensor.name))

    def constant(self, value: Any, dtype: str | None = None) -> str:
        """The name of a new constant."""
        from onnx import numpy_helper

        name = self._name("constant")
        self.graph.initializer.append(numpy_helper.from_array(np.asarray(value, dtype), name))
        return name

    def add(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """The name of the result of a new node."""
        from onnx import helper

        name = self._name(operator)
        self.graph.node.append(helper.make_node(operator, list(inputs), [name], name, **attributes))
        return name

    def after(self, tensor: str, make: Callable[[OnnxGraph, str], str]) -> None:
        """Let everything that takes a tensor take what is made of it instead."""
        if any(value.name == tensor for value in self.graph.input):
            before = [node for node in self.graph.node if tensor in node.input]
            made = make(self, tensor)
            for node in before:
                _replace(node.input, tensor, made)
            return
        (producer,) = (node for node in self.graph.node if tensor in node.output)
        healthy = f"{tensor}_healthy"
        _replace(producer.output, tensor, healthy)
        made = make(self, healthy)
        last = next(node for node in self.graph.node if made in node.output)
        _replace(last.output, made, tensor)

    def before(self, operator: str, layer: str, operand: int, make: Callable[[OnnxGraph, str], str]) -> None:
        """Let one node take something made of its operand instead."""
        node = self.node(operator, layer)
        node.input[operand] = make(self, node.input[operand])

    def skip(self, operator: str, layer: str, which: int | None = None) -> None:
        """Remove a node: who takes its result takes its first operand."""
        node = self.node(operator, layer, which)
        source, result = node.input[0], node.output[0]
        self.graph.node.remove(node)
        if any(value.name == result for value in self.graph.output):
            self.graph.node.append(_identity(source, result))
            return
        for other in self.graph.node:
            _replace(other.input, result, source)

    def swap_results(self, one: str, other: str) -> None:
        """Exchange the names of two outputs of the graph."""
        for node in self.graph.node:
            for names in (node.input, node.output):
                for index, name in enumerate(names):
                    names[index] = {one: other, other: one}.get(name, name)

    def retype(self, output: str, dtype: str) -> None:
        """Let an output of the graph have another dtype."""
        from onnx import helper

        element = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        self.after(output, lambda graph, x: graph.add("Cast", x, to=element))
        (value,) = (value for value in self.graph.output if value.name == output)
        value.type.tensor_type.elem_type = element

    def _name(self, what: str) -> str:
        self._count += 1
        return f"planted_{what}_{self._count}"

    def _lacking(self, operator: str, layer: str, found: list[Any]) -> str:
        lines = [f"{node.op_type} {node.name}" for node in self.graph.node]
        return f"{len(found)} nodes {operator} of {layer!r}, among: " + "; ".join(lines)


def _is_of(node: Any, layer: str) -> bool:
    names = (node.name, *node.output)
    scopes = [f"/{name}/" for name in names[: 1 + len(node.output)]]
    return not layer or layer in names or any(f"/{layer}{end}/" in scope for scope in scopes for end in ("_1", ""))


def _identity(source: str, result: str) -> Any:
    from onnx import helper

    return helper.make_node("Identity", [source], [result], f"planted_{result}")


def _replace(names: Any, old: str, new: str) -> None:
    for index, name in enumerate(names):
        if name == old:
            names[index] = new


def _sort(graph: Any) -> None:
    """Order the nodes, as they come where that is free."""
    known = {"", *(value.name for value in graph.input), *(tensor.name for tensor in graph.initializer)}
    waiting, ordered = list(graph.node), []
    while waiting:
        ready = [node for node in waiting if all(name in known for name in node.input)]
        assert ready, f"nodes without their operands: {[(node.name, list(node.input)) for node in waiting]}"
        first = ready[0]
        ordered.append(first)
        known.update(first.output)
        waiting.remove(first)
    del graph.node[:]
    graph.node.extend(ordered)
