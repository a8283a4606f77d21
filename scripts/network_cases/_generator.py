"""Drawing a network: a chain of layers, operations and networks with branches, each step tried on symbolic tensors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from network_cases._catalogue import KEEPING, LAYERS, Dice, Shape
from network_cases._network import MODEL, OPERATION, Layer, Network, Step
from network_cases._operations import OF_ONE, of_two

_MOST_ELEMENTS = 4096
_ATTEMPTS = 40
_NESTED = 2  # how deep networks are in networks
_MERGES = ("Add", "Add", "Multiply", "Average", "Maximum", "Minimum", "Subtract", "Concatenate", "Concatenate")


def network(seed: int, index: int) -> Network:
    """The network of that number."""
    return _Growing(Dice(np.random.default_rng([seed, index])), seed * 100_000 + index).grown()


def _part(dice: Dice, seed: int, shape: Shape, depth: int) -> Network | None:
    """A network on a tensor of this shape, that is a layer of another; None where nothing fits."""
    growing = _Growing(dice, seed, depth)
    start = growing.begun_with(shape)
    last = start
    for _ in range(dice.of(1, 2, 3)):
        last = growing.further(last)
    return None if last == start else Network(seed, *growing.network(last)).pruned()


class _Growing:
    """A network that is being drawn.

    Args:
        dice: draws it.
        seed: of its weights.
        depth: in how many networks it is a layer.
    """

    def __init__(self, dice: Dice, seed: int, depth: int = 0) -> None:
        self._dice, self._seed, self._depth = dice, seed, depth
        self._steps: list[Step] = []
        self._tensors: list[Any] = []

    def grown(self) -> Network:
        """The whole network."""
        dice = self._dice
        last = self._begun()
        for _ in range(dice.of(1, 2, 3, 4, 5, 6)):
            last = self.further(last)
        outputs = [last]
        if dice.chance(0.3):
            last = self._ended(last)
            outputs = [last]
        if dice.chance(0.15):
            computed = [number for number, step in enumerate(self._steps) if step.inputs and number != last]
            numbers = [number for number in computed if not str(self._tensors[number].dtype).startswith("b")]
            outputs += [dice.of(*numbers)] if numbers else []
        return Network(self._seed, tuple(self._steps), tuple(outputs)).pruned()

    def network(self, output: int) -> tuple[tuple[Step, ...], tuple[int, ...]]:
        """The steps, and the numbers of what they give."""
        return tuple(self._steps), (output,)

    def begun_with(self, shape: Shape) -> int:
        """An input of this shape."""
        return self._input(shape)

    def _shape(self, number: int) -> Shape:
        return tuple(self._tensors[number].shape[1:])

    def _add(self, layer: Layer | None, *inputs: int, call: Mapping[str, Any] | None = None) -> int | None:
        """Add a step where Keras takes it and its result has elements, but not too many."""
        return None if layer is None else self._add_step(Step(layer, inputs, call or {}))

    def _add_all(self, steps: Sequence[Step]) -> int | None:
        """Add several steps, in which -1 is the step before, or none of them."""
        begin, number = len(self._steps), None
        for step in steps:
            inputs = tuple(len(self._steps) - 1 if taken == -1 else taken for taken in step.inputs)
            number = self._add_step(replace(step, inputs=inputs))
            if number is None:
                del self._steps[begin:], self._tensors[begin:]
                return None
        return number

    def _add_step(self, step: Step) -> int | None:
        if self._is_undefined(step.layer, step.inputs):
            return None
        try:
            tensor = step.apply([self._tensors[number] for number in step.inputs])
        except Exception:  # noqa: BLE001  Keras raises anything where a layer does not fit
            return None
        sizes = [8 if size is None else size for size in tensor.shape[1:]]
        if not 0 < np.prod(sizes, dtype=int) <= _MOST_ELEMENTS or len(sizes) == 0:
            return None
        self._steps.append(step)
        self._tensors.append(tensor)
        return len(self._steps) - 1

    def _is_undefined(self, layer: Layer, inputs: tuple[int, ...]) -> bool:
        """Whether the layer has no result where a mask leaves nothing of a sequence, or takes no such mask.

        Nor can groups be made of channels whose number is not fixed.
        """
        if layer.name == "GroupNormalization" and self._shape(inputs[0])[-1] is None:
            return True
        masked = any(getattr(self._tensors[number], "_keras_mask", None) is not None for number in inputs)
        return masked and (layer.name == "Softmax" or layer.name.startswith("GlobalAverage"))

    def _input(self, shape: Shape, dtype: str | None = None) -> int:
        options: dict[str, Any] = {"shape": shape, "name": f"in{len(self._steps)}"}
        number = self._add(Layer("Input", options | ({"dtype": dtype} if dtype else {})))
        assert number is not None
        return number

    def _begun(self) -> int:
        dice = self._dice
        kind = dice.of(
            "image", "image", "image", "sequence", "sequence", "tokens", "vector", "video", "two", "typed", "pair"
        )
        channels = dice.of(1, 2, 3, 4)
        if kind == "image":
            size = dice.of(5, 6, 8, 9)
            dynamic = dice.chance(0.3)
            return self._input((None, None, channels) if dynamic else (size, dice.of(size, 7), channels))
        if kind == "sequence":
            return self._input((None if dice.chance(0.4) else dice.of(5, 8, 9), channels))
        if kind == "video":
            return self._input((dice.of(2, 3), 4, 5, dice.of(1, 2)))
        if kind == "tokens":
            ids = self._input((None if dice.chance(0.5) else dice.of(5, 7),), "int32")
            options = {"input_dim": dice.of(5, 11), "output_dim": dice.of(2, 4), **dice.some(mask_zero=True)}
            return self._add(Layer("Embedding", options), ids) or ids
        if kind == "typed":
            typed = self._input(
                (dice.of(5, 6), dice.of(3, 4)), dice.of("int32", "uint8", "int64", "float64", "float16", "bool")
            )
            return self._add(Layer(OPERATION + "cast"), typed, call={"dtype": "float32"}) or typed
        if kind == "pair":
            shape = dice.of((8,), (None, 4), (6, 3), (6, 6, 2))
            one, other = self._input(shape), self._input(shape)
            return self._add_all(of_two(dice, shape, one, other)) or one
        if kind == "vector":
            return self._input((dice.of(4, 6, 8),))
        one, other = self._input((dice.of(4, 6),)), self._input((6, 6, 2))
        made = self._add(Layer("Conv2D", {"filters": 2, "kernel_size": 3, "strides": 2}), other)
        flat = None if made is None else self._add(Layer("Flatten"), made)
        return (None if flat is None else self._add(Layer("Concatenate"), one, flat)) or one

    def further(self, last: int) -> int:
        """The network with something more after its last tensor."""
        dice = self._dice
        for _ in range(_ATTEMPTS):
            if dice.chance(0.3):
                number = self._operated(last)
            elif dice.chance(0.1):
                number = self._nested(last)
            elif dice.chance(0.12):
                number = self._branched(last)
            elif dice.chance(0.1):
                number = self._attended(last)
            elif dice.chance(0.08):
                number = self._gated(last)
            else:
                draws = LAYERS.get(len(self._shape(last)))
                number = self._add(dice.of(*draws)(dice, self._shape(last)), last) if draws else None
            if number is not None:
                return number
        return last

    def _branched(self, last: int) -> int | None:
        """Two branches that come together again, or a way around one."""
        dice, shape = self._dice, self._shape(last)
        one = self._add(dice.of(*KEEPING)(dice, shape), last)
        other = last if dice.chance(0.4) else self._add(dice.of(*KEEPING)(dice, shape), last)
        if one is None or other is None:
            return one
        merge = dice.of(*_MERGES)
        return self._add(Layer(merge), one, other) or one

    def _operated(self, last: int) -> int | None:
        """An operation on one tensor, or on two of one shape."""
        dice, shape = self._dice, self._shape(last)
        if dice.chance(0.75):
            return self._add_all(dice.of(*OF_ONE)(dice, shape, last))
        other = self._add(dice.of(*KEEPING)(dice, shape), last)
        return None if other is None else self._add_all(of_two(dice, shape, last, other))

    def _nested(self, last: int) -> int | None:
        """A network as a layer; once, or twice on two tensors, as twins are; or a layer that is called twice."""
        dice, shape = self._dice, self._shape(last)
        layer: Layer | None
        if dice.chance(0.3):
            layer = dice.of(*LAYERS[len(shape)])(dice, shape) if len(shape) in LAYERS else None
        else:
            part = None if self._depth >= _NESTED else _part(
                dice, self._seed + 1000 * (self._depth + 1) + len(self._steps), shape, self._depth + 1
            )  # fmt: skip
            layer = None if part is None else Layer(MODEL, {"network": part})
        one = self._add(layer, last)
        if one is None or dice.chance(0.5):
            return one
        changed = self._add(dice.of(*KEEPING)(dice, shape), last)
        twin = None if changed is None else self._add_step(Step(self._steps[one].layer, (changed,), shares=one))
        return one if twin is None else self._add(Layer(dice.of(*_MERGES)), one, twin) or twin

    def _attended(self, last: int) -> int | None:
        """Attention of a sequence to itself."""
        dice, shape = self._dice, self._shape(last)
        if len(shape) != 2 or (shape[1] or 0) < 2:
            return None
        kind = dice.of("MultiHeadAttention", "MultiHeadAttention", "Attention", "AdditiveAttention",
                       "GroupQueryAttention")  # fmt: skip
        if kind == "MultiHeadAttention":
            call = {"use_causal_mask": True} if dice.chance(0.3) else {}
            return self._add(Layer(kind, {"num_heads": 2, "key_dim": dice.of(2, 3)}), last, last, call=call)
        if kind == "GroupQueryAttention":
            return self._add(Layer(kind, {"head_dim": 2, "num_query_heads": 4, "num_key_value_heads": 2}), last, last)
        return self._add(Layer(kind), last, last)

    def _gated(self, last: int) -> int | None:
        """A weight of each channel, from the means of all."""
        shape = self._shape(last)
        if len(shape) not in (2, 3) or shape[-1] is None:
            return None
        pooled = self._add(Layer(f"GlobalAveragePooling{len(shape) - 1}D", {"keepdims": True}), last)
        gate = None if pooled is None else self._add(
            Layer("Dense", {"units": shape[-1], "activation": "sigmoid"}), pooled
        )  # fmt: skip
        return None if gate is None else self._add(Layer("Multiply"), last, gate)

    def _ended(self, last: int) -> int:
        """The network with a head of few numbers."""
        rank = len(self._shape(last))
        if 1 < rank < 5:
            kind = Layer(f"GlobalAveragePooling{rank - 1}D")
            if rank < 4 and None not in self._shape(last) and self._dice.chance(0.4):
                kind = Layer("Flatten")
            last = self._add(kind, last) or last
        activation = self._dice.of("softmax", "sigmoid", None)
        options = {"units": 3} | ({"activation": activation} if activation else {})
        return self._add(Layer("Dense", options), last) or last
