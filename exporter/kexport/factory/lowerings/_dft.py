"""The discrete Fourier transform by multiplication with constant matrices.

With j = j1 n2 + j2 and k = k1 + n1 k2, a transform of length n = n1 n2 is n2 transforms of length n1, a
multiplication by w^(j2 k1), and n1 transforms of length n2 (w = exp(-2 pi i / n)). It multiplies fewer numbers than
one matrix would, and adds fewer before it rounds. Matrices are computed in float64 from integers modulo n.
A length that is known only at run time takes one matrix, which the graph computes.
Source: J. W. Cooley and J. W. Tukey, An algorithm for the machine calculation of complex Fourier series,
Mathematics of Computation 19 (1965).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from kexport.factory.lowerings._pair import Pair

_SHORT = 64  # up to this length one matrix is as fast as two stages, and adds few numbers


def transform(x: Pair, lengths: Sequence[Any], inverse: bool = False, after: int = 0) -> Pair:
    """The transform of the last axes, or of those before the last `after`.

    They are cropped or filled with zeros to the lengths, which are numbers or scalar tensors.
    """
    for axis, length in enumerate(lengths, x.shape.rank - len(lengths) - after):
        swap = functools.partial(_swap, axis=axis)
        x = _each(_along_last(_each(x, swap), length, inverse), swap)
    return x


def onesided(x: Any, lengths: Sequence[Any]) -> Pair:
    """The transform of real numbers: of the last axis only the first half, from which the rest follows."""
    *outer, last = lengths
    return transform(_along_last(x, last, inverse=False, kept=last // 2 + 1), outer, after=1)


def from_onesided(x: Pair, lengths: Sequence[Any]) -> Any:
    """The inverse of `onesided`."""
    *outer, last = lengths
    x = _each(transform(x, outer, inverse=True, after=1), lambda part: _fit(part, last // 2 + 1))
    if not isinstance(last, int) or last <= _SHORT:
        return _real_by_matrix(x, last)
    return _along_last(_mirrored(x, last), last, inverse=True).real


def _each(x: Any, function: Callable[[Any], Any]) -> Any:
    return Pair(function(x.real), function(x.imag)) if isinstance(x, Pair) else function(x)


def _swap(x: Any, axis: int) -> Any:
    """Swap an axis with the last."""
    import tensorflow as tf

    order = list(range(x.shape.rank))
    order[axis], order[-1] = order[-1], order[axis]
    return x if order == sorted(order) else tf.transpose(x, order)


def _fit(x: Any, length: Any) -> Any:
    """The last axis cropped or filled with zeros to a length."""
    import tensorflow as tf

    size, before = x.shape[-1], [[0, 0]] * (x.shape.rank - 1)
    if isinstance(length, int) and isinstance(size, int):
        return x[..., :length] if size >= length else tf.pad(x, [*before, [0, length - size]])
    x = _cut(x, 0, tf.minimum(length, tf.shape(x)[-1]))
    filled = tf.pad(x, [*before, [0, length - tf.shape(x)[-1]]])
    filled.set_shape([*x.shape[:-1], length if isinstance(length, int) else None])
    return filled


def _along_last(x: Any, length: Any, inverse: bool, kept: Any = None) -> Pair:
    """The transform of the last axis; only the first `kept` of its frequencies, where that is given."""
    x = _each(x, lambda part: _fit(part, length))
    kept = length if kept is None else kept
    first = _factor(length) if isinstance(length, int) else 1
    if first == 1:
        return _by_matrix(x, length, inverse, kept)
    return _by_stages(x, first, length // first, inverse, kept)


def _factor(length: int) -> int:
    """The largest divisor up to the square root; 1 where one matrix does."""
    if length <= _SHORT:
        return 1
    return max(divisor for divisor in range(1, int(length**0.5) + 1) if length % divisor == 0)


def _by_matrix(x: Any, length: Any, inverse: bool, kept: Any) -> Pair:
    import tensorflow as tf

    cosine, sine = _waves(length, kept, length, inverse, x)
    if inverse:
        cosine, sine = cosine / _number(length, x), sine / _number(length, x)
    if isinstance(x, Pair):
        columns = tf.concat([tf.concat([cosine, sine], 1), tf.concat([-sine, cosine], 1)], 0)
        product = _product(tf.concat([x.real, x.imag], -1), columns)
    else:
        product = _product(x, tf.concat([cosine, sine], 1))
    return Pair(*_halves(product, kept))


def _by_stages(x: Any, first: int, second: int, inverse: bool, kept: int) -> Pair:
    """Axes on the way: (batch, j1, j2), (batch, j2, k1), (batch, k1, j2), (batch, k1, k2), (batch, k)."""
    import tensorflow as tf

    lead, rows = _lead(x), -(-kept // first)
    x = _each(x, lambda part: tf.transpose(tf.reshape(part, [-1, first, second]), [0, 2, 1]))
    x = _by_matrix(x, first, inverse, first)
    cosine, sine = _waves(second, first, first * second, inverse, x)
    x = Pair(x.real * cosine - x.imag * sine, x.real * sine + x.imag * cosine)
    x = _along_last(_each(x, lambda part: tf.transpose(part, [0, 2, 1])), second, inverse, rows)
    x = _each(x, lambda part: tf.reshape(tf.transpose(part, [0, 2, 1]), [-1, rows * first])[:, :kept])
    whole: Pair = _each(x, lambda part: tf.reshape(part, lead(kept)))
    return whole


def _real_by_matrix(x: Pair, length: Any) -> Any:
    """The real inverse: frequencies that have a mirror image count twice."""
    import tensorflow as tf

    kept = length // 2 + 1
    cosine, sine = _waves(kept, length, length, True, x)
    if isinstance(length, int):
        twice = np.array([1 if k in (0, length / 2) else 2 for k in range(kept)])[:, None] / length
        cosine, sine = cosine * _number(twice, x), sine * _number(twice, x)
    else:
        k = tf.range(kept)
        twice = tf.where(tf.equal(k, 0) | tf.equal(2 * k, length), 1.0, 2.0) / tf.cast(length, tf.float32)
        cosine, sine = (wave * tf.cast(twice, wave.dtype)[:, None] for wave in (cosine, sine))
    return _product(tf.concat([x.real, x.imag], -1), tf.concat([cosine, -sine], 0))


def _mirrored(x: Pair, length: int) -> Pair:
    """The other half of the frequencies: of real numbers it is the first one's conjugate, backwards."""
    import tensorflow as tf

    def whole(part: Any, sign: int) -> Any:
        return tf.concat([part, sign * tf.reverse(part[..., 1 : (length + 1) // 2], [-1])], -1)

    return Pair(whole(x.real, 1), whole(x.imag, -1))


def _waves(rows: Any, columns: Any, period: Any, inverse: bool, like: Any) -> tuple[Any, Any]:
    """Cosine and sine of -2 pi j k / period, of +2 pi j k / period for the inverse."""
    import tensorflow as tf

    dtype = _part(like).dtype
    turn = 2 * np.pi if inverse else -2 * np.pi
    if isinstance(period, int):
        angle = turn / period * (np.outer(np.arange(rows), np.arange(columns)) % period)
        return tf.constant(np.cos(angle), dtype), tf.constant(np.sin(angle), dtype)
    steps = tf.range(rows)[:, None] * tf.range(columns)[None, :] % period
    steps = tf.where(2 * steps > period, steps - period, steps)  # small angles are more exact
    angle = tf.cast(steps, dtype) * (turn / tf.cast(period, dtype))
    return tf.cos(angle), tf.sin(angle)


def _number(value: Any, like: Any) -> Any:
    import tensorflow as tf

    return tf.cast(value, _part(like).dtype) if tf.is_tensor(value) else tf.constant(value, _part(like).dtype)


def _part(x: Any) -> Any:
    return x.real if isinstance(x, Pair) else x


def _product(x: Any, matrix: Any) -> Any:
    import tensorflow as tf

    return tf.matmul(x, matrix) if x.shape.rank > 1 else tf.matmul(x[None], matrix)[0]


def _halves(x: Any, half: Any) -> tuple[Any, Any]:
    return _cut(x, 0, half), _cut(x, half, half)


def _cut(x: Any, start: Any, size: Any) -> Any:
    """Part of the last axis: a slice, for TFLite lacks an ellipsis of unknown sizes."""
    import tensorflow as tf

    if isinstance(start, int) and isinstance(size, int):
        return x[..., start : start + size]
    part = tf.slice(x, [0] * (x.shape.rank - 1) + [start], [-1] * (x.shape.rank - 1) + [size])
    part.set_shape([*x.shape[:-1], None])
    return part


def _lead(x: Any) -> Callable[[int], Any]:
    """The shape of x, with another last axis."""
    import tensorflow as tf

    known = _part(x).shape[:-1].as_list()
    if known.count(None) <= 1:
        return lambda last: [-1 if size is None else size for size in known] + [last]
    shape = tf.shape(_part(x))[:-1]
    return lambda last: tf.concat([shape, [last]], 0)
