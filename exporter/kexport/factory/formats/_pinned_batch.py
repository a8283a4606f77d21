"""Artifacts that take one sample at a time, where a larger batch cannot be written or would mix the samples."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from kexport.bundle.signature import Signature
from kexport.factory.formats._onnx_graphs import with_inner

#: What the manifest says of such an artifact.
PINNED: dict[str, object] = {"pinned": {"batch": 1}}


def of_one_sample(signature: Signature) -> Signature | None:
    """The signature with a batch of 1; None where not every input and output has a dynamic batch."""
    sides = (signature.inputs, signature.outputs)
    if not all(spec.shape and spec.shape[0] is None for side in sides for spec in side):
        return None
    inputs, outputs = (tuple(replace(spec, shape=(1, *spec.shape[1:])) for spec in side) for side in sides)
    return Signature(inputs, outputs)


def pin_measured_ranges(path: Path, signature: Signature) -> dict[str, object]:
    """Give an ONNX file a batch of 1 where it measures ranges of integers during a call.

    `DynamicQuantizeLinear` has one scale for a whole tensor: in a batch, a sample with large values takes the
    resolution from all others, and one with NaN their answers. Returns what the manifest says of it.
    """
    import onnx

    model = onnx.load(path)
    measured = any(node.op_type.startswith("DynamicQuantize") for g in with_inner(model.graph) for node in g.node)
    if not measured or of_one_sample(signature) is None:
        return {}
    for value in (*model.graph.input, *model.graph.output, *model.graph.value_info):
        for dim in value.type.tensor_type.shape.dim:
            if dim.dim_param == "batch":
                dim.dim_value = 1
    onnx.save(model, path)
    return PINNED
