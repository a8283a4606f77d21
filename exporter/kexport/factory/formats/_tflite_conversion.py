"""What is done to TensorFlow's converter before it runs, and to what it wrote: one for each way to quantise."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

from kexport.bundle.precision import DYNAMIC
from kexport.bundle.signature import Array, Signature
from kexport.errors import ExportError
from kexport.factory.emit.handover import Handover
from kexport.factory.formats._few_weights import narrow_few
from kexport.factory.formats._kept_layers import require_layers
from kexport.factory.formats._tflite_model import FlatModel, packed, parsed
from kexport.factory.formats._tflite_precisions import QuantisingConverter, set_precision
from kexport.factory.formats._tflite_shared_constants import give_each_its_constants
from kexport.factory.formats._tflite_states import bound_cells, require_finishable, start_at_zero
from kexport.factory.formats._tflite_zeros import Zeros
from kexport.factory.graph.protocols import Graph
from kexport.factory.lowerings import (
    average_before_clip_tflite,
    extremum_of_8_bits_tflite,
    lstm_tflite,
    square_of_16_bits_tflite,
    sum_of_integers_tflite,
    zeros_of_16_bits_tflite,
)
from kexport.runtimes.files import tflite
from kexport.runtimes.files.protocols import TfliteModel

_LOOPS = ("While", "StatelessWhile")
Inputs = Callable[[Signature], Iterator[list[Array]]]


class CalibratingConverter(QuantisingConverter, Protocol):
    """The part of TensorFlow's converter that measures ranges without quantising."""

    _experimental_calibrate_only: bool


class Wide:
    """Float32: the converter as it is.

    Attributes:
        lowerings: the names of those that are applied beside the format's own.
    """

    lowerings: tuple[str, ...] = (lstm_tflite.NAME,)

    def starting_anew(self) -> Wide:
        """The same for a model with operators that keep states, and start anew in each call of the finished file."""
        return self

    def require_writable(self, graph: Graph, program: Handover) -> None:
        """Raise `ExportError` where an operation of the graph cannot be written this way."""

    def prepare(self, converter: Any, signature: Signature) -> None:
        """Set the converter up for a model of this signature."""

    def finish(self, content: bytes, program: Handover) -> bytes:
        """The file, of what the converter wrote."""
        del program
        return content

    def amend(self, model: FlatModel) -> None:
        """Change the parsed file in place, before it gets its names."""


class Small(Wide):
    """A small precision.

    Args:
        precision: its name.
        inputs: the calibration inputs, for a signature.
        integer_io: whether the model takes and returns integers.
    """

    def __init__(self, precision: str, inputs: Inputs, *, integer_io: bool) -> None:
        self._precision, self._inputs, self._integer_io = precision, inputs, integer_io
        if precision == "int8":
            self.lowerings += (
                average_before_clip_tflite.NAME,
                extremum_of_8_bits_tflite.NAME,
                sum_of_integers_tflite.NAME,
            )

    def starting_anew(self) -> Wide:
        """Ranges that are measured in calls which start anew, as those of the finished file do."""
        return Anew(self, self._inputs, integer_io=self._integer_io) if self._precision == "int8" else self

    def prepare(self, converter: Any, signature: Signature) -> None:
        """Have the converter write the precision, with ranges that the inputs show."""
        set_precision(converter, self._precision, lambda: self._inputs(signature), integer_io=self._integer_io)

    def amend(self, model: FlatModel) -> None:
        """Make weights 8 bits that the converter left in float, where weights alone are to be."""
        if self._precision == DYNAMIC:
            narrow_few(model)

    def quantised(self, content: bytes, program: Handover) -> bytes:
        """A file of which the ranges were measured, in int8."""
        del program
        return self._quantise(content)

    def _quantise(self, content: bytes, denied: Sequence[str] = ()) -> bytes:
        import tensorflow as tf
        from tensorflow.lite.python import convert

        dtype = tf.int8 if self._integer_io else tf.float32
        io = {"input_data_type": dtype, "output_data_type": dtype}
        return bytes(convert.mlir_quantize(content, **io, denylisted_nodes=[*denied] or None))


class Small16(Small):
    """Activations of 16 bits and weights of 8.

    The converter's quantiser gets a file in which no two operators take one constant.

    Args:
        inputs: as in `Small`.
        integer_io: as in `Small`.
    """

    # without that of LSTMs: the quantiser makes constants of their states
    lowerings = (square_of_16_bits_tflite.NAME, sum_of_integers_tflite.NAME, zeros_of_16_bits_tflite.NAME)

    def __init__(self, inputs: Inputs, *, integer_io: bool) -> None:
        super().__init__("int16x8", inputs, integer_io=False)
        self._dtype, self._signature = "int16" if integer_io else "float32", Signature((), ())

    def require_writable(self, graph: Graph, program: Handover) -> None:
        """Refuse loops that carry floats: they end the calibrator's process, or have no ranges inside."""
        layers: dict[str, None] = {}
        for operation in graph.get_operations():
            if operation.type in _LOOPS and any(tensor.dtype.is_floating for tensor in operation.outputs):
                layers[program.layer_of_result(operation.name)] = None
        if layers:
            raise ExportError(
                "the model cannot be written in activations of 16 bits",
                got=f"a loop of {', '.join(layers)}",
                expected="no loop: a recurrent layer over a known number of steps has none with unroll=True",
            )

    def prepare(self, converter: CalibratingConverter, signature: Signature) -> None:
        """Have the converter write what its quantiser would get."""
        self._signature = signature
        super().prepare(converter, signature)
        converter.representative_dataset = lambda: itertools.islice(self._inputs(signature), 1)
        converter._experimental_calibrate_only = True

    def finish(self, content: bytes, program: Handover) -> bytes:
        """Measure the ranges, and quantise."""
        import tensorflow as tf
        from tensorflow.lite.python.convert import deduplicate_readonly_buffers
        from tensorflow.lite.python.optimize.calibrator import Calibrator

        del program
        model = parsed(content)
        give_each_its_constants(model)
        inputs = functools.partial(self._inputs, self._signature)
        measured = parsed(Calibrator(packed(model)).calibrate(inputs))
        zeros = Zeros(measured)
        dtype = tf.as_dtype(self._dtype)
        quantiser = Calibrator(packed(measured))  # of nothing but the ranges in the file
        written = parsed(quantiser.calibrate_and_quantize(tuple, dtype, dtype, True, tf.int16, tf.int64))
        zeros.restore(written)
        return bytes(deduplicate_readonly_buffers(packed(written)))


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

    def starting_anew(self) -> Wide:
        """As in `Small`, and for the same layers."""
        return Anew(self, self._inputs, integer_io=self._integer_io)

    def finish(self, content: bytes, program: Handover) -> bytes:
        """Quantise what was measured."""
        return self.quantised(content, program)

    def quantised(self, content: bytes, program: Handover) -> bytes:
        """Quantise all but the operators of the layers that are kept; raises `ExportError` where there is no such."""
        every = super().quantised(content, program)
        words = require_layers(self._keep, integer_layers(tflite.parse(every), program), "int8")
        denied = [name for name in results_of(tflite.parse(content)) if program.layer_of_result(name) in words]
        return self._quantise(content, denied)


class Anew(Small):
    """int8 for operators that keep their states from one call to the next, until the file is finished.

    The converter measures the ranges of one sample, which says where they stand in its file. They are measured again
    in a file whose calls start anew and take any batch, and the quantiser gets those.

    Args:
        way: what quantises then.
        inputs: as in `Small`.
        integer_io: as in `Small`.
    """

    def __init__(self, way: Small, inputs: Inputs, *, integer_io: bool) -> None:
        super().__init__("int8", inputs, integer_io=integer_io)
        self._way, self._signature = way, Signature((), ())

    def prepare(self, converter: CalibratingConverter, signature: Signature) -> None:
        """Have the converter measure the ranges of one sample."""
        self._signature = signature
        super().prepare(converter, signature)
        converter.representative_dataset = self._first_sample
        converter._experimental_calibrate_only = True

    def finish(self, content: bytes, program: Handover) -> bytes:
        """Measure the ranges, and quantise; raises `UnfinishedError` where the calls cannot start anew."""
        require_finishable(content)
        measured = measured_anew(content, lambda: self._inputs(self._signature))
        return self._way.quantised(measured, program)

    def _first_sample(self) -> Iterator[list[Array]]:
        arrays = next(self._inputs(self._signature))
        yield [array[:1] if spec.shape[:1] == (None,) else array
               for array, spec in zip(arrays, self._signature.inputs, strict=True)]  # fmt: skip


def measured_anew(content: bytes, inputs: Callable[[], Iterator[list[Array]]]) -> bytes:
    """A file with the ranges of its tensors, as they are when each call starts anew."""
    from tensorflow.lite.python.optimize.calibrator import Calibrator

    model, trial = parsed(content), parsed(content)
    start_at_zero(trial)  # and its tensors have the names of layers
    measured = parsed(Calibrator(packed(trial)).calibrate(inputs))
    for graph, other in zip(model.subgraphs, measured.subgraphs, strict=True):
        for tensor, ranged in zip(graph.tensors, other.tensors, strict=False):  # those of the zeros come last
            tensor.quantization, tensor.name = ranged.quantization, ranged.name
    bound_cells(model)
    return packed(model)


def integer_layers(model: TfliteModel, program: Handover) -> list[str]:
    """The layers of which some operator computes in integers, in the order of the file, in words."""
    types = tflite.numbered(tflite.schema().TensorType)
    found: dict[str, None] = {}
    for graph in model.subgraphs:
        floats = tflite.float_outputs(model, graph)
        for kind, operator in tflite.operators_of(model, graph):
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
