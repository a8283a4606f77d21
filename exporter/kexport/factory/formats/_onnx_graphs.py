"""Graphs of an ONNX model that nodes hold: bodies of loops and branches."""

from __future__ import annotations

from collections.abc import Iterator

from kexport.factory.graph.onnx_protocols import OnnxGraph, OnnxModel, OnnxNode


def held_by(node: OnnxNode) -> Iterator[OnnxGraph]:
    """The graphs that a node itself holds."""
    for attribute in node.attribute:
        for graph in (attribute.g, *attribute.graphs):
            if graph.node or graph.output:
                yield graph


def with_inner(graph: OnnxGraph) -> Iterator[OnnxGraph]:
    """The graph and, at any depth, all that its nodes hold."""
    yield graph
    for node in graph.node:
        for inner in held_by(node):
            yield from with_inner(inner)


def names_used_inside(node: OnnxNode) -> set[str]:
    """Names that the graphs held by a node use, among them those of tensors outside."""
    names: set[str] = set()
    for held in held_by(node):
        for graph in with_inner(held):
            names |= {name for inner in graph.node for name in inner.input}
            names |= {value.name for value in graph.output}
    return names


def scalar_counters(model: OnnxModel) -> None:
    """Say that the number of the step and the condition, which a loop gives to its body, have no axes.

    onnxruntime asks for it, and tf2onnx loses it where a choice is inside.
    """
    for graph in with_inner(model.graph):
        for node in graph.node:
            for body in held_by(node) if node.op_type == "Loop" else ():
                for value in list(body.input)[:2]:
                    value.type.tensor_type.shape.SetInParent()
