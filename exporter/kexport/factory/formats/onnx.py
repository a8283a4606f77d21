"""ONNX, through tf2onnx."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kexport.bundle.signature import TensorSpec
from kexport.errors import ExportError
from kexport.factory.formats._format import Format
from kexport.factory.trace import Program
from kexport.runtimes import _onnx_file

#: The highest that tf2onnx writes; the oldest onnxruntime we support, 1.16, reads up to 19.
OPSET = 18


def _write(program: Program, target: Path) -> dict[str, Any]:
    import onnx

    model = _convert(program)
    _refuse_unmapped(model)
    _name_axes(model, program)
    try:
        onnx.checker.check_model(model, full_check=False)
    except onnx.checker.ValidationError as error:
        raise ExportError(
            "the ONNX converter wrote an invalid model", got=str(error).strip().splitlines()[0]
        ) from error
    target.write_bytes(model.SerializeToString())
    return _onnx_file.details(target)


def _convert(program: Program) -> Any:
    """The traced function, frozen, optimised by TensorFlow, mapped and optimised by tf2onnx."""
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2
    from tf2onnx import optimizer, tf_loader, tfonnx

    frozen = convert_variables_to_constants_v2(program.core, lower_control_flow=False)
    inputs = [tensor.name for tensor in frozen.inputs]
    outputs = [tensor.name for tensor in frozen.outputs]
    signature = program.signature
    public = {
        **dict(zip(inputs, (spec.name for spec in signature.inputs), strict=True)),
        **dict(zip(outputs, (spec.name for spec in signature.outputs), strict=True)),
    }
    with tf.Graph().as_default():  # its optimiser exports a meta graph, which eager execution refuses
        graph_def = tf_loader.tf_optimize(inputs, outputs, frozen.graph.as_graph_def())
    with tf.Graph().as_default() as graph:
        tf.import_graph_def(graph_def, name="")
        mapped = tfonnx.process_tf_graph(
            graph, opset=OPSET, input_names=inputs, output_names=outputs, tensors_to_rename=public
        )
    return optimizer.optimize_graph(mapped).make_model(program.model.name)


def _refuse_unmapped(model: Any) -> None:
    """tf2onnx leaves operations that it cannot map in the graph as they are."""
    import onnx

    unmapped = sorted({node.op_type for node in model.graph.node if not onnx.defs.has(node.op_type, node.domain)})
    if unmapped:
        raise ExportError(
            "the model uses operations that the ONNX converter lacks",
            got=", ".join(unmapped),
            hint="leave that layer outside of the model, or build --formats without onnx",
        )


def _name_axes(model: Any, program: Program) -> None:
    """Give dynamic axes stable names: `batch` for the first, `NAME_axis_N` for the others."""
    signature = program.signature
    for side, specs in ((model.graph.input, signature.inputs), (model.graph.output, signature.outputs)):
        for value, spec in zip(side, specs, strict=True):
            _name_axes_of(value, spec)


def _name_axes_of(value: Any, spec: TensorSpec) -> None:
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
    modules=("tf2onnx", "onnx"),
    summary=f"ONNX, opset {OPSET}",
    writer=_write,
)
