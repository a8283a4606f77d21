"""Rows of which each has a number or a place, given for one axis or for several."""

from __future__ import annotations

from kexport.factory.graph.protocols import Tensor


def as_rows(data: Tensor, numbers: Tensor) -> Tensor:
    """The data with the axes that are numbered as one."""
    import tensorflow as tf

    rank = numbers.shape.rank
    return data if rank == 1 else tf.reshape(data, tf.concat([[-1], tf.shape(data)[rank:]], 0))
