"""Lookup in tables whose keys or values are strings: ONNX' LabelEncoder.

Where the values are numbers with a point, it finds the place of the key, and the value is gathered from there.
Comparing strings with one of them is a table with one key: onnxruntime's `Equal` has no strings in the opset written.
Source: https://onnx.ai/onnx/operators/onnx_aionnxml_LabelEncoder.html; TensorFlow's `LookupTableFindV2`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._rule import Lowering
from kexport.factory.onnx_nodes import onnx_node

_Item = bytes | int | float


def _emit(op: Operation, inputs: Sequence[Any]) -> Sequence[Tensor]:
    import tensorflow as tf

    if op.type == "LookupTableFindV2":
        table, x, default = inputs
        otherwise = _constant(default)
        assert otherwise is not None  # `_applies` has seen to it
        if table.values.dtype.kind == "f":
            place = _looked_up(x, table.keys.tolist(), range(len(table.keys)), len(table.keys))
            return [tf.gather(tf.constant([*table.values, otherwise], default.dtype), place)]
        value = _looked_up(x, table.keys.tolist(), table.values.tolist(), otherwise)
        return [tf.cast(value, default.dtype) if default.dtype != tf.string else value]
    one, other = inputs
    text, x = (_constant(one), other) if _constant(one) is not None else (_constant(other), one)
    assert text is not None  # `_applies` has seen to it
    equal = tf.equal(_looked_up(x, [text], [1], 0), 1)
    return [equal if op.type == "Equal" else tf.logical_not(equal)]


def _looked_up(x: Tensor, keys: Sequence[_Item], values: Sequence[_Item], default: _Item) -> Tensor:
    import tensorflow as tf

    attributes: dict[str, object] = {}
    for name, given in (("keys", keys), ("values", values), ("default", [default])):
        text = isinstance(given[0], bytes)
        attribute = f"{name}_{'string' if text else 'int64'}" + ("" if name == "default" else "s")
        listed = [item.decode() if isinstance(item, bytes) else int(item) for item in given]
        attributes[attribute] = listed[0] if name == "default" else listed
    x = x if x.dtype == tf.string else tf.cast(x, tf.int64)
    dtype = tf.string if isinstance(values[0], bytes) else tf.int64
    return onnx_node("LabelEncoder", [x], [(dtype, x.shape)], attributes, domain="ai.onnx.ml")[0]


def _constant(tensor: Tensor) -> _Item | None:
    """The value of a scalar that is one, else None."""
    import tensorflow as tf

    value = tf.get_static_value(tensor)
    return None if value is None or value.size != 1 else value.item()


def _applies(op: Operation, inputs: Sequence[Any]) -> bool:
    import tensorflow as tf

    if op.type == "LookupTableFindV2":
        table, _, default = inputs
        if not hasattr(table, "keys"):
            return False  # a table that the graph itself makes and fills
        kinds = table.keys.dtype.kind, table.values.dtype.kind
        return "O" in kinds and kinds[0] != "f" and bool(len(table.keys)) and _constant(default) is not None
    return inputs[0].dtype == tf.string and any(_constant(tensor) is not None for tensor in inputs)


LOWERING = Lowering("string_lookup_onnx", ("onnx",), ("LookupTableFindV2", "Equal", "NotEqual"), _emit, _applies)
