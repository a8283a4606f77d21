"""Gradients of convolutions that skip elements, in double precision: in single, TensorFlow writes past its arrays.

The oneDNN kernel of Conv2DBackpropFilter corrupts the heap where the kernel is smaller than the stride, as in the
shortcuts of residual networks; the process may abort at any time afterwards. In float64 another kernel computes it.
A transposed convolution has the same gradient with the parts exchanged.
Seen with tensorflow-cpu 2.21.0 on 1 x 1 kernels with strides 2.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any


@contextlib.contextmanager
def safe_convolutions() -> Iterator[None]:
    """In the block, the gradients of such convolutions are built from operations in double precision."""
    from tensorflow.python.framework import ops

    # The registry has no way to replace an entry.
    entries = {kind: ops.gradient_registry._registry[kind] for kind in _IN_DOUBLE}
    originals = {kind: dict(entry) for kind, entry in entries.items()}

    def gradient_of(kind: str) -> Callable[[Any, Any], Any]:
        original = originals[kind]["type"]
        return lambda op, upstream: (_IN_DOUBLE[kind] if _skips(op) else original)(op, upstream)

    for kind, entry in entries.items():
        entry["type"] = gradient_of(kind)
    try:
        yield
    finally:
        for kind, entry in entries.items():
            entry.update(originals[kind])


def _skips(op: Any) -> bool:
    """Whether the kernel is smaller than the stride along an axis."""
    kernel = op.inputs[1]
    first = op.get_attr("data_format") == b"NCHW"
    strides = op.get_attr("strides")[2:] if first else op.get_attr("strides")[1:3]
    pairs = zip(kernel.shape[:2], strides, strict=True)
    return kernel.dtype.name == "float32" and any(size is None or size < step for size, step in pairs)


def _of_convolution(op: Any, upstream: Any) -> list[Any]:
    import tensorflow as tf

    x, kernel = op.inputs
    wide = [tf.cast(each, tf.float64) for each in (x, kernel, upstream)]
    settings = _settings(op)
    of_input = tf.raw_ops.Conv2DBackpropInput(input_sizes=tf.shape(x), filter=wide[1], out_backprop=wide[2], **settings)
    of_kernel = tf.raw_ops.Conv2DBackpropFilter(
        input=wide[0], filter_sizes=tf.shape(kernel), out_backprop=wide[2], **settings
    )
    return [tf.cast(of_input, x.dtype), tf.cast(of_kernel, kernel.dtype)]


def _of_transposed_convolution(op: Any, upstream: Any) -> list[Any]:
    import tensorflow as tf

    _, kernel, x = op.inputs
    wide = [tf.cast(each, tf.float64) for each in (x, kernel, upstream)]
    settings = _settings(op)
    of_kernel = tf.raw_ops.Conv2DBackpropFilter(
        input=wide[2], filter_sizes=tf.shape(kernel), out_backprop=wide[0], **settings
    )
    of_input = tf.raw_ops.Conv2D(input=wide[2], filter=wide[1], **settings)
    return [None, tf.cast(of_kernel, kernel.dtype), tf.cast(of_input, x.dtype)]


def _settings(op: Any) -> dict[str, Any]:
    return {
        "strides": op.get_attr("strides"),
        "padding": op.get_attr("padding").decode(),
        "explicit_paddings": op.get_attr("explicit_paddings"),
        "data_format": op.get_attr("data_format").decode(),
        "dilations": op.get_attr("dilations"),
    }


_IN_DOUBLE: dict[str, Callable[[Any, Any], list[Any]]] = {
    "Conv2D": _of_convolution,
    "Conv2DBackpropInput": _of_transposed_convolution,
}
