"""Looking integers up in a table: a binary search among the sorted keys.

The number of keys not above x is found bit by bit, the largest first: a step of 2^k is taken where the key there is
not above x. No other key can be the one; where it is not x itself, the default is the value.
Source: Warren, Hacker's Delight, 11-1 (binary search without branches); TensorFlow's `LookupTableFindV2`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._rule import Lowering


def _emit(op: Operation, inputs: Sequence[Any]) -> Sequence[Tensor]:
    import tensorflow as tf

    table, x, default = inputs
    if not len(table.keys):
        return [tf.fill(tf.shape(x), default)]
    order = np.argsort(table.keys)
    keys, values = table.keys[order], table.values[order]
    place = tf.zeros_like(x, tf.int32)
    for bit in reversed(range((len(keys) - 1).bit_length())):
        # Beyond the end the last key stands for itself: to step there again changes nothing.
        further = tf.minimum(place + (1 << bit), len(keys) - 1)
        place = tf.where(tf.gather(keys, further) <= x, further, place)
    return [tf.where(tf.equal(tf.gather(keys, place), x), tf.gather(values, place), default)]


def _applies(op: Operation, inputs: Sequence[Any]) -> bool:
    table = inputs[0]
    if not hasattr(table, "keys"):
        return False  # a table that the graph itself makes and fills
    return table.keys.dtype.kind in "iu" and table.values.dtype.kind in "iuf"


LOWERING = Lowering(
    "integer_lookup", ("onnx", "tflite"), ("LookupTableFindV2",), _emit, _applies, before=("string_lookup_onnx",)
)
