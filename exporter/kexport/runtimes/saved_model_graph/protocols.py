"""Protocols for the messages of a SavedModel, as far as its check reads them: TensorFlow's classes have no types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol


class NamedAttributes(Protocol):
    """A function, by name, with the values of its own attributes (`NameAttrList`)."""

    name: str
    attr: Mapping[str, AttributeValue]


class AttributeList(Protocol):
    """A list of values of one kind (`AttrValue.ListValue`)."""

    func: Sequence[NamedAttributes]


class AttributeValue(Protocol):
    """The value of an attribute (`AttrValue`)."""

    s: bytes
    placeholder: str
    func: NamedAttributes
    list: AttributeList

    def HasField(self, name: str) -> bool: ...


class SavedNode(Protocol):
    """A node of a graph or of a function; an input is `name`, `name:index`, `name:output:index` or `^name`."""

    name: str
    op: str
    input: Sequence[str]
    attr: Mapping[str, AttributeValue]


class SavedArgument(Protocol):
    """An argument of a function (`OpDef.ArgDef`)."""

    name: str


class FunctionSignature(Protocol):
    """The name and the arguments of a function (`OpDef`)."""

    name: str
    input_arg: Sequence[SavedArgument]


class SavedFunction(Protocol):
    """A function of the library."""

    signature: FunctionSignature
    node_def: Sequence[SavedNode]
    attr: Mapping[str, AttributeValue]


class GradientDef(Protocol):
    """Which function is the gradient of which."""

    function_name: str
    gradient_func: str


class SavedLibrary(Protocol):
    """The functions of a graph."""

    function: Sequence[SavedFunction]
    gradient: Sequence[GradientDef]


class SavedGraph(Protocol):
    """A graph with its library."""

    node: Sequence[SavedNode]
    library: SavedLibrary


class SparseInfo(Protocol):
    """The three tensors of a sparse one (`TensorInfo.CooSparse`)."""

    values_tensor_name: str
    indices_tensor_name: str
    dense_shape_tensor_name: str


class CompositeInfo(Protocol):
    """The tensors of a composite one (`TensorInfo.CompositeTensor`)."""

    components: Sequence[TensorInfo]


class TensorInfo(Protocol):
    """A tensor of the graph; one of its fields is set."""

    name: str
    coo_sparse: SparseInfo
    composite_tensor: CompositeInfo


class ServingSignature(Protocol):
    """Inputs and outputs of the graph (`SignatureDef`)."""

    outputs: Mapping[str, TensorInfo]


class AssetFile(Protocol):
    """A file that the graph reads (`AssetFileDef`), and the tensor that holds its path."""

    filename: str
    tensor_info: TensorInfo


class SaverDef(Protocol):
    """The nodes by which the graph writes and reads its checkpoint."""

    filename_tensor_name: str
    save_tensor_name: str
    restore_op_name: str


class NodeList(Protocol):
    """Names of nodes in a collection."""

    value: Sequence[str]


class Packed(Protocol):
    """A message of any type (`Any`)."""

    value: bytes


class PackedList(Protocol):
    """Messages in a collection."""

    value: Sequence[Packed]


class Collection(Protocol):
    """A collection of the graph (`CollectionDef`)."""

    node_list: NodeList
    any_list: PackedList

    def SerializeToString(self) -> bytes: ...


class SavedConcreteFunction(Protocol):
    """The objects that a function of the object graph captures, by index (`SavedConcreteFunction`)."""

    bound_inputs: Sequence[int]


class SavedObject(Protocol):
    """An object of the object graph."""

    def WhichOneof(self, name: str) -> str | None: ...
    def SerializeToString(self) -> bytes: ...


class ObjectGraph(Protocol):
    """The objects that are created when the SavedModel is loaded."""

    nodes: Sequence[SavedObject]
    concrete_functions: Mapping[str, SavedConcreteFunction]


class MetaGraph(Protocol):
    """A graph with what is needed to run it (`MetaGraphDef`)."""

    graph_def: SavedGraph
    saver_def: SaverDef
    asset_file_def: Sequence[AssetFile]
    signature_def: Mapping[str, ServingSignature]
    collection_def: Mapping[str, Collection]
    object_graph_def: ObjectGraph

    def HasField(self, name: str) -> bool: ...
