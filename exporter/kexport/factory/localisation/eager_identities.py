"""Layers that were traced to the identity: whether they are one eagerly too, which alone says what is right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from kexport.factory.localisation.layer_output import LayerTruth


def marked(layers: Sequence[LayerTruth]) -> list[LayerTruth]:
    """The layers, with `same_as` where the truth too is that of an earlier call with the same tensors.

    Where it is not, the graph does not tell who takes the result of such a call, and who that of the call before it:
    whatever follows is taken to depend on both.
    """
    done: dict[str, LayerTruth] = {}
    another: dict[str, list[str]] = {}  # by name of a call: later ones with the same tensors and another truth
    for layer in layers:
        call = layer.call
        before = [call.same_as, *another.get(call.same_as, ())] if call.same_as in done else []
        same = next((name for name in before if _agree(layer, done[name])), "")
        feeds = [*call.feeds, *(name for feed in call.feeds for name in another.get(feed, ()))]
        feeds = [feed for feed in dict.fromkeys(feeds) if feed != layer.name]
        done[layer.name] = replace(layer, same_as=same, call=replace(call, feeds=tuple(feeds)))
        if before and not same:
            another.setdefault(call.same_as, []).append(layer.name)
    return list(done.values())


def _agree(layer: LayerTruth, other: LayerTruth) -> bool:
    """Whether outputs that are the same tensor have the same truth; where none was observed, the graph is believed."""
    known = {output.tensor: output for output in other.outputs}
    pairs = [(output, known[output.tensor]) for output in layer.outputs if output.tensor in known]
    return all(output.agrees_with(its) for output, its in pairs)
