"""The scales of quantised operands, from which kernels derive multipliers: one out of range ends the process."""

from __future__ import annotations

from collections.abc import Sequence

from kexport.runtimes.soundness.flaw import FlawError
from kexport.runtimes.soundness.tflite_schema import INT8, INT16, UINT8, OperatorRow, TensorRow

_QUANTIZED = (INT8, UINT8, INT16)
_COMPARING = frozenset({"EQUAL", "NOT_EQUAL", "LESS", "LESS_EQUAL", "GREATER", "GREATER_EQUAL"})
#: Operators that bring their inputs to a common scale: bits that are added first, by type, and power of the inputs.
_ADDING = {
    "ADD": ({INT8: 20, UINT8: 20, INT16: 15}, 1),
    "SUB": ({INT8: 20, UINT8: 20, INT16: 15}, 1),
    "SQUARED_DIFFERENCE": ({INT8: 7, UINT8: 7, INT16: 0}, 2),
}
_SOFTMAX_BITS = 26
#: Operators that compute with the scales of their operands.
_OTHERS = """
MUL DIV SOFTMAX LOG_SOFTMAX LOGISTIC TANH QUANTIZE DEQUANTIZE MEAN SUM REDUCE_PROD PRELU LEAKY_RELU HARD_SWISH ELU EXP
LOG RSQRT ABS GELU L2_NORMALIZATION BATCH_MATMUL SVDF RNN LSTM UNIDIRECTIONAL_SEQUENCE_RNN UNIDIRECTIONAL_SEQUENCE_LSTM
BIDIRECTIONAL_SEQUENCE_RNN BIDIRECTIONAL_SEQUENCE_LSTM
"""
#: Of weights: a scale may be 0 where a channel is.
_BY_CHANNEL = frozenset({"DEQUANTIZE", "PRELU", "BATCH_MATMUL"})
_SCALED = _COMPARING | {*_ADDING, *_OTHERS.split()}


def check_scales(place: str, operator: OperatorRow, tensors: Sequence[TensorRow], *, reference: bool) -> None:
    """Raise `FlawError` where a kernel cannot compute with the scales of an operator."""
    if operator.name not in _SCALED:
        return
    operands = [tensors[index] for index in (*operator.inputs, *operator.outputs) if index >= 0]
    by_channel = operator.name in _BY_CHANNEL
    operands += [tensors[index] for index in operator.intermediates if tensors[index].quantization]
    one_each = all(tensor.quantization is None or tensor.quantization.scales == 1 for tensor in operands)
    if not one_each and not by_channel:
        raise FlawError(f"the quantization of {place}", "several scales of an operand", "one scale")
    scales = [_scale(place, tensor, by_channel) for tensor in operands if tensor.type in _QUANTIZED]
    # Whole numbers of 16 bits may be just that.
    mixed = None in scales and any(scales)
    _require(not mixed, place, "one operand, and none of another", "a scale for each, or for none")
    if len(scales) < len(operands) - (operator.name in _COMPARING) or None in scales:
        return
    known = [scale for scale in scales if scale is not None]
    inputs = known[: len(operator.inputs)]
    if operator.name in _COMPARING:
        _require(max(inputs) < 1, place, max(inputs), "scales below 1")
    elif operator.name in _ADDING:
        bits, power = _ADDING[operator.name]
        kind = operands[-1].type
        ratio = (2 * max(inputs)) ** power / known[-1] / 2.0 ** (power * bits[kind])
        _require(ratio < 1, place, f"{max(inputs)} and {known[-1]}", "scales of one magnitude")
        by_shifts = kind == INT16 and operator.options.get("pot_scale_int16")
        if by_shifts and operands[0].shape != operands[1].shape:
            shapes = f"shapes {operands[0].shape} and {operands[1].shape}"
            raise FlawError(f"the inputs of {place}", shapes, "one shape, where scales are powers of two")
    elif reference and operator.name in ("SOFTMAX", "LOG_SOFTMAX") and operands[0].type != INT16:
        beta = operator.options.get("beta", 1.0)
        factor = inputs[0] * (beta if isinstance(beta, int | float) else 1.0) * 2.0**_SOFTMAX_BITS
        _require(factor > 1, place, inputs[0], "a scale that is not so small")


def _scale(place: str, tensor: TensorRow, by_channel: bool) -> float | None:
    """The scale of a quantised tensor; None for whole numbers of 16 bits that are not quantised."""
    if tensor.quantization is None and tensor.type == INT16:
        return None
    scale = tensor.quantization.scale if tensor.quantization else 0.0
    _require(scale > 0 or (by_channel and tensor.constant), place, scale, "above 0")
    return scale


def _require(condition: object, place: str, got: object, expected: str) -> None:
    if not condition:
        raise FlawError(f"the quantization of {place}", f"a scale of {got}", expected)
