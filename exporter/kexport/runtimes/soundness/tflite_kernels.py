"""What single operators demand of their operands and options, as far as their kernels do not check it themselves."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kexport.runtimes.soundness.flaw import FlawError
from kexport.runtimes.soundness.tflite_scales import check_scales
from kexport.runtimes.soundness.tflite_schema import OperatorRow, SubgraphRows, TensorRow, constant_integers
from kexport.runtimes.soundness.tflite_shapes import check_shapes

#: The fields of options that divide, or count elements.
_POSITIVE = ("stride_w", "stride_h", "stride_d", "dilation_w", "dilation_h", "dilation_d", "filter_width")
#: The least that options may be.
_LEAST_OPTIONS = {
    **dict.fromkeys((*_POSITIVE, "filter_height", "block_size", "rank", "ngram_size"), 1),
    **dict.fromkeys(("radius", "max_skip_size"), 0),
}
_LARGEST_SIZE = 1 << 20
_ANY = frozenset({"seed", "seed2", "table_id"})  # no kernel counts to these
#: Inputs of which the first value is read, whatever their size is.
_SCALARS = {
    "SPLIT": (0,),
    "SPLIT_V": (2,),
    "EXPAND_DIMS": (1,),
    "ARG_MAX": (1,),
    "ARG_MIN": (1,),
    "CUMSUM": (1,),
    "TOPK_V2": (1,),
    "ONE_HOT": (1, 2, 3),
    "RANGE": (0, 1, 2),
    "MULTINOMIAL": (1,),
    "PADV2": (2,),
    "FILL": (1,),
    "NON_MAX_SUPPRESSION_V4": (2, 3, 4),
    "NON_MAX_SUPPRESSION_V5": (2, 3, 4, 5),
}
#: Inputs that hold sizes, with the least that a constant one may have.
_LEAST = {
    "BATCH_TO_SPACE_ND": {1: 1, 2: 0},
    "BROADCAST_ARGS": {0: 0, 1: 0},
    "BROADCAST_TO": {1: 0},
    "CONV_3D_TRANSPOSE": {0: 0},
    "DILATE": {1: 1},
    "FILL": {0: 0},
    "MIRROR_PAD": {1: 0},
    "PAD": {1: 0},
    "PADV2": {1: 0},
    "REDUCE_WINDOW": {2: 1, 3: 1, 4: 1},
    "RANDOM_STANDARD_NORMAL": {0: 0},
    "RANDOM_UNIFORM": {0: 0},
    "RESIZE_BILINEAR": {1: 1},
    "RESIZE_NEAREST_NEIGHBOR": {1: 1},
    "RFFT2D": {1: 1},
    "SCATTER_ND": {2: 0},
    "SPACE_TO_BATCH_ND": {1: 1, 2: 0},
    "TILE": {1: 0},
    "TRANSPOSE_CONV": {0: 0},
}
_UNCHECKED = """
STABLEHLO_BROADCAST_IN_DIM STABLEHLO_CASE STABLEHLO_CONCATENATE STABLEHLO_CONVOLUTION STABLEHLO_CUSTOM_CALL
STABLEHLO_DOT_GENERAL STABLEHLO_DYNAMIC_SLICE STABLEHLO_DYNAMIC_UPDATE_SLICE STABLEHLO_GATHER STABLEHLO_IOTA
STABLEHLO_PAD STABLEHLO_REDUCE STABLEHLO_REDUCE_WINDOW STABLEHLO_SCATTER STABLEHLO_SLICE STABLEHLO_SORT
STABLEHLO_TRANSPOSE STABLEHLO_WHILE
"""
_LSTM_INPUTS = 20
_GATES, _INPUT_GATE = (2, 3, 4, 6, 7, 8, 13, 14, 15, 18, 19), (1, 5, 12)
_ENUMERATIONS = {"padding": 2, "fused_activation_function": 6, "weights_format": 2, "mode": 2, "kernel_type": 2}


@dataclass(frozen=True)
class Node:
    """An operator with its operands.

    Attributes:
        place: what messages call it.
        row: the operator.
        tensors: those of its subgraph.
        content: the file.
    """

    place: str
    row: OperatorRow
    tensors: Sequence[TensorRow]
    content: memoryview

    def input(self, index: int) -> TensorRow | None:
        """An input; None where it is left out."""
        tensor = self.row.inputs[index] if index < len(self.row.inputs) else -1
        return self.tensors[tensor] if tensor >= 0 else None

    def values(self, index: int) -> tuple[int, ...] | None:
        """The numbers of a constant input of integers; None where they are known only at the call."""
        tensor = self.input(index)
        return None if tensor is None else constant_integers(tensor, self.content)

    def require(self, condition: object, part: str, got: object, expected: str) -> None:
        """Raise `FlawError` unless the condition holds."""
        if not condition:
            raise FlawError(f"{part} of {self.place}", got, expected)


def check_kernels(subgraphs: Sequence[SubgraphRows], content: memoryview, *, reference: bool) -> None:
    """Raise `FlawError` where an operator would make its kernel crash."""
    for subgraph in subgraphs:
        for number, operator in enumerate(subgraph.operators):
            place = f"operator {number} of {subgraph.place} ({operator.name})"
            node = Node(place, operator, subgraph.tensors, content)
            if operator.options:
                _check_options(node)
            _check_small(node)
            values = [node.values(index) for index in range(len(operator.inputs))]
            check_shapes(place, operator, subgraph.tensors, values)
            check_scales(place, operator, subgraph.tensors, reference=reference)
            check = _CHECKS.get(operator.name)
            if check is not None:
                check(node)


def _check_options(node: Node) -> None:
    for field, value in node.row.options.items():
        if not isinstance(value, int):
            continue
        if field in _LEAST_OPTIONS:
            least = _LEAST_OPTIONS[field]
            node.require(least <= value <= _LARGEST_SIZE, f"the {field}", value, f"at least {least}")
        elif field not in _ANY:
            node.require(abs(value) <= _LARGEST_SIZE, f"the {field}", value, f"at most {_LARGEST_SIZE}")
        if field in _ENUMERATIONS:
            node.require(0 <= value < _ENUMERATIONS[field], f"the {field}", value, f"below {_ENUMERATIONS[field]}")


def _check_small(node: Node) -> None:
    """Single values, and sizes that are constant."""
    for index, least in _LEAST.get(node.row.name, {}).items():
        values = node.values(index) or ()
        node.require(min(values, default=least) >= least, f"input {index}", values, f"sizes from {least}")
    for index in _SCALARS.get(node.row.name, ()):
        tensor = node.input(index)
        if tensor is not None:
            node.require(math.prod(tensor.shape) == 1, f"input {index}", f"shape {tensor.shape}", "one value")


def _check_split(node: Node) -> None:
    for field in ("num_splits", "num"):
        count = node.row.options.get(field, len(node.row.outputs))
        node.require(count == len(node.row.outputs), f"the {field}", count, f"{len(node.row.outputs)}, its outputs")


def _check_pack(node: Node) -> None:
    count = node.row.options.get("values_count", len(node.row.inputs))
    node.require(count == len(node.row.inputs), "the values_count", count, f"{len(node.row.inputs)}, its inputs")


def _check_strided_slice(node: Node) -> None:
    """LiteRT's kernel crashes on an end that counts from the begin, whatever it is, and reads as many of each list."""
    counts = [math.prod(tensor.shape) for tensor in (node.input(1), node.input(2), node.input(3)) if tensor is not None]
    node.require(len(set(counts)) == 1, "begin, end and strides", f"{counts} values", "as many of each")
    node.require(not node.row.options.get("offset"), "the end", "an offset from the begin", "a position")


def _check_reshape(node: Node) -> None:
    """The sizes are copied into memory for as many as the output has."""
    shape, result = node.input(1), node.tensors[node.row.outputs[0]]
    if shape is None or shape.constant is None or shape.shape[:1] == (0,):
        return
    count = math.prod(shape.shape)
    node.require(count == len(result.shape), "the new shape", f"{count} sizes", f"{len(result.shape)}, as its output")


def _check_weights(node: Node) -> None:
    """The number of rows is divided by a size of the weights."""
    weights = node.input(1)
    if weights is not None:
        node.require(0 not in weights.shape, "the weights", f"shape {weights.shape}", "no size 0")
    if node.row.options.get("weights_format"):  # a kernel of its own, which adds a bias whether it is there or not
        node.require(node.input(2) is not None, "the bias", "none", "one, where weights are shuffled")
        data, space = node.input(0), node.tensors[node.row.outputs[-1]]
        fits = data is not None and space.shape == data.shape
        node.require(fits, "the workspace", f"shape {space.shape}", "that of the input, where weights are shuffled")


def _check_axes(node: Node) -> None:
    """The first axis is read without a look at how many there are, and all of them into memory for eight."""
    data, axes = node.input(0), node.input(1)
    if data is not None and axes is not None:
        count = math.prod(axes.shape)
        node.require(1 <= count <= len(data.shape), "the axes", f"{count} of them", f"from 1 to {len(data.shape)}")


def _check_image(node: Node) -> None:
    """Positions and counts are divided by the sizes of the input, and the result has as many axes."""
    image, result = node.input(0), node.tensors[node.row.outputs[0]]
    if image is not None:
        node.require(0 not in image.shape, "the input", f"shape {image.shape}", "no size 0")
        axes = len(image.shape)
        node.require(len(result.shape) == axes, "the result", f"shape {result.shape}", f"{axes} axes, as its input")


def _check_names(node: Node) -> None:
    """Both names of a variable are read, whether they are there or not."""
    for field in ("container", "shared_name"):
        node.require(node.row.options.get(field) is not None, f"the {field}", "none", "a text, which may be empty")


def _check_sequence_lengths(node: Node) -> None:
    """A length is read for each sample."""
    data, lengths, axis = node.input(0), node.input(1), node.row.options.get("batch_dim")
    if data is not None and lengths is not None and isinstance(axis, int):
        fits = 0 <= axis < len(data.shape) and lengths.shape == (data.shape[axis],)
        node.require(fits, "the lengths", f"shape {lengths.shape}", f"one for each element of axis {axis}")
        along, values = node.row.options.get("seq_dim"), node.values(1)
        if values and isinstance(along, int) and 0 <= along < len(data.shape):
            most = data.shape[along]
            node.require(min(values) >= 0 and max(values) <= most, "the lengths", values, f"from 0 to {most}")


def _check_product(node: Node) -> None:
    """The last two axes are read whatever the rank is."""
    for index in (0, 1):
        matrix = node.input(index)
        if matrix is not None:
            node.require(len(matrix.shape) > 1, f"input {index}", f"shape {matrix.shape}", "a matrix")


def _check_diagonal(node: Node) -> None:
    """As many elements are read from the diagonal as the matrices have rows."""
    matrices, diagonal = node.input(0), node.input(1)
    if matrices is not None and diagonal is not None:
        shape = matrices.shape
        fits = len(shape) > 1 and diagonal.shape == (*shape[:-2], min(shape[-2:]))
        node.require(fits, "the diagonal", f"shape {diagonal.shape}", f"that of matrices of shape {shape}")


def _check_gates(node: Node) -> None:
    """Weights and a bias are read for each gate; the input gate alone may be left out, with all that belongs to it."""
    if len(node.row.inputs) < _LSTM_INPUTS:
        return
    steps = node.input(0)
    node.require(steps is not None and len(steps.shape) in (2, 3), "input 0", steps and steps.shape, "2 or 3 axes")
    for index in _GATES:
        node.require(node.input(index) is not None, f"input {index}", "it is left out", "a tensor")
    there = {node.input(index) is not None for index in _INPUT_GATE}
    node.require(len(there) == 1, "the input gate", "a part of its weights and bias", "all of them, or none")


def _check_rows(node: Node) -> None:
    """The rows that keys find are read whether there is anything in them or not."""
    rows = node.input(2)
    node.require(rows is None or 0 not in rows.shape, "the rows", rows and f"shape {rows.shape}", "rows with elements")


def _refuse(node: Node) -> None:
    """Its options hold lists of axes and sizes that its kernel follows, and nothing here knows how they must fit."""
    node.require(False, "the kind", node.row.name, "an operator that can be checked")


_CHECKS: dict[str, Callable[[Node], None]] = {
    "SPLIT": _check_split,
    "SPLIT_V": _check_split,
    "UNPACK": _check_split,
    "PACK": _check_pack,
    "RESHAPE": _check_reshape,
    "REVERSE_SEQUENCE": _check_sequence_lengths,
    "REVERSE_V2": _check_axes,
    "STRIDED_SLICE": _check_strided_slice,
    "AVERAGE_POOL_2D": _check_image,
    "L2_POOL_2D": _check_image,
    "MAX_POOL_2D": _check_image,
    "REDUCE_WINDOW": _check_image,
    "RESIZE_BILINEAR": _check_image,
    "RESIZE_NEAREST_NEIGHBOR": _check_image,
    "SOFTMAX": _check_image,
    "LOG_SOFTMAX": _check_image,
    "VAR_HANDLE": _check_names,
    "HASHTABLE_LOOKUP": _check_rows,
    "BATCH_MATMUL": _check_product,
    "MATRIX_SET_DIAG": _check_diagonal,
    "FULLY_CONNECTED": _check_weights,
    "CONV_2D": _check_weights,
    "DEPTHWISE_CONV_2D": _check_weights,
    "CONV_3D": _check_weights,
    "TRANSPOSE_CONV": _check_weights,
    "LSTM": _check_gates,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": _check_gates,
    **dict.fromkeys(_UNCHECKED.split(), _refuse),
}
