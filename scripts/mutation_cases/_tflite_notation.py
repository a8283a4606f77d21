"""TFLite files from a short notation, which `_tflite_templates` describes."""

from __future__ import annotations

import re
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

#: Of each letter: the type, and the dtype of its elements.
_LETTERS = {"f": (0, "float32"), "h": (1, "float16"), "i": (2, "int32"), "u": (3, "uint8"), "l": (4, "int64"),
            "t": (5, "str"), "b": (6, "bool"), "s": (7, "int16"), "c": (8, "complex64"), "q": (9, "int8"),
            "a": (2, "int32"), "r": (13, "int32"), "p": (9, "int8"), "d": (9, "int8"), "z": (7, "int16"),
            "e": (12, "uint64"), "o": (7, "int16")}  # fmt: skip
#: Their scales and zero points.
_SCALED = {"q": (2.0**-7, 0), "u": (2.0**-7, 128), "s": (2.0**-7, 0), "a": (2.0**-14, 0), "p": (2.0**-8, -128),
           "d": (2.0**-4, 127), "z": (2.0**-15, 0)}  # fmt: skip
DTYPE_OF = {number: dtype for number, dtype in _LETTERS.values() if number != 13}
_TENSOR = re.compile(r"(?:(\w+):)?([a-z])([\d,]*)(@|=\S*)?$")


def as_bytes(array: Any) -> Any:
    """The bytes of an array, as a buffer holds them."""
    return np.frombuffer(np.ascontiguousarray(array).tobytes(), np.uint8)


def texts(words: list[bytes]) -> Any:
    """Strings as a buffer holds them: their number, the offset of each and of the end, and their bytes."""
    offsets = np.cumsum([4 * (len(words) + 2), *map(len, words)])
    return as_bytes(np.array([len(words), *offsets], np.int32)).tobytes() + b"".join(words)


class _Parser:
    """Builds a model from the notation."""

    def __init__(self) -> None:
        self._names: dict[tuple[int, str | None], int] = {}
        self._made: set[int] = set()
        self.model = schema.ModelT()
        self.model.version, self.model.buffers = 3, [schema.BufferT()]
        self.model.operatorCodes, self.model.subgraphs = [], []
        self._codes: dict[str, int] = {}

    def graph(self, line: str) -> None:
        """A subgraph of one line."""
        graph, self._names, self._made = schema.SubGraphT(), {}, set()
        graph.tensors, graph.operators, graph.inputs = [], [], []
        for text in line.split(" ; "):
            name, _, rest = text.partition(" ")
            if name == "INPUT":
                for word in rest.split():
                    self._tensor(word, graph, False)
            else:
                graph.operators.append(self._operator(text, graph))
        read = {tensor for operator in graph.operators for tensor in operator.inputs}
        graph.outputs = sorted(self._made - read)
        self.model.subgraphs.append(graph)

    def _operator(self, text: str, graph: Any) -> Any:
        operator, (left, _, settings) = schema.OperatorT(), text.partition("|")
        name, _, rest = left.strip().partition(" ")
        inputs, _, results = f" {rest} ".partition(" > ") if " > " in f" {rest} " else (f" {rest} ", "", "")
        outputs, _, between = results.partition("~")
        operator.inputs = [self._tensor(word, graph, False) for word in inputs.replace(">", " ").split()]
        operator.outputs = [self._tensor(word, graph, True) for word in outputs.split()]
        operator.intermediates = [self._tensor(word, graph, True, counted=False) for word in between.split()]
        if name not in self._codes:
            code = schema.OperatorCodeT()
            code.builtinCode = getattr(schema.BuiltinOperator, name)
            version = {"BROADCAST_TO": 2, "CALL_ONCE": 1}.get(name, 1)
            code.deprecatedBuiltinCode, code.version = min(code.builtinCode, 127), version
            self._codes[name] = len(self.model.operatorCodes)
            self.model.operatorCodes.append(code)
        operator.opcodeIndex = self._codes[name]
        set_options(operator, name, settings)
        return operator

    def _tensor(self, word: str, graph: Any, output: bool, counted: bool = True) -> int:
        if word == "-":
            return -1
        name, letter, sizes, held = _TENSOR.match(word).groups()  # type: ignore[union-attr]
        key = (len(self.model.subgraphs), name)
        if name and key in self._names:
            return int(self._names[key])
        tensor = schema.TensorT()
        number, dtype = _LETTERS[letter]
        shape = [int(size) for size in sizes.split(",") if size]
        index, tensor.shape, tensor.type = len(graph.tensors), shape, number
        tensor.name = f"t{index}"
        if letter in _SCALED:
            _quantise(tensor, shape, held == "=*", *_SCALED[letter])
        if held == "@":
            tensor.isVariable = True
        elif held is not None:
            self._hold(tensor, held[1:].strip("*"), dtype, shape)
        elif not output:
            graph.inputs.append(index)
        if output and counted:
            self._made.add(index)
        self._names[key] = index
        graph.tensors.append(tensor)
        return index

    def _hold(self, tensor: Any, text: str, dtype: str, shape: list[int]) -> None:
        count, buffer = int(np.prod(shape)), schema.BufferT()
        if text == "#":
            tensor.sparsity, text = sparsity(), "1,2,3"
            buffer.data = as_bytes(np.array([1, 2, 3], dtype))
        elif dtype == "str":
            words = [word.encode() for word in text.split(",")] if text else [b"a"]
            buffer.data = np.frombuffer(texts((words * count)[:count]), np.uint8)
        else:
            held = [float(each) for each in text.split(",")] if text else [1 + place % 3 for place in range(count)]
            buffer.data = as_bytes(np.array((held * count)[:count], dtype))
        self.model.buffers.append(buffer)
        tensor.buffer = len(self.model.buffers) - 1


def _quantise(tensor: Any, shape: list[int], by_channel: bool, scale: float, zero_point: int) -> None:
    tensor.quantization = schema.QuantizationParametersT()
    axis = len(shape) - 1 if len(shape) == 4 and shape[0] == 1 else 0
    scales = shape[axis] if by_channel else 1
    tensor.quantization.scale, tensor.quantization.zeroPoint = [scale] * scales, [zero_point] * scales
    tensor.quantization.quantizedDimension = axis if by_channel else 0


def sparsity() -> Any:
    """How a matrix of 2 x 3 with three numbers is stored without its zeros."""
    about = schema.SparsityParametersT()
    about.traversalOrder, about.blockMap = [0, 1], []
    about.dimMetadata = [schema.DimensionMetadataT(), schema.DimensionMetadataT()]
    about.dimMetadata[0].denseSize, about.dimMetadata[1].format = 2, 1
    lists = [schema.Int32VectorT(), schema.Uint8VectorT()]
    lists[0].values, lists[1].values = [0, 1, 3], np.array([2, 0, 1], np.uint8)
    about.dimMetadata[1].arraySegments, about.dimMetadata[1].arrayIndices = lists
    about.dimMetadata[1].arraySegmentsType, about.dimMetadata[1].arrayIndicesType = 1, 3
    return about


def set_options(operator: Any, name: str, settings: str) -> None:
    """The options that an operator of that name has, with some of their fields set."""
    from kexport.runtimes.soundness.tflite_operators import kind_of

    kind = kind_of(getattr(schema.BuiltinOperator, name))
    number, second = (kind.options, kind.options_2) if kind else (0, 0)
    union, field = (schema.BuiltinOptions2, "builtinOptions2") if second else (schema.BuiltinOptions, "builtinOptions")
    if not (number or second):
        return
    (table,) = (key for key, value in vars(union).items() if value == (second or number))
    made = getattr(schema, f"{table}T")()
    for pair in settings.split():
        key, _, value = pair.partition("=")
        if value.replace(",", "").replace(".", "").replace("-", "").isdigit():
            numbers = [float(each) if "." in each else int(each) for each in value.split(",")]
            setattr(made, key, numbers if "," in value else numbers[0])
        else:
            setattr(made, key, value.encode())
    setattr(operator, field, made)
    setattr(operator, f"{field}Type", second or number)


def healthy(text: str) -> bytes:
    """The file of a template."""
    parser = _Parser()
    for line in text.splitlines():
        parser.graph(line)
    return packed(parser.model)


def packed(model: Any) -> bytes:
    """The file of a model."""
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())
