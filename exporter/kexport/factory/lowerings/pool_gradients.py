"""Gradients of poolings over images: one term for each place of a window, put where that place was.

The largest element of a window gets its gradient, the first of several in the order of the rows; of an average, every
element that is inside of the image gets an equal share.
Source: TensorFlow's `MaxPoolGrad` and `AvgPoolGrad`.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

from kexport.factory.graph.protocols import Operation, Size, Tensor
from kexport.factory.lowerings import _convolution
from kexport.factory.lowerings._rule import Lowering

_LAYOUT = _convolution.Axes(2, first=False)


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    g = inputs[-1]
    taps, steps = (_LAYOUT.of_space(op.get_attr(name)) for name in ("ksize", "strides"))
    average = op.type == "AvgPoolGrad"
    # Of an average only the size of the image is known, and a one at each place tells how many there are.
    x = tf.ones(inputs[0], g.dtype) if average else inputs[0]
    pads: list[tuple[Size, Size]] = [(0, 0), (0, 0)]
    if op.get_attr("padding") == b"SAME":
        pads = _convolution.same_pads(x, _LAYOUT, taps, steps)
    bordered = _padded(x, pads, 0.0 if average else float("-inf"))
    places = list(product(*map(range, taps)))
    seen = [_seen(bordered, place, steps, g) for place in places]
    shares = [g / tf.add_n(seen)] * len(places) if average else _of_largest(seen, inputs[1], g)
    total = tf.add_n([_spread(share, place, taps, steps) for share, place in zip(shares, places, strict=True)])
    return [_cut(total, pads, x, op)]


def _padded(x: Tensor, pads: Sequence[tuple[Size, Size]], filler: float) -> Tensor:
    import tensorflow as tf

    whole = tf.stack([tf.stack(pair) for pair in ((0, 0), *pads, (0, 0))])
    return tf.pad(x, whole, constant_values=tf.constant(filler, x.dtype))


def _seen(x: Tensor, place: Sequence[int], steps: Sequence[int], g: Tensor) -> Tensor:
    """What all windows see at one of their places."""
    import tensorflow as tf

    rows, columns = (tf.shape(g)[axis] for axis in (1, 2))
    end = [0, place[0] + (rows - 1) * steps[0] + 1, place[1] + (columns - 1) * steps[1] + 1, 0]
    return tf.strided_slice(x, [0, *place, 0], tf.stack(end), [1, *steps, 1], begin_mask=0b1001, end_mask=0b1001)


def _of_largest(seen: Sequence[Tensor], largest: Tensor, g: Tensor) -> list[Tensor]:
    """The gradient where a place is the first that holds the largest element, zero elsewhere."""
    import tensorflow as tf

    free, shares = tf.ones_like(g), []
    for each in seen:
        hit = tf.cast(tf.equal(each, largest), g.dtype) * free
        free = free - hit
        shares.append(hit * g)
    return shares


def _spread(x: Tensor, place: Sequence[int], taps: Sequence[int], steps: Sequence[int]) -> Tensor:
    """Each element at the place that its window has it, in an image of all windows."""
    import tensorflow as tf

    for axis in (1, 2):
        gap, count = steps[axis - 1] - 1, tf.shape(x)[axis]
        if gap:
            apart = tf.pad(tf.expand_dims(x, axis + 1), [(0, gap if at == axis + 1 else 0) for at in range(5)])
            sizes = [tf.shape(x)[at] for at in range(4)]
            sizes[axis] = count * (gap + 1)
            x = tf.reshape(apart, tf.stack(sizes))
        rest = taps[axis - 1] - 1 - place[axis - 1] - gap
        x = tf.pad(x, [(place[axis - 1] if at == axis else 0, max(rest, 0) if at == axis else 0) for at in range(4)])
        if rest < 0:
            end = [tf.shape(x)[at] + (rest if at == axis else 0) for at in range(4)]
            x = tf.slice(x, [0] * 4, tf.stack(end))
    return x


def _cut(total: Tensor, pads: Sequence[tuple[Size, Size]], x: Tensor, op: Operation) -> Tensor:
    """The part that is the image; what no window reaches is zero."""
    import tensorflow as tf

    missing = [
        (0, tf.maximum(before + tf.shape(x)[axis] - tf.shape(total)[axis], 0))
        for axis, (before, _) in enumerate(pads, 1)
    ]
    total = _padded(total, missing, 0.0)
    cut = tf.slice(total, tf.stack([0, pads[0][0], pads[1][0], 0]), tf.stack([-1, *tf.unstack(tf.shape(x)[1:3]), -1]))
    cut.set_shape(op.outputs[0].shape)
    return cut


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    known = op.get_attr("data_format") == b"NHWC" and op.get_attr("padding") in (b"SAME", b"VALID")
    return known and list(op.get_attr("ksize"))[0::3] == [1, 1]


LOWERING = Lowering("pool_gradients", ("onnx", "tflite"), ("MaxPoolGrad", "AvgPoolGrad"), _emit, _applies)
