"""Rotations that make the columns of matrices orthogonal, all pairs of columns in turn, half of them at once.

For a symmetric G and a pair (p, q), tau = (Gqq - Gpp) / (2 Gpq), t = sign(tau) / (|tau| + sqrt(1 + tau^2)),
c = 1 / sqrt(1 + t^2) and s = t c turn Gpq into zero. In each round every column has one partner, as in a tournament.
Convergence is quadratic; the sweeps are more than float32 needs.
Source: G. H. Golub and C. F. Van Loan, Matrix Computations, 4th edition, 8.5 and 8.6.3.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from kexport.bundle.signature import Array
from kexport.factory.graph.protocols import Tensor
from kexport.factory.lowerings import _matrix

LARGEST = 64  # columns; beyond, the loop takes too long
_SWEEPS = 10


def rotated(
    state: Sequence[Tensor], gram: Callable[..., Tensor], rotate: Callable[..., Sequence[Tensor]]
) -> list[Tensor]:
    """`state` after all sweeps: `rotate(rotation, *state)` in each round, the rotation made for `gram(*state)`."""
    import tensorflow as tf

    count = gram(*state).shape[-1]
    partners = tf.constant(_tournament(count))

    def step(k: Tensor, *values: Tensor) -> Sequence[Tensor]:
        return rotate(_rotation(gram(*values), tf.gather(partners, k % partners.shape[0])), *values)

    return _matrix.repeat(_SWEEPS * partners.shape[0] if count > 1 else 0, step, state)


def _tournament(count: int) -> Array:
    """The partner of each player in each round; a player without a partner is paired with itself."""
    even = count + count % 2
    rounds = []
    circle = list(range(even))
    for _ in range(max(even - 1, 1)):
        partner = np.arange(count)
        for one, other in zip(circle[: even // 2], circle[: even // 2 - 1 : -1], strict=True):
            if max(one, other) < count:
                partner[one], partner[other] = other, one
        rounds.append(partner)
        circle = [circle[0], circle[-1], *circle[1:-1]]
    return np.array(rounds, np.int32)


def _rotation(gram: Tensor, partner: Tensor) -> Tensor:
    """The rotations of all pairs as one matrix; of each pair, the second turns against the first."""
    import tensorflow as tf

    dtype, count = gram.dtype, gram.shape[-1]
    exchange = tf.one_hot(partner, count, dtype=dtype)[None]
    itself = tf.eye(count, dtype=dtype)[None]
    diagonal = tf.reduce_sum(gram * itself, 2, keepdims=True)
    cross = tf.reduce_sum(gram * exchange, 2, keepdims=True)
    difference = tf.matmul(exchange + tf.zeros_like(gram), diagonal) - diagonal
    apart = tf.not_equal(cross, 0) & tf.reshape(tf.not_equal(partner, tf.range(count)), [1, count, 1])
    first = tf.reshape(
        tf.where(partner > tf.range(count), tf.ones([count], dtype), -tf.ones([count], dtype)), [1, count, 1]
    )
    tau = difference / (2 * tf.where(apart, cross, tf.ones_like(cross)))
    sign = tf.where(tf.equal(tau, 0), first + tf.zeros_like(tau), tf.sign(tau))
    root = tf.where(tf.abs(tau) > 1e15, tf.abs(tau), tf.sqrt(1 + tf.minimum(tf.abs(tau), 1e15) ** 2))
    tangent = tf.where(apart, sign / (tf.abs(tau) + root), tf.zeros_like(tau))
    cosine = 1 / tf.sqrt(1 + tangent * tangent)
    return cosine * itself + tangent * cosine * exchange
