"""TFLite with built-in operators only: no runtime that devices install runs Flex operators."""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from kexport.bundle.kernels_entry import STEPS
from kexport.bundle.precision import DYNAMIC, FLOAT_OPERATORS, FLOAT_WEIGHTS, INTEGER, INTEGER_LAYERS, MAY_ABORT
from kexport.bundle.signature import Array, Signature
from kexport.errors import ExportError, KexportError
from kexport.factory.emit import handover as handovers
from kexport.factory.emit.emission import emit
from kexport.factory.emit.refusal import leaving_out
from kexport.factory.formats import _float_weights as float_weights
from kexport.factory.formats import _output_steps as output_steps
from kexport.factory.formats import _small_weights as small_weights
from kexport.factory.formats._aborting_kernels import aborting
from kexport.factory.formats._calibration_runs import CalibrationRuns
from kexport.factory.formats._dtype_probe import writable_as
from kexport.factory.formats._float_operators import of_tflite
from kexport.factory.formats._format import Format
from kexport.factory.formats._own_files import require_own_sound
from kexport.factory.formats._pinned_batch import PINNED, as_calibrated, of_one_sample
from kexport.factory.formats._small_weights import require_half, require_weights
from kexport.factory.formats._spare_parts import drop_spare_parts
from kexport.factory.formats._tflite_biases import give_each_channel_its_bias, give_each_its_bias
from kexport.factory.formats._tflite_conversion import Mixed, Small, Small16, Wide, integer_layers
from kexport.factory.formats._tflite_copied_integers import rescale_what_is_copied
from kexport.factory.formats._tflite_loops import keep_what_loops_pass_on
from kexport.factory.formats._tflite_model import packed, parsed
from kexport.factory.formats._tflite_precisions import QuantisingConverter, quantization_of
from kexport.factory.formats._tflite_shared_memory import keep_what_is_read
from kexport.factory.formats._tflite_signature import use_public_names
from kexport.factory.formats._tflite_states import UnfinishedError, require_finishable, start_at_zero
from kexport.factory.formats._weight_integers import round_adaptively
from kexport.factory.graph.protocols import GraphDef, Tensor
from kexport.factory.inputs.calibration_file import is_shared, read_inputs
from kexport.factory.lowerings.lstm_tflite import has_lstm, is_unrecognised
from kexport.factory.tensorflow_workers import settle_threads
from kexport.runtimes.files import tflite
from kexport.runtimes.files.protocols import TfliteModel
from kexport.runtimes.soundness import require_sound_tflite

_LARGE, _FEW_SAMPLES = 1 << 22, 64  # bytes of a file in float32 from which weights are rounded on so few samples
_LARGEST = 2**31 - 1  # bytes: a flatbuffer's offsets are signed and of 32 bits


class _Converter(QuantisingConverter, Protocol):
    """TensorFlow's converter (`tf.lite.TFLiteConverter`)."""

    canonicalizing_inf_as_min_max_float: bool

    def convert(self) -> bytes:
        """The bytes of the file."""


def convert(handover: str, target: str, options: Mapping[str, int | None]) -> Iterator[dict[str, object]]:
    """Convert a handed-over program; yields the details once.

    Raises:
        ExportError: the model needs an operation that TFLite has no built-in operator for, or is too large.
    """
    yield _written(Path(handover), Path(target), Wide())


def narrow(
    handover: str, wide: str, target: str, precision: str, io: str, calibration: str, keep: Sequence[str] = ()
) -> Iterator[dict[str, object]]:
    """Convert a handed-over program to a small precision; yields the details once.

    Raises:
        ExportError: as `convert`; or an operation does not exist in this precision, or an input in integers; or the
            weights are not those of the wide file.
    """

    def inputs(signature: Signature, *, recorded: bool | None = None) -> Iterator[list[Array]]:
        return read_inputs(Path(calibration), signature, recorded=recorded)

    def ranged(signature: Signature) -> Iterator[list[Array]]:
        return inputs(as_calibrated(signature))

    integer_io = io == "int"
    way: Small
    if precision == "int16x8":
        way = Small16(ranged, integer_io=integer_io)
    elif keep:
        way = Mixed(keep, ranged, integer_io=integer_io)
    else:
        way = Small(precision, ranged, integer_io=integer_io)
    program = handovers.read(Path(handover))
    details = _written(Path(handover), Path(target), way)
    weights = list(small_weights.of_tflite(tflite.parse(Path(wide).read_bytes())))
    if precision == "int16x8" and not is_shared(Path(calibration)):
        samples = _FEW_SAMPLES if Path(wide).stat().st_size > _LARGE else math.inf
        runs = [
            CalibrationRuns(functools.partial(inputs, program.signature, recorded=each), program.signature, samples)
            for each in (True, False)
        ]
        round_adaptively(Path(target), Path(wide), weights, *runs)
    model = tflite.parse(Path(target).read_bytes())
    try:
        require_weights(weights, small_weights.of_tflite(model))
    except ExportError:
        if precision == "float16":
            require_half(weights, program.layer_of_result)
        raise
    if precision == DYNAMIC:
        details[FLOAT_WEIGHTS] = float_weights.of_tflite(model, program.layer_of_result)
    if precision in INTEGER:
        details[FLOAT_OPERATORS] = of_tflite(model, program.layer_of_result)
        details[INTEGER_LAYERS] = integer_layers(model, program)
        if may_abort := aborting(model, program.layer_of_result):
            details[MAY_ABORT] = may_abort
        if integer_io:
            details["quantization"] = quantization_of(model, program.signature)
        details[STEPS] = output_steps.of_tflite(model, program.signature)
    yield details


def _written(folder: Path, target: Path, way: Wide) -> dict[str, object]:
    """Write the file of a handed-over program."""
    import tensorflow as tf

    settle_threads()
    program = handovers.read(folder)
    if program.weight_bytes > _LARGEST:
        raise ExportError(
            "the model cannot be written as tflite: it is too large",
            got=f"{program.weight_bytes / 1e9:.1f} GB of weights",
            expected="less than 2.1 GB, the most that a flatbuffer holds",
            hint=leaving_out("tflite"),
        )
    pinned: dict[str, object] = {}
    try:
        if program.assigned:
            content = _keeping_state(folder / handovers.STATEFUL, program, way)
            model = _finished(content, program.signature, way, in_order=False)
        else:
            model, pinned = _dynamic_or_pinned(program, way)
    except (KexportError, OSError):
        raise
    except Exception as error:  # whatever TensorFlow raises
        raise program.trail.failed("tflite", error) from error
    _refuse_foreign(model, program)
    target.write_bytes(packed(model))
    require_own_sound(target, require_sound_tflite)
    return {"tensorflow": tf.__version__, **tflite.details_of(model), **pinned}


def _dynamic_or_pinned(program: handovers.Handover, way: Wide) -> tuple[TfliteModel, dict[str, object]]:
    """The model; where TFLite refuses a dynamic batch, one for a batch of 1, and what the manifest says of that."""
    try:
        return _finished(_converted(program, way), program.signature, way), {}
    except ExportError as refused:
        pinned = of_one_sample(program.signature)
        if pinned is None:
            raise
        try:
            model = _finished(_converted(replace(program, signature=pinned), way), program.signature, way)
        except ExportError:
            raise refused from None
        return model, PINNED


def _finished(content: bytes, signature: Signature, way: Wide, in_order: bool = True) -> TfliteModel:
    """The converter's model with the names of the manifest, and without what the interpreter computes wrongly."""
    model = parsed(content)
    way.amend(model)
    start_at_zero(model)
    give_each_channel_its_bias(model)
    give_each_its_bias(model)
    rescale_what_is_copied(model)
    keep_what_loops_pass_on(model)
    keep_what_is_read(model)
    use_public_names(model, signature, in_order)
    drop_spare_parts(model)
    return model


def _converted(program: handovers.Handover, way: Wide) -> bytes:
    try:
        content = _emitted(program, way, way.lowerings)
        require_finishable(content)
    except UnfinishedError:
        pass
    except ExportError as refused:
        if not is_unrecognised(refused):
            raise
    else:
        return content
    return _emitted(program, way, ())


def _emitted(program: handovers.Handover, way: Wide, lowerings: Sequence[str]) -> bytes:
    import tensorflow as tf

    emitted = emit(program, "tflite", also=lowerings)
    way.require_writable(emitted.graph, program)
    converter = tf.compat.v1.lite.TFLiteConverter(
        emitted.graph.as_graph_def(), list(emitted.inputs), list(emitted.outputs)
    )
    return _run(converter, program, way, starting_anew=has_lstm(emitted.graph))


def _keeping_state(saved_model: Path, program: handovers.Handover, way: Wide) -> bytes:
    """The file of a model that keeps state: its variables are TFLite's resource variables."""
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_saved_model(str(saved_model), signature_keys=["serving_default"])
    converter.experimental_enable_resource_variables = True
    return _run(converter, program, way)


def _run(converter: _Converter, program: handovers.Handover, way: Wide, starting_anew: bool = False) -> bytes:
    import tensorflow as tf

    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    converter.canonicalizing_inf_as_min_max_float = False  # by default an infinite constant becomes the largest number
    way = way.starting_anew() if starting_anew else way
    way.prepare(converter, program.signature)
    try:
        return way.finish(converter.convert(), program)
    except (KexportError, UnfinishedError):
        raise
    except Exception as error:  # the converter's own exception type is private to it
        raise _refusal(str(error), program) from error


def _refusal(message: str, program: handovers.Handover) -> ExportError:
    """The converter prints each operation that it lacks as `<unknown>:0: error: loc(...): 'tf.X' op ...`."""
    operations = []
    for line in message.splitlines():
        kind = re.search(r"'(?:tf|tfl)\.(\w+)' op", line)
        places = re.findall(r'"([^"]+)"', line)
        if kind and "error" in line:
            operations.append((kind[1], max(places, key=lambda place: place.count("/"), default="")))
    if not operations:
        operations = [(kind, "") for kind in re.findall(r"^\s*tf\.(\w+)\(", message, re.MULTILINE)]
    if not operations:
        first = next((line for line in message.splitlines() if "error:" in line), message.strip().split("\n")[0])
        own = program.trail.own_lines()
        return ExportError(
            "the model cannot be written as tflite",
            got=first[:300],
            hint=f"lines of your own in it: {'; '.join(own)}; or " * bool(own) + leaving_out("tflite"),
        )
    why = "TFLite has no built-in operator for an operation"
    return program.trail.refused("tflite", why, operations, lambda op: writable_as(op, _writes))


def _writes(graph_def: GraphDef, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> bool:
    import tensorflow as tf

    try:
        tf.compat.v1.lite.TFLiteConverter(graph_def, list(inputs), list(outputs)).convert()
    except Exception:  # noqa: BLE001  whatever it raises, it does not write this
        return False
    return True


def _refuse_foreign(model: TfliteModel, program: handovers.Handover) -> None:
    """Refuse a model that holds Flex or custom operators: the runtimes of devices do not run them."""
    foreign = tflite.foreign_operators(model)
    if foreign:
        raise program.trail.refused("tflite", "the file would need operators that are not built in", foreign)


FORMAT = Format(
    name="tflite",
    path="model.tflite",
    summary="TFLite flatbuffer, built-in operators only",
    rank=40,
    converter="kexport.factory.formats.tflite:convert",
    keeps_state=True,
    expected="TFLite's built-in operators",
).narrowed("kexport.factory.formats.tflite:narrow", "float16", "dynamic", "int16x8", "int8")
