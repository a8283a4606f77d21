"""Protocols for Keras models and traced functions, as far as a build uses them: neither library ships types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from kexport.bundle.signature import Array
from kexport.factory.graph.protocols import DType, Graph, Shape, Tensor
from kexport.runtimes.keras_model import KerasLayer, KerasModel
from kexport.runtimes.keras_model.protocols import DTypePolicy


class GraphVariable(Protocol):
    """A TensorFlow variable (`tf.Variable`)."""

    handle: Tensor
    name: str
    _handle_name: str

    def numpy(self) -> Array: ...
    def assign(self, value: object) -> object: ...


class LookupTable(Protocol):
    """A lookup table (`tf.lookup.StaticHashTable`, or its mutable kind)."""

    @property
    def resource_handle(self) -> Tensor: ...
    @property
    def key_dtype(self) -> DType: ...
    @property
    def value_dtype(self) -> DType: ...


class CoreGraph(Graph, Protocol):
    """The graph of a traced function (`FuncGraph`)."""

    variables: Sequence[GraphVariable]


class CoreFunction(Protocol):
    """A traced function from flat tensors to flat tensors (`tf.types.experimental.ConcreteFunction`)."""

    graph: CoreGraph
    structured_outputs: Sequence[Tensor]

    def __call__(self, *arguments: object) -> Sequence[Tensor]: ...


class LayerVariable(Protocol):
    """A variable of a layer (`keras.Variable`)."""

    _dtype: str
    _value: GraphVariable


class BuiltLayer(KerasLayer, Protocol):
    """A layer with the layers in it (`keras.Layer`)."""

    dtype_policy: DTypePolicy
    _layers: Sequence[BuiltLayer]


class BuiltModel(KerasModel, Protocol):
    """A model that is exported (`keras.Model`)."""

    _layers: Sequence[BuiltLayer]
    weights: Sequence[LayerVariable]

    def _flatten_layers(self, include_self: bool = True) -> Sequence[BuiltLayer]: ...
    def get_weights(self) -> list[Array]: ...
    def set_weights(self, values: Sequence[Array]) -> None: ...


class ServingFunction(Protocol):
    """A serving signature that was loaded (`tf.types.experimental.ConcreteFunction`)."""

    structured_input_signature: tuple[tuple[()], Mapping[str, InputSpec]]
    structured_outputs: Mapping[str, object]
    variables: Sequence[GraphVariable]

    def __call__(self, **inputs: object) -> Mapping[str, Tensor]: ...


class InputSpec(Protocol):
    """An input of a signature (`tf.TensorSpec`)."""

    name: str
    dtype: DType
    shape: Shape
