"""Zeros around volumes: TensorFlow merges `Pad` into a `Conv3D` that follows, as if that padded nothing itself.

Where the convolution has `padding="same"`, the result of the graph has another shape than that of an eager call
(`remapper.cc`, `_FusedPadConv3D`; TensorFlow 2.21). `PadV2`, which takes the value as an input, is not merged.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from kexport.factory.corrections._correction import Correction, Record
from kexport.runtimes.keras_model import Method, replaced

_RANK = 5


@contextlib.contextmanager
def _active(record: Record) -> Iterator[None]:
    import tensorflow

    module: Any = tensorflow
    with replaced(module, "pad", _unmerged):
        yield


def _unmerged(original: Method) -> Method:
    def pad(
        tensor: Any, paddings: object, mode: str = "CONSTANT", constant_values: object = 0, name: str | None = None
    ) -> object:
        import tensorflow as tf

        rank = getattr(getattr(tensor, "shape", None), "rank", None)
        zeros = mode.upper() == "CONSTANT" and isinstance(constant_values, int | float) and constant_values == 0
        if not zeros or rank != _RANK:
            return original(tensor, paddings, mode, constant_values, name)
        zero = tf.zeros((), tensor.dtype)
        return tf.raw_ops.PadV2(input=tensor, paddings=paddings, constant_values=zero, name=name)

    return pad


CORRECTION = Correction("pad3d", _active)
