"""Every call of a layer, or of an operation in a functional model, seen from outside, with what it gives.

It works alike on a model that runs eagerly and on one that is traced: nested, shared and subclassed layers are all
called through `keras.Layer.__call__`, operations through `keras.Operation.__call__`.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from kexport.factory.trace.program import paths
from kexport.runtimes.keras_model import replaced


@dataclass
class Call:
    """One call, as it happened.

    Attributes:
        path: of the layer in the model, such as `"encoder/dense_1"`.
        number: which call of that layer it is, from 1.
        kind: the layer's class.
        scope: in the graph, where the model was traced.
        recurrent: whether it goes through the steps of a sequence.
        outputs: flat; eager or symbolic tensors.
    """

    path: str
    number: int
    kind: str
    scope: str = ""
    recurrent: bool = False
    outputs: list[Any] = field(default_factory=list)

    @property
    def key(self) -> tuple[str, int]:
        """What the call has in common with the same one of another run."""
        return self.path, self.number


class _Observer:
    """The calls of each run; a run is one call of a whole model."""

    def __init__(self) -> None:
        self.runs: list[list[Call]] = []
        self._stack: list[tuple[Any, Call]] = []
        self._paths: dict[int, str] = {}
        self._counts: Counter[str] = Counter()
        self._closed = 0  # calls under way that are not looked into

    def around(self, original: Callable[..., Any], operation: Any, args: Any, options: Any) -> Any:
        """Make the call, and note it."""
        import keras

        if not self._stack and not self._closed:
            if not isinstance(operation, keras.Model):
                return original(operation, *args, **options)
            self.runs.append([])
            self._counts.clear()
            self._paths = {}
            for each, path in paths(operation):
                self._paths.setdefault(id(each), path)
        inner = id(operation) not in self._paths and not isinstance(operation, keras.Layer)
        if self._closed or (self._stack and inner):  # an operation in the code of a layer is that layer's own
            return original(operation, *args, **options)
        # A cell is called once a step, or once in the body of a loop, where nothing can be observed.
        closed = isinstance(operation, keras.layers.RNN | keras.layers.TimeDistributed)
        path = self._paths.get(id(operation), operation.name) if self._stack else ""
        self._counts[path] += 1
        call = Call(
            path, self._counts[path], type(operation).__name__, recurrent=isinstance(operation, keras.layers.RNN)
        )
        self._stack.append((operation, call))
        self._closed += closed
        try:
            result = original(operation, *args, **options)
        finally:
            self._closed -= closed
            self._stack.pop()
        call.outputs = [each for each in keras.tree.flatten(result) if each is not None]
        if call.path and not any(isinstance(each, keras.KerasTensor) for each in call.outputs):
            self.runs[-1].append(call)
        return result

    def entered(self, scope: Any) -> None:
        """Note the scope that a call opened; a layer's first one may be that of its `build`."""
        import tensorflow as tf

        if self._stack and scope.caller is self._stack[-1][0]:
            self._stack[-1][1].scope = tf.get_current_name_scope()


@contextlib.contextmanager
def observing() -> Iterator[list[list[Call]]]:
    """Within the block, the calls in every run of a model are kept; gives the runs."""
    import keras

    observer = _Observer()

    def watched(original: Callable[..., Any]) -> Callable[..., Any]:
        return lambda self, *args, **options: observer.around(original, self, args, options)

    def unless_layer(original: Callable[..., Any]) -> Callable[..., Any]:
        def call(self: Any, *args: Any, **options: Any) -> Any:
            if isinstance(self, keras.Layer):  # it was noted already
                return original(self, *args, **options)
            return observer.around(original, self, args, options)

        return call

    def entering(original: Callable[..., Any]) -> Callable[..., Any]:
        def enter(self: Any) -> Any:
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
