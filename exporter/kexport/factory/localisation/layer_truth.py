"""The truth of every layer: what it gives in float64, and how far its float32 lies from that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from kexport.bundle.limits import OutputLimit
from kexport.bundle.signature import Array, Signature, TensorSpec
from kexport.errors import ModelError, located
from kexport.factory.localisation import layer_graph
from kexport.factory.localisation.layer_calls import Call, observing
from kexport.factory.localisation.layer_graph import Step
from kexport.factory.trace.program import Program, trace
from kexport.factory.truth.goldens import PERTURBATION, TWIN
from kexport.factory.truth.oracle import Oracle
from kexport.parity import golden_inputs
from kexport.parity.conditioning import movement, widened
from kexport.parity.tolerance import EPSILON, largest, limit_for, robust_floor
from kexport.runtimes.keras_model import to_array

_PERTURBATIONS = 2
_Run = Mapping[tuple[str, int], list[Array]]


@dataclass(frozen=True)
class Value:
    """One thing that a layer gives.

    Attributes:
        tensor: its name in the traced graph.
        spec: name, dtype, shape.
        limit: how far an artifact's may be from the truth.
        truth: in float64 where it is real.
        own: what Keras gives.
        moves: how far one unit in the last place of inputs and weights moves each element.
        recurrent: whether the first axis after the batch may count steps of a recurrent layer.
    """

    tensor: str
    spec: TensorSpec
    limit: OutputLimit
    truth: Array
    own: Array
    moves: Array
    recurrent: bool = False


@dataclass(frozen=True)
class Layer:
    """A call of a layer, and what is true of what it gives; nothing where it could not be observed eagerly."""

    step: Step
    values: tuple[Value, ...]

    @property
    def name(self) -> str:
        """Of the step."""
        return self.step.name


class Truth:
    """The layers of a model, traced once, and their truth on given inputs.

    Attributes:
        steps: the calls of layers in the model.
        outputs: of each output of the model, the tensor of the traced graph.
        source: what the limits come from.
    """

    def __init__(self, model: object, signature: Signature, feeds: Mapping[str, Array]) -> None:
        with observing() as runs:
            self._program = trace(model, feeds)
        inputs = [spec.name for spec in self._program.signature.inputs]
        wanted = [spec.name for spec in signature.inputs]
        if len(inputs) != len(wanted):
            raise ModelError(
                "the .keras artifact takes other inputs than the bundle", got=", ".join(inputs), expected=wanted
            )
        # A file does not keep a name that nobody gave: inputs are then those of the manifest in their order.
        self._inputs = inputs if set(inputs) == set(wanted) else wanted
        self._oracle = Oracle(self._program)
        self.steps = layer_graph.steps(self._program, _of_graph(self._program, runs))
        public = zip(signature.outputs, layer_graph.outputs(self._program).values(), strict=False)
        self.outputs = {spec.name: tensor for spec, tensor in public}
        self.source = TWIN

    def of(self, feeds: Mapping[str, Array]) -> list[Layer]:
        """The layers on these inputs, in Keras' order.

        Raises:
            ModelError: the model fails on them.
        """
        case = [[feeds[name] for name in self._inputs]]
        rng = np.random.default_rng(golden_inputs.SEED)
        try:
            with observing() as runs:
                self._oracle.own(case)
                for _ in range(_PERTURBATIONS):
                    self._oracle.nudged(case, rng, weights=self._oracle.light)
                owns = [_arrays(run) for run in runs]
        except Exception as error:  # the model's own code may raise anything
            raise ModelError("the .keras artifact fails on inputs of the bundle", got=located(error)) from error
        with observing() as runs:
            twin = self._oracle.truth(case)
            truths = owns[0] if twin is None else _arrays(runs[-1])
        self.source = PERTURBATION if twin is None else TWIN
        return [Layer(step, tuple(self._values(step, owns, truths))) for step in self.steps]

    def _values(self, step: Step, owns: Sequence[_Run], truths: _Run) -> list[Value]:
        found = []
        own, true = owns[0].get(step.key, []), truths.get(step.key, [])
        if not len(own) == len(true) == len(step.tensors):
            return []
        for index, tensor in enumerate(step.tensors):
            others = [run[step.key][index] for run in owns[1:] if len(run.get(step.key, [])) == len(own)]
            if (value := _value(tensor, own[index], true[index], others, self.source)) is not None:
                found.append(replace(value, recurrent=step.recurrent))
        return found


def _of_graph(program: Program, runs: Sequence[list[Call]]) -> list[Call]:
    """The run in which the program was traced; the model may have been called to find out what it takes."""
    graph = program.core.graph
    for run in reversed(runs):
        if any(getattr(each, "graph", None) is graph for call in run for each in call.outputs):
            return run
    return []


def _arrays(run: Sequence[Call]) -> dict[tuple[str, int], list[Array]]:
    return {call.key: [to_array(each) for each in call.outputs] for call in run}


def _value(tensor: str, own: Array, true: Array, others: Sequence[Array], source: str) -> Value | None:
    """The value with its limit; None where the twin gives another shape, or text."""
    if own.shape != true.shape or own.dtype.kind not in "fiub":
        return None
    spec = TensorSpec(tensor, own.dtype.name, own.shape)
    truth = widened(true) if spec.is_float else true.astype(own.dtype)
    moves = movement(spec, own, truth, others)
    if not spec.is_float:
        return Value(tensor, spec, limit_for(spec, 1.0, 0.0, source), truth, own, moves)
    scale = largest(truth[np.isfinite(own)]) or 1.0
    # One golden says little of the noise: it may by luck be right. What one ulp moves it by says more.
    noise = robust_floor([np.where(np.isfinite(moves), moves, 0.0)], scale, EPSILON.get(spec.dtype, EPSILON["float32"]))
    limit = limit_for(spec, scale, noise * scale, source)
    return Value(tensor, spec, limit, truth, own, moves)
