"""A recorded call of a layer, made again: on the same arguments, on some of their rows, or traced."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kexport.bundle.signature import Array
from kexport.code_places import is_user_code
from kexport.factory.corrections import all_active
from kexport.factory.diagnosis import steps
from kexport.factory.localisation.layer_calls import Call
from kexport.factory.trace.eager_functions import functions_run_eagerly
from kexport.factory.truth.operation_noise import in_every_operation
from kexport.parity.conditioning import nudged, widened
from kexport.parity.tolerance import EPSILON
from kexport.runtimes.keras_model import any_layer_name, to_array, to_dense

_NUDGES = 4
_OWN_NOISE = 64.0  # so many times what one unit in the last place of its arguments does to a layer is no noise
_ULPS = 1024.0  # nor are so many units in the last place of its scale
_COARSE = 8.0  # so many of both in 16 bits: a fused kernel rounds once where others round twice
_CODE = ("call", "__call__")


@dataclass(frozen=True)
class Arguments:
    """The arguments of a call, flat; those that are tensors, with their masks.

    Attributes:
        values: tensors, and anything else.
        masks: of each value; None without one.
    """

    values: tuple[Any, ...]
    masks: tuple[Any, ...]

    @property
    def tensors(self) -> list[Any]:
        """The tensors among values and masks."""
        return [each for each in (*self.values, *self.masks) if _is_tensor(each)]

    def replaced(self, tensors: Sequence[Any]) -> Arguments:
        """The same with other tensors, in the order of `tensors`."""
        given = iter(tensors)
        filled = [next(given) if _is_tensor(each) else each for each in (*self.values, *self.masks)]
        return Arguments(tuple(filled[: len(self.values)]), tuple(filled[len(self.values) :]))


class Replay:
    """A recorded call that can be made again.

    Args:
        call: the record.
        reset: restores the state that the model keeps between calls.
    """

    def __init__(self, call: Call, reset: Callable[[], None]) -> None:
        self.call = call
        self._reset = reset
        self.arguments = _arguments(call)

    def __call__(self, arguments: Arguments | None = None) -> list[Any]:
        """The outputs, flat; may raise anything."""
        import keras

        arguments = arguments or self.arguments
        for value, mask in zip(arguments.values, arguments.masks, strict=True):
            if mask is not None:
                with contextlib.suppress(AttributeError):
                    value._keras_mask = mask
        given, options = keras.tree.pack_sequence_as(self.call.given, list(arguments.values))
        options = dict(options)
        if getattr(self.call.operation, "_call_has_training_arg", False):
            options.setdefault("training", False)
        result = keras.tree.map_structure(to_dense, self.call.operation(*given, **options))
        return [each for each in keras.tree.flatten(result) if each is not None]

    def arrays(self, arguments: Arguments | None = None) -> list[Array]:
        """The outputs as arrays, from the state in which the model was traced; may raise anything."""
        self._reset()
        return [to_array(each) for each in self(arguments)]

    def watched(self, arguments: Arguments | None = None) -> list[steps.Step]:
        """What the lines of user code do in the call."""
        self._reset()
        with functions_run_eagerly(), steps.recording() as record, contextlib.suppress(Exception):
            self(arguments)
        return record

    def traced(self, shapes: Sequence[Any], arguments: Arguments | None = None, *, watch: bool = False) -> Traced:
        """The call made in a traced function whose arguments have these shapes; may raise anything."""
        import tensorflow as tf

        arguments = arguments or self.arguments
        record: list[steps.Step] = []
        fetched: list[Any] = []
        count = 0

        def function(*flat: Any) -> list[Any]:
            nonlocal count
            watching = steps.recording() if watch else contextlib.nullcontext(record)
            with watching as seen:
                outputs = [tf.convert_to_tensor(each) for each in self(arguments.replaced(flat))]
            record[:] = seen
            count = len(outputs)
            graph = outputs[0].graph if outputs else None
            values = [value for step in record for each in _effects(step) for value in steps.leaves(each)]
            fetched[:] = {id(v): v for v in values if getattr(v, "graph", None) is graph}.values() if watch else ()
            return [*outputs, *fetched]

        specs = [tf.TensorSpec(shape, each.dtype) for shape, each in zip(shapes, arguments.tensors, strict=True)]
        with all_active(), any_layer_name():
            core = tf.function(function, input_signature=specs, autograph=False).get_concrete_function()
        self._reset()
        results = core(*arguments.tensors)
        known = {id(symbol): value for symbol, value in zip(fetched, results[count:], strict=True)}
        return Traced([to_array(each) for each in results[:count]], [_valued(step, known) for step in record])

    def noise(self, arguments: Arguments, results: Sequence[Array]) -> list[Array]:
        """How far apart each element may be for reasons of float arithmetic alone, outside of the layer and inside."""
        import tensorflow as tf

        rng = np.random.default_rng(0)
        moved = [np.zeros(result.shape) for result in results]
        epsilon = self._epsilon(arguments)
        for draw in range(2 * _NUDGES):
            given = [
                tf.constant(nudged(each.numpy(), rng, epsilon)) if each.dtype.is_floating else each
                for each in arguments.tensors
            ]
            with in_every_operation(rng, draw) if draw % 2 else contextlib.nullcontext():
                others = self.arrays(arguments.replaced(given))
            for index, other in enumerate(others):
                if other.shape == results[index].shape and _is_number(other):
                    apart = np.abs(widened(other) - widened(results[index]))
                    moved[index] = np.maximum(moved[index], np.where(np.isnan(apart), np.inf, apart))
        scales = [largest_of(result) for result in results]
        own, ulps = (_OWN_NOISE, _ULPS) if epsilon == EPSILON["float32"] else (_COARSE, _COARSE)
        return [own * each + ulps * epsilon * scale for each, scale in zip(moved, scales, strict=True)]

    def _epsilon(self, arguments: Arguments) -> float:
        """One unit in the last place of 1, in the coarsest floats that are computed with; that of float32 at least."""
        layers: Sequence[Any] = getattr(self.call.operation, "_flatten_layers", list)()
        names = {each.dtype.name for each in arguments.tensors} | {layer.compute_dtype for layer in layers}
        return max(EPSILON["float32"], *(EPSILON.get(name, 0.0) for name in names))

    @property
    def users(self) -> bool:
        """Whether the code of the layer, or of one that it applies to parts of its input, is the user's."""
        return any(is_user_code(_file(kind)) for kind in self.kinds)

    @property
    def seeds(self) -> list[Any]:
        """The generators of random numbers of the layer and of those in it."""
        return seed_generators(self.call.operation)

    @property
    def frozen(self) -> bool:
        """Whether the user's class has methods that are `tf.function`s."""
        values = [value for kind in self.kinds for each in kind.__mro__ for value in vars(each).values()]
        return self.users and any(hasattr(value, "python_function") for value in values)

    @property
    def kinds(self) -> list[type]:
        """The classes that do the work: the layer's own, and those of its cells."""
        inner = [getattr(self.call.operation, name, None) for name in ("cell", "layer", "forward_layer")]
        return [type(each) for each in (self.call.operation, *inner) if each is not None]


@dataclass(frozen=True)
class Traced:
    """The results of a traced call, and what the lines of user code did, with values in place of symbols."""

    outputs: list[Array]
    steps: list[steps.Step]


def seed_generators(operation: Any) -> list[Any]:
    """The generators of random numbers of a layer and of those in it."""
    import keras

    if not isinstance(operation, keras.Layer):
        return []
    values = [value for layer in operation._flatten_layers() for value in vars(layer).values()]
    return [value for value in values if isinstance(value, keras.random.SeedGenerator)]


def largest_of(array: Array) -> float:
    """The largest finite magnitude, 0 of anything but numbers."""
    if not _is_number(array):
        return 0.0
    with np.errstate(invalid="ignore"):
        magnitudes = np.abs(widened(array))
    return float(np.max(magnitudes, initial=0.0, where=np.isfinite(magnitudes)))


def _is_number(array: Array) -> bool:
    return array.dtype.kind in "fiuc" or array.dtype.name == "bfloat16"


def _effects(step: steps.Step) -> list[object]:
    return [*step.changed.values(), step.returned]


def _valued(step: steps.Step, known: Mapping[int, object]) -> steps.Step:
    changed = {name: _value(value, known) for name, value in step.changed.items()}
    return steps.Step(step.place, changed, _value(step.returned, known))


def _value(value: object, known: Mapping[int, object]) -> object:
    if isinstance(value, steps.Kept):
        return steps.Kept(_value(value.content, known))
    if isinstance(value, tuple):
        return tuple(_value(each, known) for each in value)
    return known.get(id(value), value)


def _arguments(call: Call) -> Arguments:
    import keras
    import tensorflow as tf

    values = [
        tf.convert_to_tensor(each) if isinstance(each, np.ndarray) else each for each in keras.tree.flatten(call.given)
    ]
    return Arguments(tuple(values), tuple(getattr(each, "_keras_mask", None) for each in values))


def _is_tensor(value: object) -> bool:
    import tensorflow as tf

    return isinstance(value, tf.Tensor)


def _file(kind: type) -> str:
    import sys

    code = next((getattr(vars(kind).get(name), "__code__", None) for name in _CODE if name in vars(kind)), None)
    return code.co_filename if code else getattr(sys.modules.get(kind.__module__), "__file__", "") or ""
