"""Gradients of convolutions that skip elements, in double precision: in single, TensorFlow writes past its arrays.

The oneDNN kernel of Conv2DBackpropFilter corrupts the heap where the kernel is smaller than the stride, as in the
shortcuts of residual networks; the process may abort at any time afterwards. In float64 another kernel computes it.
Seen with tensorflow-cpu 2.21.0 on 1 x 1 kernels with strides 2.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any


@contextlib.contextmanager
def safe_convolutions() -> Iterator[None]:
    """In the block, the gradients of such convolutions are built from operations in double precision."""
    from tensorflow.python.framework import ops

    original = ops.gradient_registry.lookup("Conv2D")

    def gradient(op: Any, upstream: Any) -> Any:
        return _in_double(op, upstream) if _skips(op) else original(op, upstream)

    # The registry has no way to replace an entry.
    entry = ops.gradient_registry._registry["Conv2D"]
    before = dict(entry)
    entry["type"] = gradient
    try:
        yield
    finally:
        entry.update(before)


def _skips(op: Any) -> bool:
    """Whether the kernel is smaller than the stride along an axis."""
    x, kernel = op.inputs
    first = op.get_attr("data_format") == b"NCHW"
    strides = op.get_attr("strides")[2:] if first else op.get_attr("strides")[1:3]
    pairs = zip(kernel.shape[:2], strides, strict=True)
    return x.dtype.name == "float32" and any(size is None or size < step for size, step in pairs)


def _in_double(op: Any, upstream: Any) -> list[Any]:
    import tensorflow as tf

    x, kernel = op.inputs
    wide = [tf.cast(each, tf.float64) for each in (x, kernel, upstream)]
    named = {
        "strides": op.get_attr("strides"),
        "padding": op.get_attr("padding").decode(),
        "explicit_paddings": op.get_attr("explicit_paddings"),
        "data_format": op.get_attr("data_format").decode(),
        "dilations": op.get_attr("dilations"),
    }
    of_input = tf.raw_ops.Conv2DBackpropInput(input_sizes=tf.shape(x), filter=wide[1], out_backprop=wide[2], **named)
    of_kernel = tf.raw_ops.Conv2DBackpropFilter(
        input=wide[0], filter_sizes=tf.shape(kernel), out_backprop=wide[2], **named
    )
    return [tf.cast(of_input, x.dtype), tf.cast(of_kernel, kernel.dtype)]
