"""What is done to TensorFlow's converter before it runs, and to what it wrote: one for each way to quantise."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

from kexport.bundle.signature import Array, Signature
from kexport.factory.emit.handover import Handover
from kexport.factory.formats._kept_layers import require_layers
from kexport.factory.formats._tflite_precisions import QuantisingConverter, set_precision
from kexport.runtimes.files import tflite
from kexport.runtimes.files.protocols import TfliteModel

Inputs = Callable[[Signature], Iterator[list[Array]]]


class CalibratingConverter(QuantisingConverter, Protocol):
    """The part of TensorFlow's converter that measures ranges without quantising."""

    _experimental_calibrate_only: bool


class Wide:
    """Float32: the converter as it is."""

    def prepare(self, converter: Any, signature: Signature) -> None:
        """Set the converter up for a model of this signature."""

    def finish(self, content: bytes, program: Handover) -> bytes:
        """The file, of what the converter wrote."""
        del program
        return content


class Small(Wide):
    """A small precision.

    Args:
        precision: its name.
        inputs: the calibration inputs, for a signature.
        integer_io: whether the model takes and returns integers.
    """

    def __init__(self, precision: str, inputs: Inputs, *, integer_io: bool) -> None:
        self._precision, self._inputs, self._integer_io = precision, inputs, integer_io

    def prepare(self, converter: Any, signature: Signature) -> None:
        """Have the converter write the precision, with ranges that the inputs show."""
        set_precision(converter, self._precision, lambda: self._inputs(signature), integer_io=self._integer_io)


class Mixed(Small):
    """int8, but for the layers that are kept in float.

    The converter measures the ranges; the quantiser that it would call leaves out these operators, as
    `tf.lite.experimental.QuantizationDebugger` does,
    <https://ai.google.dev/edge/litert/models/quantization_debugger>.

    Args:
        keep: names of the layers.
        inputs: as in `Small`.
        integer_io: as in `Small`.
    """

    def __init__(self, keep: Sequence[str], inputs: Inputs, *, integer_io: bool) -> None:
        super().__init__("int8", inputs, integer_io=integer_io)
        self._keep = keep

    def prepare(self, converter: CalibratingConverter, signature: Signature) -> None:
        """Have the converter measure ranges alone."""
        super().prepare(converter, signature)
        converter._experimental_calibrate_only = True

    def finish(self, content: bytes, program: Handover) -> bytes:
        """Quantise all but the operators of the layers that are kept; raises `ExportError` where there is no such."""
        import tensorflow as tf
        from tensorflow.lite.python import convert

        dtype = tf.int8 if self._integer_io else tf.float32
        io = {"input_data_type": dtype, "output_data_type": dtype}
        every = bytes(convert.mlir_quantize(content, **io))
        words = require_layers(self._keep, integer_layers(tflite.parse(every), program), "int8")
        denied = [name for name in results_of(tflite.parse(content)) if program.layer_of_result(name) in words]
        return bytes(convert.mlir_quantize(content, **io, denylisted_nodes=denied))


def integer_layers(model: TfliteModel, program: Handover) -> list[str]:
    """The layers of which some operator computes in integers, in the order of the file, in words."""
    schema = tflite.schema()
    types, names = tflite.numbered(schema.TensorType), tflite.numbered(schema.BuiltinOperator)
    found: dict[str, None] = {}
    for graph in model.subgraphs:
        operators = [(names[tflite.number(model.operatorCodes[each.opcodeIndex])], each) for each in graph.operators]
        ends = set(graph.outputs)
        floats = {each.inputs[0]: each.outputs[0] for kind, each in operators
                  if kind == "DEQUANTIZE" and each.outputs[0] in ends}  # fmt: skip
        for kind, operator in operators:
            if kind not in ("QUANTIZE", "DEQUANTIZE") and len(operator.outputs):
                index = operator.outputs[0]
                if types[graph.tensors[index].type] in ("INT8", "INT16"):
                    named = graph.tensors[floats.get(index, index)]
                    found.setdefault(program.layer_of_result((named.name or b"").decode()))
    return [*found]


def results_of(model: TfliteModel) -> Iterator[str]:
    """The names of the first result of each operator."""
    for graph in model.subgraphs:
        for operator in graph.operators or ():
            if len(operator.outputs):
                yield (graph.tensors[operator.outputs[0]].name or b"").decode()
