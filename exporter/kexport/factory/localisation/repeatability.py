"""Whether a model gives the same results twice, and with which layers it does not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from kexport.bundle.signature import Array
from kexport.factory.localisation.layer_calls import Call
from kexport.factory.localisation.layer_graph import TracedCall
from kexport.parity.conditioning import distance, widened
from kexport.parity.localised_bundle import ModelFault
from kexport.parity.tolerance import EPSILON, largest

_ANOTHER_NUMBER = 100.0  # units in the last place of the scale; threads may add in another order
_CAUSE = (
    "called twice on the same inputs, it gives other results: nothing computed from it has a truth; "
    "it is random at inference, or counts its calls, or reads a clock"
)

_Results = Mapping[tuple[str, int], Sequence[Array]]


def faults(
    run: Sequence[Call], once: _Results, again: _Results, traced: Sequence[TracedCall]
) -> tuple[ModelFault, ...]:
    """The layers whose results differ between two runs of a model on the same inputs, while their inputs do not.

    Args:
        run: the calls of the first run, in order: those inside a layer come before its own.
        once: the results of each call in the first run.
        again: those in the second run.
        traced: the calls in the graph, which know whose results they take.
    """
    differing = {call.site.key for call in run if not _same(once[call.site.key], again.get(call.site.key, ()))}
    keys = {call.name: call.site.key for call in traced}
    names = {call.site.key: call.name for call in traced}
    feeds = {call.site.key: [keys[name] for name in call.feeds] for call in traced}
    found: dict[tuple[str, int], ModelFault] = {}
    for call in run:
        key = call.site.key
        inside = any(path.startswith(f"{key[0]}/") for path, _ in found)
        # Without a place in the graph only the first one is certain: others may take its results.
        own = not differing.intersection(feeds[key]) if key in feeds else not found
        if key in differing and own and not inside:
            found[key] = ModelFault(names.get(key, key[0]), call.site.kind, _CAUSE)
    return tuple(found.values())


def _same(one: Sequence[Array], other: Sequence[Array]) -> bool:
    return len(one) == len(other) and all(map(_close, one, other))


def _close(one: Array, other: Array) -> bool:
    if one.shape != other.shape:
        return False
    if one.dtype.kind != "f":
        return bool((one == other).all())
    if not np.array_equal(np.isfinite(one), np.isfinite(other)):
        return False
    epsilon = EPSILON.get(one.dtype.name, EPSILON["float32"])
    scale = largest(one[np.isfinite(one)])
    return float(distance(widened(other), widened(one)).max(initial=0.0)) <= _ANOTHER_NUMBER * epsilon * scale
