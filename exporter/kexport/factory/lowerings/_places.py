"""A place in an axis, (size - 1) q, exactly: by digits of 8 bits, each product of which is exact in float32.

With q = k0 + k1 / 256 + k2 / 256^2 and so on, the product of a whole number n and q is computed digit by digit from the
last one, with a carry. Sums stay below 2^24 while n is not above 65536.
Source: Knuth, The Art of Computer Programming, volume 2, 4.3.1, algorithm M; IEEE 754-2019, 3.2.
"""

from __future__ import annotations

from dataclasses import dataclass

from kexport.bundle.signature import Array
from kexport.factory.graph.protocols import Operation, Tensor

_BASE, _MOST = 256.0, 9
#: Who may take a place: what makes a whole number of it, and what subtracts it.
_ROUNDING = ("Ceil", "Floor", "Round", "Rint")


@dataclass(frozen=True)
class Place:
    """A product by its parts, in float32.

    Attributes:
        whole: its whole part.
        first: the first digit after the point, to the base 256.
        rest: what is behind that digit, from 0 to less than 1/256.
    """

    whole: Tensor
    first: Tensor
    rest: Tensor

    @property
    def fraction(self) -> Tensor:
        """What is after the point."""
        return self.first / _BASE + self.rest

    def rounded(self, kind: str) -> Tensor:
        """The whole number that an operation of this type makes of it."""
        import tensorflow as tf

        if kind == "Floor":
            return self.whole
        if kind == "Ceil":
            return self.whole + tf.cast(self.fraction > 0.0, tf.float32)
        half = self.whole / 2
        beyond = tf.logical_or(self.rest > 0.0, half > tf.floor(half))
        up = tf.logical_or(self.first > _BASE / 2, tf.logical_and(tf.equal(self.first, _BASE / 2), beyond))
        return self.whole + tf.cast(up, tf.float32)


def digits(factor: Array) -> list[Array] | None:
    """The digits of numbers from 0 to 1, the one before the point first; None where they are too many, or none such."""
    import numpy as np

    left = np.asarray(factor, np.float64)
    if not np.all((left >= 0) & (left <= 1)):
        return None
    found: list[Array] = []
    while len(found) <= 1 or np.any(left):
        if len(found) == _MOST:
            return None
        found.append(np.floor(left).astype(np.float32))
        left = (left - np.floor(left)) * _BASE
    return found


def is_place(product: Operation) -> bool:
    """Whether an operation is a product of which whole numbers are made, and which is subtracted from these."""
    users = product.outputs[0].consumers()
    return (
        product.type == "Mul"
        and bool(users)
        and all(
            user.type in _ROUNDING or (user.type == "Sub" and user.inputs[1].op.name == product.name) for user in users
        )
    )


def is_rounded(product: Operation) -> bool:
    """Whether the nearest whole number is made of it, which float32 cannot tell from a tie."""
    return any(user.type in ("Round", "Rint") for user in product.outputs[0].consumers())


def place(count: Tensor, factor: list[Array]) -> Place:
    """The product of a whole number in float32, not above 65536, and a factor by its `digits`."""
    import tensorflow as tf

    before, *after = factor
    carry = tf.zeros((), tf.float32)
    behind = []
    for digit in reversed(after):
        total = count * digit + carry
        carry = tf.floor(total / _BASE)
        behind.append(total - carry * _BASE)
    first = behind.pop()
    rest = tf.zeros_like(first)
    for power, digit in zip(range(len(after), 1, -1), behind, strict=True):
        rest += digit * _BASE**-power
    return Place(count * before + carry, first, rest)


def known_place(value: Array) -> Place:
    """A place that is known in float64."""
    import numpy as np
    import tensorflow as tf

    whole = np.floor(value)
    first = np.floor((value - whole) * _BASE)
    parts = (whole, first, value - whole - first / _BASE)
    return Place(*(tf.constant(part, tf.float32) for part in parts))
