"""Sums of products as products of matrices.

tf2onnx writes them so, too, but tries every order of the labels for it, a second for each equation of five labels and
seven for one of six, and is left with more operators.
Source: TensorFlow's `Einsum`; tf2onnx' `einsum_optimizer`.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._einsum import emit, parsed
from kexport.factory.lowerings._rule import Lowering


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    terms, _ = parsed(op)
    return len(terms) < 3 and not any("." in term for term in terms) and all(x.shape.rank is not None for x in inputs)


LOWERING = Lowering("einsum_onnx", ("onnx",), ("Einsum",), emit, _applies)
