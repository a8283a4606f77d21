"""A projection: one affine map, a clip, or a step back along the normal of a half-space."""

import numpy as np

from contract_cases._handmade import Handmade, node
from kexport_layers.linear_constraint import LinearConstraint

_RNG = np.random.default_rng(0)
_ROWS, _B = _RNG.normal(size=(3, 64)), np.array([1.0, 0.5, -1.0])
_NORMAL = _RNG.normal(size=64)
_BACK = (_NORMAL / (_NORMAL @ _NORMAL)).astype("float32")
_COLUMN = _NORMAL[:, None].astype("float32")
_KEPT = (np.eye(64) - np.linalg.pinv(_ROWS) @ _ROWS).T.astype("float32")
_POINT = (np.linalg.pinv(_ROWS) @ _B).astype("float32")


def _half_space(layer):
    nodes = [
        node("Gemm", "x column level", "excess"),
        node("Relu", "excess", "beyond"),
        node("Mul", "beyond back", "step"),
        node("Sub", "x step"),
    ]
    return nodes, {"column": _COLUMN, "level": np.array([-0.5], "float32"), "back": _BACK}


def _back(layer):
    import tensorflow as tf

    return lambda x: x - tf.nn.relu(tf.matmul(x, _COLUMN) - 0.5) * _BACK


def _affine(layer):
    import tensorflow as tf

    return lambda x: tf.nn.bias_add(tf.matmul(x, _KEPT), _POINT)


def _clip(layer):
    import tensorflow as tf

    return lambda x: tf.minimum(tf.maximum(x, -1.0), 2.0)


CASES = [
    Handmade(
        "linear_constraint of equations", lambda: LinearConstraint(A=_ROWS.tolist(), b=_B.tolist()), {"x": (64,)}, 128,
        lambda layer: ([node("Gemm", "x kept point")], {"kept": _KEPT, "point": _POINT}), _affine,
    ),
    Handmade(
        "linear_constraint to a box", lambda: LinearConstraint(low=-1.0, high=2.0), {"x": (1024,)}, 128,
        lambda layer: ([node("Clip", "x low high")], {"low": np.float32(-1), "high": np.float32(2)}), _clip,
    ),
    Handmade(
        "linear_constraint to a half-space", lambda: LinearConstraint(a=_NORMAL.tolist(), at_most=0.5), {"x": (64,)},
        256, _half_space, _back,
    ),
]  # fmt: skip
