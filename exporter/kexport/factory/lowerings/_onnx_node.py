"""A node of ONNX that no operation of TensorFlow stands for, carried through TensorFlow's graph to the converter.

The carrier is a `PyFunc`: it takes any inputs, gives any outputs, and no optimiser looks into it. Its token says what
the node is; the converter's handler puts the node in its place.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

CARRIER = "PyFunc"
_MARK = "kexport onnx node"


def onnx_node(
    kind: str,
    inputs: Sequence[Any],
    outputs: Sequence[tuple[Any, Any]],
    note: str = "",
    domain: str = "",
    **attributes: Any,
) -> list[Any]:
    """Add a node.

    Args:
        kind: its type.
        inputs: tensors; None for an optional one that is left out.
        outputs: dtype and static shape of each.
        note: what other lowerings may want to know of it.
        domain: of its type; ONNX' own by default.
        attributes: those of the node.
    """
    import tensorflow as tf

    given = [tensor is not None for tensor in inputs]
    said = {"kind": kind, "domain": domain, "given": given, "attributes": attributes, "note": note}
    token = json.dumps({"mark": _MARK, **said})
    present = [tensor for tensor in inputs if tensor is not None]
    made = tf.raw_ops.PyFunc(input=present, token=token, Tout=[dtype for dtype, _ in outputs])
    return [tf.ensure_shape(tensor, shape) for tensor, (_, shape) in zip(made, outputs, strict=True)]


def noted(tensor: Any) -> tuple[str, Any]:
    """The note of the node that makes a tensor, and the first tensor it takes; no note where no such node does."""
    if tensor.op.type != "EnsureShape" or tensor.op.inputs[0].op.type != CARRIER:
        return "", None
    carrier = tensor.op.inputs[0].op
    said = _read(carrier.get_attr("token"))
    return (said["note"], carrier.inputs[0]) if said else ("", None)


def place(context: Any, node: Any, _name: str, _arguments: Any) -> None:
    """tf2onnx' handler of carriers."""
    said = _read(node.get_attr("token").s)
    if said is None:
        return
    present = iter(node.input)
    inputs = [next(present) if given else "" for given in said["given"]]
    shapes, dtypes, outputs = node.output_shapes, node.output_dtypes, node.output
    context.remove_node(node.name)
    context.make_node(
        said["kind"],
        inputs,
        attr=said["attributes"],
        outputs=outputs,
        shapes=shapes,
        dtypes=dtypes,
        name=node.name,
        domain=said["domain"],
        infer_shape_dtype=False,
    )


def _read(token: bytes) -> dict[str, Any] | None:
    try:
        said = json.loads(token)
    except ValueError:
        return None
    return said if isinstance(said, dict) and said.get("mark") == _MARK else None
