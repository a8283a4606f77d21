"""A farther look at two bare files before they are called identical: inputs of other kinds and scales.

Nothing is known about what a bare file takes. What it computes may not depend on a weight where its inputs are noise,
or lie between -1 and 1 while it was trained on pixels up to 255, or build up no state from one call to the next.
"""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from kexport.bundle.declared_domain import default_for
from kexport.bundle.domain import Domain, Samples, Uniform
from kexport.bundle.signature import Array
from kexport.field.comparison.case_differences import CaseDifferences
from kexport.field.comparison.inputs import Case
from kexport.field.comparison.limits import Shapes
from kexport.field.comparison.shared_interface import SharedInterface
from kexport.field.remote import Outputs, RemoteSession, RuntimeFailedError
from kexport.parity import smooth_inputs
from kexport.parity.corner_inputs import Feeds

_SECONDS = 20.0
_SCALES = ((0.0, 1.0), (-10.0, 10.0), (0.0, 255.0), (-32768.0, 32767.0))  # shares, features, pixels, sound
_PASSAGES, _CALLS, _CALLS_SCALED = 16, 96, 32
_ROUNDS, _ROUNDS_SCALED = 16, 6
_FORMS = 3
_ELEMENTS = 1 << 22  # of the inputs of one passage


@dataclass(frozen=True)
class Look:
    """Inputs of one kind.

    Attributes:
        words: what they are called in labels.
        domains: where they lie.
        passages: successive calls, of which later ones may depend on earlier ones.
        stateful: whether they do.
    """

    words: str
    domains: Mapping[str, Domain]
    passages: Callable[[], Iterator[list[Feeds]]]
    stateful: bool

    def cases(self, passages: int) -> Iterator[Case]:
        """The calls of the first so many passages, with labels."""
        for number, calls in enumerate(itertools.islice(self.passages(), passages), 1):
            for call, feeds in enumerate(calls, 1):
                where = f"call {call} of passage {number}" if self.stateful else f"number {number}"
                yield f"{self.words}, {where}", feeds


@dataclass(frozen=True)
class Difference:
    """The look in which two models differ, and after how many passages."""

    look: Look
    passages: int


def looks(shared: SharedInterface, shapes: Sequence[Shapes], *, stateful: bool) -> Iterator[Look]:
    """Inputs of further kinds, of shapes that both take; none where all inputs are recorded or discrete.

    Args:
        shared: the interface.
        shapes: of the inputs that were tried.
        stateful: whether a call depends on earlier ones.
    """
    inputs = shared.signature.inputs
    if not inputs or not shapes or all(isinstance(shared.domains[spec.name], Samples) for spec in inputs):
        return
    forms = _forms(shapes)
    first = _CALLS if stateful else _ROUNDS
    yield Look("smooth inputs", shared.domains, _passages(shared, shared.domains, forms, first, stateful), stateful)
    assumed = {spec.name for spec in inputs if spec.is_float and spec.name in shared.undeclared
               and shared.domains[spec.name] == default_for(spec)}  # fmt: skip
    if not assumed:
        return
    calls = _CALLS_SCALED if stateful else _ROUNDS_SCALED
    for low, high in _SCALES:
        domains = {name: Uniform(low, high) if name in assumed else domain
                   for name, domain in shared.domains.items()}  # fmt: skip
        words = f"smooth inputs from {low:g} to {high:g}"
        yield Look(words, domains, _passages(shared, domains, forms, calls, stateful), stateful)


def _passages(
    shared: SharedInterface, domains: Mapping[str, Domain], forms: Sequence[Shapes], count: int, stateful: bool
) -> Callable[[], Iterator[list[Feeds]]]:
    inputs = shared.signature.inputs

    def of_state() -> Iterator[list[Feeds]]:
        shapes = forms[0]
        calls = max(1, min(count, _ELEMENTS // max(1, _elements(shapes))))
        for number in range(_PASSAGES):
            yield smooth_inputs.passage(inputs, domains, shapes, calls, number)

    def of_samples() -> Iterator[list[Feeds]]:
        drawn = [smooth_inputs.of(inputs, domains, shapes, count) for shapes in forms]
        for index in range(count):
            yield [next(drawn[index % len(drawn)])]

    return of_state if stateful else of_samples


def _forms(shapes: Sequence[Shapes]) -> list[Shapes]:
    """A few of the shapes that were tried: the smallest, one between and the largest."""
    distinct = {tuple(sorted(each.items())): each for each in shapes}
    ordered = sorted(distinct.values(), key=_elements)
    return [ordered[index * (len(ordered) - 1) // (_FORMS - 1)] for index in range(_FORMS)]


def _elements(shapes: Shapes) -> int:
    return sum(math.prod(shape) for shape in shapes.values())


def difference(
    sessions: tuple[RemoteSession, RemoteSession], planned: Iterator[Look], seen: CaseDifferences
) -> tuple[Difference | None, int]:
    """The first look in which two models do not compute the same numbers, if any, and how many calls agreed.

    Args:
        sessions: A and B, by the names that they share.
        planned: the looks to take.
        seen: takes what both compute where they agree.

    Raises:
        UncheckedError: a call takes too much of time or memory.
    """
    until, agreed = time.monotonic() + _SECONDS, 0
    for look in planned:
        for number, calls in enumerate(look.passages(), 1):
            if time.monotonic() > until:
                return None, agreed
            references, values = _computed(sessions, calls, fresh=number == 1)
            if references is None and values is None:
                break  # neither takes such inputs
            if references is None or values is None or not all(map(_same, references, values)):
                return Difference(look, number), agreed
            agreed += len(calls)
            for feeds, ours, theirs in zip(calls, references, values, strict=True):
                seen.add(look.words, feeds, theirs, ours)
    return None, agreed


def _computed(
    sessions: tuple[RemoteSession, RemoteSession], calls: Sequence[Feeds], *, fresh: bool
) -> list[list[Outputs] | None]:
    """What A and B compute, None where it is refused."""
    for session in sessions:
        session.start(calls, fresh=fresh)
    found: list[list[Outputs] | None] = []
    for session in sessions:
        try:
            found.append(session.finish())
        except RuntimeFailedError:
            found.append(None)
    return found


def _same(references: Outputs, values: Outputs) -> bool:
    return all(_equal(reference, values[name]) for name, reference in references.items() if name in values)


def _equal(reference: Array, value: Array) -> bool:
    numbers = reference.dtype.kind in "fc" and value.dtype.kind in "fc"
    return reference.dtype == value.dtype and np.array_equal(reference, value, equal_nan=numbers)
