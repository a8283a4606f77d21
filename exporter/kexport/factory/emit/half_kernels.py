"""Step-by-step equivalents of TensorFlow's kernels that round to half precision internally.

Each function has the steps of the kernel of the operation that it is named after; they give the same bits as TensorFlow
2.21 on x86-64. The logistic function takes the exponential of 10 at most: beyond, the quotient is 1 in both types.
Source: measured; Eigen's unsupported/../functors (logistic, elu), TensorFlow's softplus_op.h, relu_op_functor.h.
"""

from __future__ import annotations

import operator
from collections.abc import Callable

import numpy as np

from kexport.factory.graph.protocols import FunctionDef, Tensor

_SCALE, _SCALE_ALPHA = 1.0507009873554804934193349852946, 1.7580993408473768599402175208123
_SOFTPLUS_EPSILON = {"float16": 2.0**-13, "bfloat16": 2.0**-7}


def _sigmoid(x: Tensor) -> Tensor:
    import tensorflow as tf

    exponential = tf.exp(tf.minimum(x, 10.0))
    return exponential / (1.0 + exponential)


def _softplus(x: Tensor) -> Tensor:
    import tensorflow as tf

    half = x.dtype.as_numpy_dtype  # the threshold is rounded at each step too
    least = float(np.log(half(_SOFTPLUS_EPSILON[x.dtype.name])) + half(2))
    exponential = tf.exp(x)
    return tf.where(x > -least, x, tf.where(x < least, exponential, tf.math.log1p(exponential)))


def _softsign(x: Tensor) -> Tensor:
    return x / (abs(x) + 1.0)


def _elu(x: Tensor) -> Tensor:
    import tensorflow as tf

    return tf.where(x < 0.0, tf.exp(x) - 1.0, x)


def _selu(x: Tensor) -> Tensor:
    import tensorflow as tf

    return tf.where(x < 0.0, _SCALE_ALPHA * (tf.exp(x) - 1.0), _SCALE * x)


def _squared_difference(x: Tensor, y: Tensor) -> Tensor:
    difference = x - y
    return difference * difference


def _floor_div(x: Tensor, y: Tensor) -> Tensor:
    import tensorflow as tf

    return tf.floor(x / y)


def _xlogy(x: Tensor, y: Tensor) -> Tensor:
    import tensorflow as tf

    return tf.where(operator.eq(x, 0.0), tf.zeros_like(x), x * tf.math.log(y))


def _add_n(*terms: Tensor) -> Tensor:
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total


#: By type of operation.
KERNELS: dict[str, Callable[..., Tensor]] = {
    "Sigmoid": _sigmoid,
    "Softplus": _softplus,
    "Softsign": _softsign,
    "Elu": _elu,
    "Selu": _selu,
    "SquaredDifference": _squared_difference,
    "FloorDiv": _floor_div,
    "Xlogy": _xlogy,
    "AddN": _add_n,
}


def function(kind: str, dtype: int, count: int) -> FunctionDef:
    """The definition of a function that does what the kernel of `count` arguments does, for a `DataType`."""
    import tensorflow as tf

    kernel = KERNELS[kind]
    specs = [tf.TensorSpec(None, dtype)] * count
    return tf.function(lambda *inputs: kernel(*inputs), autograph=False).get_concrete_function(*specs).function_def
