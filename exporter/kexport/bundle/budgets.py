"""What small precisions may cost, against float32: their noise, a metric, their size, the time of a call."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from kexport.errors import UsageError

_NUMBER = r"([0-9]{1,15}(?:\.[0-9]{1,15})?)"
#: The first of several names of a unit is that of figures in reports, which count in thousands.
_BYTES = {"B": 1, "kB": 1e3, "KB": 1e3, "MB": 1e6, "KiB": 2**10, "MiB": 2**20}
_SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6}
SQNR, SIZE, LATENCY = "sqnr", "size", "latency"
_EXPECTED = {
    SQNR: "the least ratio of signal to noise, sqnr=35dB",
    SIZE: "a share of the float32 file, size=0.3x, or bytes: size=64KB (KB is 1000 bytes, KiB is 1024)",
    LATENCY: "a share of a call in float32, latency=0.5x, or a time: latency=2ms (s, ms, us)",
}
_METRIC = "how much worse the metric may be: accuracy=-0.5% in points, or mae=+0.02 in its own unit"


@dataclass(frozen=True)
class Amount:
    """The most that something may take.

    Attributes:
        value: in bytes or in seconds; or as a multiple of what float32 takes.
        relative: whether it is such a multiple.
        text: as it was given, such as `size=64KB`.
    """

    value: float
    relative: bool
    text: str


@dataclass(frozen=True)
class Drop:
    """The most by which a metric may be worse than in float32.

    Attributes:
        metric: the name of the metric.
        value: in points of a proportion, else in the unit of the metric; from 0.
        falls: whether it was stated as a fall, which is for the worse where more is better.
        points: whether it was stated in per cent.
        text: as it was given, such as `accuracy=-0.5%`.
    """

    metric: str
    value: float
    falls: bool
    points: bool
    text: str


@dataclass(frozen=True)
class Budgets:
    """What every artifact in a small precision must keep.

    Attributes:
        decibels: the least ratio of signal to quantisation noise; None for the usual one of its precision.
        drop: of a metric; None for any.
        size: the most bytes; None for any number.
        latency: the longest call; None for any.
        texts: all of them as they were given.
    """

    decibels: float | None = None
    drop: Drop | None = None
    size: Amount | None = None
    latency: Amount | None = None
    texts: tuple[str, ...] = ()

    @classmethod
    def of(cls, given: Iterable[str] | str | None) -> Budgets:
        """The budgets that texts such as `sqnr=35dB`, `accuracy=-0.5%`, `size=0.3x` and `latency=2ms` state.

        Raises:
            UsageError: one cannot be read, or one kind was given twice.
        """
        texts = (given,) if isinstance(given, str) else tuple(given or ())
        found: dict[str, float | Drop | Amount] = {}
        for text in texts:
            kind, value = _read(text)
            if kind in found:
                raise UsageError(f"a budget was given twice: {' and '.join(texts)}", expected="one of each kind")
            found[kind] = value
        return cls(**found, texts=texts)  # type: ignore[arg-type]  # each kind has a value of its own type


def _read(text: str) -> tuple[str, float | Drop | Amount]:
    """The attribute of `Budgets` that a text is about, and its value."""
    kind, _, amount = (part.strip() for part in text.partition("="))
    if kind == SQNR:
        match = re.fullmatch(rf"{_NUMBER}\s*dB", amount)
        if match and float(match[1]):
            return "decibels", float(match[1])
    elif kind in (SIZE, LATENCY):
        units = _BYTES if kind == SIZE else _SECONDS
        match = re.fullmatch(rf"{_NUMBER}\s*(x|{'|'.join(units)})", amount)
        if match and float(match[1]):
            relative = match[2] == "x"
            return kind, Amount(float(match[1]) * (1.0 if relative else units[match[2]]), relative, f"{kind}={amount}")
    elif kind and (match := re.fullmatch(rf"([-+]){_NUMBER}\s*(%?)", amount)):
        return "drop", Drop(kind, float(match[2]), match[1] == "-", bool(match[3]), f"{kind}={amount}")
    expected = _EXPECTED.get(kind) or "; ".join((*_EXPECTED.values(), _METRIC))
    raise UsageError(f"unreadable budget {text!r}", expected=expected)
