"""Algorithms on matrices, whose steps are alike for every column: written out when there are few, else in a loop.

Matrices have one batch axis in front. Rows and columns are picked by products with 0 and 1, which the data do not
steer, so that one graph serves every matrix of a batch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from kexport.factory.graph.protocols import DType, Size, Tensor

_WRITTEN_OUT = 6  # steps; a loop takes fewer operations than so many steps


def repeat(count: Size, step: Callable[..., Sequence[Tensor]], state: Sequence[Tensor]) -> list[Tensor]:
    """`state` after `state = step(k, *state)` for k = 0, 1 ... count - 1."""
    import tensorflow as tf

    if isinstance(count, int) and count <= _WRITTEN_OUT:
        for k in range(count):
            state = step(tf.constant(k), *state)
        return list(state)
    shapes = [tensor.shape for tensor in state]

    def body(k: Tensor, *values: Tensor) -> list[Tensor]:
        results = step(k, *values)
        for tensor, shape in zip(results, shapes, strict=True):
            tensor.set_shape(shape)
        return [k + 1, *results]

    zero = tf.constant(0)
    invariants = [zero.shape, *shapes]
    return list(tf.while_loop(lambda k, *_: k < count, body, [zero, *state], invariants)[1:])


def batched(x: Tensor) -> Tensor:
    """The matrices along one batch axis."""
    import tensorflow as tf

    if x.shape.rank == 3:
        return x
    return tf.reshape(x, tf.stack([-1, size(x, -2), size(x, -1)]))


def size(x: Tensor, axis: int) -> Size:
    """A number where it is known, else a scalar tensor."""
    import tensorflow as tf

    static = x.shape[axis]
    return tf.shape(x)[axis] if static is None else static


def unbatched(x: Tensor, like: Tensor, rank: int) -> Tensor:
    """What was computed per matrix, `rank` axes each, with the batch axes of `like`."""
    import tensorflow as tf

    if like.shape.rank == 3:
        return x
    inner = [size(x, axis) for axis in range(x.shape.rank - rank, x.shape.rank)]
    lead = [size(like, axis) for axis in range(like.shape.rank - 2)]
    return tf.reshape(x, tf.stack([*lead, *inner]) if lead or inner else [])


def alike(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Two stacks of matrices with the same batch axes: those of the one repeated for the other."""
    import tensorflow as tf

    one, other = a.shape[:-2], b.shape[:-2]
    if one.is_fully_defined() and one == other:
        return a, b
    return a * tf.ones_like(b[..., :1, :1]), b * tf.ones_like(a[..., :1, :1])


def numbers(count: Size) -> Tensor:
    """0, 1 ... count - 1."""
    import tensorflow as tf

    return tf.range(count)


def unit(k: Tensor, count: Size, dtype: DType) -> Tensor:
    """1 at k, 0 elsewhere."""
    import tensorflow as tf

    return tf.cast(tf.equal(numbers(count), k), dtype)


def column(a: Tensor, k: Tensor) -> Tensor:
    """Column k, as a matrix of one column."""
    import tensorflow as tf

    return tf.gather(a, tf.reshape(k, [1]), axis=2)


def row(a: Tensor, k: Tensor) -> Tensor:
    """Row k, as a matrix of one row."""
    import tensorflow as tf

    return tf.gather(a, tf.reshape(k, [1]), axis=1)


def eye(count: Size, like: Tensor) -> Tensor:
    """One identity for each matrix of `like`."""
    import tensorflow as tf

    one = tf.cast(tf.equal(numbers(count)[:, None], numbers(count)[None, :]), like.dtype)
    return tf.expand_dims(one, 0) + tf.zeros_like(like[:, :1, :1])


def pivoted(a: Tensor, k: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Rows swapped so that the largest number of column k, at or below the diagonal, is on it.

    Returns:
        the matrices, their row k, and of each whether rows were swapped.
    """
    import tensorflow as tf

    rows = size(a, 1)
    below = numbers(rows)[None, :] >= k
    sizes = tf.where(below, tf.abs(column(a, k)[:, :, 0]), -tf.ones((), a.dtype))
    largest = tf.argmax(sizes, 1, output_type=tf.int32)
    here, there = unit(k, rows, a.dtype)[None, :], tf.one_hot(largest, rows, dtype=a.dtype)
    pivot = tf.matmul(tf.expand_dims(there, 1), a)
    here, there = tf.expand_dims(here, 2), tf.expand_dims(there, 2)
    swapped = a * (1 - there) + there * row(a, k)
    swapped = swapped * (1 - here) + here * pivot
    return swapped, pivot, tf.reshape(tf.not_equal(largest, k), [-1, 1, 1])
