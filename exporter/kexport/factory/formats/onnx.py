"""ONNX, through tf2onnx."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from kexport.bundle.kernels_entry import STEPS
from kexport.bundle.precision import DYNAMIC, FLOAT_OPERATORS, FLOAT_WEIGHTS, INTEGER, INTEGER_LAYERS
from kexport.bundle.signature import Signature, TensorSpec
from kexport.errors import ExportError, KexportError, located
from kexport.factory.emit import handover as handovers
from kexport.factory.emit.emission import Emitted, emit
from kexport.factory.emit.refusal import leaving_out
from kexport.factory.emit.trail import layer_of
from kexport.factory.formats import _float_weights as float_weights
from kexport.factory.formats import _output_steps as output_steps
from kexport.factory.formats import _small_weights as small_weights
from kexport.factory.formats._clips import clips
from kexport.factory.formats._eyes import eyes
from kexport.factory.formats._float_operators import integer_layers_of_onnx, of_onnx
from kexport.factory.formats._format import Format, Option
from kexport.factory.formats._kept_layers import require_layers
from kexport.factory.formats._mapping_log import unmapped_nodes
from kexport.factory.formats._narrow_transposes import narrow_transposes
from kexport.factory.formats._onnx_graphs import scalar_counters, with_inner
from kexport.factory.formats._onnx_integers import take_integers
from kexport.factory.formats._onnx_precisions import write_precision
from kexport.factory.formats._onnx_weights import Weights
from kexport.factory.formats._ordered_sets import ordered_sets
from kexport.factory.formats._own_files import require_own_sound
from kexport.factory.formats._paddings import paddings
from kexport.factory.formats._pinned_batch import pin_measured_ranges
from kexport.factory.formats._resized_axes import resized_axes
from kexport.factory.formats._small_weights import require_weights
from kexport.factory.formats._transposes import transposes
from kexport.factory.graph import tensor_lists
from kexport.factory.graph.onnx_protocols import GraphPass, MappedGraph, OnnxModel, OnnxValue
from kexport.factory.onnx_nodes import HANDLERS, divisible_ragged_rows, mapped_bfloat16, sound_merges
from kexport.factory.tensorflow_workers import settle_threads
from kexport.runtimes.files import onnx as onnx_file
from kexport.runtimes.soundness import require_sound_onnx

#: Those that tf2onnx writes and that hold what the lowerings need.
OPSETS = range(13, 19)
#: The highest of them; the oldest onnxruntime we support, 1.16, reads up to 19.
OPSET = OPSETS[-1]
_LISTS = ("tensor_list_onnx",)
_LOG = logging.getLogger(__name__)  # tells what one part of a model makes different for all of it


def convert(handover: str, target: str, options: Mapping[str, int | None]) -> Iterator[dict[str, object]]:
    """Convert a handed-over program; yields the details once.

    Raises:
        ExportError: the model needs an operation that ONNX, or the converter, lacks.
    """
    settle_threads()
    program, path = handovers.read(Path(handover)), Path(target)
    try:
        model, weights = _converted(program, options.get("opset") or OPSET)
    except (KexportError, OSError):
        raise
    except Exception as error:  # whatever TensorFlow and tf2onnx raise
        raise program.trail.failed("onnx", error) from error
    _refuse_unmapped(model, program)
    scalar_counters(model)
    clips(model)
    eyes(model)
    narrow_transposes(model)
    paddings(model)
    resized_axes(model)
    external = weights.attach(model, path)
    _name_axes(model, program.signature)
    path.write_bytes(model.SerializeToString())
    _check(path)
    require_own_sound(path, require_sound_onnx)
    yield {**onnx_file.details(path), **({"external": external} if external else {})}


def narrow(
    handover: str, wide: str, target: str, precision: str, io: str, calibration: str, keep: Sequence[str] = ()
) -> Iterator[dict[str, object]]:
    """Write a small precision of the float32 file; yields the details once.

    Raises:
        ExportError: the tools of ONNX Runtime cannot write the model in it, or its inputs in integers, or the weights
            are not those of the float32 file.
    """
    program, further = handovers.read(Path(handover)), dict[str, object]()
    try:
        arguments = (Path(wide), Path(target), precision, Path(calibration), program.signature)
        write_precision(*arguments)
        if precision in INTEGER:
            further[INTEGER_LAYERS] = layers = integer_layers_of_onnx(Path(target), program.trail)
            if keep:
                words = require_layers(keep, layers, precision)
                write_precision(*arguments, lambda name: layer_of(name, program.trail.scopes) in words)
        if precision in INTEGER:
            further[STEPS] = output_steps.of_onnx(Path(target), program.signature)
        if precision == DYNAMIC:
            further |= pin_measured_ranges(Path(target), Path(wide), Path(calibration), program.signature)
            further[FLOAT_WEIGHTS] = float_weights.of_onnx(Path(target), program.trail)
        if io == "int":
            further["quantization"] = take_integers(Path(target), program.signature)
        if precision in INTEGER:
            further[FLOAT_OPERATORS] = of_onnx(Path(target), program.trail)
    except (KexportError, OSError):
        raise
    except Exception as error:  # whatever the tools raise
        raise ExportError(
            f"the model cannot be written as onnx {precision}",
            got=located(error),
            expected="operations that ONNX Runtime's quantiser knows",
            hint=f"leave out {precision} (--precision), or onnx (--formats)",
        ) from error
    _check(Path(target))
    require_own_sound(Path(target), require_sound_onnx)
    require_weights(small_weights.of_onnx(Path(wide)), small_weights.of_onnx(Path(target)))
    yield {**onnx_file.details(Path(target)), **further}


def _converted(program: handovers.Handover, opset: int) -> tuple[OnnxModel, Weights]:
    """The model, and the weights that are kept apart from it.

    tf2onnx has patterns for loops that write one item a step, in order, to lists of tensors. Where they do not fit, or
    find a recurrent layer in another precision than float32, which onnxruntime does not run, lists become tensors.
    """
    failed: Exception | None = None
    for also in ((), _LISTS) if tensor_lists.scanned(program.graph.graph_def) else (_LISTS,):
        weights = Weights(program)
        try:
            with ordered_sets():
                model = _mapped(emit(program, "onnx", weights.tensor, also), weights, program, opset)
        except ExportError:
            raise
        except Exception as error:  # whatever tf2onnx raises
            if also or not tensor_lists.used(program.graph.graph_def):
                raise failed or error from error
            failed = error
        else:
            if also or _single(model):
                break
        _LOG.info("mapped again: all lists become tensors")
    return model, weights


def _single(model: OnnxModel) -> bool:
    """Whether every recurrent node of the model computes in float32."""
    import onnx

    others = {tensor.name for tensor in model.graph.initializer if tensor.data_type != onnx.TensorProto.FLOAT}
    return not any(
        node.op_type in ("LSTM", "GRU", "RNN") and set(node.input[1:4]) & others for node in model.graph.node
    )


def _check(path: Path) -> None:
    import onnx

    try:
        onnx.checker.check_model(str(path))
    except onnx.checker.ValidationError as error:
        raise ExportError(
            "the ONNX converter wrote an invalid model",
            got=str(error).strip().splitlines()[0],
            hint=leaving_out("onnx"),
        ) from error


def _mapped(emitted: Emitted, weights: Weights, program: handovers.Handover, opset: int) -> OnnxModel:
    """The graph, optimised by TensorFlow, mapped by tf2onnx, and optimised by its passes."""
    import tensorflow as tf
    from tf2onnx import optimizer, tf_loader, tfonnx

    signature = program.signature
    inputs = [tensor.name for tensor in emitted.inputs]
    outputs = [tensor.name for tensor in emitted.outputs]
    public = {
        **dict(zip(inputs, (spec.name for spec in signature.inputs), strict=True)),
        **dict(zip(outputs, (spec.name for spec in signature.outputs), strict=True)),
    }
    inputs += weights.tensors
    with tf.Graph().as_default():  # its optimiser exports a meta graph, which eager execution refuses
        graph_def = tf_loader.tf_optimize(inputs, outputs, emitted.graph.as_graph_def())

    passes = {**optimizer._get_optimizers(), "optimize_transpose": transposes}
    while True:
        with (
            tf.Graph().as_default() as graph,
            mapped_bfloat16(),
            divisible_ragged_rows(),
            unmapped_nodes(program.trail.at),
        ):
            tf.import_graph_def(graph_def, name="")
            mapped = tfonnx.process_tf_graph(
                graph, opset=opset, input_names=inputs, output_names=outputs, tensors_to_rename=public,
                custom_op_handlers=HANDLERS,
            )  # fmt: skip
        with sound_merges():
            failed = _optimise(mapped, passes)
        if failed is None:
            return mapped.make_model(program.name)
        del passes[failed]  # it left a graph that is half changed: map again, and do without it
        _LOG.info("mapped again: without the pass %s", failed)


def _optimise(graph: MappedGraph, passes: Mapping[str, Callable[[], GraphPass]]) -> str | None:
    """Run tf2onnx' passes until none changes anything; the name of one that fails, if one does.

    Its own driver copies the whole graph, weights included, before each pass, and writes all of it into protocol
    buffers after each: once, at the end, is enough.
    """
    unchanged = 0  # passes since the last that changed something
    for name in itertools.cycle(passes):
        optimise = passes[name]()
        try:
            graph = optimise._optimize(graph)
            if optimise.graph_been_opt:
                graph.delete_unused_nodes(graph.outputs)
        except Exception:  # noqa: BLE001  whatever a pass raises, the model can be written without it
            return name
        unchanged = 0 if optimise.graph_been_opt else unchanged + 1
        if unchanged == len(passes):
            break
    graph.delete_unused_nodes(graph.outputs)
    graph.update_proto()
    graph.topological_sort(graph.get_nodes())
    return None


def _refuse_unmapped(model: OnnxModel, program: handovers.Handover) -> None:
    """tf2onnx leaves operations that it cannot map in the graph as they are."""
    import onnx

    unmapped = [
        (node.op_type, node.name)
        for graph in with_inner(model.graph)
        for node in graph.node
        if not onnx.defs.has(node.op_type, node.domain)
    ]
    if unmapped:
        raise program.trail.refused("onnx", "the ONNX converter has no equivalent of an operation", unmapped)


def _name_axes(model: OnnxModel, signature: Signature) -> None:
    """Give dynamic axes stable names: `batch` for the first, `NAME_axis_N` for the others."""
    for side, specs in ((model.graph.input, signature.inputs), (model.graph.output, signature.outputs)):
        for value, spec in zip(side, specs, strict=True):
            _name_axes_of(value, spec)


def _name_axes_of(value: OnnxValue, spec: TensorSpec) -> None:
    dims = value.type.tensor_type.shape.dim
    del dims[:]
    for axis, size in enumerate(spec.shape):
        dim = dims.add()
        if size is not None:
            dim.dim_value = size
        else:
            dim.dim_param = "batch" if axis == 0 else f"{spec.name}_axis_{axis}"


FORMAT = Format(
    name="onnx",
    path="model.onnx",
    summary=f"ONNX, opset {OPSET}",
    rank=30,
    modules=("tf2onnx", "onnx"),
    converter="kexport.factory.formats.onnx:convert",
    options=(Option("opset", OPSETS, read=lambda details: details["opset"]["ai.onnx"]),),
).narrowed("kexport.factory.formats.onnx:narrow", "float16", "dynamic", "int8")
