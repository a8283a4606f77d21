"""ONNX files of one operator: cases of the standard's own tests, with other shapes, types, values and attributes."""

from __future__ import annotations

import functools
import warnings
from random import Random
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from mutation_cases._one_operator import DTYPES, OneOperator, Spec

_WHOLE = (0, 1, -1, 2, 3, 4, 5, 7, 16, 64, 255, 1000, 65536, 2**20, 2**24, 2**28, 2**30, 2**31 - 1, 2**40, 2**62)
_FLOATS = (0.0, -0.0, 1.0, -1.0, 0.5, 2.0, 1e-30, 1e5, 1e10, 1e30, float("nan"), float("inf"), -float("inf"))
_OPSETS = (7, 9, 11, 13, 15, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26)
_TEXTS = ("", "x", "SAME_UPPER", "VALID", "reflect", "edge", "wrap", "cubic", "linear", "nearest", "ij,jk->ik", "...",
          "add", "mul", "max", "none", "crd", "round_prefer_ceil", "align_corners", "tf_crop_and_resize", "bilinear",
          "bicubic", "zeros", "border", "avg", "bidirectional", "reverse", "forward", "Relu",
          "HardSigmoid")  # fmt: skip


@functools.cache
def templates() -> list[tuple[str, Any, list[Any]]]:
    """Name, model and inputs of each case of one node, or two."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        from onnx.backend.test.case.node import collect_testcases

        cases = collect_testcases(None)
    found: dict[str, list[tuple[str, Any, list[Any]]]] = {}
    for case in cases:
        if len(case.model.graph.node) == 1 and case.data_sets:
            inputs = list(case.data_sets[0][0])
            if all(isinstance(each, np.ndarray | np.generic) and np.size(each) < 1 << 14 for each in inputs):
                found.setdefault(case.model.graph.node[0].op_type, []).append((case.name, case.model, inputs))
    return [name for _, names in sorted(found.items()) for name in (names * (24 // len(names) + 1))[:24]]


def draw(rng: Random, edits: int) -> OneOperator:
    """One file."""
    name, healthy, arrays = rng.choice(templates())
    model, told = onnx.ModelProto(), []
    model.CopyFrom(healthy)
    node, feeds = model.graph.node[0], [np.asarray(array) for array in arrays]
    for _ in range(edits):
        edit = rng.choice((_array, _array, _attribute, _attribute, _operands, _version))
        told.append(edit(model, node, feeds, rng))
    return _finished(model, node, dict(zip([i.name for i in healthy.graph.input], feeds, strict=False)), rng,
                     f"{name}: {'; '.join(told)}")  # fmt: skip


def changed(array: Any, rng: Random) -> Any:
    """An array of another shape, type, or with other values."""
    how = rng.choice(("value", "value", "values", "shape", "size", "rank", "type", "empty", "scalar", "order"))
    array = np.array(array)
    if how in ("value", "values") and array.size and array.dtype.kind in "iuf":
        flat = array.reshape(-1)
        with np.errstate(all="ignore"):
            chosen = range(flat.size) if how == "values" else [rng.randrange(flat.size)]
            new = rng.choice(_FLOATS) if array.dtype.kind == "f" else rng.choice(_WHOLE) * rng.choice((1, 1, -1))
            for place in chosen:
                flat[place] = np.asarray(new).astype(array.dtype)
        return flat.reshape(array.shape)
    shape = list(array.shape)
    if how == "size" and shape:
        place = rng.randrange(len(shape))
        shape[place] = rng.choice((0, 1, 2, shape[place] + 1, shape[place] * 2, max(shape[place] - 1, 0)))
    elif how == "rank":
        shape = rng.choice((shape[1:], shape[:-1], [1, *shape], [*shape, 1], [*shape, 2], [array.size]))
    elif how == "shape":
        shape = [rng.choice((1, 2, 3, 4)) for _ in range(rng.randrange(6))]
    elif how == "empty":
        shape = [0] * max(1, rng.randrange(3))
    elif how == "scalar":
        shape = []
    elif how == "order":
        return np.ascontiguousarray(array.T)
    elif how == "type" and array.dtype.kind in "iufb":
        with np.errstate(all="ignore"):
            return array.astype(
                rng.choice(("float32", "float64", "int32", "int64", "int8", "uint8", "bool", "float16"))
            )
    return np.resize(array, shape) if array.size else np.zeros(shape, array.dtype)


def _array(model: Any, node: Any, feeds: list[Any], rng: Random) -> str:
    if not feeds:
        return "nothing"
    place = rng.randrange(len(feeds))
    if feeds[place].dtype.kind == "O" and feeds[place].size == 0:
        return "nothing"
    feeds[place] = changed(feeds[place], rng)
    return f"input {place} {feeds[place].dtype}{feeds[place].shape}"


def _attribute(model: Any, node: Any, feeds: list[Any], rng: Random) -> str:
    schemas = [s for s in onnx.defs.get_all_schemas() if s.name == node.op_type and s.domain == node.domain]
    known = list(schemas[0].attributes.values()) if schemas else []
    if not known:
        return "nothing"
    which = rng.choice(known)
    old = next((a for a in node.attribute if a.name == which.name), None)
    kind, value = str(which.type).rpartition(".")[2], None
    if old is not None:
        value = helper.get_attribute_value(old)
        node.attribute.remove(old)
        if rng.random() < 0.1:
            return f"no {which.name}"
    new = _another(kind, value, rng)
    if new is not None:
        node.attribute.append(helper.make_attribute(which.name, new))
    elif old is not None:
        node.attribute.append(old)
    return f"{which.name}={new if kind != 'TENSOR' else '...'}"


def _another(kind: str, old: Any, rng: Random) -> Any:
    whole = [each * rng.choice((1, 1, 1, -1)) for each in _WHOLE]
    small = [rng.choice((0, 1, 2, 3, -1, 4)) for _ in range(rng.randrange(1, 7))]
    if kind == "INT":
        return rng.choice((rng.choice(whole), rng.choice((0, 1, 2, 3, -1, -2, 4, 8))))
    if kind == "FLOAT":
        return rng.choice(_FLOATS)
    if kind == "STRING":
        return rng.choice(_TEXTS)
    if kind in ("INTS", "FLOATS"):
        values: list[Any] = list(old) if old is not None and len(old) else small
        how = rng.randrange(5)
        if how == 0:
            values = values[:-1] or [1]
        elif how == 1:
            values = [*values, values[-1]]
        elif how in (2, 3):
            values[rng.randrange(len(values))] = rng.choice(_FLOATS if kind == "FLOATS" else whole)
        else:
            values = small
        return [float(v) for v in values] if kind == "FLOATS" else [int(v) for v in values]
    if kind == "STRINGS":
        return [rng.choice(_TEXTS) for _ in range(rng.randrange(1, 4))]
    if kind == "TENSOR":
        array = numpy_helper.to_array(old) if old is not None else np.arange(3, dtype="float32")
        return numpy_helper.from_array(np.asarray(changed(array, rng)))
    return None


def _operands(model: Any, node: Any, feeds: list[Any], rng: Random) -> str:
    how = rng.choice(("gap", "fewer", "more", "swap", "same", "kind", "outputs"))
    inputs, count = list(node.input), len(node.input)
    if how == "outputs":
        node.output.append("another")
    elif how == "kind":
        others = [t[1].graph.node[0] for t in templates() if len(t[1].graph.node[0].input) == count]
        other = rng.choice(others)
        node.op_type, node.domain = other.op_type, other.domain
    elif count:
        place = rng.randrange(count)
        if how == "gap":
            inputs[place] = ""
        elif how == "fewer":
            inputs = inputs[:place]
        elif how == "more":
            inputs.append(inputs[place])
        elif how == "swap":
            inputs.reverse()
        else:
            inputs = [inputs[place]] * count
        del node.input[:]
        node.input.extend(inputs)
    return f"{how} {node.op_type}"


def _version(model: Any, node: Any, feeds: list[Any], rng: Random) -> str:
    version = rng.choice(_OPSETS)
    for entry in model.opset_import:
        if entry.domain in ("", "ai.onnx"):
            entry.version = version
    return f"opset {version}"


def _finished(model: Any, node: Any, feeds: dict[str, Any], rng: Random, what: str) -> OneOperator:
    """Some inputs as constants, and every output as a list of numbers, whose type and rank are known."""
    graph, given, constants = model.graph, [], rng.choice((0.0, 0.5, 0.5, 1.0))
    del graph.input[:], graph.value_info[:]
    for name, array in feeds.items():
        if name not in node.input:
            continue
        if str(array.dtype) not in DTYPES or rng.random() < constants:
            graph.initializer.append(_tensor(array, name))
            continue
        shape = tuple(None if rng.random() < 0.3 else size for size in array.shape)
        kind = helper.np_dtype_to_tensor_dtype(array.dtype)
        graph.input.append(helper.make_tensor_value_info(name, kind, shape))
        given.append(Spec(name, str(array.dtype), shape, np.asarray(array)))
    outputs = [(o.name, o.type.WhichOneof("value")) for o in graph.output]
    del graph.output[:]
    graph.initializer.append(numpy_helper.from_array(np.asarray([-1], "int64"), "flat"))
    produced = []
    for name, kind in outputs:
        if kind == "sequence_type":
            graph.node.append(helper.make_node("SequenceLength", [name], [f"{name}_length"]))
            name = f"{name}_length"
        graph.node.append(helper.make_node("Cast", [name], [f"{name}_float"], to=TensorProto.FLOAT))
        graph.node.append(helper.make_node("Reshape", [f"{name}_float", "flat"], [f"{name}_flat"]))
        graph.output.append(helper.make_tensor_value_info(f"{name}_flat", TensorProto.FLOAT, [None]))
        produced.append(Spec(f"{name}_flat", "float32", (None,), None))
    model.ir_version = 8
    return OneOperator(what, model.SerializeToString(), tuple(given), tuple(produced))


def _tensor(array: Any, name: str) -> Any:
    if array.dtype.kind in "OUS":
        return helper.make_tensor(name, TensorProto.STRING, array.shape, [str(each).encode() for each in array.flat])
    return numpy_helper.from_array(array, name)
