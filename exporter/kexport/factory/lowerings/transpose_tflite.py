"""Transposes of more than six axes in TFLite, whose kernel knows six: some at a time, the others merged.

Axes of size 1 are left out, and those that stay neighbours are one. Where more than six are left, each in turn moves to
its place, which needs four: what is in place, what it jumps over, itself, and the rest.
Source: TensorFlow Lite, kernels/transpose.cc, kTransposeMaxDimensions.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._rule import Lowering, UnsupportedError

_MOST_AXES = 6
_Run = list[int]


def _runs(order: Sequence[int], left_out: set[int]) -> list[_Run]:
    """The axes in their new order, in runs that were neighbours before."""
    runs: list[_Run] = []
    for axis in order:
        if axis in left_out:
            continue
        if runs and not set(range(runs[-1][-1] + 1, axis)) - left_out and axis > runs[-1][-1]:
            runs[-1].append(axis)
        else:
            runs.append([axis])
    return runs


def _reshaped(x: Tensor, sizes: Sequence[int | None], parts: Sequence[Sequence[_Run]]) -> Tensor:
    """The tensor with one axis for each part.

    Raises:
        UnsupportedError: more than one has no known size: the converter drops transposes between computed shapes.
    """
    import tensorflow as tf

    known = [[sizes[axis] for run in part for axis in run] for part in parts]
    shape = [-1 if None in each else math.prod(size or 0 for size in each) for each in known]
    if shape.count(-1) > 1:
        raise UnsupportedError(f"a transpose of more than {_MOST_AXES} axes, of which several have no fixed size")
    return tf.reshape(x, shape)


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    x, order = inputs[0], tf.get_static_value(inputs[1])
    if order is None:
        raise UnsupportedError(f"a transpose of more than {_MOST_AXES} axes, in an order that the model computes")
    sizes = x.shape.as_list()
    target = _runs([int(axis) for axis in order], {axis for axis, size in enumerate(sizes) if size == 1})
    current = sorted(target)
    if len(target) <= _MOST_AXES:
        merged = _reshaped(x, sizes, [[run] for run in current])
        result = tf.transpose(merged, [current.index(run) for run in target])
    else:
        result = x
        for place, run in enumerate(target):
            at = current.index(run)
            if at > place:
                parts = (current[:place], current[place:at], [run], current[at + 1 :])
                result = tf.transpose(_reshaped(result, sizes, parts), (0, 2, 1, 3))
                current = [*parts[0], run, *parts[1], *parts[3]]
    return [_reshaped(result, sizes, [[[int(axis)]] for axis in order])]


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    return inputs[0].shape.rank is not None and inputs[0].shape.rank > _MOST_AXES


LOWERING = Lowering("transpose_tflite", ("tflite",), ("Transpose",), _emit, _applies)
