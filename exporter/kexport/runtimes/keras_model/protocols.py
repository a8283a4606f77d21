"""Protocols for Keras models and traced TensorFlow functions: neither library ships types."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol


class DTypePolicy(Protocol):
    """The dtypes in which a layer computes and keeps its variables (`keras.DTypePolicy`)."""

    name: str
    compute_dtype: str
    variable_dtype: str


class CallableModel(Protocol):
    """A model that can be called: a Keras model, or the serving signature of a SavedModel."""

    @property
    def name(self) -> str: ...
    def __call__(self, *arguments: Any, **options: Any) -> object: ...


class KerasLayer(Protocol):
    """A layer (`keras.Layer`).

    Attributes:
        _build_shapes_dict: shapes that the layer was built with, by the name of the parameter of `build`.
    """

    name: str
    built: bool
    call: Callable[..., object]
    _build_shapes_dict: Mapping[str, object] | None

    def compute_output_shape(self, *shapes: Any, **named: Any) -> object: ...


class CallArguments(Protocol):
    """What a layer was called with (`keras.src.ops.symbolic_arguments.SymbolicArguments`)."""

    args: Sequence[object]
    kwargs: Mapping[str, object]


class CallNode(Protocol):
    """One symbolic call of a layer (`keras.src.ops.node.Node`)."""

    arguments: CallArguments


class KerasModel(KerasLayer, Protocol):
    """A model (`keras.Model`).

    Attributes:
        _called: whether the model was called, on real or symbolic tensors.
        _inbound_nodes: its symbolic calls.
    """

    dtype_policy: DTypePolicy
    _called: bool
    _inbound_nodes: Sequence[CallNode]

    def __call__(self, *arguments: Any, **options: Any) -> object: ...
    def build(self, input_shape: object) -> None: ...
    def _flatten_layers(self, include_self: bool = True) -> Sequence[KerasLayer]: ...


class KerasTensor(Protocol):
    """A symbolic tensor of a functional model (`keras.KerasTensor`)."""

    name: str
    shape: Sequence[int | None]
    dtype: str


class FunctionalModel(Protocol):
    """A model that is a graph of layers (`keras.src.models.functional.Functional`)."""

    _inputs_struct: object
    _outputs_struct: object


class TracedDType(Protocol):
    """The dtype of a tensor of a TensorFlow graph (`tf.DType`)."""

    is_integer: bool
    is_bool: bool


class TracedTensor(Protocol):
    """A tensor of a TensorFlow graph (`tf.Tensor`)."""

    dtype: TracedDType

    def consumers(self) -> Sequence[TracedOperation]: ...


class TracedOperation(Protocol):
    """An operation of a TensorFlow graph (`tf.Operation`)."""

    type: str
    outputs: Sequence[TracedTensor]


class TracedFunction(Protocol):
    """A traced function (`tf.types.experimental.ConcreteFunction`)."""

    inputs: Sequence[TracedTensor]
