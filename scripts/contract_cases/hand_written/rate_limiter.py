"""The recurrence: a scan along time, whose body compares, clips and adds."""

import numpy as np

from contract_cases._handmade import Handmade, node
from kexport_layers.rate_limiter import RateLimiter

_STEP, _LENGTH = 0.5, 64


def _body():
    """From the sample before, and this one of the input, to this one of the output, twice."""
    from onnx import TensorProto, helper, numpy_helper

    nodes = [
        helper.make_node("Sub", ["now", "before"], ["apart"]),
        helper.make_node("Clip", ["apart", "down", "up"], ["move"]),
        helper.make_node("Add", ["before", "move"], ["after"]),
        helper.make_node("Identity", ["after"], ["out"]),
    ]
    values = {
        name: helper.make_tensor_value_info(name, TensorProto.FLOAT, [None])
        for name in ("before", "now", "after", "out")
    }
    steps = {"down": -_STEP, "up": _STEP}
    return helper.make_graph(
        nodes, "body", [values["before"], values["now"]], [values["after"], values["out"]],
        [numpy_helper.from_array(np.float32(value), name) for name, value in steps.items()],
    )  # fmt: skip


def _scan(layer):
    nodes = [
        node("Gather", "x first", "start", axis=1),
        node("Scan", "start x", "end y", body=_body(), num_scan_inputs=1, scan_input_axes=[1], scan_output_axes=[1]),
    ]
    return nodes, {"first": np.array(0)}


def _unrolled(layer):
    import tensorflow as tf

    def follow(x):
        before, found = x[:, 0], [x[:, 0]]
        for now in tf.unstack(x, axis=1)[1:]:
            before = before + tf.clip_by_value(now - before, -_STEP, _STEP)
            found.append(before)
        return tf.stack(found, axis=1)

    return follow


CASES = [Handmade("rate_limiter", lambda: RateLimiter(_STEP), {"x": (_LENGTH,)}, 16, _scan, _unrolled)]
