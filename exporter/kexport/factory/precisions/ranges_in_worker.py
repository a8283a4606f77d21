"""Task of a process that loads a runtime: how many real values lie outside of what the integers of a file stand for."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

import numpy as np

from kexport import runtimes
from kexport.bundle.json_text import JsonObject
from kexport.bundle.signature import Array, Signature, TensorSpec
from kexport.factory.inputs.calibration_file import read_inputs
from kexport.factory.localisation import intermediates
from kexport.runtimes.files import tflite


class OutsideJson(TypedDict):
    """One tensor.

    Attributes:
        tensor: its name in the file.
        low: the least number that its integers stand for.
        high: the largest.
        values: how many real values were looked at.
        outside: how many of them are further outside than one step of the integers.
        least: the least of the values.
        largest: the largest.
    """

    tensor: str
    low: float
    high: float
    values: int
    outside: int
    least: float
    largest: float


@dataclass(frozen=True)
class Range:
    """What the integers of a tensor stand for: from the least to the largest, in steps."""

    low: float
    high: float
    step: float

    @classmethod
    def of(cls, dtype: str, scale: float, zero_point: int) -> Range:
        """The range of all integers of a dtype."""
        bounds = np.iinfo(dtype)
        return cls((bounds.min - zero_point) * scale, (bounds.max - zero_point) * scale, scale)


def serve(
    files: Mapping[str, str], form: str, runtime: str, signature: JsonObject, inputs: str
) -> Iterator[OutsideJson]:
    """Run a file in float, and count its values outside of the ranges of a file of integers; yields each tensor.

    Args:
        files: the paths of both, `"wide"` and `"narrow"`.
        form: the name of their format.
        runtime: the name of the runtime.
        signature: that of the model.
        inputs: the path of the inputs, as `read_inputs` takes it.
    """
    wide, whole = Path(files["wide"]), Signature.from_json(signature)
    ranges = _RANGES[form](Path(files["narrow"]))
    exposure = intermediates.get(form)
    # What names a tensor in both files: in TFLite all names of what was fused, in ONNX the only one.
    keys = {(tensor.output or ";".join(tensor.names) if form == "tflite" else tensor.key): tensor.key
            for tensor in exposure.tensors(wide)}  # fmt: skip
    known = {name: keys[name] for name in ranges if name in keys}
    counts = {name: _Count(each) for name, each in ranges.items()}
    with tempfile.TemporaryDirectory() as folder:
        session = None
        if known:
            target = Path(folder) / wide.name
            exposure.expose(wide, [*known.values()], True, target)
            specs = tuple(TensorSpec(key, "float32", ()) for key in known.values())  # the names alone are looked at
            session = runtimes.get(runtime).open(target, Signature(whole.inputs, specs))
        for arrays in read_inputs(Path(inputs), whole):
            feeds = {spec.name: array for spec, array in zip(whole.inputs, arrays, strict=True)}
            for name in feeds.keys() & counts.keys():
                counts[name].add(feeds[name])
            results = session(feeds) if session is not None else {}
            for name, key in known.items():
                counts[name].add(results[key])
    yield from (count.told(name) for name, count in counts.items() if count.values)


class _Count:
    """The values of one tensor, and how many are outside of a range."""

    def __init__(self, measured: Range) -> None:
        self._range = measured
        self.values = self._outside = 0
        self._least, self._largest = float("inf"), float("-inf")

    def add(self, values: Array) -> None:
        """Count the finite numbers among the values of one call."""
        if values.dtype.kind != "f" or not values.size:
            return
        numbers = values[np.isfinite(values)].astype(np.float64)
        slack = 1.001 * self._range.step  # the end of a fixed range, such as that of a softmax, may be a step short
        self.values += numbers.size
        self._outside += int(((numbers < self._range.low - slack) | (numbers > self._range.high + slack)).sum())
        self._least = min(self._least, float(numbers.min(initial=np.inf)))
        self._largest = max(self._largest, float(numbers.max(initial=-np.inf)))

    def told(self, name: str) -> OutsideJson:
        """What was counted."""
        ends = {"low": self._range.low, "high": self._range.high, "least": self._least, "largest": self._largest}
        return {"tensor": name, "values": self.values, "outside": self._outside, **ends}  # type: ignore[typeddict-item]


def tflite_ranges(path: Path) -> dict[str, Range]:
    """The ranges of the integer tensors of the main graph that operators compute, by the name of the same in float."""
    schema, model = tflite.schema(), tflite.parse(path.read_bytes())
    types, kinds = tflite.numbered(schema.TensorType), tflite.numbered(schema.BuiltinOperator)
    graph, inputs, outputs = model.subgraphs[0], set[int](), set[int]()
    inputs.update(map(int, model.subgraphs[0].inputs))
    outputs.update(map(int, model.subgraphs[0].outputs))
    computed, named = dict.fromkeys(inputs), dict[int, int]()
    for operator in graph.operators:
        kind = kinds[tflite.number(model.operatorCodes[operator.opcodeIndex])]
        for index in map(int, operator.outputs):
            computed[index] = None
            if kind == "QUANTIZE" and int(operator.inputs[0]) in inputs:
                named[index] = int(operator.inputs[0])
            elif kind == "DEQUANTIZE" and index in outputs:
                named[int(operator.inputs[0])] = index
    found: dict[str, Range] = {}
    for index in computed:
        dtype, quantization = types[graph.tensors[index].type].lower(), graph.tensors[index].quantization
        if dtype not in ("int8", "int16") or quantization is None or quantization.zeroPoint is None:
            continue
        if quantization.scale is not None and len(quantization.scale) == 1:
            name = (graph.tensors[named.get(index, index)].name or b"").decode()
            found[name] = Range.of(dtype, float(quantization.scale[0]), int(quantization.zeroPoint[0]))
    return found


def onnx_ranges(path: Path) -> dict[str, Range]:
    """The ranges of what `QuantizeLinear` takes, by name."""
    import onnx

    graph = onnx.load(str(path)).graph
    constants = {tensor.name: tensor for tensor in graph.initializer}
    found = {}
    for node in graph.node:
        if node.op_type == "QuantizeLinear" and set(node.input[1:3]) <= constants.keys():
            scale, zero = (onnx.numpy_helper.to_array(constants[name]) for name in node.input[1:3])
            if scale.size == 1:
                name = node.input[0].removesuffix(_BEFORE_OUTPUT)
                found[name] = Range.of(zero.dtype.name, float(scale.reshape(())), int(zero.reshape(())))
    return found


#: What ONNX Runtime's quantiser calls the float that was an output, behind the name of that.
_BEFORE_OUTPUT = "_QuantizeLinear_Input"
_RANGES = {"tflite": tflite_ranges, "onnx": onnx_ranges}
