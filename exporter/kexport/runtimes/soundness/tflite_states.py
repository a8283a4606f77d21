"""Which variables an operator may set: the states of an LSTM, whose kernel looks at their sizes.

A variable has memory of its own for as long as the interpreter lives. The interpreter frees that of a result of which
it learns the size during the call, and of a variable then twice. So only what is laid out before the call may be set:
what follows from the inputs of the file by operators whose sizes are those of their operands, or constants.
Seen with ai-edge-litert 2.3.0: a state that a selection among results of a loop sets ends the process.
"""

from __future__ import annotations

from kexport.runtimes.soundness.tflite_schema import OperatorRow, SubgraphRows

#: What may set a variable.
SETTING = "SELECT_V2"
_STATES = frozenset(("UNIDIRECTIONAL_SEQUENCE_LSTM", place) for place in (18, 19))
_EVERY = """
ABS ADD ADD_N AVERAGE_POOL_2D BATCH_MATMUL CAST CEIL CONCATENATION COS DEQUANTIZE DIV ELU EQUAL EXP FLOOR FLOOR_DIV
FLOOR_MOD GATHER GELU GREATER GREATER_EQUAL HARD_SWISH L2_NORMALIZATION LEAKY_RELU LESS LESS_EQUAL LOG LOGICAL_AND
LOGICAL_NOT LOGICAL_OR LOGISTIC LOG_SOFTMAX MAXIMUM MAX_POOL_2D MINIMUM MUL NEG NOT_EQUAL PACK POW PRELU QUANTIZE RELU
RELU6 RELU_N1_TO_1 ROUND RSQRT SELECT_V2 SIN SOFTMAX SQRT SQUARE SQUARED_DIFFERENCE SUB TANH
UNIDIRECTIONAL_SEQUENCE_LSTM UNPACK
"""
_FIRST = """
BATCH_TO_SPACE_ND CONV_2D DEPTHWISE_CONV_2D EXPAND_DIMS FULLY_CONNECTED MEAN MIRROR_PAD PAD PADV2 REDUCE_MAX REDUCE_MIN
REDUCE_PROD RESHAPE RESIZE_BILINEAR RESIZE_NEAREST_NEIGHBOR REVERSE_V2 SLICE SPACE_TO_BATCH_ND SPLIT_V SQUEEZE
STRIDED_SLICE SUM TRANSPOSE
"""
#: Of which operands the sizes alone decide those of the result; all others must be constants.
_SIZED = {**dict.fromkeys(_EVERY.split(), 1 << 30), **dict.fromkeys(_FIRST.split(), 1)}


def settable_states(subgraph: SubgraphRows) -> set[int]:
    """The variables that nothing but an LSTM reads, as its states."""
    tensors = subgraph.tensors
    states = {index for index, tensor in enumerate(tensors) if tensor.variable and not tensor.constant}
    for operator in subgraph.operators:
        states -= {index for place, index in enumerate(operator.inputs) if (operator.name, place) not in _STATES}
    return states


def is_laid_out(operator: OperatorRow, subgraph: SubgraphRows, known: set[int]) -> bool:
    """Whether the sizes of an operator's results are known before the call.

    Args:
        operator: one of the subgraph.
        subgraph: that.
        known: the tensors before it of which this holds.
    """
    count = _SIZED.get(operator.name, -1)
    for place, tensor in enumerate(operator.inputs):
        constant = tensor < 0 or bool(subgraph.tensors[tensor].constant)
        if not constant and not (place < count and (tensor in known or subgraph.tensors[tensor].variable)):
            return False
    return count > 0
