"""Diagonals of matrices by operations that TFLite has; k counts diagonals from the main one upwards."""

from __future__ import annotations

from kexport.factory.graph.protocols import Size, Tensor


def diagonal(x: Tensor, k: int) -> Tensor:
    """The k-th diagonal of the innermost matrices, taken from their elements in a row."""
    import tensorflow as tf

    rows, columns = (sizes(x)[axis] for axis in (-2, -1))
    length = tf.minimum(rows + min(k, 0), columns - max(k, 0))
    first = k if k >= 0 else -k * columns
    flat = tf.reshape(x, tf.stack([*sizes(x)[:-2], rows * columns]))
    result = tf.gather(flat, first + tf.range(length) * (columns + 1), axis=-1)
    matrix = x.shape[-2:]
    if matrix.is_fully_defined():
        result.set_shape([*x.shape[:-2], min(matrix[0] + min(k, 0), matrix[1] - max(k, 0))])
    return result


def on_diagonal(values: Tensor, k: int, rows: Size, columns: Size, elsewhere: Tensor) -> Tensor:
    """Matrices with the values on their k-th diagonal, and with what `elsewhere` has, elsewhere."""
    import tensorflow as tf

    along, size = (-1, rows) if k >= 0 else (-2, columns)
    paddings = [[0, 0]] * (values.shape.rank - 1) + [[0, size - sizes(values)[-1]]]
    spread = tf.expand_dims(tf.pad(values, paddings), along)
    hit = tf.equal(tf.range(columns) - tf.expand_dims(tf.range(rows), 1), k)
    return tf.where(hit, spread, elsewhere)


def sizes(x: Tensor) -> list[Size]:
    """The length of each axis: a number where it is known."""
    import tensorflow as tf

    shape = tf.shape(x)
    return [size if size is not None else shape[axis] for axis, size in enumerate(x.shape.as_list())]
