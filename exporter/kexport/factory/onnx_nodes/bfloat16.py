"""tf2onnx' table of types, corrected: TensorFlow's bfloat16 is ONNX' bfloat16.

tf2onnx writes float16 instead, which has other values and other limits: 1e5 would be infinite. Only casts have this
type, to round (see `factory/emit/half_precision.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def mapped_bfloat16() -> Iterator[None]:
    """Within it, tf2onnx maps bfloat16 to ONNX' bfloat16."""
    from onnx import TensorProto
    from tensorflow.core.framework import types_pb2
    from tf2onnx import tf_utils

    types = tf_utils.TF_TO_ONNX_DTYPE
    before = types[types_pb2.DT_BFLOAT16]
    types[types_pb2.DT_BFLOAT16] = TensorProto.BFLOAT16
    try:
        yield
    finally:
        types[types_pb2.DT_BFLOAT16] = before
