"""A layer at a size, and the smallest graph of its mathematics: as ONNX operators, and as TensorFlow for LiteRT."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Node:
    """An ONNX operator; inputs and outputs are named in words."""

    op: str
    inputs: str
    output: str
    attributes: Mapping[str, Any] = field(default_factory=dict)


def node(op: str, inputs: str, output: str = "y", **attributes: Any) -> Node:
    """An ONNX operator."""
    return Node(op, inputs, output, attributes)


@dataclass(frozen=True)
class Handmade:
    """A layer, and the smallest graphs that compute it.

    Attributes:
        name: the name of the layer's file, with what is special about it.
        layer: makes the Keras layer.
        shapes: of each input by name, without the batch.
        batch: samples in a call.
        graph: the graph of the built layer: the ONNX operators, and their constants by name.
        function: of the built layer: the same as a function of TensorFlow tensors.
        domain: the domain of every input.
    """

    name: str
    layer: Callable[[], Any]
    shapes: Mapping[str, Shape]
    batch: int
    graph: Callable[[Any], tuple[Sequence[Node], Mapping[str, np.ndarray]]]
    function: Callable[[Any], Callable[..., Any]]
    domain: str = "uniform(-3, 3)"

    def write_onnx(self, layer: Any, path: Path, like: Path) -> None:
        """Write the ONNX graph, with opset, declared inputs and outputs of another file."""
        import onnx
        from onnx import helper, numpy_helper

        ours = onnx.load(str(like))
        nodes, constants = self.graph(layer)
        renamed = {"y": ours.graph.output[0].name}
        made = [
            helper.make_node(
                each.op,
                [renamed.get(word, word) for word in each.inputs.split()],
                [renamed.get(word, word) for word in each.output.split()],
                **each.attributes,
            )
            for each in nodes
        ]
        initial = [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()]
        graph = helper.make_graph(made, "handmade", list(ours.graph.input), list(ours.graph.output), initial)
        model = helper.make_model(graph, opset_imports=list(ours.opset_import), ir_version=ours.ir_version)
        onnx.checker.check_model(model, full_check=True)
        onnx.save(model, str(path))

    def write_tflite(self, layer: Any, path: Path) -> None:
        """Convert the TensorFlow function, with a dynamic batch."""
        import tensorflow as tf

        specs = [tf.TensorSpec((None, *shape), tf.float32, name) for name, shape in self.shapes.items()]
        concrete = tf.function(self.function(layer), autograph=False).get_concrete_function(*specs)
        path.write_bytes(tf.lite.TFLiteConverter.from_concrete_functions([concrete]).convert())
