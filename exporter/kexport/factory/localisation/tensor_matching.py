"""Which tensor of an artifact is what a layer gives: by its name, else by its values, else by its place.

Names are those of the traced graph, which converters keep, joined where they fuse operators. Values tell where the
artifact is right: a tensor that holds the layer's truth is the layer's. Where it may be wrong, the one tensor that
leaves the operators of a layer is what the layer gives.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from kexport.bundle.signature import Array
from kexport.factory.localisation import layouts
from kexport.factory.localisation.exposing._exposure import Tensor
from kexport.factory.localisation.layer_graph import owner_scope
from kexport.factory.localisation.layer_truth import Layer, Value
from kexport.parity.layer_report import CLEAR
from kexport.parity.tolerance import for_kernels

BY_NAME, BY_VALUES, BY_PLACE = "name", "values", "place"


@dataclass(frozen=True)
class Match:
    """A tensor of the artifact that is what a layer gives.

    Attributes:
        tensor: the tensor.
        value: in the layout of the truth where its shape fits; None when nothing was run.
        how: it was found.
    """

    tensor: Tensor
    value: Array | None
    how: str


class Matching:
    """The tensors of an artifact beside the layers of its model.

    Args:
        layers: in order.
        tensors: in the artifact's order.
        values: of the tensors by key; without them only names and places count.
        outputs: of each output of the model, the tensor of the traced graph.
        summation: of the runtime.
    """

    def __init__(
        self,
        layers: Sequence[Layer],
        tensors: Sequence[Tensor],
        values: Mapping[str, Array],
        outputs: Mapping[str, str],
        summation: float,
    ) -> None:
        self._tensors, self._values, self._summation = tensors, values, summation
        self._scopes = {layer.step.scope: index for index, layer in enumerate(layers) if layer.step.scope}
        self._public = outputs
        self._order = {tensor.key: index for index, tensor in enumerate(tensors)}
        self._by_name: dict[str, list[Tensor]] = {}
        self._owner = {tensor.key: max(self._owners(tensor), default=-1) for tensor in tensors}
        for tensor in tensors:
            for name in self._names(tensor):
                self._by_name.setdefault(name, []).append(tensor)
        self._users: dict[str, list[Tensor]] = {}
        for tensor in tensors:
            for key in tensor.inputs:
                self._users.setdefault(key, []).append(tensor)
        self._by_size: dict[int, list[Tensor]] = {}
        for tensor in tensors:
            if tensor.key in values:
                self._by_size.setdefault(values[tensor.key].size, []).append(tensor)

    def _names(self, tensor: Tensor) -> tuple[str, ...]:
        """Names in the traced graph; an output has the one of the manifest instead."""
        own = self._public.get(tensor.output, "").removesuffix(":0")
        return (own, *tensor.names) if own else tensor.names

    def _owners(self, tensor: Tensor) -> list[int]:
        """The layers whose operations the tensor stands for."""
        found = [self._scopes.get(owner_scope(name, self._scopes), -1) for name in self._names(tensor)]
        if all(index < 0 for index in found):  # the converter made it, perhaps from a layer's weights
            found = [self._scopes.get(owner_scope(name, self._scopes), -1) for name in tensor.constants]
        return [index for index in found if index >= 0]

    def of(self, index: int, value: Value) -> Match | None:
        """The tensor that is the value of a layer, the layer being that of this index."""
        named = self._named(index, value)
        if named is not None:
            return self._match(named, value, BY_NAME, index)
        held = next(self._holding(value), None)
        if held is not None:
            return self._match(held.tensor, value, BY_VALUES, index)
        placed = self._placed(index, value)
        return None if placed is None else self._match(placed, value, BY_PLACE, index)

    def elsewhere(self, value: Value) -> Match | None:
        """Another output of the artifact that holds the value."""
        return next((match for match in self._holding(value) if match.tensor.output), None)

    def fused_into(self, index: int) -> int | None:
        """The layer whose tensor stands for this one too."""
        for tensor in self._tensors:
            if index in self._owners(tensor) and self._owner[tensor.key] != index:
                return self._owner[tensor.key]
        return None

    def operators(self, key: str, ends: Sequence[str]) -> list[str]:
        """The types of the operators between these tensors and the one of the key, in order."""
        by_key = {tensor.key: tensor for tensor in self._tensors}
        passed: set[str] = set()
        waiting = [key]
        while waiting:
            at = waiting.pop()
            if at in by_key and at not in passed and (at == key or at not in ends):
                passed.add(at)
                waiting += by_key[at].inputs
        return [by_key[each].operator for each in sorted(passed, key=self._order.__getitem__)]

    def _named(self, index: int, value: Value) -> Tensor | None:
        """The tensor of the name, when no later layer has a part in it; of several the plainest, and the last."""
        fitting = [t for t in self._by_name.get(value.tensor.removesuffix(":0"), []) if self._owner[t.key] <= index]
        return max(fitting, key=lambda tensor: (-len(tensor.names), self._order[tensor.key]), default=None)

    def _placed(self, index: int, value: Value) -> Tensor | None:
        """The only tensor of the layer's operators that others take."""
        leaving = [
            tensor
            for tensor in self._tensors
            if self._owner[tensor.key] == index
            and (tensor.output or any(self._owner[user.key] != index for user in self._users.get(tensor.key, [])))
            and self._fits(tensor, value)
        ]
        return leaving[0] if len(leaving) == 1 else None

    def _fits(self, tensor: Tensor, value: Value) -> bool:
        if not self._values:
            return True
        held = self._values.get(tensor.key)
        return held is not None and held.size == value.truth.size and _kind(held) == _kind(value.own)

    def _holding(self, value: Value) -> Iterator[Match]:
        """Tensors that hold the truth."""
        if value.truth.dtype.kind == "U":
            return
        truth = _numbers(value.truth)
        if truth.size < 2 or not np.isfinite(truth).all() or truth.max() == truth.min():
            return  # many a tensor holds one number only
        limit = for_kernels(value.limit, self._summation)
        allowed = CLEAR * limit.limit * limit.scale
        for tensor in self._by_size.get(truth.size, []):
            held = self._values[tensor.key]
            if _kind(held) != _kind(value.own):
                continue
            numbers = _numbers(held)
            if abs(numbers.max() - truth.max()) > allowed or abs(numbers.min() - truth.min()) > allowed:
                continue
            undone = layouts.undone(held, value.truth, value.recurrent)
            if undone is not None and np.abs(_numbers(undone) - truth).max() <= allowed:
                yield Match(tensor, undone, BY_VALUES)

    def _match(self, tensor: Tensor, value: Value, how: str, index: int) -> Match:
        """The match, of what leaves the layer: its last operators may only change the layout."""
        while (behind := self._behind(tensor, value, index)) is not None:
            tensor = behind
        held = self._values.get(tensor.key)
        undone = None if held is None else layouts.undone(held, value.truth, value.recurrent)
        return Match(tensor, held if undone is None else undone, how)

    def _behind(self, tensor: Tensor, value: Value, index: int) -> Tensor | None:
        """What an operator of the same layer, or the rest of the same operation, makes of it, when it is as large."""
        users = [] if tensor.output or not self._values else self._users.get(tensor.key, [])
        rest = users[0] if len(users) == 1 and _is_rest(users[0], tensor) else None
        own = (each for each in users if (self._owner[each.key] == index or each is rest) and self._fits(each, value))
        return next(own, None)


def _numbers(array: Array) -> Array:
    """As real numbers, which can be subtracted: whole ones wrap around, and truth values have no difference."""
    return array if array.dtype.kind == "f" else array.astype(np.float64)


def _is_rest(tensor: Tensor, first: Tensor) -> bool:
    """Whether a converter wrote one operation as two operators: tf2onnx calls the second `NAME__NUMBER`."""
    return any(re.fullmatch(re.escape(name) + r"__\d+", own) for name in first.names for own in tensor.names)


def _kind(array: Array) -> str:
    return "f" if array.dtype.kind == "f" else "i"
