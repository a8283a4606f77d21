"""Sums of products that the converter has no operator for.

Applied only where there is no sum, a side has no label of its own, a label comes twice, or there is one operand: the
converter knows the others.
Source: TensorFlow's `Einsum`, and what the converter refuses of it.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._einsum import emit, parsed
from kexport.factory.lowerings._rule import Lowering


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    terms, wanted = parsed(op)
    if any("." in term for term in terms) or any(x.shape.rank is None for x in inputs):
        return False
    if len(terms) == 1 or any(len(set(term)) < len(term) for term in terms):
        return True
    left, right = map(set, terms)
    return not (left & right - set(wanted) and (left - right) & set(wanted) and (right - left) & set(wanted))


LOWERING = Lowering("einsum_tflite", ("tflite",), ("Einsum",), emit, _applies)
