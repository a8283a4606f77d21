"""Half precision said in single: what a program computes in float16 or bfloat16 is held as float32 and rounded.

Converters and runtimes have few kernels of half precision; those that they have round at other places than TensorFlow,
or not at all. TensorFlow's CPU kernels compute in float32 and round once, so each operation becomes the same one in
float32 followed by a cast to half and back. That rounds to nearest, ties to even, overflows to infinity and keeps
subnormal numbers; what only moves or chooses numbers needs no rounding. Kernels that round in between are said by
their steps (`half_kernels`). What TensorFlow adds up in half precision itself (in float16 sums, softmax, average
pooling and convolutions other than Conv2D; running sums) depends on the order in which a processor adds: here the sum
is rounded once, which is nearer to the truth.

A float16 stays one in the model's inputs and outputs; a bfloat16, which NumPy lacks, is a float32 there.
Source: IEEE 754-2019, 4.3.1 and 5.4.2; TensorFlow 2.21's kernels, measured.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from kexport.bundle.signature import TensorSpec
from kexport.factory.emit import half_kernels
from kexport.factory.emit.handover import Handover

_FLOAT, _HALF, _BFLOAT16 = 1, 19, 14  # TensorFlow's DataType
_HALVES = (_HALF, _BFLOAT16)

#: Operations whose results are among their arguments, or need no more digits than these; and calls, whose bodies round.
_EXACT = frozenset(
    word
    for line in (
        "Abs BatchToSpace BatchToSpaceND BroadcastTo Case Ceil CheckNumerics ClipByValue Concat ConcatV2 Const",
        "DepthToSpace Diag DiagPart DynamicPartition DynamicStitch Empty EnsureShape ExpandDims ExtractImagePatches",
        "Fill Floor Gather GatherNd GatherV2 Identity IdentityN If MatrixBandPart MatrixDiag MatrixDiagPart",
        "MatrixDiagPartV3 MatrixDiagV3 MatrixSetDiag MatrixSetDiagV3 Max MaxPool MaxPool3D MaxPoolV2 MaxPoolWithArgmax",
        "Maximum Min Minimum MirrorPad Neg OneHot OnesLike Pack Pad PadV2 ParallelDynamicStitch PartitionedCall",
        "Placeholder PlaceholderWithDefault PreventGradient ReadVariableOp Relu Relu6 Reshape ResizeNearestNeighbor",
        "ResourceGather Reverse ReverseSequence ReverseV2 Rint Roll Round SegmentMax SegmentMin Select SelectV2 Sign",
        "Slice Snapshot SpaceToBatch SpaceToBatchND SpaceToDepth Split SplitV Squeeze StatefulPartitionedCall",
        "StatelessCase StatelessIf StatelessWhile StopGradient StridedSlice TensorListConcatV2 TensorListGather",
        "TensorListGetItem TensorListPopBack TensorListStack TensorScatterMax TensorScatterMin TensorScatterUpdate",
        "TensorStridedSliceUpdate Tile TopK TopKV2 Transpose Unpack UnsortedSegmentMax UnsortedSegmentMin While",
        "ZerosLike",
    )
    for word in line.split()
)


def in_single(program: Handover) -> Handover:
    """The program with every tensor of half precision held as float32; the same one where there is none."""
    from tensorflow.core.framework import graph_pb2

    library = program.graph_def.library.function
    if not any(map(_has_half, [*program.graph_def.node, *(node for each in library for node in each.node_def)])):
        return program
    made = graph_pb2.GraphDef(versions=program.graph_def.versions)
    functions = made.library.function
    functions.extend(library)
    in_half = {each.signature.name for each in library if any(arg.type in _HALVES for arg in each.signature.input_arg)}
    main = _Main(program, functions)
    rewritten = 0
    while rewritten < len(functions):  # kernels join meanwhile
        _rewrite(functions[rewritten], functions)
        rewritten += 1
    outputs = [main.output(*each) for each in zip(program.outputs, program.signature.outputs, strict=True)]
    made.node.extend(main.finished())
    captures = {node.name: main.captures[node.name] for node in made.node if node.name in main.captures}
    recurrent = {name: known for name, known in program.recurrent.items() if name not in in_half}
    return replace(program, graph_def=made, outputs=tuple(outputs), captures=captures, recurrent=recurrent)


def _has_half(node: Any) -> bool:
    return any(
        attr.type in _HALVES or (attr.HasField("list") and any(kind in _HALVES for kind in attr.list.type))
        for attr in node.attr.values()
    )


def _rewrite(function: Any, functions: Any) -> None:
    """Rewrite a function of the library in place."""
    body = _Body(functions)
    for node in function.node_def:
        body.add(node)
    nodes = body.finished()
    del function.node_def[:]
    function.node_def.extend(nodes)
    function.control_ret.clear()
    for arg in (*function.signature.input_arg, *function.signature.output_arg):
        arg.type = _single(arg.type)
    del function.signature.control_output[:]
    for name, tensor in function.ret.items():
        function.ret[name] = body.resolved(tensor)


def _single(kind: int) -> int:
    return _FLOAT if kind in _HALVES else kind


class _Body:
    """The nodes of one function, rewritten; a tensor is named as in a function, `NODE:ARGUMENT:INDEX`."""

    def __init__(self, functions: Any) -> None:
        self._functions = functions
        self._nodes: list[Any] = []  # their inputs are named as in the given program until all are known
        self._casts: list[Any] = []  # their inputs are what they shall be
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

    def finished(self) -> list[Any]:
        """All nodes."""
        for node in self._nodes:
            node.input[:] = [self.resolved(name) for name in node.input]
        return [*self._nodes, *self._casts]

    def add(self, given: Any) -> None:
        """Take a node of the given program."""
        from tensorflow.core.framework import node_def_pb2

        node = node_def_pb2.NodeDef()
        node.CopyFrom(given)
        node.input[:] = [self.spelled(name) for name in given.input if not name.startswith("^")]
        self._nodes.append(node)
        if not _has_half(node):
            return
        if node.op == "Cast":
            self._cast(node)
        elif node.op == "Bitcast":
            self._bitcast(node)
        else:
            self._compute(node)

    def _cast(self, node: Any) -> None:
        source, target = node.attr["SrcT"].type, node.attr["DstT"].type
        own = self.name(node.name, "y", 0, 0)
        if {source, target} <= {_FLOAT, *_HALVES}:
            self._nodes.remove(node)
            self._stands_for[own] = node.input[0]
            if target not in (_FLOAT, source):
                half = self._made(f"{node.name}/half", node.input[0], _FLOAT, target, self._nodes)
                self._stands_for[own] = self._made(f"{node.name}/single", half, target, _FLOAT, self._casts)
            return
        _hold_as_single(node)
        if target in _HALVES:
            self._round(node.name, own, 0, target)

    def _bitcast(self, node: Any) -> None:
        """The bits are those of the half, before or after it."""
        source, target = node.attr["T"].type, node.attr["type"].type
        if source in _HALVES:
            node.input[0] = self._made(f"{node.name}/half", node.input[0], _FLOAT, source, self._nodes)
        if target in _HALVES:
            own = self.name(node.name, "output", 0, 0)
            self._stands_for[own] = self._made(f"{node.name}/single", own, target, _FLOAT, self._casts)

    def _compute(self, node: Any) -> None:
        if node.op in half_kernels.KERNELS and node.attr["T"].type in _HALVES:
            self._call(node)
        outputs = [] if node.op in _EXACT else list(_outputs(node))
        _hold_as_single(node)
        for place, (argument, index, kind) in enumerate(outputs):
            if kind in _HALVES:
                self._round(node.name, self.name(node.name, argument, index, place), place, kind)

    def _call(self, node: Any) -> None:
        """Turn the node into a call of a function that has the steps of its kernel."""
        half = node.attr["T"].type
        ((argument, index, _),) = _outputs(node)
        function = half_kernels.function(node.op, half, len(node.input))
        self._functions.append(function)
        own, new = self.name(node.name, argument, index, 0), self.name(node.name, "output", 0, 0)
        if own != new:
            self._stands_for[own] = new
        node.op = "PartitionedCall"
        node.attr.clear()
        node.attr["Tin"].list.type.extend([half] * len(node.input))
        node.attr["Tout"].list.type.append(half)
        node.attr["f"].func.name = function.signature.name

    def _round(self, node: str, own: str, place: int, half: int) -> None:
        name = f"{node}/rounded_{place}"
        made = self._made(f"{name}/half", own, _FLOAT, half, self._casts)
        self._stands_for[own] = self._made(name, made, half, _FLOAT, self._casts)

    def _made(self, name: str, tensor: str, source: int, target: int, among: list[Any]) -> str:
        """The tensor that a cast makes of another."""
        among.append(_node(name, "Cast", [tensor], SrcT=source, DstT=target))
        return self.name(name, "y", 0, 0)


class _Main(_Body):
    """The graph itself, whose tensors are named `NODE:PLACE`; it has the weights, the inputs and the outputs."""

    def __init__(self, program: Handover, functions: Any) -> None:
        super().__init__(functions)
        self.captures = {name: _widened(value) for name, value in program.captures.items()}
        self._inputs = {name.partition(":")[0] for name in program.inputs}
        self._given = {node.name: node for node in program.graph_def.node}
        self._weights: dict[tuple[str, int], str] = {}
        for node in program.graph_def.node:
            self.add(node)

    def name(self, node: str, argument: str, index: int, place: int) -> str:
        return f"{node}:{place}"

    def spelled(self, tensor: str) -> str:
        return tensor if ":" in tensor else f"{tensor}:0"

    def output(self, tensor: str, spec: TensorSpec) -> str:
        """The tensor that is an output of the model in place of a given one."""
        found = self.resolved(tensor)
        if spec.dtype != "float16":
            return found
        return self._made(f"{found.replace(':', '/')}/output_{len(self._casts)}", found, _FLOAT, _HALF, self._casts)

    def _compute(self, node: Any) -> None:
        kind = node.attr["dtype"].type
        if node.name not in self._inputs:
            super()._compute(node)
        elif kind == _HALF:
            own = self.name(node.name, "output", 0, 0)
            self._stands_for[own] = self._made(f"{node.name}/single", own, _HALF, _FLOAT, self._casts)
        else:
            _hold_as_single(node)
            self._round(node.name, self.name(node.name, "output", 0, 0), 0, kind)

    def _cast(self, node: Any) -> None:
        """A weight is rounded here and now."""
        half = node.attr["DstT"].type
        weight = self._weight(node.input[0]) if half in _HALVES else None
        if weight is None:
            super()._cast(node)
            return
        known = self._weights.get((weight, half))
        if known is not None:
            self._nodes.remove(node)
            self._stands_for[self.name(node.name, "y", 0, 0)] = known
            return
        node.CopyFrom(_node(node.name, "Placeholder", [], dtype=_FLOAT))
        self.captures[node.name] = _rounded(self.captures[weight], half)
        self._weights[weight, half] = self.name(node.name, "output", 0, 0)

    def _weight(self, tensor: str) -> str | None:
        """The name of the placeholder of the captured float32 array that the tensor is."""
        node = self._given[tensor.partition(":")[0]]
        while node.op in ("ReadVariableOp", "Identity"):
            node = self._given[node.input[0].partition(":")[0]]
        value = self.captures.get(node.name)
        return node.name if isinstance(value, np.ndarray) and value.dtype == np.float32 else None


def _node(name: str, kind: str, inputs: Sequence[str], **types: int) -> Any:
    from tensorflow.core.framework import node_def_pb2

    node = node_def_pb2.NodeDef(name=name, op=kind, input=inputs)
    for key, value in types.items():
        node.attr[key].type = value
    return node


def _outputs(node: Any) -> Iterator[tuple[str, int, int]]:
    """Of each output of a node: its argument, its place among those of the argument, and its type."""
    from tensorflow.python.framework import op_def_registry

    for arg in op_def_registry.get(node.op).output_arg:
        if arg.type_list_attr:
            kinds = list(node.attr[arg.type_list_attr].list.type)
        else:
            kind = arg.type or node.attr[arg.type_attr].type
            kinds = [kind] * (node.attr[arg.number_attr].i if arg.number_attr else 1)
        for index, kind in enumerate(kinds):
            yield arg.name, index, kind


def _hold_as_single(node: Any) -> None:
    """Make every half of the node's attributes a float32."""
    from tensorflow.python.framework import tensor_util

    if node.op == "LeakyRelu":
        node.attr["alpha"].f = float(_rounded(np.float32(node.attr["alpha"].f), node.attr["T"].type))
    for attr in node.attr.values():
        if attr.HasField("type"):
            attr.type = _single(attr.type)
        elif attr.HasField("list") and attr.list.type:
            attr.list.type[:] = [_single(kind) for kind in attr.list.type]
        elif attr.HasField("tensor") and attr.tensor.dtype in _HALVES:
            value = tensor_util.MakeNdarray(attr.tensor).astype(np.float32)
            attr.tensor.CopyFrom(tensor_util.make_tensor_proto(value))


def _widened(value: Any) -> Any:
    """A captured value; an array of halves as float32."""
    is_half = isinstance(value, np.ndarray) and value.dtype.name in ("float16", "bfloat16")
    return value.astype(np.float32) if is_half else value


def _rounded(value: Any, half: int) -> Any:
    import tensorflow as tf

    with np.errstate(over="ignore"):  # beyond the type's range it is infinite
        return value.astype(tf.as_dtype(half).as_numpy_dtype).astype(np.float32)
