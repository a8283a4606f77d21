"""Artifacts that take one sample at a time, where a larger batch cannot be written or would mix the samples."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np

from kexport.bundle.signature import Array, Signature
from kexport.factory.formats._onnx_graphs import with_inner
from kexport.factory.inputs.calibration_file import read_inputs

#: What the manifest says of such an artifact.
PINNED: dict[str, object] = {"pinned": {"batch": 1}}

_ROUNDING = 2.0**-10  # of the largest output: what the order of a sum may change, with much to spare
_CALLS = 4


def of_one_sample(signature: Signature) -> Signature | None:
    """The signature with a batch of 1; None where not every input and output has a dynamic batch."""
    sides = (signature.inputs, signature.outputs)
    if not all(spec.shape and spec.shape[0] is None for side in sides for spec in side):
        return None
    inputs, outputs = (tuple(replace(spec, shape=(1, *spec.shape[1:])) for spec in side) for side in sides)
    return Signature(inputs, outputs)


def as_calibrated(signature: Signature) -> Signature:
    """The signature by which TensorFlow's calibrator takes inputs.

    It gives one input after the other the size of a call, so that two of several samples do not fit between: they are
    of one sample, as it is started with.
    """
    several = sum(spec.shape[:1] == (None,) for spec in signature.inputs) > 1
    return of_one_sample(signature) or signature if several else signature


def pin_measured_ranges(path: Path, wide: Path, calibration: Path, signature: Signature) -> dict[str, object]:
    """Give an ONNX file a batch of 1 where it measures ranges of integers during a call.

    `DynamicQuantizeLinear` has one scale for a whole tensor: in a batch, a sample with large values takes the
    resolution from all others, and one with NaN their answers. A model that itself mixes samples keeps its batches.

    Args:
        path: of the file.
        wide: of the file in float32.
        calibration: inputs, as `read_inputs` reads them.
        signature: of the model.

    Returns:
        What the manifest says of it.
    """
    import onnx

    model = onnx.load(path)
    measured = any(node.op_type.startswith("DynamicQuantize") for g in with_inner(model.graph) for node in g.node)
    if not measured or of_one_sample(signature) is None or _mixes_samples(wide, calibration, signature):
        return {}
    for value in (*model.graph.input, *model.graph.output, *model.graph.value_info):
        for dim in value.type.tensor_type.shape.dim:
            if dim.dim_param == "batch":
                dim.dim_value = 1
    onnx.save(model, path)
    return PINNED


def _mixes_samples(wide: Path, calibration: Path, signature: Signature) -> bool:
    """Whether the first sample of some batch has another result in float32 when it is alone, or has none."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(wide), providers=["CPUExecutionProvider"])
    names = [spec.name for spec in signature.inputs]
    outputs = [spec.name for spec in signature.outputs]
    for arrays in islice((each for each in read_inputs(calibration, signature) if len(each[0]) > 1), _CALLS):
        together = session.run(outputs, dict(zip(names, arrays, strict=True)))
        try:
            alone = session.run(outputs, {name: array[:1] for name, array in zip(names, arrays, strict=True)})
        except Exception:  # noqa: BLE001  whatever the runtime raises: the model does not take one sample
            return True
        if not all(_alike(one[:1], other) for one, other in zip(together, alone, strict=True)):
            return True
    return False


def _alike(one: Array, other: Array) -> bool:
    if one.shape != other.shape or one.dtype.kind not in "fc":
        return np.array_equal(one, other)
    scale = np.abs(one[np.isfinite(one)]).max(initial=0.0)
    return np.allclose(one, other, rtol=0.0, atol=_ROUNDING * scale, equal_nan=True)
