"""Nodes and graphs of an ONNX file, as far as its checks look at them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from kexport.runtimes.soundness.onnx_tensors import Known

_STANDARD = ("", "ai.onnx")
OF_SIZES = frozenset({"Shape", "Size"})
RANDOM = frozenset(
    {"RandomNormal", "RandomUniform", "RandomNormalLike", "RandomUniformLike", "Multinomial", "Bernoulli"}
)


class OfCall(NamedTuple):
    """In the body of a function: an attribute of the call.

    Attributes:
        name: of that attribute.
    """

    name: str


class NodeRow(NamedTuple):
    """A node; a named tuple, since files hold thousands.

    Attributes:
        operator: domain, name and overload of its operator.
        name: its own; may be empty.
        inputs: the names of tensors, empty for one that is left out.
        outputs: the names of tensors.
        attributes: numbers, lists of numbers, texts, and what is known of tensors.
        graphs: the graphs among its attributes.
    """

    operator: tuple[str, str, str]
    name: str
    inputs: list[str]
    outputs: list[str]
    attributes: Mapping[str, Any]
    graphs: Mapping[str, GraphRows]

    @property
    def kind(self) -> str:
        """The name of its operator."""
        return self.operator[1]

    @property
    def standard(self) -> bool:
        """Whether its operator is one of the standard's own."""
        return self.operator[0] in _STANDARD

    @property
    def place(self) -> str:
        """What messages call it."""
        named = self.name or next(filter(None, self.outputs), "")
        return f"the node {named!r} ({self.kind})" if named else f"a node {self.kind}"


@dataclass
class GraphRows:
    """A graph, or the body of a function.

    Attributes:
        nodes: its nodes, in the order of the file.
        inputs: name of each input, and what is declared of it.
        outputs: the names of its outputs.
        constants: what the file says of each tensor that it holds.
    """

    nodes: list[NodeRow] = field(default_factory=list)
    inputs: list[tuple[str, Known]] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    constants: dict[str, Known] = field(default_factory=dict)

    def kept(self) -> GraphRows:
        """The same without what refers to the bytes of the file, and without long constants."""
        nodes = [
            node._replace(
                attributes={name: _kept(value) for name, value in node.attributes.items()},
                graphs={name: graph.kept() for name, graph in node.graphs.items()},
            )
            for node in self.nodes
        ]
        return GraphRows(nodes, self.inputs, self.outputs, {name: _kept(each) for name, each in self.constants.items()})


def _kept(value: Any) -> Any:
    return value.kept() if isinstance(value, Known) else value
