"""tf2onnx' table of types, made to call bfloat16 by its name.

It writes float16 instead, which has other values, and other limits: 1e5 would be infinite. Casts alone have this type,
to round (see `factory/precision.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def by_its_name() -> Iterator[None]:
    """Within it, bfloat16 is ONNX' bfloat16."""
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
