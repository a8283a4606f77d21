"""The traced function in float64: every float type, constant and weight in its graph replaced.

A layer that names float32 itself, `tf.cast(x, tf.float32)`, computes in it whatever its policy is, so the twin of the
model does too. In the graph of the model such a type is an attribute like any other.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import FrameType
from typing import TYPE_CHECKING, Any

import numpy as np

from kexport.bundle.signature import Array
from kexport.factory.trace.protocols import CoreFunction
from kexport.factory.truth.operation_noise import ROUNDED

if TYPE_CHECKING:
    import tensorflow as tf

#: From flat inputs to flat outputs.
FlatFunction = Callable[[Sequence[Array]], list[Array]]


def graph_twin(core: CoreFunction) -> FlatFunction:
    """The function in float64; may raise anything."""
    import tensorflow as tf

    definition: Any = core.graph.as_graph_def()
    functions = definition.library.function
    names = {function.signature.name: f"{function.signature.name}_in_double" for function in functions}
    for function in functions:
        function.signature.name = names[function.signature.name]
        for argument in (*function.signature.input_arg, *function.signature.output_arg):
            argument.type = wide(argument.type)
        for node in function.node_def:
            _widen(node, names)
    for node in [*definition.node]:
        _widen(node, names)
        if node.op in _SINGLE:
            result = definition.node.add(name=node.name, op="Cast", input=[f"{node.name}/single"])
            result.attr["SrcT"].type, result.attr["DstT"].type = (
                tf.float32.as_datatype_enum,
                tf.float64.as_datatype_enum,
            )
            node.name += "/single"
    imported = tf.compat.v1.wrap_function(lambda: tf.graph_util.import_graph_def(definition, name=""), [])
    named = imported.graph.get_tensor_by_name
    captured = [_captured(core, outer) for outer, _ in core.graph.captures]
    feeds = [each.name for each in core.graph.inputs]
    pruned = imported.prune([named(name) for name in feeds], [named(each.name) for each in core.graph.outputs])

    def run(flat: Sequence[Array]) -> list[Array]:
        values = [tf.constant(array, named(name).dtype) for array, name in zip(flat, feeds, strict=False)]
        handles = [each.handle if isinstance(each, tf.Variable) else each for each in captured]
        return [np.asarray(value.numpy()) for value in pruned(*values, *handles)]

    return run


def _captured(core: CoreFunction, tensor: tf.Tensor) -> tf.Tensor | tf.Variable:
    """What stands for a captured tensor: a variable in double precision, or a constant."""
    import tensorflow as tf

    for variable in core.graph.variables:
        if variable.handle is tensor:
            value = tf.convert_to_tensor(variable)
            return tf.Variable(tf.cast(value, wide(value.dtype.as_datatype_enum)))
    dtype = wide(tensor.dtype.as_datatype_enum)
    return tensor if dtype == tensor.dtype.as_datatype_enum else tf.cast(tensor, dtype)


def wide(dtype: int) -> int:
    """The number of a dtype in double precision; of what is not real or complex, itself."""
    from tensorflow.core.framework import types_pb2 as known

    if dtype in (known.DT_FLOAT, known.DT_HALF, known.DT_BFLOAT16):
        return int(known.DT_DOUBLE)
    return int(known.DT_COMPLEX128) if dtype == known.DT_COMPLEX64 else dtype


#: Whatever they are given, the result is float32.
_SINGLE = ("ResizeBilinear", "ResizeBicubic", "ScaleAndTranslate", "CropAndResize")


def _widen(node: Any, functions: Mapping[str, str]) -> None:
    """Replace every dtype, every constant of such a dtype, and the names of functions, in an operation."""
    node.op = functions.get(node.op, node.op)
    for value in node.attr.values():
        kind = value.WhichOneof("value")
        if kind == "type":
            value.type = wide(value.type)
        elif kind == "tensor":
            _widen_constant(value.tensor)
        elif kind == "func":
            value.func.name = functions.get(value.func.name, value.func.name)
        elif kind == "list":
            value.list.type[:] = [wide(each) for each in value.list.type]
            for each in value.list.func:
                each.name = functions.get(each.name, each.name)


def _widen_constant(tensor: Any) -> None:
    from tensorflow.python.framework import tensor_util

    if (dtype := wide(tensor.dtype)) != tensor.dtype:
        array = tensor_util.MakeNdarray(tensor)
        tensor.CopyFrom(tensor_util.make_tensor_proto(array, dtype=dtype, shape=array.shape))


@contextlib.contextmanager
def narrow_layers() -> Iterator[list[str]]:
    """Within the block, collects the layers that compute in less than double precision, in words."""
    from tensorflow.python.framework import op_callbacks

    found: dict[str | None, None] = {}

    def after(
        op_type: str | bytes,
        inputs: object,
        attrs: object,
        outputs: Sequence[tf.Tensor],
        op_name: str | None = None,
        graph: object = None,
    ) -> None:
        name = op_type.decode() if isinstance(op_type, bytes) else op_type
        if name in ROUNDED and any(each.dtype.name in _NARROW for each in outputs):
            found.setdefault(_layer_calling())

    layers: list[str] = []
    op_callbacks.add_op_callback(after)
    try:
        yield layers
    finally:
        op_callbacks.remove_op_callback(after)
        layers += [layer for layer in found if layer is not None]


_NARROW = ("float32", "float16", "bfloat16", "complex64")


def _layer_calling() -> str | None:
    """The innermost layer whose code is running, in words; None where that is one of Keras' own without user code.

    What those compute in float32, resized images for one, TensorFlow has no other kernel for.
    """
    import keras

    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        owner = frame.f_locals.get("self")
        if isinstance(owner, keras.Layer) and not isinstance(owner, keras.Model):
            own = type(owner).__module__.startswith("keras.") and not isinstance(owner, keras.layers.Lambda)
            return None if own else f"layer {owner.name!r} ({type(owner).__name__})"
        frame = frame.f_back
    return "the model"
