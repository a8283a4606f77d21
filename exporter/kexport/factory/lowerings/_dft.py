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
from typing import overload

import numpy as np

from kexport.bundle.signature import Array
from kexport.factory.graph.protocols import Operation, Size, Tensor
from kexport.factory.lowerings._complex_pair import ComplexPair, pair

Value = Tensor | ComplexPair

#: Types of the operations that `real_transform` stands for.
REAL_OPS = ("RFFT", "RFFT2D", "RFFT3D", "IRFFT", "IRFFT2D", "IRFFT3D")

_SHORT = 64  # up to this length one matrix is as fast as two stages, and adds few numbers


def transform(x: ComplexPair, lengths: Sequence[Size], inverse: bool = False, after: int = 0) -> ComplexPair:
    """The transform of the last axes, or of those before the last `after`.

    They are cropped or filled with zeros to the lengths, which are numbers or scalar tensors.
    """
    for axis, length in enumerate(lengths, x.shape.rank - len(lengths) - after):
        swap = functools.partial(_swap, axis=axis)
        x = _each(_along_last(_each(x, swap), length, inverse), swap)
    return x


def onesided(x: Tensor, lengths: Sequence[Size]) -> ComplexPair:
    """The transform of real numbers: of the last axis only the first half, from which the rest follows."""
    *outer, last = lengths
    half = transform(_along_last(x, last, inverse=False, kept=last // 2 + 1), outer, after=1)
    return ComplexPair(half.real, own_conjugates_real(half.imag, lengths))


def own_conjugates_real(imag: Tensor, lengths: Sequence[Size]) -> Tensor:
    """The imaginary part of a onesided transform, +0 where the frequency is its own conjugate, as TensorFlow has it.

    Those are the mean and the highest one of an even length. An angle is pi or -pi by what rounding leaves there.
    """
    import tensorflow as tf

    *outer, last = lengths
    own: Array | Tensor = np.array(True)
    for length, kept in [*((length, length) for length in outer), (last, last // 2 + 1)]:
        if isinstance(length, int) and isinstance(kept, int):
            along: Array | Tensor = 2 * np.arange(kept) % length == 0
        else:
            along = tf.equal(2 * tf.range(kept) % length, 0)
        own = own[..., None] & along
    return tf.where(own, tf.zeros((), imag.dtype), imag)


def from_onesided(x: ComplexPair, lengths: Sequence[Size]) -> Tensor:
    """The inverse of `onesided`."""
    *outer, last = lengths
    x = _each(transform(x, outer, inverse=True, after=1), lambda part: _fit(part, last // 2 + 1))
    if not isinstance(last, int) or last <= _SHORT:
        return _real_by_matrix(x, last)
    return _along_last(_mirrored(x, last), last, inverse=True).real


def real_transform(op: Operation, inputs: Sequence[Value]) -> Value:
    """What an operation of `REAL_OPS` computes."""
    x, wanted = inputs
    lengths = known_lengths(_part(wanted))
    return from_onesided(pair(x), lengths) if op.type.startswith("I") else onesided(_part(x), lengths)


def known_lengths(wanted: Tensor) -> list[Size]:
    """The numbers in a vector of lengths; scalar tensors where they are not known."""
    import tensorflow as tf

    static = tf.get_static_value(wanted, partial=True)
    static = [None] * wanted.shape[0] if static is None else list(static)
    return [wanted[axis] if size is None else int(size) for axis, size in enumerate(static)]


@overload
def _each(x: Tensor, function: Callable[[Tensor], Tensor]) -> Tensor: ...
@overload
def _each(x: ComplexPair, function: Callable[[Tensor], Tensor]) -> ComplexPair: ...
@overload
def _each(x: Value, function: Callable[[Tensor], Tensor]) -> Value: ...
def _each(x: Value, function: Callable[[Tensor], Tensor]) -> Value:
    return ComplexPair(function(x.real), function(x.imag)) if isinstance(x, ComplexPair) else function(x)


def _swap(x: Tensor, axis: int) -> Tensor:
    """Swap an axis with the last."""
    import tensorflow as tf

    order = list(range(x.shape.rank))
    order[axis], order[-1] = order[-1], order[axis]
    return x if order == sorted(order) else tf.transpose(x, order)


def _fit(x: Tensor, length: Size) -> Tensor:
    """The last axis cropped or filled with zeros to a length."""
    import tensorflow as tf

    size, before = x.shape[-1], [[0, 0]] * (x.shape.rank - 1)
    if isinstance(length, int) and isinstance(size, int):
        return x[..., :length] if size >= length else tf.pad(x, [*before, [0, length - size]])
    x = _cut(x, 0, tf.minimum(length, tf.shape(x)[-1]))
    filled = tf.pad(x, [*before, [0, length - tf.shape(x)[-1]]])
    filled.set_shape([*x.shape[:-1], length if isinstance(length, int) else None])
    return filled


def _along_last(x: Value, length: Size, inverse: bool, kept: Size | None = None) -> ComplexPair:
    """The transform of the last axis; only the first `kept` of its frequencies, where that is given."""
    x = _each(x, lambda part: _fit(part, length))
    kept = length if kept is None else kept
    if isinstance(length, int) and isinstance(kept, int) and (first := _factor(length)) > 1:
        return _by_stages(x, first, length // first, inverse, kept)
    return _by_matrix(x, length, inverse, kept)


def _factor(length: int) -> int:
    """The largest divisor up to the square root; 1 where one matrix does."""
    if length <= _SHORT:
        return 1
    return max(divisor for divisor in range(1, int(length**0.5) + 1) if length % divisor == 0)


def _by_matrix(x: Value, length: Size, inverse: bool, kept: Size) -> ComplexPair:
    import tensorflow as tf

    cosine, sine = _waves(length, kept, length, inverse, x)
    if inverse:
        cosine, sine = cosine / _number(length, x), sine / _number(length, x)
    if isinstance(x, ComplexPair):
        columns = tf.concat([tf.concat([cosine, sine], 1), tf.concat([-sine, cosine], 1)], 0)
        product = _product(tf.concat([x.real, x.imag], -1), columns)
    else:
        product = _product(x, tf.concat([cosine, sine], 1))
    return ComplexPair(*_halves(product, kept))


def _by_stages(x: Value, first: int, second: int, inverse: bool, kept: int) -> ComplexPair:
    """Axes on the way: (batch, j1, j2), (batch, j2, k1), (batch, k1, j2), (batch, k1, k2), (batch, k)."""
    import tensorflow as tf

    lead, rows = _lead(x), -(-kept // first)
    x = _each(x, lambda part: tf.transpose(tf.reshape(part, [-1, first, second]), [0, 2, 1]))
    x = _by_matrix(x, first, inverse, first)
    cosine, sine = _waves(second, first, first * second, inverse, x)
    x = ComplexPair(x.real * cosine - x.imag * sine, x.real * sine + x.imag * cosine)
    x = _along_last(_each(x, lambda part: tf.transpose(part, [0, 2, 1])), second, inverse, rows)
    x = _each(x, lambda part: tf.reshape(tf.transpose(part, [0, 2, 1]), [-1, rows * first])[:, :kept])
    return _each(x, lambda part: tf.reshape(part, lead(kept)))


def _real_by_matrix(x: ComplexPair, length: Size) -> Tensor:
    """The real inverse: frequencies that have a mirror image count twice."""
    import tensorflow as tf

    kept = length // 2 + 1
    cosine, sine = _waves(kept, length, length, True, x)
    if isinstance(length, int) and isinstance(kept, int):
        twice = np.array([1 if k in (0, length / 2) else 2 for k in range(kept)])[:, None] / length
        cosine, sine = cosine * _number(twice, x), sine * _number(twice, x)
    else:
        k = tf.range(kept)
        twice = tf.where(tf.equal(k, 0) | tf.equal(2 * k, length), 1.0, 2.0) / tf.cast(length, tf.float32)
        cosine, sine = (wave * tf.cast(twice, wave.dtype)[:, None] for wave in (cosine, sine))
    return _product(tf.concat([x.real, x.imag], -1), tf.concat([cosine, -sine], 0))


def _mirrored(x: ComplexPair, length: int) -> ComplexPair:
    """The other half of the frequencies: of real numbers it is the first one's conjugate, backwards."""
    import tensorflow as tf

    def whole(part: Tensor, sign: int) -> Tensor:
        return tf.concat([part, sign * tf.reverse(part[..., 1 : (length + 1) // 2], [-1])], -1)

    return ComplexPair(whole(x.real, 1), whole(x.imag, -1))


def _waves(rows: Size, columns: Size, period: Size, inverse: bool, like: Value) -> tuple[Tensor, Tensor]:
    """Cosine and sine of -2 pi j k / period, of +2 pi j k / period for the inverse."""
    import tensorflow as tf

    dtype = _part(like).dtype
    turn = 2 * np.pi if inverse else -2 * np.pi
    if isinstance(rows, int) and isinstance(columns, int) and isinstance(period, int):
        steps = np.outer(np.arange(rows), np.arange(columns)) % period
        waves = (wave(turn / period * steps) for wave in (np.cos, np.sin))
        # At quarters of a turn they are whole; + 0.0 makes +0 of -0.
        cosine, sine = (np.where(4 * steps % period == 0, np.round(wave) + 0.0, wave) for wave in waves)
        return tf.constant(cosine, dtype), tf.constant(sine, dtype)
    steps = tf.range(rows)[:, None] * tf.range(columns)[None, :] % period
    steps = tf.where(2 * steps > period, steps - period, steps)  # small angles are more exact
    angle = tf.cast(steps, dtype) * (turn / tf.cast(period, dtype))
    return tf.cos(angle), tf.sin(angle)


def _number(value: Size | Array, like: Value) -> Tensor:
    import tensorflow as tf

    return tf.cast(value, _part(like).dtype) if tf.is_tensor(value) else tf.constant(value, _part(like).dtype)


def _part(x: Value) -> Tensor:
    return x.real if isinstance(x, ComplexPair) else x


def _product(x: Tensor, matrix: Tensor) -> Tensor:
    import tensorflow as tf

    return tf.matmul(x, matrix) if x.shape.rank > 1 else tf.matmul(x[None], matrix)[0]


def _halves(x: Tensor, half: Size) -> tuple[Tensor, Tensor]:
    return _cut(x, 0, half), _cut(x, half, half)


def _cut(x: Tensor, start: Size, size: Size) -> Tensor:
    """Part of the last axis: a slice, for TFLite lacks an ellipsis of unknown sizes."""
    import tensorflow as tf

    if isinstance(start, int) and isinstance(size, int):
        return x[..., start : start + size]
    part = tf.slice(x, [0] * (x.shape.rank - 1) + [start], [-1] * (x.shape.rank - 1) + [size])
    part.set_shape([*x.shape[:-1], None])
    return part


def _lead(x: Value) -> Callable[[int], object]:
    """The shape of x, with another last axis."""
    import tensorflow as tf

    static = _part(x).shape[:-1].as_list()
    if static.count(None) <= 1:
        return lambda last: [-1 if size is None else size for size in static] + [last]
    shape = tf.shape(_part(x))[:-1]
    return lambda last: tf.concat([shape, [last]], 0)
