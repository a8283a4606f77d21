"""How the integers stand for real numbers from which a file makes its outputs."""

from __future__ import annotations

from pathlib import Path

from kexport.bundle.quantization import AffineQuantization, to_json
from kexport.bundle.signature import Signature
from kexport.runtimes.files import tflite
from kexport.runtimes.files.protocols import TfliteModel, TfliteTensor

_TFLITE_DTYPES = {"INT8": "int8", "INT16": "int16", "UINT8": "uint8"}


def of_tflite(model: TfliteModel, signature: Signature) -> dict[str, object]:
    """By output, for the manifest; without those that are computed in float."""
    schema = tflite.schema()
    types, names = tflite.numbered(schema.TensorType), tflite.numbered(schema.BuiltinOperator)
    graph = model.subgraphs[0]
    tensors = {(graph.tensors[index].name or b"").decode(): index for index in graph.outputs}
    source = {
        operator.outputs[0]: operator.inputs[0]
        for operator in graph.operators
        if names[tflite.number(model.operatorCodes[operator.opcodeIndex])] == "DEQUANTIZE"
    }
    found = {}
    for spec in signature.outputs:
        index = tensors.get(spec.name)
        if spec.is_float and index is not None:
            tensor = graph.tensors[source.get(index, index)]
            stored = _stored(tensor, types[tensor.type])
            if stored is not None:
                found[spec.name] = stored
    return to_json(found)


def _stored(tensor: TfliteTensor, dtype: str) -> AffineQuantization | None:
    own = tensor.quantization
    if dtype not in _TFLITE_DTYPES or own is None or own.scale is None or own.zeroPoint is None or len(own.scale) != 1:
        return None
    return AffineQuantization(_TFLITE_DTYPES[dtype], float(own.scale[0]), int(own.zeroPoint[0]))


def of_onnx(path: Path, signature: Signature) -> dict[str, object]:
    """By output that `DequantizeLinear` makes, for the manifest."""
    import onnx

    graph = onnx.load(path).graph
    constants = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer}
    producers = {name: node for node in graph.node for name in node.output}
    found = {}
    for spec in signature.outputs:
        node = producers.get(spec.name)
        if node is None or node.op_type != "DequantizeLinear" or not set(node.input[1:]) <= constants.keys():
            continue
        scale, zero_point = (constants[name] for name in node.input[1:3])
        if scale.size == 1:
            dtype = zero_point.dtype.name
            found[spec.name] = AffineQuantization(dtype, float(scale.reshape(())), int(zero_point.reshape(())))
    return to_json(found)
