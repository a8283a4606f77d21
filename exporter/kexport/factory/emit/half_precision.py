"""Rewrites half-precision graphs in float32: what was float16 or bfloat16 is held as float32, and rounded.

Converters and runtimes have few kernels of half precision; those that they have round at other places than TensorFlow,
or not at all. TensorFlow's CPU kernels compute in float32 and round once, so each operation becomes the same one in
float32 followed by a cast to half and back. That rounds to nearest, ties to even, overflows to infinity and keeps
subnormal numbers. Operations that only move or choose numbers need no rounding. Kernels that round internally are
replaced by step-by-step equivalents (`half_kernels`). What TensorFlow adds up in half precision (in float16 sums,
softmax, average pooling and convolutions other than Conv2D; running sums) depends on the order in which a processor
adds: here the sum is rounded once, which is nearer to the truth.

A float16 stays one in the model's inputs and outputs; a bfloat16, which NumPy lacks, is a float32 there.
Source: IEEE 754-2019, 4.3.1 and 5.4.2; TensorFlow 2.21's kernels, measured.
"""

from __future__ import annotations

from collections.abc import MutableSequence
from dataclasses import replace

import numpy as np

from kexport.bundle.signature import Array, TensorSpec
from kexport.factory.emit import half_kernels, half_nodes
from kexport.factory.emit.handover import Handover, Table, TracedGraph
from kexport.factory.graph.protocols import FunctionDef, NodeDef


def in_single(program: Handover) -> Handover:
    """The program with every tensor of half precision held as float32; the same one where there is none."""
    from tensorflow.core.framework import graph_pb2

    library = program.graph.graph_def.library.function
    if not any(
        map(half_nodes.has_half, [*program.graph.graph_def.node, *(node for each in library for node in each.node_def)])
    ):
        return program
    rewritten = graph_pb2.GraphDef(versions=program.graph.graph_def.versions)
    functions = rewritten.library.function
    functions.extend(library)
    in_half = {
        each.signature.name
        for each in library
        if any(arg.type in half_nodes.HALVES for arg in each.signature.input_arg)
    }
    main = _Main(program, functions)
    done = 0
    while done < len(functions):  # kernels are appended meanwhile
        _rewrite(functions[done], functions)
        done += 1
    outputs = [main.output(*each) for each in zip(program.graph.outputs, program.signature.outputs, strict=True)]
    rewritten.node.extend(main.finished())
    captures = {node.name: main.captures[node.name] for node in rewritten.node if node.name in main.captures}
    recurrent = {name: settings for name, settings in program.recurrent.items() if name not in in_half}
    graph = TracedGraph(rewritten, program.graph.inputs, tuple(outputs), captures)
    return replace(program, graph=graph, recurrent=recurrent)


def _rewrite(function: FunctionDef, functions: MutableSequence[FunctionDef]) -> None:
    """Rewrite a function of the library in place."""
    body = _Body(functions)
    for node in function.node_def:
        body.add(node)
    nodes = body.finished()
    del function.node_def[:]
    function.node_def.extend(nodes)
    function.control_ret.clear()
    for arg in (*function.signature.input_arg, *function.signature.output_arg):
        arg.type = half_nodes.single(arg.type)
    del function.signature.control_output[:]
    for name, tensor in function.ret.items():
        function.ret[name] = body.resolved(tensor)


class _Body:
    """The nodes of one function, rewritten; a tensor is named as in a function, `NODE:ARGUMENT:INDEX`."""

    def __init__(self, functions: MutableSequence[FunctionDef]) -> None:
        self._functions = functions
        self._nodes: list[NodeDef] = []  # their inputs keep the names of the given program until `finished`
        self._casts: list[NodeDef] = []  # their inputs have their final names
        self._stands_for: dict[str, str] = {}

    def name(self, node: str, argument: str, index: int, place: int) -> str:
        """The name of an output; `index` counts those of the same argument, `place` all of the node."""
        return f"{node}:{argument}:{index}"

    def spelled(self, tensor: str) -> str:
        """The tensor's name as `name` spells it."""
        return tensor

    def resolved(self, tensor: str) -> str:
        """The tensor that stands for one of the given program."""
        tensor = self.spelled(tensor)
        while tensor in self._stands_for:
            tensor = self._stands_for[tensor]
        return tensor

    def finished(self) -> list[NodeDef]:
        """All nodes."""
        for node in self._nodes:
            node.input[:] = [self.resolved(name) for name in node.input]
        return [*self._nodes, *self._casts]

    def add(self, given: NodeDef) -> None:
        """Take a node of the given program."""
        from tensorflow.core.framework import node_def_pb2

        node = node_def_pb2.NodeDef()
        node.CopyFrom(given)
        node.input[:] = [self.spelled(name) for name in given.input if not name.startswith("^")]
        self._nodes.append(node)
        if not half_nodes.has_half(node):
            return
        if node.op == "Cast":
            self._cast(node)
        elif node.op == "Bitcast":
            self._bitcast(node)
        else:
            self._compute(node)

    def _cast(self, node: NodeDef) -> None:
        source, target = node.attr["SrcT"].type, node.attr["DstT"].type
        output = self.name(node.name, "y", 0, 0)
        if {source, target} <= {half_nodes.FLOAT, *half_nodes.HALVES}:
            self._nodes.remove(node)
            self._stands_for[output] = node.input[0]
            if target not in (half_nodes.FLOAT, source):
                half = self._cast_of(f"{node.name}/half", node.input[0], (half_nodes.FLOAT, target), self._nodes)
                self._stands_for[output] = self._cast_of(
                    f"{node.name}/single", half, (target, half_nodes.FLOAT), self._casts
                )
            return
        half_nodes.hold_as_single(node)
        if target in half_nodes.HALVES:
            self._round(node.name, output, 0, target)

    def _bitcast(self, node: NodeDef) -> None:
        """The bits are those of the half, before or after it."""
        source, target = node.attr["T"].type, node.attr["type"].type
        if source in half_nodes.HALVES:
            node.input[0] = self._cast_of(f"{node.name}/half", node.input[0], (half_nodes.FLOAT, source), self._nodes)
        if target in half_nodes.HALVES:
            output = self.name(node.name, "output", 0, 0)
            self._stands_for[output] = self._cast_of(
                f"{node.name}/single", output, (target, half_nodes.FLOAT), self._casts
            )

    def _compute(self, node: NodeDef) -> None:
        if node.op in half_kernels.KERNELS and node.attr["T"].type in half_nodes.HALVES:
            self._call(node)
        outputs = [] if node.op in half_nodes.EXACT else list(half_nodes.outputs(node))
        half_nodes.hold_as_single(node)
        for place, (argument, index, kind) in enumerate(outputs):
            if kind in half_nodes.HALVES:
                self._round(node.name, self.name(node.name, argument, index, place), place, kind)

    def _call(self, node: NodeDef) -> None:
        """Turn the node into a call of a function that has the steps of its kernel."""
        half = node.attr["T"].type
        ((argument, index, _),) = half_nodes.outputs(node)
        function = half_kernels.function(node.op, half, len(node.input))
        self._functions.append(function)
        output, new = self.name(node.name, argument, index, 0), self.name(node.name, "output", 0, 0)
        if output != new:
            self._stands_for[output] = new
        node.op = "PartitionedCall"
        node.attr.clear()
        node.attr["Tin"].list.type.extend([half] * len(node.input))
        node.attr["Tout"].list.type.append(half)
        node.attr["f"].func.name = function.signature.name

    def _round(self, node: str, output: str, place: int, half: int) -> None:
        name = f"{node}/rounded_{place}"
        rounded = self._cast_of(f"{name}/half", output, (half_nodes.FLOAT, half), self._casts)
        self._stands_for[output] = self._cast_of(name, rounded, (half, half_nodes.FLOAT), self._casts)

    def _cast_of(self, name: str, tensor: str, types: tuple[int, int], among: list[NodeDef]) -> str:
        """The tensor that a cast makes of another."""
        among.append(half_nodes.new_node(name, "Cast", [tensor], SrcT=types[0], DstT=types[1]))
        return self.name(name, "y", 0, 0)


class _Main(_Body):
    """The graph itself, whose tensors are named `NODE:PLACE`; it has the weights, the inputs and the outputs."""

    def __init__(self, program: Handover, functions: MutableSequence[FunctionDef]) -> None:
        super().__init__(functions)
        self.captures = {name: _widened(value) for name, value in program.graph.captures.items()}
        self._inputs = {name.partition(":")[0] for name in program.graph.inputs}
        self._given = {node.name: node for node in program.graph.graph_def.node}
        self._weights: dict[tuple[str, int], str] = {}
        for node in program.graph.graph_def.node:
            self.add(node)

    def name(self, node: str, argument: str, index: int, place: int) -> str:
        return f"{node}:{place}"

    def spelled(self, tensor: str) -> str:
        return tensor if ":" in tensor else f"{tensor}:0"

    def output(self, tensor: str, spec: TensorSpec) -> str:
        """The tensor that is an output of the model in place of a given one."""
        result = self.resolved(tensor)
        if spec.dtype != "float16":
            return result
        return self._cast_of(
            f"{result.replace(':', '/')}/output_{len(self._casts)}",
            result,
            (half_nodes.FLOAT, half_nodes.HALF),
            self._casts,
        )

    def _compute(self, node: NodeDef) -> None:
        kind = node.attr["dtype"].type
        if node.name not in self._inputs:
            super()._compute(node)
        elif kind == half_nodes.HALF:
            output = self.name(node.name, "output", 0, 0)
            self._stands_for[output] = self._cast_of(
                f"{node.name}/single", output, (half_nodes.HALF, half_nodes.FLOAT), self._casts
            )
        else:
            half_nodes.hold_as_single(node)
            self._round(node.name, self.name(node.name, "output", 0, 0), 0, kind)

    def _cast(self, node: NodeDef) -> None:
        """A weight is rounded here and now."""
        half = node.attr["DstT"].type
        weight = self._weight(node.input[0]) if half in half_nodes.HALVES else None
        if weight is None:
            super()._cast(node)
            return
        earlier = self._weights.get((weight, half))
        if earlier is not None:
            self._nodes.remove(node)
            self._stands_for[self.name(node.name, "y", 0, 0)] = earlier
            return
        node.CopyFrom(half_nodes.new_node(node.name, "Placeholder", [], dtype=half_nodes.FLOAT))
        self.captures[node.name] = half_nodes.rounded(np.asarray(self.captures[weight]), half)
        self._weights[weight, half] = self.name(node.name, "output", 0, 0)

    def _weight(self, tensor: str) -> str | None:
        """The name of the placeholder of the captured float32 array that the tensor is."""
        node = self._given[tensor.partition(":")[0]]
        while node.op in ("ReadVariableOp", "Identity"):
            node = self._given[node.input[0].partition(":")[0]]
        value = self.captures.get(node.name)
        return node.name if isinstance(value, np.ndarray) and value.dtype == np.float32 else None


def _widened(value: Array | Table) -> Array | Table:
    """A captured value; an array of halves as float32."""
    if isinstance(value, np.ndarray) and value.dtype.name in ("float16", "bfloat16"):
        return value.astype(np.float32)
    return value
