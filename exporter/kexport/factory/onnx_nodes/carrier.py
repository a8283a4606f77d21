"""ONNX nodes that no TensorFlow operation corresponds to, carried through TensorFlow's graph to the converter.

The carrier is a `PyFunc`: it takes any inputs, gives any outputs, and TensorFlow's optimiser leaves it alone. Its token
describes the node in JSON; tf2onnx calls `place`, which puts that node in its place.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TypedDict, cast

from kexport.factory.graph.onnx_protocols import MappedGraph, MappedNode
from kexport.factory.graph.protocols import DType, Tensor

CARRIER = "PyFunc"
_MARK = "kexport onnx node"


class _Token(TypedDict):
    """The description of a node; `given` says of each of its inputs whether it is present."""

    mark: str
    kind: str
    domain: str
    given: list[bool]
    attributes: dict[str, object]
    note: str


def onnx_node(
    kind: str,
    inputs: Sequence[Tensor | None],
    outputs: Sequence[tuple[DType, object]],
    attributes: Mapping[str, object] | None = None,
    note: str = "",
    domain: str = "",
) -> list[Tensor]:
    """Add a node to the current graph.

    Args:
        kind: its type in ONNX.
        inputs: tensors; None for an optional input that is left out.
        outputs: dtype and static shape of each output.
        attributes: the attributes of the node, which JSON can hold.
        note: what other lowerings may want to know about the node, see `note_of`.
        domain: the domain of its type; ONNX' own by default.
    """
    import tensorflow as tf

    token: _Token = {
        "mark": _MARK,
        "kind": kind,
        "domain": domain,
        "given": [tensor is not None for tensor in inputs],
        "attributes": dict(attributes or {}),
        "note": note,
    }
    present = [tensor for tensor in inputs if tensor is not None]
    results = tf.raw_ops.PyFunc(input=present, token=json.dumps(token), Tout=[dtype for dtype, _ in outputs])
    return [tf.ensure_shape(tensor, shape) for tensor, (_, shape) in zip(results, outputs, strict=True)]


def note_of(tensor: Tensor) -> tuple[str, Tensor | None]:
    """The note of the ONNX node that computes a tensor, and its first input; `("", None)` if no such node does."""
    if tensor.op.type != "EnsureShape" or tensor.op.inputs[0].op.type != CARRIER:
        return "", None
    carrier = tensor.op.inputs[0].op
    token = _read(carrier.get_attr("token"))
    return (token["note"], carrier.inputs[0]) if token else ("", None)


def place(graph: MappedGraph, node: MappedNode, _name: str, _arguments: object) -> None:
    """Replace a carrier by the node that its token describes."""
    token = _read(node.get_attr("token").s)
    if token is None:
        return
    present = iter(node.input)
    inputs = [next(present) if given else "" for given in token["given"]]
    shapes, dtypes, outputs = node.output_shapes, node.output_dtypes, node.output
    graph.remove_node(node.name)
    graph.make_node(
        token["kind"],
        inputs,
        attr=token["attributes"],
        **replacing(node.name, outputs, shapes, dtypes),
        domain=token["domain"],
        infer_shape_dtype=False,
    )


class Replaced(TypedDict):
    """What a node keeps of the one that it replaces."""

    name: str
    outputs: list[str]
    shapes: list[list[int] | None]
    dtypes: list[int]


def replacing(name: str, outputs: list[str], shapes: list[list[int] | None], dtypes: list[int]) -> Replaced:
    """The options with which a node takes the place of another, which has been removed."""
    return {"name": name, "outputs": outputs, "shapes": shapes, "dtypes": dtypes}


def _read(text: bytes) -> _Token | None:
    try:
        token: object = json.loads(text)
    except ValueError:
        return None
    return cast(_Token, token) if isinstance(token, dict) and token.get("mark") == _MARK else None
