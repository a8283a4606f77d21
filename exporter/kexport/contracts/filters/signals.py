"""Signals: inputs with a time axis, and the output of a filter for them."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kexport.bundle.domain import Samples
from kexport.bundle.signature import Array
from kexport.contracts.protocol import Function
from kexport.errors import UsageError
from kexport.parity.space import Form, Space


@dataclass(frozen=True)
class Signal:
    """The input that a contract is about.

    Attributes:
        name: the name of the input.
        axis: the time axis of a population.
        dynamic: whether the signal may have any length.
    """

    name: str
    axis: int
    dynamic: bool

    def length(self, form: Form) -> int:
        """The length of the signal in samples of this form."""
        return form[self.name][self._place(form)]

    def of_length(self, form: Form, length: int) -> Form:
        """The form with another length of the signal."""
        shape, place = list(form[self.name]), self._place(form)
        shape[place] = length
        return {**form, self.name: tuple(shape)}

    def _place(self, form: Form) -> int:
        return self.axis - 1 if self.axis > 0 else self.axis


def only_input(kind: str, function: Function) -> str:
    """The single input that a contract of this kind is about.

    Raises:
        UsageError: it is about no input, or about several.
    """
    if len(function.inputs) != 1:
        raise UsageError(
            f"contract {kind!r} is about a single input",
            got=", ".join(function.inputs) or "none",
            expected="one name",
            hint="a layer names it with About(contract, argument)",
        )
    return function.inputs[0]


def signal_of(kind: str, function: Function, axis: int) -> Signal:
    """The single input that a contract is about, as a signal along `axis` of the whole input.

    Raises:
        UsageError: the contract is about several inputs, or the input has no such axis.
    """
    name = only_input(kind, function)
    signals = signals_of(function, axis)
    if not signals:
        raise UsageError(
            f"contract {kind!r}: input {name!r} has no such time axis",
            got=f"axis {axis} of shape {function.spec(name).shape}",
            expected="an axis other than the batch",
        )
    return signals[0]


def signals_of(function: Function, axis: int) -> list[Signal]:
    """The inputs that a contract is about and that have this time axis, as signals."""
    signals, place = [], function.axis(axis)
    for name in function.inputs:
        shape = function.spec(name).shape
        counts_batch = axis in (0, -len(shape)) and place == axis
        if -len(shape) <= axis < len(shape) and not counts_batch:
            signals.append(Signal(name, place, shape[axis] is None))
    return signals


def with_lengths(space: Space, signal: Signal, function: Function, lengths: Sequence[int]) -> Space:
    """The space with additional lengths of the signal, where model and domain allow them."""
    others = [spec for spec in space.inputs if spec.name != signal.name]
    if not signal.dynamic or any(None in spec.shape[1:] for spec in others):  # their lengths may depend on it
        return space
    domain = space.domains[signal.name]
    longest = max((signal.length(form) for form in space.forms), default=0)
    if not isinstance(domain, Samples):
        longest = max(longest, *lengths)
    more = [
        signal.of_length(form, length)
        for form in space.forms[:1]
        for length in lengths
        if length <= longest and length not in {signal.length(form) for form in space.forms}
    ]
    longer = copy.copy(space)
    longer.forms = [*space.forms, *more]
    return longer


def no_longer(space: Space, signal: Signal, length: int) -> Space:
    """The space without signals longer than this."""
    shorter = copy.copy(space)
    shorter.forms = [form for form in space.forms if signal.length(form) <= length]
    return shorter


def ends(space: Space, name: str, shape: Sequence[int]) -> tuple[Array, Array]:
    """The smallest and the largest value of every element of samples of that shape, float64."""
    domain, dtype = space.domains[name], np.dtype(np.float64)
    corners = domain.corners()
    if corners:
        return np.full(shape, float(min(corners))), np.full(shape, float(max(corners)))
    far = np.full((1, *shape), np.finfo(dtype).max)
    return domain.project(-far)[0].astype(dtype), domain.project(far)[0].astype(dtype)


def filtered(signal: Array, taps: Sequence[float] | Array, advance: int, axis: int, count: int) -> Array:
    """`y[n] = sum over k of taps[k] x[n + advance - k]` for `0 <= n < count`, x being 0 outside the signal; float64."""
    x = np.moveaxis(signal.astype(np.float64), axis, -1)
    length = x.shape[-1]
    y = np.zeros((*x.shape[:-1], count))
    for k, tap in enumerate(taps):
        ahead = advance - k
        first, last = max(0, -ahead), min(count, length - ahead)
        if first < last and tap != 0:
            y[..., first:last] += tap * x[..., first + ahead : last + ahead]
    return np.moveaxis(y, -1, axis)


def require_same_shape(kind: str, x: Array, y: Array, axis: int | None = None) -> None:
    """Check that an output has the shape of the input, but for its length along `axis`.

    Raises:
        UsageError: it has another shape, so the contract does not apply.
    """
    shapes = [list(each.shape) for each in (x, y)]
    if axis is not None and x.ndim == y.ndim:
        for shape in shapes:
            shape[axis] = -1
    if shapes[0] != shapes[1]:
        raise UsageError(
            f"contract {kind!r} compares the output with the input element by element",
            got=f"an output of shape {y.shape}",
            expected=f"the shape of the input, {x.shape}" + ("" if axis is None else f", but for axis {axis}"),
        )
