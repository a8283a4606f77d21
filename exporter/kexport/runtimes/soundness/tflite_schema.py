"""The tables of TFLite's schema, apart from the options of operators, and what their rows hold."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import NamedTuple

from kexport.runtimes.soundness.flatbuffer import Layout, Value

MODEL = Layout(
    "Model",
    "version:I operator_codes:[t] subgraphs:[t] description:s buffers:[t] metadata_buffer:[i] metadata:[t]"
    " signature_defs:[t] external_buffer_groups:[t] external_buffers:[t]",
)
OPERATOR_CODE = Layout("OperatorCode", "deprecated_builtin_code:b custom_code:s version:i=1 builtin_code:i")
SUBGRAPH = Layout("SubGraph", "tensors:[t] inputs:[i] outputs:[i] operators:[t] name:s debug_metadata_index:i")
TENSOR = Layout(
    "Tensor",
    "shape:[i] type:b buffer:I name:s quantization:t is_variable:? sparsity:t shape_signature:[i] has_rank:?"
    " variant_tensors:[t] external_buffer:I",
)
OPERATOR = Layout(
    "Operator",
    "opcode_index:I inputs:[i] outputs:[i] builtin_options_type:B builtin_options:t custom_options:[B]"
    " custom_options_format:b mutating_variable_inputs:[?] intermediates:[i] large_custom_options_offset:Q"
    " large_custom_options_size:Q builtin_options_2_type:B builtin_options_2:t debug_metadata_index:i",
)
BUFFER = Layout("Buffer", "data:[B] offset:Q size:Q")
QUANTIZATION = Layout(
    "QuantizationParameters",
    "min:[f] max:[f] scale:[f] zero_point:[q] details_type:B details:t quantized_dimension:i",
)
DETAILS = {
    1: Layout("CustomQuantization", "custom:[B]"),
    2: Layout("BlockwiseQuantization", "scales:i zero_points:i block_size:i block_shape:[i]"),
    3: Layout("MultiAxisQuantization", "scales:i zero_points:i block_size:i quantized_dimensions:[i]"),
}
SPARSITY = Layout("SparsityParameters", "traversal_order:[i] block_map:[i] dim_metadata:[t]")
DIMENSION = Layout(
    "DimensionMetadata",
    "format:b dense_size:i array_segments_type:B array_segments:t array_indices_type:B array_indices:t",
)
INDICES = {
    1: Layout("Int32Vector", "values:[i]"),
    2: Layout("Uint16Vector", "values:[H]"),
    3: Layout("Uint8Vector", "values:[B]"),
}
VARIANT = Layout("VariantSubType", "shape:[i] type:b has_rank:?")
METADATA = Layout("Metadata", "name:s buffer:I")
TENSOR_MAP = Layout("TensorMap", "name:s tensor_index:I")
SIGNATURE = Layout("SignatureDef", "inputs:[t] outputs:[t] signature_key:s unused:_ subgraph_index:I")
EXTERNAL_GROUP = Layout("ExternalBufferGroup", "name:s")
EXTERNAL_BUFFER = Layout("ExternalBuffer", "id:I group:I offset:Q length:Q packing:s")

#: Bits of an element, by type of tensor; 0 for a type whose elements have no fixed size.
BITS = (32, 16, 32, 8, 64, 0, 8, 16, 64, 8, 64, 128, 64, 0, 0, 32, 16, 4, 16, 2, 4, 8, 8)
FLOAT32, INT32, UINT8, INT64, STRING, BOOL, INT16, INT8 = 0, 2, 3, 4, 5, 6, 7, 9
RESOURCE, VARIANT_TYPE = 13, 14
TYPE_NAMES = (
    "float32",
    "float16",
    "int32",
    "uint8",
    "int64",
    "string",
    "bool",
    "int16",
    "complex64",
    "int8",
    "float64",
    "complex128",
    "uint64",
    "resource",
    "variant",
    "uint32",
    "uint16",
    "int4",
    "bfloat16",
    "int2",
    "uint4",
    "float8_e4m3fn",
    "float8_e5m2",
)


class Quantization(NamedTuple):
    """How many scales and zero points a tensor has, along which axis, and the first of its scales."""

    scales: int
    zero_points: int
    axis: int
    scale: float


class TensorRow(NamedTuple):
    """A tensor of a subgraph; a named tuple, since files hold thousands.

    Attributes:
        shape: its sizes; those that are dynamic are 1 or -1.
        type: the number of its type.
        buffer: the number of its buffer.
        constant: the span of the data of its buffer; None where it has none.
        variable: whether it keeps its value from call to call.
        sparse: whether its data is stored without zeros.
        quantization: None where it has no scale.
    """

    shape: tuple[int, ...]
    type: int
    buffer: int
    constant: tuple[int, int] | None
    variable: bool
    sparse: bool
    quantization: Quantization | None


class OperatorRow(NamedTuple):
    """An operator of a subgraph.

    Attributes:
        code: the number of the built-in operator.
        name: its name.
        inputs: tensors of the subgraph, -1 for one that is left out.
        outputs: tensors of the subgraph.
        options: the fields of its options.
        intermediates: tensors of the subgraph that only state how it quantises what it computes on the way.
    """

    code: int
    name: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: dict[str, Value]
    intermediates: tuple[int, ...] = ()


@dataclass(frozen=True)
class SubgraphRows:
    """A subgraph.

    Attributes:
        place: what messages call it.
        tensors: its tensors.
        inputs: the tensors that a caller gives.
        outputs: the tensors that a caller gets.
        operators: in the order in which they run.
    """

    place: str
    tensors: tuple[TensorRow, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    operators: tuple[OperatorRow, ...]


def constant_integers(tensor: TensorRow, content: memoryview) -> tuple[int, ...] | None:
    """The first 64 numbers of a constant of integers; None for a tensor of another type, or without a value."""
    if tensor.constant is None or tensor.type not in (INT32, INT64):
        return None
    start, size = tensor.constant
    letter, width = ("i", 4) if tensor.type == INT32 else ("q", 8)
    return struct.unpack_from(f"<{min(size // width, 64)}{letter}", content, start)
