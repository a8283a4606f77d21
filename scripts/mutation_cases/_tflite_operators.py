"""TFLite files of one operator, or the few that belong together, with other shapes, types, buffers and options."""

from __future__ import annotations

import functools
from random import Random
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from mutation_cases import _tflite
from mutation_cases._one_operator import DTYPES, OneOperator, Spec
from mutation_cases._tflite_notation import DTYPE_OF, as_bytes, healthy, packed, set_options, sparsity, texts
from mutation_cases._tflite_templates import lines

_CODES = {value: name for name, value in vars(schema.BuiltinOperator).items() if isinstance(value, int)}
_SIZES = (0, 1, 2, 3, 4, 5, 8, 16, 64, 1000, -1, 1 << 16)
_WHOLE = (0, 1, -1, 2, 3, 4, 7, 16, 100, 255, 1000, 65536, 2**24, 2**30, 2**31 - 1, -(2**31), 2**40, 2**62)
_SCALES = (0.0, 1e-30, 1e-9, 1e-3, 0.5, 1.0, 100.0, 1e9, 1e30, float("inf"), float("nan"), -1.0)


@functools.cache
def templates() -> list[tuple[str, bytes]]:
    """The name and the file of each."""
    return [(text.split()[0], healthy(text)) for text in lines()]


def draw(rng: Random, edits: int) -> OneOperator:
    """One file."""
    name, content = rng.choice(templates())
    told = []
    for _ in range(edits):
        for _ in range(10):
            edit = rng.choice((_shape, _shape, _type, _quantization, _buffer, _operands, _operands, _option, _option,
                               _kind, _variable, _interface, _any))  # fmt: skip
            try:
                model = schema.ModelT.InitFromPackedBuf(bytearray(content), 0)
                what = edit(model, rng)
                new = packed(model)
                schema.ModelT.InitFromPackedBuf(bytearray(new), 0)
            except Exception:  # noqa: BLE001  what cannot be written, or read again, is no mutation
                continue
            content = new
            told.append(what)
            break
    inputs, outputs = _interface_of(content, rng)
    return OneOperator(f"{name}: {'; '.join(told)}", content, inputs, outputs)


def _interface_of(content: bytes, rng: Random) -> tuple[tuple[Spec, ...], tuple[Spec, ...]]:
    """What the file says of its inputs and outputs."""
    model = schema.ModelT.InitFromPackedBuf(bytearray(content), 0)
    graph, sides = (model.subgraphs or [schema.SubGraphT()])[0], []
    for indices in (graph.inputs, graph.outputs):
        specs: dict[str, Spec] = {}
        for index in [] if indices is None else indices:
            if not 0 <= index < len(graph.tensors or []):
                continue
            tensor = graph.tensors[index]
            dtype = DTYPE_OF.get(tensor.type, "float32").replace("str", "string")
            shape = tuple(int(size) for size in ([] if tensor.shape is None else tensor.shape))
            name = (tensor.name or b"").decode(errors="replace") or "none"
            declared = _of(tensor.shapeSignature) or shape
            sizes = tuple(None if size < 0 or rng.random() < 0.02 else size for size in declared)
            specs[name] = Spec(name, dtype, sizes, _value(dtype, shape, rng))
        sides.append(tuple(specs.values()))
    return sides[0], sides[1]


def _value(dtype: str, shape: tuple[int, ...], rng: Random) -> Any:
    shape = tuple(2 if size < 0 else size for size in shape)
    if np.prod([float(size) for size in shape]) > 1e6 or max(shape, default=0) > 1e6:
        return np.zeros((0,), "float32")
    if dtype not in DTYPES:
        return np.full(shape, "a") if dtype == "string" else np.zeros(shape, dtype)
    draws = np.random.default_rng(rng.randrange(1 << 30))
    if np.dtype(dtype).kind == "f":
        return draws.normal(size=shape).astype(dtype)
    return draws.integers(0 if dtype == "bool" else 1, 2 if dtype == "bool" else 4, shape).astype(dtype)


def _graph(model: Any, rng: Random) -> Any:
    return rng.choice(model.subgraphs)


def _of(values: Any) -> list[int]:
    return [] if values is None else [int(each) for each in values]


def _shape(model: Any, rng: Random) -> str:
    graph = _graph(model, rng)
    place = rng.randrange(len(graph.tensors))
    tensor = graph.tensors[place]
    old = _of(tensor.shape)
    how = rng.randrange(7)
    if how == 0 and old:
        del old[rng.randrange(len(old))]
    elif how == 1:
        old.insert(rng.randrange(len(old) + 1), rng.choice((1, 1, 2, 3)))
    elif how == 2:
        old = [rng.choice((1, 2, 3, 4)) for _ in range(rng.randrange(7))]
    elif how == 3 and old:
        old[rng.randrange(len(old))] = 0
    elif old:
        at = rng.randrange(len(old))
        old[at] = rng.choice((*_SIZES, old[at] + 1, old[at] - 1, old[at] * 2))
    tensor.shape = old
    if rng.random() < 0.8:
        _fill(model, tensor)
    return f"tensor {place} of shape {old}"


def _fill(model: Any, tensor: Any) -> None:
    """Let the buffer of a constant have the size that its shape demands."""
    dtype, buffer = DTYPE_OF.get(tensor.type), model.buffers[tensor.buffer]
    size = float(np.prod([float(each) for each in _of(tensor.shape)]))
    if buffer.data is not None and dtype not in (None, "str") and 0 <= size < 1e6:
        needed = int(size) * np.dtype(dtype).itemsize
        own = schema.BufferT()
        own.data = np.resize(np.asarray(buffer.data, np.uint8), needed)
        model.buffers.append(own)
        tensor.buffer = len(model.buffers) - 1


def _type(model: Any, rng: Random) -> str:
    graph = _graph(model, rng)
    place = rng.randrange(len(graph.tensors))
    kind = rng.choice((0, 0, 1, 2, 2, 3, 4, 5, 6, 7, 8, 9, 9, 10, 12, 13, 14, 15, 16, 17, 18, 19))
    old = graph.tensors[place].type
    for index, tensor in enumerate(graph.tensors):
        if index == place or (tensor.type == old and rng.random() < 0.5):
            tensor.type = kind
            _fill(model, tensor)
    return f"tensor {place} of type {kind}"


def _quantization(model: Any, rng: Random) -> str:
    graph = _graph(model, rng)
    place = rng.randrange(len(graph.tensors))
    tensor = graph.tensors[place]
    about = tensor.quantization or schema.QuantizationParametersT()
    how = rng.choice(("none", "scale", "scales", "zero", "axis", "details", "zeros"))
    tensor.quantization = None if how == "none" else about
    sizes = _of(tensor.shape)
    if how == "scale":
        about.scale, about.zeroPoint = [rng.choice(_SCALES)], [0]
    elif how == "scales":
        axis = rng.randrange(max(len(sizes), 1))
        count = sizes[axis] if sizes and rng.random() < 0.8 else rng.choice((2, 3, 4))
        about.scale, about.zeroPoint = (
            [rng.choice((0.5, 0.01)) for _ in range(min(count, 5000))],
            [0] * min(count, 5000),
        )
        about.quantizedDimension = axis
    elif how in ("zero", "zeros"):
        about.scale = about.scale if about.scale is not None and len(about.scale) else [0.5]
        count = 1 if how == "zero" else rng.choice((0, 1, 2, len(about.scale)))
        about.zeroPoint = [rng.choice((0, 1, -1, 127, -128, 128, 1 << 40)) for _ in range(count)]
    elif how == "axis":
        about.quantizedDimension = rng.choice((0, 1, 2, 3, -1, 9))
    elif how == "details":
        about.details, about.detailsType = schema.BlockwiseQuantizationT(), 2
        about.details.scales, about.details.zeroPoints = rng.choice((0, 1, 2, 99, -1)), rng.choice((0, 1, -1, 99))
        about.details.blockSize = rng.choice((0, 1, 2, 4, 32, -1))
    return f"tensor {place}, its quantization: {how}"


def _buffer(model: Any, rng: Random) -> str:
    graph = _graph(model, rng)
    held = [place for place, tensor in enumerate(graph.tensors) if model.buffers[tensor.buffer].data is not None]
    how = rng.choice(("value", "value", "value", "none", "new", "other"))
    place = rng.choice(held) if held and how != "new" else rng.randrange(len(graph.tensors))
    tensor = graph.tensors[place]
    if how == "none":
        tensor.buffer = 0
    elif how == "other":
        tensor.buffer = rng.randrange(len(model.buffers))
    else:
        dtype = DTYPE_OF.get(tensor.type, "float32")
        count = min(int(np.prod([max(size, 0) for size in _of(tensor.shape)])), 1 << 16)
        own = schema.BufferT()
        if dtype == "str":
            own.data = np.frombuffer(texts([rng.choice((b"", b"a", b"bc" * 50))] * count), np.uint8)
        else:
            draws = [rng.choice(_WHOLE if np.dtype(dtype).kind != "f" else (0.0, 1.0, -1.0, 1e30, float("nan")))
                     for _ in range(rng.choice((1, 1, max(count, 1))))]  # fmt: skip
            old = model.buffers[tensor.buffer].data
            with np.errstate(all="ignore"):
                values = np.array(draws, "float64" if np.dtype(dtype).kind == "f" else "int64").astype(dtype)
                array = np.resize(values, count)
                if old is not None and len(values) == 1 and count and len(old) >= array.nbytes:
                    array = np.frombuffer(bytes(old)[: array.nbytes], dtype).copy()
                    array[rng.randrange(count)] = values[0]
            own.data = as_bytes(array)
        model.buffers.append(own)
        tensor.buffer = len(model.buffers) - 1
        if place in _of(graph.inputs):
            graph.inputs = [each for each in _of(graph.inputs) if each != place]
    return f"tensor {place}, its buffer: {how}"


def _operands(model: Any, rng: Random) -> str:
    graph = _graph(model, rng)
    operator = rng.choice(graph.operators)
    field = rng.choice(("inputs", "inputs", "inputs", "outputs", "intermediates"))
    values, count = _of(getattr(operator, field)), len(graph.tensors)
    how = rng.choice(("gap", "gap", "other", "other", "fewer", "more", "without"))
    if how in ("gap", "other", "without") and values:
        place = rng.randrange(len(values))
        if how == "without":
            del values[place]
        else:
            values[place] = -1 if how == "gap" else rng.randrange(count)
    elif how == "fewer":
        values = values[:-1]
    else:
        values.append(rng.choice((-1, rng.randrange(count))))
    setattr(operator, field, values)
    return f"{field} {values}"


def _option(model: Any, rng: Random) -> str:
    operator = rng.choice(_graph(model, rng).operators)
    name = "builtinOptions2" if operator.builtinOptions2 is not None else "builtinOptions"
    options = getattr(operator, name)
    if options is None or rng.random() < 0.05:
        setattr(operator, name, None)
        setattr(operator, f"{name}Type", 0)
        return "no options"
    field = rng.choice(sorted(vars(options)))
    old = getattr(options, field)
    if isinstance(old, float):
        new = rng.choice((0.0, -1.0, 1e30, float("nan"), float("inf"), 0.5))
    elif isinstance(old, bool | int):
        new = rng.choice((0, 1, 2, 3, 4, 5, -1, 7, 100, rng.choice(_WHOLE)))
    else:
        new = _tflite._changed(old, rng)
    setattr(options, field, new)
    return f"{field}={new}"


def _kind(model: Any, rng: Random) -> str:
    code = rng.choice(model.operatorCodes)
    if rng.random() < 0.5:
        code.version = rng.choice((0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 12))
        return f"version {code.version}"
    code.builtinCode = rng.choice(sorted(_CODES))
    code.deprecatedBuiltinCode = min(code.builtinCode, 127)
    if rng.random() < 0.7:
        for graph in model.subgraphs:
            for operator in graph.operators:
                if model.operatorCodes[operator.opcodeIndex] is code:
                    operator.builtinOptions, operator.builtinOptionsType = None, 0
                    operator.builtinOptions2, operator.builtinOptions2Type = None, 0
                    set_options(operator, _CODES[code.builtinCode], "")
    return f"operator {_CODES[code.builtinCode]}"


def _variable(model: Any, rng: Random) -> str:
    graph = _graph(model, rng)
    place = rng.randrange(len(graph.tensors))
    tensor = graph.tensors[place]
    tensor.isVariable = not tensor.isVariable
    if tensor.isVariable:
        graph.inputs = [each for each in _of(graph.inputs) if each != place]
    return f"tensor {place} variable {tensor.isVariable}"


def _interface(model: Any, rng: Random) -> str:
    """Another tensor as an input or output of a subgraph, or another order of subgraphs, or a signature."""
    graph, how = _graph(model, rng), rng.choice(("inputs", "outputs", "order", "signature", "sparse", "dynamic"))
    place = rng.randrange(len(graph.tensors))
    if how in ("inputs", "outputs"):
        values = _of(getattr(graph, how))
        values = rng.choice((values[:-1], [*values, place], values[::-1], values * 2))
        setattr(graph, how, values)
    elif how == "order":
        model.subgraphs.reverse()
    elif how == "sparse":
        graph.tensors[place].sparsity = sparsity()
    elif how == "dynamic":
        graph.tensors[place].shapeSignature = [rng.choice((-1, size)) for size in _of(graph.tensors[place].shape)]
    else:
        signature = schema.SignatureDefT()
        signature.signatureKey, signature.subgraphIndex = b"serving_default", rng.randrange(len(model.subgraphs))
        own = model.subgraphs[signature.subgraphIndex]
        for side in ("inputs", "outputs"):
            entries = []
            for index in _of(getattr(own, side)):
                entry = schema.TensorMapT()
                entry.name, entry.tensorIndex = rng.choice((f"n{index}", "same")), rng.choice((index, place))
                entries.append(entry)
            setattr(signature, side, entries)
        model.signatureDefs = [signature] * rng.choice((1, 1, 2))
    return f"{how} of subgraph"


def _any(model: Any, rng: Random) -> str:
    places = [place for place in _tflite._places(model) if not any(word in place[2] for word in (".metadata",))]
    thing, field, where = rng.choice(places)
    setattr(thing, field, _tflite._changed(getattr(thing, field), rng))
    return f"another {where}"
