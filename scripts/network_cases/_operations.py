"""The operations of `keras.ops` that a network is drawn from, on tensors of floats; `None` is a size not fixed."""

from __future__ import annotations

from typing import Any

import numpy as np

from network_cases._catalogue import Dice, Shape
from network_cases._network import OPERATION, SLICE, Layer, Step

_OF_ELEMENTS = (
    "abs", "square", "sin", "cos", "arctan", "arcsinh", "erf", "expm1", "sign", "floor", "ceil", "round", "relu6",
    "softsign", "log_sigmoid", "softplus", "silu", "gelu", "hard_tanh", "celu", "soft_shrink", "tanh_shrink",
    "hard_sigmoid", "negative", "nan_to_num", "sinh", "squareplus", "sparse_sigmoid", "threshold",
)  # fmt: skip
_WITH_A_NUMBER = ("add", "multiply", "maximum", "minimum", "true_divide", "floor_divide", "mod", "power", "logaddexp")
_OF_AXES = ("sum", "mean", "max", "min", "var", "std", "prod", "logsumexp", "norm", "median")
_OF_ONE_AXIS = ("cumsum", "cumprod", "sort", "flip", "softmax", "log_softmax", "normalize")
_TO_INTEGERS = ("argmax", "argmin", "argsort", "count_nonzero")
_OF_TWO = ("add", "subtract", "multiply", "maximum", "minimum", "arctan2", "logaddexp", "hypot")
_COMPARISONS = ("greater", "less_equal", "not_equal", "isclose")


def operation(name: str, *inputs: int, pick: int | None = None, **call: Any) -> Step:
    """A step that calls a function of `keras.ops`."""
    return Step(Layer(OPERATION + name), inputs, call, pick=pick)


def _axis(dice: Dice, shape: Shape) -> int:
    """An axis other than the batch, from either end."""
    axis = dice.of(*range(1, len(shape) + 1))
    return int(axis if dice.chance(0.5) else axis - len(shape) - 1)


def _fixed(dice: Dice, shape: Shape) -> int:
    """An axis of a fixed size, or 0 where there is none."""
    fixed = [axis for axis, size in enumerate(shape, 1) if size is not None]
    return int(dice.of(*fixed)) if fixed else 0


def of_elements(dice: Dice, shape: Shape, x: int) -> list[Step]:
    """A function of each element."""
    if dice.chance(0.6):
        name = dice.of(*_OF_ELEMENTS)
        return [operation(name, x, threshold=0.1, default_value=0.0) if name == "threshold" else operation(name, x)]
    if dice.chance(0.3):
        return [operation("clip", x, x_min=-0.5, x_max=dice.of(0.25, 0.7))]
    name = dice.of(*_WITH_A_NUMBER)
    return [operation(name, x, x2=2 if name == "power" else dice.of(0.3, 0.7, -1.5))]


def of_axes(dice: Dice, shape: Shape, x: int) -> list[Step]:
    """A reduction."""
    name = dice.of(*_OF_AXES)
    axis: Any = _axis(dice, shape)
    if len(shape) > 1 and name not in ("norm", "median") and dice.chance(0.3):
        axis = [axis, axis + 1 if axis not in (-1, len(shape)) else axis - 1]
    return [operation(name, x, axis=axis, keepdims=len(shape) == 1 or dice.chance(0.5))]


def along_an_axis(dice: Dice, shape: Shape, x: int) -> list[Step]:
    """What keeps the shape and mixes the elements of an axis."""
    if dice.chance(0.15):
        return [operation("roll", x, shift=dice.of(1, -2), axis=_axis(dice, shape))]
    return [operation(dice.of(*_OF_ONE_AXIS), x, axis=_axis(dice, shape))]


def shaped(dice: Dice, shape: Shape, x: int) -> list[Step]:
    """Another order or number of axes, or another length."""
    rank = len(shape) + 1
    kind = dice.of("transpose", "expand_dims", "reshape", "swapaxes", "moveaxis", "pad", "repeat", "tile")
    if kind == "transpose":
        return [operation(kind, x, axes=[0, *map(int, dice.rng.permutation(np.arange(1, rank)))])]
    if kind in ("swapaxes", "moveaxis"):
        names = ("axis1", "axis2") if kind == "swapaxes" else ("source", "destination")
        axes: dict[str, Any] = {name: _axis(dice, shape) for name in names}
        return [operation(kind, x, **axes)]
    if kind == "expand_dims":
        return [operation(kind, x, axis=dice.of(1, -1))] if rank < 5 else []
    if kind == "reshape":
        if None in shape or rank == 2:
            return []
        return [operation(kind, x, newshape=[-1, int(np.prod(shape[:-1])), shape[-1]])]
    if kind == "pad":
        width = [[0, 0], *([int(dice.of(0, 1)), int(dice.of(0, 1, 2))] for _ in shape)]
        mirrored = all(size is not None and size > 2 for size in shape)  # what is mirrored must be as wide
        mode = dice.of("constant", "constant", "reflect", "symmetric") if mirrored else "constant"
        return [operation(kind, x, pad_width=width, mode=mode)]
    if kind == "repeat":
        return [operation(kind, x, repeats=2, axis=_axis(dice, shape))]
    return [operation(kind, x, repeats=[1, *(int(dice.of(1, 1, 2)) for _ in shape)])]


def parts(dice: Dice, shape: Shape, x: int) -> list[Step]:
    """A part of what is there, in another order perhaps."""
    kind = dice.of("split", "unstack", "take", "top_k", SLICE, SLICE, "diff")
    if kind == SLICE:
        spans = (dice.of([None, None, None], [1, None, None], [None, -1, None], [None, None, 2], [None, None, -1],
                         [0, 2, None]) for _ in shape)  # fmt: skip
        return [Step(Layer(SLICE), (x,), {"slices": [[None, None, None], *spans]})]
    if kind == "diff":
        return [operation(kind, x, axis=_axis(dice, shape))]
    axis = len(shape) if kind == "top_k" else _fixed(dice, shape)
    size = shape[axis - 1] if axis else None
    if size is None or size < 2:
        return []
    if kind == "top_k":
        return [operation(kind, x, k=2, pick=0)]
    if kind == "split":
        cut = size // 2
        sections = cut if size % cut == 0 and dice.chance(0.5) else [1]
        return [operation(kind, x, pick=0 if sections == 1 else 1, indices_or_sections=sections, axis=axis)]
    if kind == "unstack":
        return [operation(kind, x, pick=size - 1, axis=axis)] if len(shape) > 1 else []
    return [operation(kind, x, indices=[size - 1, 0, 0], axis=axis)]


def of_integers(dice: Dice, shape: Shape, x: int) -> list[Step]:
    """Indices, counts, or numbers cut off, that become floats again."""
    kind = dice.of(*_TO_INTEGERS, "cast", "one_hot", "embedding", "compared")
    if kind == "cast":
        return [operation("multiply", x, x2=5.0), operation("cast", -1, dtype=dice.of("int32", "int64", "int8")),
                operation("cast", -1, dtype="float32")]  # fmt: skip
    if kind == "compared":
        name = dice.of("any", "all")
        return [operation("greater", x, x2=0.1), operation(name, -1, axis=_axis(dice, shape), keepdims=True),
                operation("cast", -1, dtype="float32")]  # fmt: skip
    if kind in ("one_hot", "embedding"):
        classes = shape[-1]
        if classes is None or classes < 2 or len(shape) < 2:
            return []
        found = operation("argmax", x, axis=-1)
        if kind == "one_hot":
            return [found, operation(kind, -1, num_classes=classes)]
        return [found, Step(Layer("Embedding", {"input_dim": classes, "output_dim": 3}), (-1,))]
    keep: dict[str, Any] = {"keepdims": True} if kind != "argsort" else {}
    return [operation(kind, x, axis=_axis(dice, shape), **keep), operation("cast", -1, dtype="float32")]


def of_types(dice: Dice, shape: Shape, x: int) -> list[Step]:
    """Something computed in another type of floats."""
    dtype = "float64" if dice.chance(0.1) else dice.of("float16", "bfloat16")  # TFLite computes hardly any in double
    inner = [Step(Layer("Dense", {"units": 3, "dtype": dtype}), (-1,))] if shape[-1] is not None else []
    if dice.chance(0.5):
        inner = [operation(dice.of("tanh", "square", "abs", "softmax"), -1)]
    return [operation("cast", x, dtype=dtype), *inner, operation("cast", -1, dtype="float32")]


def of_two(dice: Dice, shape: Shape, x: int, y: int) -> list[Step]:
    """A function of two tensors of one shape."""
    kind = dice.of("elements", "where", "concatenate", "stack", "matmul", "einsum", "take_along_axis")
    if kind == "elements":
        return [operation(dice.of(*_OF_TWO), x, y)]
    if kind == "where":
        return [operation(dice.of(*_COMPARISONS), x, y), operation(kind, -1, x, y)]
    if kind == "concatenate":
        return [operation(kind, x, y, axis=_axis(dice, shape))]
    if kind == "stack":
        return [operation(kind, x, y, axis=dice.of(1, -1))] if len(shape) < 4 else []
    if kind == "take_along_axis":
        axis = _axis(dice, shape)
        return [operation("argsort", y, axis=axis), operation(kind, x, -1, axis=axis)]
    if len(shape) < 2:
        return []
    if kind == "matmul":
        return [operation("swapaxes", y, axis1=-1, axis2=-2), operation(kind, x, -1)]
    letters = "acdef"[: len(shape) - 1]
    return [operation(kind, x, y, subscripts=f"b{letters}i,b{letters}j->b{letters}ij")] if len(shape) < 4 else []


OF_ONE = (of_elements, of_elements, of_axes, along_an_axis, shaped, shaped, parts, parts, of_integers, of_types)
