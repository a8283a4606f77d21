"""The signature of a tf2onnx handler: the graph, the node, the node's name and the arguments registered with it."""

from __future__ import annotations

from collections.abc import Callable

from kexport.factory.graph.onnx_protocols import MappedGraph, MappedNode

Handler = Callable[[MappedGraph, MappedNode, str, object], None]
