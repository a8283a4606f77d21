"""Which tensor of an artifact holds a layer's output: recognised by its name, or by its values, or by its place.

Names are those of the traced graph, which converters keep, and join where they fuse operators. Values tell where the
artifact is right: a tensor that holds the truth of a layer is the layer's. Where it may be wrong, the only tensor
that leaves the operators of a layer is the layer's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from kexport.bundle.signature import Array
from kexport.factory.localisation import layouts
from kexport.factory.localisation.intermediates import ArtifactTensor
from kexport.factory.localisation.layer_graph import owner_scope
from kexport.factory.localisation.layer_output import LayerOutput, LayerTruth
from kexport.parity.layer_report import CLEAR
from kexport.parity.tolerance import for_kernels

BY_NAME, BY_VALUES, BY_PLACE = "name", "values", "place"


@dataclass(frozen=True)
class TensorMatch:
    """A tensor of the artifact that holds a layer's output.

    Attributes:
        tensor: the tensor.
        value: in the layout of the truth where its shape fits; None when nothing was run.
        how: how it was recognised.
    """

    tensor: ArtifactTensor
    value: Array | None
    how: str


class TensorMatcher:
    """Finds the tensors of an artifact that hold the outputs of its model's layers.

    Args:
        layers: the layers, in order.
        tensors: its tensors, in the artifact's order.
        values: the values of the tensors by key; without them only names and places count.
        outputs: the tensor of the traced graph behind each output of the model.
        accumulation_factor: the accumulation factor of the runtime.
    """

    def __init__(
        self,
        layers: Sequence[LayerTruth],
        tensors: Sequence[ArtifactTensor],
        values: Mapping[str, Array],
        outputs: Mapping[str, str],
        accumulation_factor: float,
    ) -> None:
        self._tensors, self._values, self._accumulation_factor = tensors, values, accumulation_factor
        self._scopes = {layer.call.scope: index for index, layer in enumerate(layers) if layer.call.scope}
        self._model_outputs = outputs
        self._order = {tensor.key: index for index, tensor in enumerate(tensors)}
        self._by_name: dict[str, list[ArtifactTensor]] = {}
        self._owner = {tensor.key: max(self._owners(tensor), default=-1) for tensor in tensors}
        for tensor in tensors:
            for name in self._names(tensor):
                self._by_name.setdefault(name, []).append(tensor)
        self._users: dict[str, list[ArtifactTensor]] = {}
        for tensor in tensors:
            for key in tensor.inputs:
                self._users.setdefault(key, []).append(tensor)
        self._by_size: dict[int, list[ArtifactTensor]] = {}
        for tensor in tensors:
            if tensor.key in values:
                self._by_size.setdefault(values[tensor.key].size, []).append(tensor)

    def _names(self, tensor: ArtifactTensor) -> tuple[str, ...]:
        """Names in the traced graph; an output of the artifact has the manifest's name instead of one of them."""
        name = self._model_outputs.get(tensor.output, "").removesuffix(":0")
        return (name, *tensor.names) if name else tensor.names

    def _owners(self, tensor: ArtifactTensor) -> list[int]:
        """The layers whose operations the tensor stands for."""
        owners = [self._scopes.get(owner_scope(name, self._scopes), -1) for name in self._names(tensor)]
        if all(index < 0 for index in owners):  # the converter added it, perhaps for a layer's weights
            owners = [self._scopes.get(owner_scope(name, self._scopes), -1) for name in tensor.constants]
        return [index for index in owners if index >= 0]

    def match(self, index: int, output: LayerOutput) -> TensorMatch | None:
        """The tensor that holds an output of the layer of this index."""
        if output.given is not None:  # the artifact hands an input on
            given = ArtifactTensor(output.tensor, (output.tensor.removesuffix(":0"),), "", ())
            return TensorMatch(given, output.given, BY_NAME)
        named = self._named(index, output)
        if named is not None:
            return self._last(named, output, BY_NAME, index)
        holding = next(self._holding(output), None)
        if holding is not None:
            return self._last(holding.tensor, output, BY_VALUES, index)
        placed = self._placed(index, output)
        return None if placed is None else self._last(placed, output, BY_PLACE, index)

    def elsewhere(self, output: LayerOutput) -> TensorMatch | None:
        """Another output of the artifact that holds the truth of a layer's output."""
        return next((match for match in self._holding(output) if match.tensor.output), None)

    def fused_into(self, index: int) -> int | None:
        """The layer whose tensor stands for the layer of this index too."""
        for tensor in self._tensors:
            if index in self._owners(tensor) and self._owner[tensor.key] != index:
                return self._owner[tensor.key]
        return None

    def between(self, key: str, ends: Sequence[str]) -> list[ArtifactTensor]:
        """The tensors from which the one of the key is computed, after the tensors `ends`, and itself, in order."""
        by_key = {tensor.key: tensor for tensor in self._tensors}
        passed: set[str] = set()
        waiting = [key]
        while waiting:
            at = waiting.pop()
            if at in by_key and at not in passed and (at == key or at not in ends):
                passed.add(at)
                waiting += by_key[at].inputs
        return [by_key[each] for each in sorted(passed, key=self._order.__getitem__)]

    def owner(self, tensor: ArtifactTensor) -> int:
        """The index of the last layer whose operations a tensor stands for; -1 where its name tells none."""
        return self._owner[tensor.key]

    def held(self, tensor: ArtifactTensor, output: LayerOutput) -> list[Array]:
        """The value of a tensor in each layout in which it may be a layer's output; none where it cannot be that."""
        value = self._values.get(tensor.key)
        if value is None or not self._fits(tensor, output):
            return []
        return layouts.every_layout(output.truth, value, output.recurrent)

    def value(self, tensor: ArtifactTensor) -> Array | None:
        """The value of a tensor, as it is."""
        return self._values.get(tensor.key)

    def _named(self, index: int, output: LayerOutput) -> ArtifactTensor | None:
        """The tensor of the output's name that no later layer shares: the one with the fewest names, and the last."""
        fitting = [t for t in self._by_name.get(output.tensor.removesuffix(":0"), []) if self._owner[t.key] <= index]
        return max(fitting, key=lambda tensor: (-len(tensor.names), self._order[tensor.key]), default=None)

    def _placed(self, index: int, output: LayerOutput) -> ArtifactTensor | None:
        """The only tensor of the layer's operators that operators of other layers take."""
        leaving = [
            tensor
            for tensor in self._tensors
            if self._owner[tensor.key] == index
            and (tensor.output or any(self._owner[user.key] != index for user in self._users.get(tensor.key, [])))
            and self._fits(tensor, output)
        ]
        return leaving[0] if len(leaving) == 1 else None

    def _fits(self, tensor: ArtifactTensor, output: LayerOutput) -> bool:
        if not self._values:
            return True
        value = self._values.get(tensor.key)
        return value is not None and value.size == output.truth.size and _kind(value) == _kind(output.keras_output)

    def _holding(self, output: LayerOutput) -> Iterator[TensorMatch]:
        """Tensors that hold the truth."""
        if output.truth.dtype.kind == "U":
            return
        truth = _as_float(output.truth)
        if truth.size < 2 or not np.isfinite(truth).all() or truth.max() == truth.min():
            return  # many tensors hold a single number
        limit = for_kernels(output.limit, self._accumulation_factor)
        allowed = CLEAR * limit.limit * limit.scale
        for tensor in self._by_size.get(truth.size, []):
            value = self._values[tensor.key]
            if _kind(value) != _kind(output.keras_output):
                continue
            numbers = _as_float(value)
            if abs(numbers.max() - truth.max()) > allowed or abs(numbers.min() - truth.min()) > allowed:
                continue
            laid_out = layouts.in_layout_of(output.truth, value, output.recurrent)
            if laid_out is not None and np.abs(_as_float(laid_out) - truth).max() <= allowed:
                yield TensorMatch(tensor, laid_out, BY_VALUES)

    def _last(self, tensor: ArtifactTensor, output: LayerOutput, how: str, index: int) -> TensorMatch:
        """The match of the last tensor of the layer: its last operators may only change the layout."""
        while (following := self._following(tensor, output, index)) is not None:
            tensor = following
        value = self._values.get(tensor.key)
        laid_out = None if value is None else layouts.in_layout_of(output.truth, value, output.recurrent)
        return TensorMatch(tensor, value if laid_out is None else laid_out, how)

    def _following(self, tensor: ArtifactTensor, output: LayerOutput, index: int) -> ArtifactTensor | None:
        """The tensor of the same size that another operator of the layer, or of the operation, computes from it."""
        users = [] if tensor.output or not self._values else self._users.get(tensor.key, [])
        rest = users[0] if len(users) == 1 and _is_rest(users[0], tensor) else None
        same = (each for each in users if (self._owner[each.key] == index or each is rest) and self._fits(each, output))
        return next(same, None)


def _as_float(array: Array) -> Array:
    """As floating-point numbers, which can be subtracted: integers wrap around, booleans have no difference."""
    return array if array.dtype.kind == "f" else array.astype(np.float64)


def _is_rest(tensor: ArtifactTensor, first: ArtifactTensor) -> bool:
    """Whether a converter wrote one operation as two operators: tf2onnx names the second `NAME__NUMBER`."""
    return any(re.fullmatch(re.escape(name) + r"__\d+", other) for name in first.names for other in tensor.names)


def _kind(array: Array) -> str:
    return "f" if array.dtype.kind == "f" else "i"
