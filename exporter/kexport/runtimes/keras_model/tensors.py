"""Arrays of NumPy as tensors of TensorFlow, and back: text and bfloat16 are held differently by the two."""

from __future__ import annotations

from typing import Any

import numpy as np

from kexport.bundle.signature import Array


def to_tensor(dtype: str, array: Array) -> Any:
    """The TensorFlow tensor of this dtype that holds an array: text as UTF-8, bfloat16 given as float32."""
    import tensorflow as tf

    if dtype == "string":
        flat = [text.encode(errors="surrogateescape") for text in array.ravel().tolist()]
        return tf.constant(flat, tf.string, shape=array.shape)
    if dtype == "bfloat16":
        return tf.cast(tf.constant(array), tf.bfloat16)
    return tf.constant(array)


def to_array(tensor: object) -> Array:
    """The array that holds a TensorFlow tensor: text as `str`, bfloat16 as float32."""
    import tensorflow as tf

    array = np.asarray(tf.convert_to_tensor(tensor).numpy())
    if array.dtype.name == "bfloat16":
        return array.astype(np.float32)
    if array.dtype == object:
        texts = [item.decode(errors="surrogateescape") for item in array.ravel().tolist()]
        return np.array(texts, dtype=str).reshape(array.shape)
    return array


def to_dense(value: Any) -> object:
    """A sparse or ragged tensor as a dense one; any other value unchanged."""
    import tensorflow as tf

    if isinstance(value, tf.SparseTensor):
        return tf.sparse.to_dense(value)
    return value.to_tensor() if isinstance(value, tf.RaggedTensor) else value
