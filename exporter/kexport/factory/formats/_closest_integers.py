"""Integers near rows of real weights, such that what rounding does to the sums of a layer is least.

A row `w` of weights and its integers `q`, both in steps, give sums whose squared error is `(w - q) G (w - q)`, with `G`
the second moments of what they are multiplied by. To minimise it is to look for the closest vector of a lattice. From
the nearest integers one weight, or two, go to the other side of what they round, as long as that makes it less. Those
that need no rounding stay: the zeros of a sparse layer, above all. And all errors of a row together are at most half a
step for each weight, as those of the nearest integers are: promises about filters rely on it.

Sources: Nagel et al., "Up or Down? Adaptive Rounding for Post-Training Quantization" (ICML 2020), for the aim; Frantar
et al., "GPTQ" (ICLR 2023), for the share of the mean moment that is added to the diagonal, so that inputs which the
calibration lacks count too.
"""

from __future__ import annotations

import numpy as np

from kexport.bundle.signature import Array

_DAMPING = 0.01
_PAIRS = 64  # weights of a row up to which two move together too
_EXACT = 1e-6  # of a step
_ELEMENTS = 1 << 20  # of the largest array at a time
_FACTORS = np.linspace(1, 1.125, 25)  # of a step: at the largest, independent errors would be 1 dB more


def closest_integers(rows: Array, moments: Array) -> Array:
    """The integers of each row.

    Args:
        rows: the weights of each output of a layer in their steps, (outputs, inputs).
        moments: of the inputs, (1 or outputs, inputs, inputs).
    """
    own = np.arange(len(rows)) % len(moments)
    integers, _ = _integers(rows, _damped(moments), own)
    near = np.less_equal(np.abs(rows - integers).mean(axis=1), 0.5)
    return np.where(near[:, None], integers, np.rint(rows))


def closest_integers_and_steps(rows: Array, moments: Array) -> tuple[Array, Array]:
    """The integers of each row, and by what its step is multiplied, (outputs,): one to an eighth more.

    Where few weights make a sum, their errors hardly cancel, and another step is another chance.

    Args:
        rows: as in `closest_integers`.
        moments: as there.
    """
    outputs, inputs = rows.shape
    if inputs > _PAIRS:
        return closest_integers(rows, moments), np.ones(outputs)
    own = np.arange(outputs) % len(moments)
    many = (rows[:, None] / _FACTORS[:, None]).reshape(-1, inputs)
    integers, errors = _integers(many, _damped(moments), np.repeat(own, len(_FACTORS)))
    integers = integers.reshape(outputs, -1, inputs)
    near = np.less_equal(np.abs(rows[:, None] - integers * _FACTORS[:, None]).mean(axis=2), 0.5)
    errors = np.where(near, errors.reshape(outputs, -1) * _FACTORS**2, np.inf)
    best = errors.argmin(axis=1)
    found = np.where(near.any(axis=1)[:, None], integers[np.arange(outputs), best], np.rint(rows))
    return found, _FACTORS[best]  # where none is near, the first factor, which is 1


def _damped(moments: Array) -> Array:
    size = moments.shape[-1]
    return moments + _DAMPING * np.trace(moments, axis1=1, axis2=2)[:, None, None] / size * np.eye(size)


def _integers(rows: Array, moments: Array, own: Array) -> tuple[Array, Array]:
    """The integers of rows and the squared error of each; `own` tells which moments are a row's."""
    inputs = rows.shape[1]
    at_once = max(1, _ELEMENTS // (inputs**2 if inputs <= _PAIRS else inputs))
    parts = [slice(start, start + at_once) for start in range(0, len(rows), at_once)]
    found = [_descended(rows[part], moments, own[part]) for part in parts]
    return np.concatenate([integers for integers, _ in found]), np.concatenate([errors for _, errors in found])


def _descended(rows: Array, moments: Array, own: Array) -> tuple[Array, Array]:
    low = np.floor(np.clip(rows, -127, 126))
    integers = np.clip(np.rint(rows), low, low + 1)
    left = rows - integers
    free = np.abs(left) > _EXACT
    if len(moments) > 1:
        slopes = np.einsum("rij,rj->ri", moments[own], left)
    else:  # not `@`, whose sums depend on the processor: the same model gives the same bytes
        slopes = np.einsum("ij,rj->ri", moments[0], left)
    errors = (left * slopes).sum(axis=1)
    least = -1e-9 * errors
    going = np.arange(len(rows))
    for _ in range(4 * rows.shape[1]):
        signs = np.where(integers[going] == low[going], 1.0, -1.0)
        moved, gains = _best_moves(signs, free[going], slopes[going], moments, own[going])
        better = gains < least[going]
        going, moved = going[better], moved[better]
        if not len(going):
            break
        errors[going] += gains[better]
        for places in moved.T:
            row, place = going[places >= 0], places[places >= 0]
            signs = np.where(integers[row, place] == low[row, place], 1.0, -1.0)
            integers[row, place] += signs
            slopes[row] -= signs[:, None] * moments[own[row], place]
    return integers, errors


def _best_moves(signs: Array, free: Array, slopes: Array, moments: Array, own: Array) -> tuple[Array, Array]:
    """Which one or two weights of each row go to the other side, (rows, 2), -1 for none, and how the error grows."""
    count, size = slopes.shape
    rows = np.arange(count)
    alone = np.where(free, np.diagonal(moments, axis1=1, axis2=2)[own] - 2 * signs * slopes, np.inf)
    moved = np.stack([alone.argmin(axis=1), np.full(count, -1)], axis=1)
    gains = alone[rows, moved[:, 0]]
    if size <= _PAIRS:
        both = alone[:, :, None] + alone[:, None] + 2 * signs[:, :, None] * signs[:, None] * moments[own]
        both[:, np.arange(size), np.arange(size)] = np.inf
        flat = both.reshape(count, -1)
        pairs = flat.argmin(axis=1)
        together = flat[rows, pairs]
        two = together < gains
        moved[two] = np.stack(np.unravel_index(pairs[two], (size, size)), axis=1)
        gains = np.minimum(gains, together)
    return moved, gains
