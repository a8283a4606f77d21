"""Protocols for ONNX models and tf2onnx' graph, as far as kexport uses them: neither package ships types."""

from __future__ import annotations

from collections.abc import Mapping, MutableSequence, Sequence
from typing import Any, Protocol

from kexport.bundle.signature import Array
from kexport.factory.graph.protocols import AttrValue


class OnnxAttribute(Protocol):
    """An attribute of a node of an ONNX model; `g` and `graphs` are what a control-flow node runs."""

    name: str

    g: OnnxGraph
    graphs: Sequence[OnnxGraph]
    i: int
    ints: Sequence[int]


class OnnxNode(Protocol):
    """A node of an ONNX model (`onnx.NodeProto`)."""

    name: str
    op_type: str
    domain: str

    input: MutableSequence[str]
    output: MutableSequence[str]
    attribute: MutableSequence[OnnxAttribute]

    def CopyFrom(self, other: OnnxNode) -> None: ...


class OnnxTensor(Protocol):
    """A constant of an ONNX model (`onnx.TensorProto`)."""

    name: str
    data_type: int
    raw_data: bytes
    data_location: int

    dims: Sequence[int]
    external_data: Any

    def CopyFrom(self, other: OnnxTensor) -> None: ...


class OnnxValue(Protocol):
    """The type of an input, output or tensor of an ONNX model (`onnx.ValueInfoProto`)."""

    name: str

    type: Any


class OnnxGraph(Protocol):
    """The graph of an ONNX model, or one that a node runs (`onnx.GraphProto`)."""

    name: str

    node: MutableSequence[OnnxNode]
    input: MutableSequence[OnnxValue]
    output: MutableSequence[OnnxValue]
    initializer: MutableSequence[OnnxTensor]
    value_info: MutableSequence[OnnxValue]


class OnnxModel(Protocol):
    """An ONNX model (`onnx.ModelProto`)."""

    graph: OnnxGraph

    def SerializeToString(self) -> bytes: ...


class MappedNode(Protocol):
    """A node of the graph in which tf2onnx maps a model (`tf2onnx.graph.Node`)."""

    type: str

    name: str
    input: list[str]
    output: list[str]
    output_shapes: list[list[int] | None]
    output_dtypes: list[int]

    @property
    def inputs(self) -> list[MappedNode]: ...
    def get_attr(self, name: str) -> AttrValue: ...
    def set_attr(self, name: str, value: object) -> None: ...
    def is_const(self) -> bool: ...
    def get_tensor_value(self, as_list: bool = True) -> Any: ...


class MappedGraph(Protocol):
    """The graph in which tf2onnx maps a model to ONNX (`tf2onnx.graph.Graph`)."""

    outputs: list[str]

    def get_shape(self, name: str) -> list[int] | None: ...
    def set_shape(self, name: str, shape: Sequence[int]) -> None: ...
    def get_dtype(self, name: str) -> int: ...
    def get_nodes(self) -> list[MappedNode]: ...
    def make_const(self, name: str, value: Array) -> MappedNode: ...
    def make_node(
        self,
        op_type: str,
        inputs: Sequence[str],
        *,
        attr: Mapping[str, object] | None = None,
        outputs: Sequence[str] | None = None,
        shapes: Sequence[Sequence[int] | None] | None = None,
        dtypes: Sequence[int] | None = None,
        **options: object,
    ) -> MappedNode: ...
    def remove_node(self, name: str) -> None: ...
    def replace_input(self, node: MappedNode, old: str, new: str, index: int) -> None: ...
    def delete_unused_nodes(self, outputs: Sequence[str]) -> None: ...
    def update_proto(self) -> object: ...
    def topological_sort(self, nodes: Sequence[MappedNode]) -> None: ...
    def make_model(self, name: str) -> OnnxModel: ...


class GraphPass(Protocol):
    """A pass of tf2onnx' optimiser (`tf2onnx.optimizer.optimizer_base.GraphOptimizerBase`)."""

    graph_been_opt: bool

    def _optimize(self, graph: MappedGraph) -> MappedGraph: ...
