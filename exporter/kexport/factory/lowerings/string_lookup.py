"""Looking strings up, or looking up strings, in a table: ONNX' node for labels.

Comparing strings with one of them is a table with one key: onnxruntime's `Equal` has no strings in the opset written.
Source: https://onnx.ai/onnx/operators/onnx_aionnxml_LabelEncoder.html; TensorFlow's `LookupTableFindV2`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kexport.factory.lowerings._lowering import Lowering
from kexport.factory.lowerings._onnx_node import onnx_node


def _emit(op: Any, inputs: Sequence[Any]) -> Sequence[Any]:
    import tensorflow as tf

    if op.type == "LookupTableFindV2":
        table, x, default = inputs
        found = _looked_up(x, table.keys.tolist(), table.values.tolist(), _constant(default))
        return [tf.cast(found, default.dtype) if default.dtype != tf.string else found]
    one, other = inputs
    text, x = (_constant(one), other) if _constant(one) is not None else (_constant(other), one)
    equal = tf.equal(_looked_up(x, [text], [1], 0), 1)
    return [equal if op.type == "Equal" else tf.logical_not(equal)]


def _looked_up(x: Any, keys: Sequence[Any], values: Sequence[Any], default: Any) -> Any:
    import tensorflow as tf

    attributes: dict[str, Any] = {}
    for name, given in (("keys", keys), ("values", values), ("default", [default])):
        text = isinstance(given[0], bytes)
        attribute = f"{name}_{'string' if text else 'int64'}" + ("" if name == "default" else "s")
        listed = [item.decode() if text else int(item) for item in given]
        attributes[attribute] = listed[0] if name == "default" else listed
    x = x if x.dtype == tf.string else tf.cast(x, tf.int64)
    dtype = tf.string if isinstance(values[0], bytes) else tf.int64
    return onnx_node("LabelEncoder", [x], [(dtype, x.shape)], domain="ai.onnx.ml", **attributes)[0]


def _constant(tensor: Any) -> Any:
    """The value of a scalar that is one, else None."""
    import tensorflow as tf

    value = tf.get_static_value(tensor)
    return None if value is None or value.size != 1 else value.item()


def _applies(op: Any, inputs: Sequence[Any]) -> bool:
    import tensorflow as tf

    if op.type == "LookupTableFindV2":
        table, _, default = inputs
        kinds = table.keys.dtype.kind, table.values.dtype.kind
        return "O" in kinds and "f" not in kinds and bool(len(table.keys)) and _constant(default) is not None
    return inputs[0].dtype == tf.string and any(_constant(tensor) is not None for tensor in inputs)


LOWERING = Lowering("string_lookup", ("onnx",), ("LookupTableFindV2", "Equal", "NotEqual"), _emit, _applies)
