"""Sums of products that the converter has no operator for: each is one product of matrices, or a sum.

Labels of two operands are shared and kept (b), shared and summed (c), or of one operand alone (l, r). Both operands
become a batch of matrices, (b, l, c) and (b, c, r), and their product is put into the order asked for. A label of one
operand that is not kept is summed before; a label twice in one operand is its diagonal. Applied only where there is no
sum, a side has no label of its own, a label comes twice, or there is one operand: the converter knows the others.
Source: TensorFlow's `Einsum`; Van Loan, The ubiquitous Kronecker product, 2000, for contraction as a matrix product.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Size, Tensor
from kexport.factory.lowerings._diagonal import diagonal, sizes
from kexport.factory.lowerings._rule import Lowering


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    terms, wanted = _parsed(op)
    plain = []
    for index, (x, labels) in enumerate(zip(inputs, terms, strict=True)):
        kept = set(wanted).union(*(other for place, other in enumerate(terms) if place != index))
        plain.append(_without(*_diagonals(x, labels), kept))
    if len(plain) == 1:
        return [_ordered(*plain[0], wanted)]
    (a, left), (b, right) = plain
    shared = [label for label in left if label in right]
    batch = [label for label in shared if label in wanted]
    summed = [label for label in shared if label not in wanted]
    alone = [label for label in left if label not in right], [label for label in right if label not in left]
    size = dict(zip([*left, *right], [*sizes(a), *sizes(b)], strict=True))
    first = _matrices(_ordered(a, left, [*batch, *alone[0], *summed]), batch, alone[0], summed, size)
    second = _matrices(_ordered(b, right, [*batch, *summed, *alone[1]]), batch, summed, alone[1], size)
    axes = [*batch, *alone[0], *alone[1]]
    shape = tf.stack([size[label] for label in axes]) if axes else tf.constant([], tf.int32)
    product = tf.reshape(tf.matmul(first, second), shape)
    return [_ordered(product, axes, wanted)]


def _matrices(
    x: Tensor, batch: Sequence[str], rows: Sequence[str], columns: Sequence[str], size: dict[str, Size]
) -> Tensor:
    import tensorflow as tf

    return tf.reshape(x, tf.stack([math.prod(size[label] for label in axis) for axis in (batch, rows, columns)]))


def _diagonals(x: Tensor, labels: str) -> tuple[Tensor, list[str]]:
    """The tensor with each label once."""
    import tensorflow as tf

    left = list(labels)
    for label in labels:
        if left.count(label) > 1:
            first, second = [place for place, other in enumerate(left) if other == label][:2]
            rest = [place for place in range(len(left)) if place not in (first, second)]
            x = diagonal(tf.transpose(x, [*rest, first, second]), 0)
            left = [*(left[place] for place in rest), label]
    return x, left


def _without(x: Tensor, labels: list[str], kept: set[str]) -> tuple[Tensor, list[str]]:
    """The tensor summed over the labels that nothing else has."""
    import tensorflow as tf

    gone = [place for place, label in enumerate(labels) if label not in kept]
    return (tf.reduce_sum(x, gone) if gone else x), [label for label in labels if label in kept]


def _ordered(x: Tensor, labels: Sequence[str], wanted: Sequence[str]) -> Tensor:
    import tensorflow as tf

    order = [list(labels).index(label) for label in wanted]
    return x if order == sorted(order) else tf.transpose(x, order)


def _parsed(op: Operation) -> tuple[list[str], str]:
    left, _, right = op.get_attr("equation").decode().replace(" ", "").partition("->")
    return left.split(","), right


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    terms, wanted = _parsed(op)
    if any("." in term for term in terms) or any(x.shape.rank is None for x in inputs):
        return False
    if len(terms) == 1 or any(len(set(term)) < len(term) for term in terms):
        return True
    left, right = map(set, terms)
    return not (left & right - set(wanted) and (left - right) & set(wanted) and (right - left) & set(wanted))


LOWERING = Lowering("einsum_tflite", ("tflite",), ("Einsum",), _emit, _applies)
