"""Every call of a layer, or of an operation in a functional model, observed from outside, with its outputs.

It works alike on a model that runs eagerly and on one that is traced: nested, shared and subclassed layers are all
called through `keras.Layer.__call__`, operations through `keras.Operation.__call__`.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, TypeAlias

from kexport.bundle.signature import Array
from kexport.factory.trace.layer_paths import paths
from kexport.factory.trace.protocols import BuiltModel
from kexport.runtimes.keras_model import Method, replaced


@dataclass(frozen=True)
class CallSite:
    """Which call of which layer it is.

    Attributes:
        path: the path of the layer in the model, such as `"encoder/dense_1"`.
        number: which call of that layer it is, from 1.
        kind: the layer's class.
        recurrent: whether the layer goes through the steps of a sequence.
    """

    path: str
    number: int
    kind: str
    recurrent: bool = False

    @property
    def key(self) -> tuple[str, int]:
        """Identifies the same call in another run."""
        return self.path, self.number


@dataclass
class Call:
    """One call, as it happened.

    Attributes:
        site: which call of which layer.
        scope: the scope that it opened in the graph, where the model was traced.
        outputs: flat; eager or symbolic tensors.
        operation: the layer or operation that was called.
        given: the arguments, by position and by name.
    """

    site: CallSite
    scope: str = ""
    outputs: list[Any] = field(default_factory=list)
    operation: Any = None
    given: tuple[Sequence[object], Mapping[str, object]] = ((), MappingProxyType({}))


#: For some calls, by key, the values of some of their outputs, by index.
Changes: TypeAlias = Mapping[tuple[str, int], Mapping[int, Array]]
_UNCHANGED: Changes = MappingProxyType({})


class _Observer:
    """Records the calls of each run; a run is one call of a whole model."""

    def __init__(self, changed: Changes) -> None:
        self.runs: list[list[Call]] = []
        self._changed = changed
        self._stack: list[tuple[object, Call]] = []
        self._paths: dict[int, str] = {}
        self._counts: Counter[str] = Counter()
        self._closed = 0  # calls in progress whose inner calls are not observed

    def around(self, original: Method, operation: Any, args: Sequence[object], options: Mapping[str, object]) -> object:
        """Make the call and record it."""
        import keras

        if not self._stack and not self._closed:
            if not isinstance(operation, keras.Model):
                return original(operation, *args, **options)
            self._begin(operation)
        inner = id(operation) not in self._paths and not isinstance(operation, keras.Layer)
        if self._closed or (self._stack and inner):  # an operation in the code of a layer belongs to that layer
            return original(operation, *args, **options)
        # A cell is called once a step, or once in the body of a loop, where nothing can be observed.
        closed = isinstance(operation, keras.layers.RNN | keras.layers.TimeDistributed)
        path = self._paths.get(id(operation), operation.name) if self._stack else ""
        self._counts[path] += 1
        recurrent = isinstance(operation, keras.layers.RNN)
        site = CallSite(path, self._counts[path], type(operation).__name__, recurrent)
        call = Call(site, operation=operation, given=(args, options))
        self._stack.append((operation, call))
        self._closed += closed
        try:
            result = original(operation, *args, **options)
        finally:
            self._closed -= closed
            self._stack.pop()
        if call.site.key in self._changed:
            result = _with_other_results(result, self._changed[call.site.key])
        call.outputs = [each for each in keras.tree.flatten(result) if each is not None]
        if path and not any(isinstance(each, keras.KerasTensor) for each in call.outputs):
            self.runs[-1].append(call)
        return result

    def _begin(self, model: BuiltModel) -> None:
        self.runs.append([])
        self._counts.clear()
        self._paths = {}
        for each, path in paths(model):
            self._paths.setdefault(id(each), path)

    def entered(self, scope: Any) -> None:
        """Record the scope that a call opened; the first one of a layer may be that of its `build`."""
        import tensorflow as tf

        if self._stack and scope.caller is self._stack[-1][0]:
            self._stack[-1][1].scope = tf.get_current_name_scope()


def _with_other_results(result: object, values: Mapping[int, Array]) -> object:
    """The results of a call, with other numbers in place of those of these indices; masks are kept."""
    import keras
    import tensorflow as tf

    flat = keras.tree.flatten(result)
    places = [place for place, each in enumerate(flat) if each is not None]
    for index, value in values.items():
        before = flat[places[index]]
        flat[places[index]] = after = tf.reshape(tf.cast(tf.constant(value), before.dtype), value.shape)
        if (mask := keras.src.backend.get_keras_mask(before)) is not None:
            keras.src.backend.set_keras_mask(after, mask)
    return keras.tree.pack_sequence_as(result, flat)


@contextlib.contextmanager
def observing(changed: Changes = _UNCHANGED) -> Iterator[list[list[Call]]]:
    """Within the block, the calls in every run of a model are recorded; yields the runs.

    Args:
        changed: for some calls, the values that some of their outputs get instead of what is computed, by index.
    """
    import keras

    observer = _Observer(changed)

    def watched(original: Method) -> Method:
        return lambda self, *args, **options: observer.around(original, self, args, options)

    def unless_layer(original: Method) -> Method:
        def call(self: object, *args: object, **options: object) -> object:
            if isinstance(self, keras.Layer):  # already recorded
                return original(self, *args, **options)
            return observer.around(original, self, args, options)

        return call

    def entering(original: Method) -> Method:
        def enter(self: object) -> object:
            result = original(self)
            observer.entered(self)
            return result

        return enter

    with (
        replaced(keras.Layer, "__call__", watched),
        replaced(keras.Operation, "__call__", unless_layer),
        replaced(keras.name_scope, "__enter__", entering),
    ):
        yield observer.runs
