"""A healthy model with one layer changed: what a broken converter would have converted."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Function = Callable[..., Any]


@dataclass(frozen=True)
class Changed:
    """What is changed; all of it in one layer, but for `arguments`.

    Attributes:
        config: entries of the layer's configuration.
        before: makes of the layer's input what it is called with instead.
        after: makes of the layer's output what it gives instead.
        weights: of some of its weights, by the last part of their path, another value.
        state: the value that a variable begins with, which `before` and `after` then get, and may assign to.
        arguments: of the function that makes the model.
    """

    config: Mapping[str, Any] = field(default_factory=dict)
    before: Function | None = None
    after: Function | None = None
    weights: Mapping[str, Function] = field(default_factory=dict)
    state: float | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)


def rebuilt(healthy: Any, other: Any, changed: Changed, layer: str) -> Any:
    """A model that is faulty in one layer.

    Args:
        healthy: the model whose weights it has.
        other: the model to change: the healthy one, or a variant of it.
        changed: what to change.
        layer: where.
    """
    import keras

    def clone(own: Any) -> Any:
        return _altered(own, changed) if own.name == layer else type(own).from_config(own.get_config())

    model = other
    if changed.config or changed.before or changed.after or changed.weights:
        assert any(own.name == layer for own in other.layers), f"no layer {layer!r}"
        model = keras.models.clone_model(other, clone_function=clone)
    known = {variable.path: np.asarray(variable) for variable in healthy.weights}
    for variable in model.weights:
        if variable.path in known:
            variable.assign(known[variable.path])
    for own in model.layers:
        for variable in own.weights if own.name == layer else ():
            change = changed.weights.get(variable.path.rpartition("/")[2])
            if change is not None:
                variable.assign(change(np.asarray(variable)))
    return model


def _altered(layer: Any, changed: Changed) -> Any:
    config = layer.get_config()
    for key in changed.config:
        assert key in config, f"{key!r} is not in the configuration of {layer.name!r}: {', '.join(config)}"
    config.update(changed.config)
    if changed.before is None and changed.after is None:
        return type(layer).from_config(config)
    kind: Any = type(layer)

    class Altered(kind):
        """The layer, with something wrong before or after it."""

        def __init__(self, **options: Any) -> None:
            super().__init__(**options)
            self.kept = None
            if changed.state is not None:
                self.kept = self.add_weight(
                    shape=(), initializer=lambda *_, **__: changed.state, trainable=False, name="kept", dtype="float32"
                )

        def compute_output_shape(self, *shapes: Any, **named: Any) -> Any:
            return layer.compute_output_shape(*shapes, **named)

        def call(self, *inputs: Any, **named: Any) -> Any:
            extra = () if self.kept is None else (self.kept,)
            if changed.before is not None:
                inputs = (changed.before(inputs[0], *extra), *inputs[1:])
            outputs = super().call(*inputs, **named)
            return outputs if changed.after is None else changed.after(outputs, *extra)

        # Keras goes by the names of the parameters.
        call.__signature__ = inspect.signature(kind.call)  # type: ignore[attr-defined]
        compute_output_shape.__signature__ = inspect.signature(kind.compute_output_shape)  # type: ignore[attr-defined]

    return Altered.from_config(config)
