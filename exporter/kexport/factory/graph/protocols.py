"""Protocols for TensorFlow's graphs, as far as kexport uses them: TensorFlow ships no types.

What a TensorFlow function returns is untyped, so these protocols document signatures, and check what is done with
arguments. A size or rank is None where it is unknown. It is typed `int | Any` all the same: a lowering reads those
alone that its `applies` has found to be known. The type of an attribute is stated in TensorFlow's op registry.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping, MutableSequence, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol, SupportsIndex, overload

from kexport.bundle.signature import Array


class Shape(Protocol):
    """A static shape (`tf.TensorShape`)."""

    rank: int | Any

    @overload
    def __getitem__(self, key: SupportsIndex) -> int | Any: ...
    @overload
    def __getitem__(self, key: slice) -> Shape: ...
    def __iter__(self) -> Iterator[int | Any]: ...
    def as_list(self) -> list[int | Any]: ...
    def as_proto(self) -> object: ...
    def num_elements(self) -> int | Any: ...
    def is_fully_defined(self) -> bool: ...
    def is_compatible_with(self, other: Shape) -> bool: ...
    def most_specific_compatible_shape(self, other: Shape) -> Shape: ...


class DType(Protocol):
    """An element type (`tf.DType`)."""

    name: str
    size: int
    min: float
    max: float
    is_complex: bool
    is_floating: bool
    is_integer: bool
    is_unsigned: bool
    real_dtype: DType
    as_numpy_dtype: type[Any]
    as_datatype_enum: int


class Tensor(Protocol):
    """A tensor of a graph (`tf.Tensor`); its operators add operations to the graph."""

    name: str
    op: Operation
    value_index: int
    shape: Shape
    dtype: DType
    graph: Graph

    def numpy(self) -> Array: ...
    def consumers(self) -> list[Operation]: ...
    def set_shape(self, shape: object) -> None: ...
    def ref(self) -> object: ...
    def __getitem__(self, key: object) -> Tensor: ...
    def __neg__(self) -> Tensor: ...
    def __abs__(self) -> Tensor: ...
    def __invert__(self) -> Tensor: ...
    def __add__(self, other: object) -> Tensor: ...
    def __radd__(self, other: object) -> Tensor: ...
    def __sub__(self, other: object) -> Tensor: ...
    def __rsub__(self, other: object) -> Tensor: ...
    def __mul__(self, other: object) -> Tensor: ...
    def __rmul__(self, other: object) -> Tensor: ...
    def __truediv__(self, other: object) -> Tensor: ...
    def __rtruediv__(self, other: object) -> Tensor: ...
    def __floordiv__(self, other: object) -> Tensor: ...
    def __rfloordiv__(self, other: object) -> Tensor: ...
    def __mod__(self, other: object) -> Tensor: ...
    def __rmod__(self, other: object) -> Tensor: ...
    def __and__(self, other: object) -> Tensor: ...
    def __rand__(self, other: object) -> Tensor: ...
    def __or__(self, other: object) -> Tensor: ...
    def __lt__(self, other: object) -> Tensor: ...
    def __le__(self, other: object) -> Tensor: ...
    def __gt__(self, other: object) -> Tensor: ...
    def __ge__(self, other: object) -> Tensor: ...


#: A size of a tensor: a number, or a scalar tensor where it is known at run time only.
Size = int | Tensor


class Operation(Protocol):
    """An operation of a graph (`tf.Operation`)."""

    type: str
    name: str
    inputs: Sequence[Tensor]
    outputs: Sequence[Tensor]
    control_inputs: Sequence[Operation]
    graph: Graph
    node_def: NodeDef
    op_def: OpDef
    traceback: Any

    def get_attr(self, name: str) -> Any: ...


class Graph(Protocol):
    """A graph, or the body of a function (`tf.Graph`, `FuncGraph`); only a body has inputs and outputs."""

    inputs: Sequence[Tensor]
    outputs: Sequence[Tensor]
    captures: Sequence[tuple[Tensor, Tensor]]
    variables: Sequence[Any]
    _functions: Mapping[str, object]

    def get_operations(self) -> Sequence[Operation]: ...
    def get_operation_by_name(self, name: str) -> Operation: ...
    def get_tensor_by_name(self, name: str) -> Tensor: ...
    def as_graph_def(self, *, add_shapes: bool = False) -> GraphDef: ...
    def as_default(self) -> AbstractContextManager[Graph]: ...


class ConcreteFunction(Protocol):
    """A traced function (`tf.types.experimental.ConcreteFunction`)."""

    name: bytes
    graph: Graph
    inputs: Sequence[Tensor]
    outputs: Sequence[Tensor]
    function_def: FunctionDef

    def add_to_graph(self, graph: Graph) -> None: ...


class ListValue(Protocol):
    """A list among attribute values."""

    type: MutableSequence[int]
    func: Sequence[FunctionName]


class FunctionName(Protocol):
    """The name of a function, as an attribute."""

    name: str
    attr: Mapping[str, AttrValue]


class AttrValue(Protocol):
    """The value of an attribute: one of these fields is set."""

    type: int
    i: int
    f: float
    b: bool
    s: bytes

    list: ListValue
    func: Any
    tensor: Any

    def HasField(self, name: str) -> bool: ...
    def WhichOneof(self, name: str) -> str | None: ...


class NodeDef(Protocol):
    """A node of a serialised graph."""

    name: str
    op: str

    input: MutableSequence[str]
    attr: MutableMapping[str, AttrValue]
    experimental_debug_info: Any

    def CopyFrom(self, other: NodeDef) -> None: ...


class ArgDef(Protocol):
    """An argument or result in the signature of an operation or function."""

    name: str
    type: int
    type_attr: str
    type_list_attr: str
    number_attr: str


class AttrDef(Protocol):
    """The declaration of an attribute."""

    name: str


class OpDef(Protocol):
    """The signature of an operation or function."""

    name: str

    is_stateful: bool
    attr: Sequence[AttrDef]
    input_arg: MutableSequence[ArgDef]
    output_arg: MutableSequence[ArgDef]
    control_output: MutableSequence[str]


class FunctionDef(Protocol):
    """A function of a graph's library."""

    signature: OpDef
    node_def: MutableSequence[NodeDef]
    attr: MutableMapping[str, AttrValue]
    arg_attr: Any
    ret: MutableMapping[str, str]
    control_ret: MutableMapping[str, str]


class FunctionLibrary(Protocol):
    """The functions that a graph calls."""

    function: Any  # a sequence of `FunctionDef` that can be sorted
    gradient: Any
    registered_gradients: Any  # a sequence that can be sorted


class GraphDef(Protocol):
    """A serialised graph."""

    node: MutableSequence[NodeDef]
    library: FunctionLibrary
    versions: object

    def SerializeToString(self, *, deterministic: bool = ...) -> bytes: ...
