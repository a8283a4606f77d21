"""Rows of different lengths as one tensor, in TFLite: each element is gathered from where its row begins.

Behind the values stands one default, which every place behind the end of a row takes.
Source: TensorFlow's `RaggedTensorToTensor`, for one axis of different lengths.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Size, Tensor
from kexport.factory.lowerings._rule import Lowering

_KINDS = ([b"ROW_SPLITS"], [b"FIRST_DIM_SIZE", b"VALUE_ROWIDS"])


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    shape, values, default, *partition = inputs
    starts, lengths = (tf.cast(part, tf.int32) for part in _rows(partition))
    wanted = [None, None] if shape.shape.rank == 0 else _first_sizes(shape)
    count = tf.shape(lengths)[0]
    width = tf.reduce_max(tf.concat([lengths, [0]], 0)) if wanted[1] is None else wanted[1]
    if wanted[0] is not None:  # rows that are missing are empty, and those beyond are left out
        more = tf.maximum(wanted[0] - count, 0)
        starts, lengths = (tf.pad(part, [(0, more)])[: wanted[0]] for part in (starts, lengths))
    column = tf.expand_dims(tf.range(width), 0)
    held = column < tf.expand_dims(lengths, 1)
    places = tf.where(held, tf.expand_dims(starts, 1) + column, tf.shape(values)[0])
    filler = tf.broadcast_to(default, tf.concat([[1], tf.shape(values)[1:]], 0))
    dense = tf.gather(tf.concat([values, filler], 0), places)
    dense.set_shape(op.outputs[0].shape)
    return [dense]


def _rows(partition: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Where each row begins in the values, and how long it is."""
    import tensorflow as tf

    if len(partition) == 1:
        splits = partition[0]
        return splits[:-1], splits[1:] - splits[:-1]
    count, rows = (tf.cast(part, tf.int32) for part in partition)
    lengths = tf.reduce_sum(tf.cast(tf.equal(tf.expand_dims(rows, 0), tf.range(count)[:, None]), tf.int32), 1)
    return tf.cumsum(lengths, exclusive=True), lengths


def _first_sizes(shape: Tensor) -> list[Size | None]:
    """How many rows and columns there shall be; None for as many as there are."""
    import tensorflow as tf

    static = tf.get_static_value(shape, partial=True)
    entries = [shape[axis] if static is None or static[axis] is None else int(static[axis]) for axis in (0, 1)]
    return [None if isinstance(entry, int) and entry < 0 else entry for entry in entries]


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    shape = inputs[0].shape
    kinds = list(op.get_attr("row_partition_types"))
    return kinds in _KINDS and shape.rank is not None and (shape.rank == 0 or shape[0] is not None)


LOWERING = Lowering("ragged_to_dense_tflite", ("tflite",), ("RaggedTensorToTensor",), _emit, _applies)
