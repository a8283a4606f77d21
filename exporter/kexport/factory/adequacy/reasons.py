"""Why slices of weights are unseen: what reaches them, and what follows, on the goldens."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from kexport.bundle.signature import Array
from kexport.factory.adequacy.graph_values import fetch_of
from kexport.factory.adequacy.sensitivity import Sensitivity
from kexport.factory.adequacy.view import View
from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.trace.program import Program

BELOW_ZERO = "always below zero on these inputs"
ZERO = "what they multiply is always zero on these inputs"
_ACTIVATIONS = ("Relu", "Relu6")
_PRODUCTS = ("MatMul", "BatchMatMulV2", "Conv2D", "Conv3D", "DepthwiseConv2dNative", "Einsum")
_FAR = 40  # operations behind a weight
_MOST_WEIGHTS = 40
_MOST_VIEWS = 24

#: For the name of a weight and an axis, why its unseen slices are unseen.
Reasons = Mapping[tuple[str, int], str]


@dataclass(frozen=True)
class _Place:
    """A tensor of which some elements of the last axis may explain the unseen slices of a weight."""

    weight: str
    axis: int
    unseen: Array
    tensor: Tensor
    why: str

    def explained(self, values: Array) -> bool:
        """Whether it explains them on one golden."""
        if values.ndim == 0 or values.shape[-1] <= int(self.unseen.max()):
            return False
        chosen = values[..., self.unseen]
        return bool((chosen <= 0).all()) if self.why == BELOW_ZERO else not chosen.any()


def reasons_of(program: Program, views: Sequence[View], sensitivities: Sequence[Sensitivity]) -> Reasons:
    """Why slices are unseen, where activations that cut off, or factors that are zero, explain it."""
    partly = [each for each in sensitivities if each.whole and any(True for _ in each.unseen_slices())]
    places = [place for each in partly[:_MOST_WEIGHTS] for place in _places(program, each)]
    if not places:
        return {}
    fetch = fetch_of(program, [place.tensor for place in places])
    holds = [True] * len(places)
    program.reset()
    for view in views[:_MOST_VIEWS]:
        for index, values in enumerate(fetch(view.tensors)):
            holds[index] = holds[index] and places[index].explained(values)
    return {(place.weight, place.axis): place.why for place, held in zip(places, holds, strict=True) if held}


def _places(program: Program, each: Sensitivity) -> Iterator[_Place]:
    captures = program.core.graph.captures
    handle = each.weight.variable.handle
    start = next((inner for outer, inner in captures if outer is handle), None)
    if start is None:
        return
    behind = list(_behind(start))
    last = each.weight.value.ndim - 1
    for axis, unseen in each.unseen_slices():
        if axis == last:
            cut = next((op for op in behind if op.type in _ACTIVATIONS), None)
            if cut is not None and cut.inputs[0].shape.rank and cut.inputs[0].shape[-1] == each.weight.value.shape[-1]:
                yield _Place(each.weight.name, axis, unseen, cut.inputs[0], BELOW_ZERO)
        elif axis == last - 1:
            product = next((op for op in behind if op.type in _PRODUCTS), None)
            if product is not None and product.inputs[0].op.name not in {op.name for op in behind}:
                yield _Place(each.weight.name, axis, unseen, product.inputs[0], ZERO)


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
