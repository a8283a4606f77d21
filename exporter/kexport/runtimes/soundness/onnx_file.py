"""The structure of an ONNX file, as far as ONNX Runtime does not check it itself.

It parses with care, but decodes names when it is asked for them, opens the files that a model names for its weights,
and has kernels that follow an input which is left out, or an attribute beyond every shape. Weights are never read. The
fields are those of onnx.proto: ModelProto {7 graph, 25 functions}, GraphProto {1 node, 5 initializer, 11 input,
12 output, 13 value_info}, NodeProto {1 input, 2 output, 3 name, 4 op_type, 5 attribute, 7 domain, 8 overload},
FunctionProto {1 name, 7 node, 10 domain, 13 overload}, AttributeProto {1 name, 3 i, 5 t, 6 g, 10 tensors, 11 graphs},
TensorProto {1 dims, 2 data_type, 8 name, 13 external_data}, ValueInfoProto {1 name}.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from kexport.runtimes.soundness.flaw import FlawError
from kexport.runtimes.soundness.onnx_functions import Calls, Name, require_few_calls
from kexport.runtimes.soundness.protobuf import fields, integers, signed, text

_DEEPEST = 16
_MOST_AXES = 16
_LARGEST = 1 << 31  # elements
_MOST_NODES = 500_000
_TYPES = 64
#: Operators that take any number of inputs, and each of them at its word.
_VARIADIC = frozenset({"Max", "Min", "Sum", "Mean", "Concat", "SequenceConstruct", "Einsum"})
#: Attributes that count axes or elements, with the largest absolute value that one may have.
_BOUNDED = {"axis": 64, "batch_dims": 64, "group": 1 << 24, "num_outputs": 1 << 20, "to": 64, "blocksize": 1 << 16}
_NOT_NEGATIVE = frozenset({"batch_dims", "group", "num_outputs", "blocksize", "to"})


def check_onnx(content: memoryview, size_beside: Callable[[str], int]) -> None:
    """Check the model in a buffer.

    Args:
        content: the bytes of the file.
        size_beside: the size of another file of its folder; raises `OSError` where it may not be read.

    Raises:
        FlawError: something in it would harm the runtime.
    """
    Walk(size_beside).model(content)


class Walk:
    """One walk over a model.

    Args:
        size_beside: as for `check_onnx`.
    """

    def __init__(self, size_beside: Callable[[str], int]) -> None:
        self._size_beside = size_beside
        self._nodes_left = _MOST_NODES
        self._calls = Calls()  # of the graph, or the function, that is being walked

    def model(self, content: memoryview) -> None:
        """Check a whole file."""
        graphs, functions = [], dict[Name, Calls]()
        for number, value in fields(content, "the model"):
            if isinstance(value, int):
                continue
            self._calls = Calls()
            if number == 7:
                self._graph(value, 0)
                graphs.append(self._calls)
            elif number == 25:
                name = self._function(value)
                if name in functions:
                    raise FlawError("the functions", f"two of the name {name[1]!r}", "each once")
                functions[name] = self._calls
        if len(graphs) != 1:
            raise FlawError("the number of graphs", len(graphs), "1")
        require_few_calls(graphs[0], functions, _MOST_NODES)

    def _function(self, content: memoryview) -> Name:
        """Check a function; returns its name."""
        names = {10: "", 1: "", 13: ""}
        for number, value in fields(content, "a function"):
            if number == 7 and not isinstance(value, int):
                self._node(value, 0)
            elif number in names:
                names[number] = text(value, "the name of a function")
        return names[10], names[1], names[13]

    def _graph(self, content: memoryview, depth: int) -> None:
        if depth > _DEEPEST:
            raise FlawError("the graphs within graphs", f"more than {_DEEPEST} deep", "fewer")
        for number, value in fields(content, "a graph"):
            if isinstance(value, int):
                continue
            if number == 1:
                self._node(value, depth)
            elif number == 5:
                self._tensor(value)
            elif number in (11, 12, 13):
                for part, name in fields(value, "the description of a tensor"):
                    if part == 1:
                        text(name, "the name of a tensor")

    def _node(self, content: memoryview, depth: int) -> None:
        self._nodes_left -= 1
        if self._nodes_left < 0:
            raise FlawError("the number of nodes", f"more than {_MOST_NODES}", "fewer")
        inputs, names = [], {7: "", 4: "", 8: ""}
        for number, value in fields(content, "a node"):
            if number == 5 and not isinstance(value, int):
                self._attribute(value, depth)
            elif number == 1:
                inputs.append(text(value, "an input of a node"))
            elif number in names:
                names[number] = text(value, "the operator of a node")
            elif number in (2, 3):
                text(value, "a name in a node")
        kind = names[4]
        self._calls[names[7], kind, names[8]] += 1
        if kind in _VARIADIC and "" in inputs:
            raise FlawError(f"the inputs of a node {kind}", "one is left out", "all of them")

    def _attribute(self, content: memoryview, depth: int) -> None:
        name, whole = "", None
        for number, value in fields(content, "an attribute"):
            if number == 1:
                name = text(value, "the name of an attribute")
            elif isinstance(value, int):
                whole = signed(value) if number == 3 else whole
            elif number in (5, 10):
                self._tensor(value)
            elif number in (6, 11):
                self._graph(value, depth + 1)
        bound = _BOUNDED.get(name)
        if whole is None or bound is None:
            return
        if abs(whole) > bound or (whole < 0 and name in _NOT_NEGATIVE):
            raise FlawError(f"the attribute {name} of a node", whole, f"at most {bound}")

    def _tensor(self, content: memoryview) -> None:
        sizes, name, kind, entries = [], "", 0, []
        for number, value in fields(content, "a tensor"):
            if number == 1:
                sizes += integers(value, "the sizes of a tensor")
                if len(sizes) > _MOST_AXES:
                    raise FlawError("the sizes of a tensor", "too many", f"at most {_MOST_AXES}")
            elif number == 2 and isinstance(value, int):
                kind = value
            elif number == 8:
                name = text(value, "the name of a tensor")
            elif number == 13 and not isinstance(value, int):
                entries.append(value)
        place = f"the tensor {name!r}"
        if not 0 < kind < _TYPES:
            raise FlawError(f"the type of {place}", kind, "a type of ONNX")
        if any(size < 0 for size in sizes) or math.prod(sizes) > _LARGEST:
            raise FlawError(f"the shape of {place}", tuple(sizes), f"sizes from 0, at most {_LARGEST} elements")
        if 0 in sizes and len(sizes) > 1:
            raise FlawError(f"the shape of {place}", tuple(sizes), "at least one element")
        if entries:
            self._external(place, dict(_entries(entries, place)))

    def _external(self, place: str, entries: dict[str, str]) -> None:
        """Weights in a file of their own: it must lie beside the model, and hold them."""
        place, location = f"the weights of {place}", entries.get("location", "")
        numbers = [entries.get(key, "0") for key in ("offset", "length")]
        if not all(number.isascii() and number.isdigit() and len(number) < 20 for number in numbers):
            raise FlawError(place, f"offset and length {numbers}", "whole numbers")
        try:
            size = self._size_beside(location)
        except (OSError, ValueError) as error:
            got = f"{location!r}: {getattr(error, 'strerror', None) or error}"
            raise FlawError(place, got, "a file beside the model") from None
        if sum(map(int, numbers)) > size:
            raise FlawError(place, f"{numbers[1]} bytes at {numbers[0]}", f"a part of {location!r}, {size} bytes")


def _entries(messages: list[memoryview], place: str) -> Iterator[tuple[str, str]]:
    for message in messages:
        pair = {number: text(value, f"an entry of {place}") for number, value in fields(message, place)}
        yield pair.get(1, ""), pair.get(2, "")
