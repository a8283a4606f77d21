"""Why slices of weights are unseen: what reaches them, and what follows, on the goldens."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from kexport.bundle.signature import Array
from kexport.factory.adequacy.graph_values import fetch_of
from kexport.factory.adequacy.sensitivity import Sensitivity
from kexport.factory.adequacy.view import SEEN, View
from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.trace.program import Program

BELOW_ZERO = "always below zero on these inputs"
ZERO = "what they multiply is always zero on these inputs"
ABSENT = "they do not occur on these inputs"
_ACTIVATIONS = ("Relu", "Relu6")
_PRODUCTS = ("MatMul", "BatchMatMulV2", "Conv2D", "Conv3D", "DepthwiseConv2dNative", "Einsum")
_LOOKUPS = ("ResourceGather", "GatherV2")
_FAR = 40  # operations behind a weight
_MOST_WEIGHTS = 40
_MOST_VIEWS = 24

#: For the name of a weight and an axis, why its unseen slices are unseen.
Reasons = Mapping[tuple[str, int], str]


@dataclass(frozen=True)
class _Place:
    """A tensor that may explain the unseen slices of a weight.

    Some elements of its last axis do, or, where rows are looked up, the numbers of the rows in it.
    """

    weight: str
    axis: int
    unseen: Array
    tensor: Tensor
    why: str

    def explained(self, values: Array) -> bool:
        """Whether it explains them on one golden."""
        if self.why == ABSENT:
            return not np.isin(values, self.unseen).any()
        if values.ndim == 0 or values.shape[-1] <= int(self.unseen.max()):
            return False
        chosen = values[..., self.unseen]
        return bool((chosen <= 0).all()) if self.why == BELOW_ZERO else not chosen.any()


def reasons_of(program: Program, views: Sequence[View], sensitivities: Sequence[Sensitivity]) -> Reasons:
    """Why slices are unseen, where activations that cut off, or factors that are zero, explain it."""
    partly = [each for each in sensitivities if each.whole >= SEEN and any(True for _ in each.unseen_slices())]
    places = [place for each in partly[:_MOST_WEIGHTS] for place in _places(program, each)]
    if not places:
        return {}
    fetch = fetch_of(program, [place.tensor for place in places])
    holds = [True] * len(places)
    program.reset()
    for view in views[:_MOST_VIEWS]:
        for index, values in enumerate(fetch(view.tensors)):
            holds[index] = holds[index] and places[index].explained(values)
    refuted = {(place.weight, place.axis) for place, held in zip(places, holds, strict=True) if not held}
    slices = {(place.weight, place.axis): place.why for place in places}
    return {each: why for each, why in slices.items() if each not in refuted}


def _places(program: Program, each: Sensitivity) -> Iterator[_Place]:
    captures = program.core.graph.captures
    handle = each.weight.variable.handle
    start = next((inner for outer, inner in captures if outer is handle), None)
    if start is None:
        return
    behind = list(_behind(start))
    last = each.weight.value.ndim - 1
    for axis, unseen in each.unseen_slices():
        if each.weight.is_table and axis == 0:
            for lookup in (op for op in behind if op.type in _LOOKUPS and _is_copy(op.inputs[0], start)):
                yield _Place(each.weight.name, axis, unseen, lookup.inputs[1], ABSENT)
        elif axis == last:
            cut = next((op for op in behind if op.type in _ACTIVATIONS), None)
            if cut is not None and cut.inputs[0].shape.rank and cut.inputs[0].shape[-1] == each.weight.value.shape[-1]:
                yield _Place(each.weight.name, axis, unseen, cut.inputs[0], BELOW_ZERO)
        elif axis == last - 1:
            product = next((op for op in behind if op.type in _PRODUCTS), None)
            if product is not None and product.inputs[0].op.name not in {op.name for op in behind}:
                yield _Place(each.weight.name, axis, unseen, product.inputs[0], ZERO)


def _is_copy(tensor: Tensor, start: Tensor) -> bool:
    """Whether a tensor is a weight as it was read, perhaps cast."""
    while tensor is not start and len(tensor.op.inputs) == 1:
        tensor = tensor.op.inputs[0]
    return tensor is start


def _behind(tensor: Tensor) -> Iterator[Operation]:
    """The operations that follow a tensor, nearest first, up to the first that cuts off."""
    pending = [tensor]
    seen: set[str] = set()
    while pending and len(seen) < _FAR:
        current = pending.pop(0)
        for operation in current.consumers():
            if operation.name in seen:
                continue
            seen.add(operation.name)
            yield operation
            if operation.type in _ACTIVATIONS:
                return
            pending += operation.outputs
