"""Sums of products of one or two tensors as one product of matrices, or a sum.

Labels of two operands are shared and kept (b), shared and summed (c), or of one operand alone (l, r). Both operands
become matrices, (b, l, c) and (b, c, r), and their product is put into the order asked for. A label of one operand
that is not kept is summed before; a label twice in one operand is its diagonal.
Source: TensorFlow's `Einsum`; Van Loan, The ubiquitous Kronecker product, 2000, for contraction as a matrix product.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Size, Tensor
from kexport.factory.lowerings._diagonal import diagonal, sizes


def emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    """The sum of products."""
    terms, wanted = parsed(op)
    plain = []
    for index, (x, labels) in enumerate(zip(inputs, terms, strict=True)):
        kept = set(wanted).union(*(other for place, other in enumerate(terms) if place != index))
        plain.append(_without(*_diagonals(x, labels), kept))
    if len(plain) == 1:
        return [_ordered(*plain[0], wanted)]
    one, other = plain
    if _begins(other[1], wanted, one[1]):  # then the product is in order as it is
        one, other = other, one
    return [_product(one, other, wanted)]


def _begins(labels: list[str], wanted: str, others: list[str]) -> bool:
    """Whether the first label of one operand alone, in the result, is of these labels."""
    alone = [label for label in wanted if (label in labels) != (label in others)]
    return bool(alone) and alone[0] in labels


def _product(one: tuple[Tensor, list[str]], other: tuple[Tensor, list[str]], wanted: str) -> Tensor:
    import tensorflow as tf

    (a, left), (b, right) = one, other
    size = dict(zip([*left, *right], [*sizes(a), *sizes(b)], strict=True))
    shared = sorted((label for label in left if label in right), key=lambda label: (wanted.find(label), label))
    batch = [label for label in shared if label in wanted]
    summed = [label for label in shared if label not in wanted]
    rows = sorted((label for label in left if label not in right), key=wanted.index)
    columns = sorted((label for label in right if label not in left), key=wanted.index)
    first = _ordered(a, left, [*batch, *rows, *summed])
    second = _ordered(b, right, [*batch, *summed, *columns])
    result = [*batch, *rows, *columns]
    if len(rows) == len(columns) == len(summed) == 1 and len(batch) < 3:
        return _ordered(tf.matmul(first, second), result, wanted)
    stack = [batch] if batch else []
    first = _grouped(first, [*stack, rows, summed], size)
    second = _grouped(second, [*stack, summed, columns], size)
    product = tf.matmul(first, second)
    return _ordered(_grouped(product, [[label] for label in result], size), result, wanted)


def _grouped(x: Tensor, groups: Sequence[Sequence[str]], size: dict[str, Size]) -> Tensor:
    """The tensor with an axis for each group of labels."""
    import tensorflow as tf

    shape = [math.prod(size[label] for label in group) for group in groups]
    unknown = [place for place, length in enumerate(shape) if not isinstance(length, int)]
    if len(unknown) == 1 and 0 not in shape:
        shape[unknown[0]] = -1
        unknown = []
    return tf.reshape(x, tf.stack(shape) if unknown else tf.constant(shape, tf.int32))


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


def parsed(op: Operation) -> tuple[list[str], str]:
    """The labels of each operand, and those of the result."""
    left, _, right = op.get_attr("equation").decode().replace(" ", "").partition("->")
    return left.split(","), right
