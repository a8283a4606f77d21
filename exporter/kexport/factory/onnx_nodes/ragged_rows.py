"""tf2onnx' indices of ragged rows, mended for a batch in which all rows are empty: it divides by the longest length."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from kexport.factory.graph.onnx_protocols import MappedGraph

#: The numbers of rows and columns, and the indices of each element: names of tensors.
_Indices = tuple[str, str, str, str]


@contextmanager
def divisible_ragged_rows() -> Iterator[None]:
    """Within it, what is mapped divides by 1 where the longest row has no element: there is nothing to divide."""
    from tf2onnx import utils
    from tf2onnx.onnx_opset import tensor

    original = tensor.ragged_lengths_to_sparse_indices

    def mended(graph: MappedGraph, lengths: str) -> _Indices:
        rows, columns, row_indices, column_indices = original(graph, lengths)
        one = graph.make_const(utils.make_name("const_one"), np.array([1], np.int64)).output[0]
        divisor = graph.make_node("Max", [columns, one]).output[0]
        for node in graph.get_nodes():
            if node.type in ("Div", "Mod") and node.input[1] == columns:
                graph.replace_input(node, columns, divisor, 1)
        return rows, columns, row_indices, column_indices

    tensor.ragged_lengths_to_sparse_indices = mended
    try:
        yield
    finally:
        tensor.ragged_lengths_to_sparse_indices = original
