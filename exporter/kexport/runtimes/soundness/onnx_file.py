"""The structure of an ONNX file, as far as ONNX Runtime does not check it itself.

It parses with care, but decodes names when it is asked for them, opens the files that a model names for its weights,
and has kernels that follow an input which is left out, or an attribute beyond every shape. Weights are never read. The
fields are those of onnx.proto: ModelProto {7 graph, 25 functions}, GraphProto {1 node, 5 initializer, 11 input,
12 output, 13 value_info}, NodeProto {1 input, 2 output, 3 name, 4 op_type, 5 attribute, 7 domain, 8 overload},
FunctionProto {1 name, 4 input, 5 output, 7 node, 10 domain, 13 overload}, AttributeProto {1 name, 2 f, 3 i, 4 s, 5 t,
6 g, 7 floats, 8 ints, 9 strings, 10 tensors, 11 graphs, 21 ref_attr_name}, TensorProto {1 dims, 2 data_type, 8 name,
13 external_data}, ValueInfoProto {1 name}.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from kexport.runtimes.soundness.flaw import FlawError
from kexport.runtimes.soundness.onnx_bounds import decided_by_values
from kexport.runtimes.soundness.onnx_costs import CostLimits
from kexport.runtimes.soundness.onnx_functions import Name, require_few_calls
from kexport.runtimes.soundness.onnx_operators import check_node
from kexport.runtimes.soundness.onnx_rows import GraphRows, NodeRow, OfCall
from kexport.runtimes.soundness.onnx_sizes import Found, check_sizes
from kexport.runtimes.soundness.onnx_tensors import Known, declared, numbers
from kexport.runtimes.soundness.protobuf import Bytes, fields, integers, signed, text

_DEEPEST = 16
_MOST_AXES = 16
_LARGEST = 1 << 31  # elements
_MOST_NODES = 500_000
_TYPES = 64
_SHORT = 64  # bytes of an attribute that other nodes may have too


def check_onnx(content: memoryview, size_beside: Callable[[str], int], most: Callable[[int], CostLimits]) -> Found:
    """Check the model in a buffer; returns what `check_sizes` and `decided_by_values` found.

    Args:
        content: the bytes of the file.
        size_beside: the size of another file of its folder; raises `OSError` where it may not be read.
        most: what it may take, from the bytes of the inputs that it declares.

    Raises:
        FlawError: something in it would harm the runtime.
    """
    return Walk(size_beside).model(content, most)


class Walk:
    """One walk over a model.

    Args:
        size_beside: as for `check_onnx`.
    """

    def __init__(self, size_beside: Callable[[str], int]) -> None:
        self._size_beside = size_beside
        self._nodes_left = _MOST_NODES
        self._attributes: dict[bytes, dict[str, Any]] = {}

    def model(self, content: memoryview, most: Callable[[int], CostLimits]) -> Found:
        """Check a whole file; `most` and the result are as for `check_onnx`."""
        graphs, functions = list[GraphRows](), dict[Name, GraphRows]()
        for number, value in fields(content, "the model"):
            if isinstance(value, int):
                continue
            if number == 7:
                graphs.append(self._graph(value, 0))
            elif number == 25:
                name, body = self._function(value)
                if name in functions:
                    raise FlawError("the functions", f"two of the name {name[1]!r}", "each once")
                functions[name] = body
        if len(graphs) != 1:
            raise FlawError("the number of graphs", len(graphs), "1")
        if functions:
            require_few_calls(graphs[0], functions, _MOST_NODES)
        found = check_sizes(graphs[0], functions, most(sum(known.least for _, known in graphs[0].inputs)))
        return found._replace(apart=decided_by_values(graphs[0], functions) or found.apart)

    def _function(self, content: Bytes) -> tuple[Name, GraphRows]:
        """Check a function."""
        names, body = {10: "", 1: "", 13: ""}, GraphRows()
        for number, value in fields(content, "a function"):
            if number == 7 and not isinstance(value, int):
                body.nodes.append(self._node(value, 0))
            elif number in names:
                names[number] = text(value, "the name of a function")
            elif number == 4:
                body.inputs.append((text(value, "an input of a function"), Known()))
            elif number == 5:
                body.outputs.append(text(value, "an output of a function"))
        return (names[10], names[1], names[13]), body

    def _graph(self, content: Bytes, depth: int) -> GraphRows:
        if depth > _DEEPEST:
            raise FlawError("the graphs within graphs", f"more than {_DEEPEST} deep", "fewer")
        graph = GraphRows()
        for number, value in fields(content, "a graph"):
            if isinstance(value, int):
                continue
            if number == 1:
                graph.nodes.append(self._node(value, depth))
            elif number == 5:
                name, known = self._tensor(value)
                graph.constants[name] = known
            elif number == 11:
                graph.inputs.append(declared(value))
            elif number in (12, 13):
                described = [text(name, "a name") for part, name in fields(value, "a tensor") if part == 1]
                graph.outputs += described if number == 12 else []
        return graph

    def _node(self, content: Bytes, depth: int) -> NodeRow:
        self._nodes_left -= 1
        if self._nodes_left < 0:
            raise FlawError("the number of nodes", f"more than {_MOST_NODES}", "fewer")
        inputs: list[str] = []
        outputs: list[str] = []
        attributes: dict[str, Any] = {}
        graphs: dict[str, GraphRows] = {}
        domain = kind = overload = name = ""
        for number, value in fields(content, "a node"):
            if number == 1:
                inputs.append(text(value, "an input of a node"))
            elif number == 2:
                outputs.append(text(value, "an output of a node"))
            elif number == 3:
                name = text(value, "the name of a node")
            elif number == 4:
                kind = text(value, "the operator of a node")
            elif number == 5:
                self._known_attribute(value, depth, attributes, graphs)
            elif number == 7:
                domain = text(value, "the domain of a node")
            elif number == 8:
                overload = text(value, "the overload of a node")
        node = NodeRow((domain, kind, overload), name, inputs, outputs, attributes, graphs)
        check_node(node)
        return node

    def _known_attribute(
        self, content: int | Bytes, depth: int, attributes: dict[str, Any], graphs: dict[str, GraphRows]
    ) -> None:
        """Read an attribute of a node into one of the two, without work where another node has the same."""
        if not isinstance(content, bytes) or len(content) > _SHORT:
            self._attribute(content, depth, attributes, graphs)
        elif content in self._attributes:
            attributes.update(self._attributes[content])
        else:
            read: dict[str, Any] = {}
            inner: dict[str, GraphRows] = {}
            self._attribute(content, depth, read, inner)
            attributes |= read
            graphs |= inner
            if not inner:
                self._attributes[content] = read

    def _attribute(
        self, content: int | Bytes, depth: int, attributes: dict[str, Any], graphs: dict[str, GraphRows]
    ) -> None:
        """Read an attribute of a node into one of the two."""
        if isinstance(content, int):
            raise FlawError("an attribute", f"the number {content}", "a message")
        name, several, one, graph = "", list[Any](), list[Any](), None
        for number, held in fields(content, "an attribute"):
            if number == 1:
                name = text(held, "the name of an attribute")
            elif number == 3 and isinstance(held, int):
                one.append(signed(held))
            elif number == 8:
                several += integers(held, "an attribute")
            elif isinstance(held, int):
                continue
            elif number in (2, 7):
                (one if number == 2 else several).extend(struct.unpack(f"<{len(held) // 4}f", held[: len(held) & ~3]))
            elif number in (4, 9):
                (one if number == 4 else several).append(str(held, "utf-8", "replace"))
            elif number in (5, 10):
                (one if number == 5 else several).append(self._tensor(held)[1])
            elif number in (6, 11):
                graph = self._graph(held, depth + 1)
            elif number == 21:
                one.append(OfCall(text(held, "the name of an attribute")))
        if graph is not None:
            graphs[name] = graph
        attributes[name] = one[-1] if one else several

    def _tensor(self, content: Bytes) -> tuple[str, Known]:
        sizes: list[int] = []
        name, kind, entries = "", 0, list[Bytes]()
        for number, value in fields(content, "a tensor"):
            if number == 1:
                sizes += integers(value, "the sizes of a tensor")
            elif number == 2 and isinstance(value, int):
                kind = value
            elif number == 8:
                name = text(value, "the name of a tensor")
            elif number == 13 and not isinstance(value, int):
                entries.append(value)
        dims = tuple(sizes)
        if len(dims) > _MOST_AXES:
            raise FlawError(f"the sizes of the tensor {name!r}", len(dims), f"at most {_MOST_AXES}")
        if not 0 < kind < _TYPES:
            raise FlawError(f"the type of the tensor {name!r}", kind, "a type of ONNX")
        if dims and (min(dims) < 0 or math.prod(dims) > _LARGEST):
            raise FlawError(f"the shape of the tensor {name!r}", dims, f"sizes from 0, at most {_LARGEST} elements")
        if 0 in dims and len(dims) > 1:
            raise FlawError(f"the shape of the tensor {name!r}", dims, "at least one element")
        if entries:
            self._external(f"the tensor {name!r}", dict(_entries(entries, name)))
            return name, Known(dims, kind, fixed=True)
        return name, Known(dims, kind, partial(numbers, dims, kind, content), fixed=True)

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


def _entries(messages: list[Bytes], place: str) -> Iterator[tuple[str, str]]:
    for message in messages:
        pair = {number: text(value, f"an entry of {place}") for number, value in fields(message, place)}
        yield pair.get(1, ""), pair.get(2, "")
