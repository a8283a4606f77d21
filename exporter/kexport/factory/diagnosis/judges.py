"""The three judgements of a single call: the same again, the same alone, the same when traced.

A layer is judged on its own arguments, so no layer is blamed for what another one gave it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kexport.bundle.signature import Array
from kexport.errors import located
from kexport.factory.diagnosis import causes, comparisons, steps
from kexport.factory.diagnosis.comparisons import SampleRows, alike
from kexport.factory.diagnosis.replays import Arguments, Replay
from kexport.factory.trace.eager_functions import functions_run_eagerly
from kexport.factory.trace.explanation import Cause, explained

_ATTEMPTS = 8  # a draw of few values may be the same by chance
Key = tuple[str, int]
#: Judges one call: the cause if it is at fault, None if it is not or cannot be judged.
Judge = Callable[[Replay], Cause | None]


def same_again(replay: Replay) -> Cause | None:
    """Call it again and again on the same arguments."""
    one = replay.arrays()
    for _ in range(_ATTEMPTS if replay.users else 1):
        other = replay.arrays()
        if len(one) != len(other) or not all(map(alike, one, other)):
            break
    else:
        return None
    first = replay.watched()
    for _ in range(_ATTEMPTS):
        second = replay.watched()
        parted = steps.parting(first, second, comparisons.in_both_calls)
        if parted is not None:
            break
    return causes.of_changing(parted, second, replay.kinds, seeded=bool(replay.seeds))


def same_unfrozen(replay: Replay) -> Cause | None:
    """Call it twice while its `tf.function`s run as Python: they keep what Python computed in their first call."""
    if not replay.frozen:
        return None
    with functions_run_eagerly():
        return same_again(replay)


@dataclass(frozen=True)
class SameAlone:
    """Call it on some samples of the batch.

    Attributes:
        rows: the samples.
        shapes: of each call, the shapes of the tensors in its arguments where the model was called on them alone.
    """

    rows: SampleRows
    shapes: Mapping[Key, Sequence[tuple[int, ...]]]

    def __call__(self, replay: Replay) -> Cause | None:
        """Judge one call."""
        arguments = self._cut(replay)
        if arguments is None:
            return None
        whole, alone = replay.arrays(), replay.arrays(arguments)
        if len(whole) != len(alone) or not self._differ(whole, alone, [None] * len(whole)):
            return None
        if not self._differ(whole, alone, replay.noise(replay.arguments, whole)):
            return None
        same = comparisons.in_a_batch(self.rows)
        parted = steps.parting(replay.watched(), replay.watched(arguments), same)
        return causes.of_neighbours(parted, replay.kinds)

    def _cut(self, replay: Replay) -> Arguments | None:
        """Arguments for the samples alone; None where it is unclear which rows are theirs."""
        tensors = replay.arguments.tensors
        shapes = self.shapes.get(replay.call.site.key, ())
        if len(shapes) != len(tensors):
            return None
        parts: list[Any] = []
        for tensor, shape in zip(tensors, shapes, strict=True):
            part = self.rows.of(tensor, tuple(shape))
            if part is None:
                return None
            parts.append(part)
        return replay.arguments.replaced(parts)

    def _differ(self, whole: Sequence[Array], alone: Sequence[Array], noise: Sequence[Array | None]) -> bool:
        for one, other, limit in zip(whole, alone, noise, strict=True):
            part = self.rows.of(one, other.shape)
            if part is None or self.rows.counts(one, other):
                continue
            allowed = None if limit is None else self.rows.of(np.asarray(limit), other.shape)
            if not alike(part, other, allowed):
                return True
        return False


@dataclass(frozen=True)
class SameTraced:
    """Trace it.

    Attributes:
        shapes: of each call, the shapes of the tensors in its arguments where the model was traced.
    """

    shapes: Mapping[Key, Sequence[Any]]

    def __call__(self, replay: Replay) -> Cause | None:
        """Judge one call."""
        shapes = self.shapes.get(replay.call.site.key, ())
        if len(shapes) != len(replay.arguments.tensors):
            return None
        eager = replay.arrays()
        try:
            traced = replay.traced(shapes).outputs
        except Exception as error:  # noqa: BLE001  the layer's own code may raise anything
            cause = explained(error).cause
            what = f"fails when it is traced ({located(error)})"
            return cause or Cause(what, "compute with keras.ops on tensors", causes.definition(replay.kinds))
        if len(eager) == len(traced) and all(map(alike, eager, traced)):
            return None
        if len(eager) == len(traced) and all(map(alike, eager, traced, replay.noise(replay.arguments, eager))):
            return None
        again = replay.traced(shapes, watch=True)
        first = replay.watched()
        parted = steps.parting(first, again.steps, comparisons.when_traced)
        given = [tensor.numpy() for tensor in replay.arguments.tensors]
        identity = bool(given) and len(traced) == 1 and any(np.array_equal(traced[0], each) for each in given)
        return causes.of_tracing(parted, first, replay.kinds, identity)
