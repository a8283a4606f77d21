"""Half-precision nodes (float16 or bfloat16): which are exact, what they output, and their float32 equivalents."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from kexport.bundle.signature import Array
from kexport.factory.graph.protocols import NodeDef

FLOAT, HALF, BFLOAT16 = 1, 19, 14  # TensorFlow's DataType
HALVES = (HALF, BFLOAT16)

#: Operations whose results are among their arguments, or need no more digits than these; and calls, whose bodies round.
EXACT = frozenset(
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


def has_half(node: NodeDef) -> bool:
    """Whether a type of half precision is among the node's attributes."""
    return any(
        attr.type in HALVES or (attr.HasField("list") and any(kind in HALVES for kind in attr.list.type))
        for attr in node.attr.values()
    )


def single(kind: int) -> int:
    """The type in which tensors of a type are held."""
    return FLOAT if kind in HALVES else kind


def new_node(name: str, kind: str, inputs: Sequence[str], **types: int) -> NodeDef:
    """A node with these inputs and types."""
    from tensorflow.core.framework import node_def_pb2

    node = node_def_pb2.NodeDef(name=name, op=kind, input=inputs)
    for key, value in types.items():
        node.attr[key].type = value
    return node


def outputs(node: NodeDef) -> Iterator[tuple[str, int, int]]:
    """For each output of a node: its argument, its index within that argument, and its type."""
    from tensorflow.python.framework import op_def_registry

    for arg in op_def_registry.get(node.op).output_arg:
        if arg.type_list_attr:
            kinds = list(node.attr[arg.type_list_attr].list.type)
        else:
            kind = arg.type or node.attr[arg.type_attr].type
            kinds = [kind] * (node.attr[arg.number_attr].i if arg.number_attr else 1)
        for index, kind in enumerate(kinds):
            yield arg.name, index, kind


def hold_as_single(node: NodeDef) -> None:
    """Turn half precision into float32 in all of the node's attributes."""
    from tensorflow.python.framework import tensor_util

    if node.op == "LeakyRelu":
        node.attr["alpha"].f = float(rounded(np.float32(node.attr["alpha"].f), node.attr["T"].type))
    for attr in node.attr.values():
        if attr.HasField("type"):
            attr.type = single(attr.type)
        elif attr.HasField("list") and attr.list.type:
            attr.list.type[:] = [single(kind) for kind in attr.list.type]
        elif attr.HasField("tensor") and attr.tensor.dtype in HALVES:
            value = tensor_util.MakeNdarray(attr.tensor).astype(np.float32)
            attr.tensor.CopyFrom(tensor_util.make_tensor_proto(value))


def rounded(value: Array, half: int) -> Array:
    """A float32 array, rounded to a half-precision type."""
    import tensorflow as tf

    with np.errstate(over="ignore"):  # beyond the type's range it is infinite
        return value.astype(tf.as_dtype(half).as_numpy_dtype).astype(np.float32)
