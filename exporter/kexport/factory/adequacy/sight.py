"""What a growing set of views sees of the weights and of the outputs."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from kexport.bundle.limits import OutputLimit
from kexport.bundle.signature import Array
from kexport.errors import reason
from kexport.factory.adequacy.allowance import Allowance
from kexport.factory.adequacy.changes import Changes
from kexport.factory.adequacy.constant_outputs import Constancy
from kexport.factory.adequacy.gradients import BOTH, measure
from kexport.factory.adequacy.occurrences import Occurrences
from kexport.factory.adequacy.sensitivity import Sensitivity
from kexport.factory.adequacy.traced_weights import TracedWeight, ancestors
from kexport.factory.adequacy.view import SEEN, View
from kexport.factory.trace.program import Program
from kexport.runtimes.keras_model import to_array, to_tensor

_SEED = 20240607
_CALLS_OF_TRIAL = 32
#: Operations with steps, whose gradient is zero and not missing.
_STEPS = ("Sign",)
_DIRECTIONS = 3  # of a change
_SLICES = 64  # of a weight without a gradient, that are changed one by one


class Sight:
    """What some views see.

    Args:
        program: the traced model.
        limits: of its outputs.
        weights: what to look at.
        allowance: how much may be tried.
        occurrences: what has occurred so far; by default nothing.

    Attributes:
        views: what it has looked through.
        sensitivities: one per weight.
        occurrences: keys, bins and branches that have occurred.
        untried: the names of weights without a gradient that were too many to be changed.
        notes: what could not be measured.
    """

    def __init__(
        self,
        program: Program,
        limits: Sequence[OutputLimit],
        weights: Sequence[TracedWeight],
        allowance: Allowance,
        occurrences: Occurrences | None = None,
    ) -> None:
        self._program = program
        self._allowance = allowance
        self._limits = limits
        self._rng = np.random.default_rng(_SEED)
        outputs = zip(program.signature.outputs, limits, strict=True)
        self._constancies = {spec.name: Constancy(spec, limit.absolute) for spec, limit in outputs}
        self._has_gradients = True
        self._measured = 0
        self.views: list[View] = []
        self.occurrences = Occurrences(program) if occurrences is None else occurrences
        self._silent_at_first = 0
        self.sensitivities = [Sensitivity(weight) for weight in weights]
        steps = any(op.type in _STEPS for op in program.core.graph.get_operations())
        for each in self.sensitivities:
            each.has_steps = steps
        self.untried: frozenset[str] = frozenset()
        self.notes: list[str] = []

    def add_goldens(self, views: Sequence[View], truths: Iterable[Mapping[str, Array]]) -> None:
        """Look through the goldens until everything is seen, then closer at what gradients leave open."""
        self.views += views
        for truth in truths:
            self._add_outputs(truth)
        self._program.reset()
        planned = [view for view in views if not view.is_sought]
        for view in [*(view for view in views if view.is_sought), *planned[: self._allowance.views]]:
            if not self._measure(view):
                break
        for view in views:
            self.occurrences.add(view.tensors)
        largest_first = sorted(views, key=lambda view: -sum(ruler.size for ruler in view.rulers))
        self._look_closer(Changes(self._program, largest_first, self._allowance.calls))

    def add(self, feeds: Mapping[str, Array]) -> bool:
        """Look through one more input; whether it sees more than before. May raise what the model raises."""
        before = self._open()
        self._program.reset()
        signature = self._program.signature
        tensors = [to_tensor(spec.dtype, feeds[spec.name]) for spec in signature.inputs]
        outputs = [to_array(output) for output in self._program.core(*tensors)]
        if any(values.dtype.kind in "fc" and not np.isfinite(values).all() for values in outputs):
            return False
        view = View.of_outputs(signature, feeds, outputs, self._limits)
        self.views.append(view)
        self._add_outputs(signature.named_outputs(outputs))
        self.occurrences.add(tensors)
        self._program.reset()
        self._measure(view)
        self._try_silent(Changes(self._program, [view], min(_CALLS_OF_TRIAL, self._allowance.calls)))
        return self._open() < before

    def look_again(self) -> None:
        """Make the changes of weights that nothing sees on all views together, after inputs were added."""
        self._program.reset()
        self._try_silent(Changes(self._program, self.views, self._allowance.calls))

    def learnt(self) -> Sight:
        """The same sight, which stays as it is when this one learns more."""
        other = copy.copy(self)
        other.views = list(self.views)
        other.sensitivities = [each.copy() for each in self.sensitivities]
        other.occurrences = self.occurrences.copy()
        other._constancies = copy.deepcopy(self._constancies)
        return other

    def remainder(self) -> Sight:
        """A sight of what this one lacks, with nothing seen of it so far; the values of outputs are known to it."""
        weights = [each.weight for each in self.silent]
        other = Sight(self._program, self._limits, weights, self._allowance, self.occurrences.copy())
        other._constancies = {name: copy.deepcopy(self._constancies[name]) for name in self.constant}
        other._silent_at_first = len(other.occurrences.silent)
        return other

    @property
    def missing(self) -> int:
        """How many weights, vocabularies and bins are not seen at all, and how many outputs do not vary."""
        return len(self.silent) + len(self.constant) + len(self.occurrences.silent)

    @property
    def lacks(self) -> bool:
        """Whether a whole weight is unseen, or an output does not vary."""
        return self.missing > 0

    @property
    def found(self) -> bool:
        """Whether, of what it looks at, a weight is seen or an output varies."""
        varies = len(self.constant) < len(self._constancies) or len(self.occurrences.silent) < self._silent_at_first
        return varies or any(each.whole >= SEEN for each in self.sensitivities)

    @property
    def constant(self) -> list[str]:
        """The outputs that had one value so far."""
        return [name for name, each in self._constancies.items() if each.holds]

    @property
    def labels(self) -> list[str]:
        """The outputs without gradients that depend on the inputs: whole numbers, truth values or texts."""
        graph, signature = self._program.core.graph, self._program.signature
        inputs = {tensor.op.name for tensor in graph.inputs[: len(signature.inputs)]}
        pairs = zip(signature.outputs, graph.outputs, strict=False)
        return [spec.name for spec, tensor in pairs if not spec.is_float and inputs & ancestors([tensor.op])]

    @property
    def silent(self) -> list[Sensitivity]:
        """The weights that nothing sees, not even a change as large as they are."""
        return [each for each in self.sensitivities if each.is_silent and each.weight.name not in self.untried]

    @property
    def partial(self) -> bool:
        """Whether a slice of a weight is unseen."""
        return bool(self.occurrences.unseen) or any(not each.sees_slices for each in self.sensitivities)

    def _open(self) -> int:
        """How much is unseen: outputs, weights, factors and slices."""
        count = len(self.constant) + sum(each.count for each in self.occurrences.unseen)
        for each in self.sensitivities:
            count += each.is_silent + (not each.sees_scale) + sum(len(found) for _, found in each.unseen_slices())
        return count

    def _add_outputs(self, outputs: Mapping[str, Array]) -> None:
        for name, constancy in self._constancies.items():
            constancy.add(outputs[name])

    def _measure(self, view: View) -> bool:
        """Add the gradients of one view; whether another one may see more."""
        pending = [each for each in self.sensitivities if not each.settled(single=self._allowance.parts)]
        if not pending or not self._has_gradients:
            return False
        try:
            turn = self._measured % len(BOTH)
            self._measured += 1
            projections = BOTH if self._allowance.both else BOTH[turn : turn + 1]
            measure(self._program, view, pending, self._rng, projections)
        except Exception as error:  # noqa: BLE001  an operation without a gradient, for one: weights are then changed
            self._has_gradients = False
            why, _, _ = reason(error).partition(". ")  # the advice of TensorFlow that follows is for its own users
            self.notes.append(f"weights were changed one by one, as the function has no gradients: {why}")
        return self._has_gradients

    def _look_closer(self, changes: Changes) -> None:
        """Make the changes that gradients do not show, or show as too small by a conservative estimate.

        The largest first: they decide whether anything depends on a weight, and one call often shows it.
        """
        # A gradient of zero is the truth of a function without steps: nothing depends on the weight.
        doubtful = [each for each in self.sensitivities if each.whole < SEEN and (each.whole or each.is_stepped)]
        for each in doubtful:
            if each.is_stepped:
                self._try_coarsely(each, changes)
        self.untried = frozenset(each.weight.name for each in doubtful if each.is_stepped and each.coarse is None)
        if self._allowance.parts:  # of many weights, the calls are worth more elsewhere
            self._try_silent(changes)
        for each in doubtful:
            self._try_whole(each, changes)
        for each in self.sensitivities:
            if not each.sees_scale and not changes.exhausted:
                each.along = max(each.along, changes.moved(each.weight, each.weight.value * 1.01))
            if each.is_stepped and each.whole >= SEEN:
                self._try_slices(each, changes)

    def _try_silent(self, changes: Changes) -> None:
        """Change the weights that only real changes show and none has shown: in some directions nothing may happen."""
        for each in self.silent:
            for _ in range(_DIRECTIONS * each.is_stepped):
                if each.is_silent:
                    self._try_coarsely(each, changes)
                    self._try_whole(each, changes)

    def _try_whole(self, each: Sensitivity, changes: Changes) -> None:
        """Change every element by a hundredth of the scale; then, where nothing moves, by the whole scale."""
        if changes.exhausted:
            return
        changed = each.weight.value + each.weight.step * self._signs(each)
        each.whole = max(each.whole, changes.moved(each.weight, changed))
        if each.whole < SEEN and each.coarse is None:
            self._try_coarsely(each, changes)

    def _try_coarsely(self, each: Sensitivity, changes: Changes) -> None:
        """Change every element by the whole scale."""
        if not changes.exhausted:
            moved = changes.moved(each.weight, each.weight.value + each.weight.scale * self._signs(each))
            each.coarse = max(each.coarse or 0.0, moved)

    def _signs(self, each: Sensitivity) -> Array:
        return self._rng.choice([-1.0, 1.0], each.weight.value.shape)

    def _try_slices(self, each: Sensitivity, changes: Changes) -> None:
        """Change the slices of a weight without a gradient one by one: by half of the scale, as a step needs it."""
        value = each.weight.value
        for axis, moved in each.slices.items():
            if len(moved) > _SLICES:
                moved[:] = np.nan  # too many to try
                continue
            for index in range(len(moved)):
                if changes.exhausted:
                    moved[index:] = np.nan
                    break
                changed = value.copy()
                at: list[int | slice] = [slice(None)] * value.ndim
                at[axis] = index
                part = changed[tuple(at)]
                changed[tuple(at)] = part + 0.5 * each.weight.scale * self._rng.choice([-1.0, 1.0], np.shape(part))
                moved[index] = max(moved[index], changes.moved(each.weight, changed))
