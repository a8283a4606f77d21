"""Small precisions of ONNX; those of integers by ONNX Runtime's own tools, <https://onnxruntime.ai/docs/performance/model-optimizations>."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from kexport.bundle.signature import Array, Signature
from kexport.factory.formats._half_weights import halve_weights
from kexport.factory.graph.onnx_protocols import OnnxGraph
from kexport.factory.inputs.calibration_file import read_inputs


class _Reader:
    """The calibration inputs, as ONNX Runtime's quantiser asks for them."""

    def __init__(self, inputs: Iterator[list[Array]], names: list[str]) -> None:
        self._inputs, self._names = inputs, names

    def get_next(self) -> Mapping[str, Array] | None:
        """The next inputs by name; None after the last."""
        arrays = next(self._inputs, None)
        return None if arrays is None else dict(zip(self._names, arrays, strict=True))


#: Operators that the quantiser takes into the one before.
_ABSORBED = ("Relu", "Clip")
Kept = Callable[[str], bool]


def write_precision(
    wide: Path, target: Path, precision: str, calibration: Path, signature: Signature, kept: Kept = lambda name: False
) -> None:
    """Write a small precision of an ONNX file; inputs and outputs of the model keep their dtypes.

    Args:
        wide: the file in float32.
        target: what to write.
        precision: the precision.
        calibration: the file with the calibration inputs.
        signature: of the model.
        kept: whether the operator of that name stays in float where others become integers.
    """
    import onnx
    from onnxruntime import quantization

    logging.getLogger().setLevel(logging.ERROR)  # the quantiser warns that a model was not prepared; it is
    if precision == "float16":
        model = onnx.load(wide)
        halve_weights(model)
        onnx.save(model, target)
        return
    with tempfile.TemporaryDirectory() as folder:
        prepared = Path(folder) / "prepared.onnx"
        # Its own optimiser would fold and fuse what our checks of structure know; shapes it needs.
        quantization.quant_pre_process(wide, prepared, skip_optimization=True, skip_symbolic_shape=True)
        if precision == "dynamic":
            quantization.quantize_dynamic(prepared, target, per_channel=True, weight_type=quantization.QuantType.QInt8)
            return
        settings = {
            "quant_format": quantization.QuantFormat.QDQ,
            "per_channel": True,
            "activation_type": quantization.QuantType.QInt8,
            "weight_type": quantization.QuantType.QInt8,
            "calibrate_method": quantization.CalibrationMethod.MinMax,
        }
        settings["nodes_to_exclude"] = _excluded(onnx.load(prepared).graph, kept)
        reader = _Reader(read_inputs(calibration, signature), [spec.name for spec in signature.inputs])
        quantization.quantize_static(prepared, target, reader, **settings)


def _excluded(graph: OnnxGraph, kept: Kept) -> list[str]:
    """The names of the nodes that stay in float, with the activations behind them."""
    excluded: dict[str, str] = {}  # the node by each of its outputs
    for node in graph.node:
        behind = node.op_type in _ABSORBED and node.input[0] in excluded
        if node.name and (behind or kept(node.name)):
            excluded |= dict.fromkeys(node.output, node.name)
    return [*dict.fromkeys(excluded.values())]
