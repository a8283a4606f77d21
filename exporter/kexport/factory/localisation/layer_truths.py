"""The truth of every layer: its outputs in float64, and the limit that the noise of float32 sets for an artifact."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from kexport.bundle.signature import Array, Signature, TensorSpec
from kexport.errors import ModelError, located
from kexport.factory.localisation import eager_identities, layer_graph, repeatability
from kexport.factory.localisation.layer_calls import Call, observing
from kexport.factory.localisation.layer_graph import TracedCall
from kexport.factory.localisation.layer_output import LayerOutput, LayerTruth
from kexport.factory.trace.program import Program, trace
from kexport.factory.trace.protocols import BuiltModel
from kexport.factory.truth.goldens import PERTURBATION, TWIN
from kexport.factory.truth.oracle import Oracle
from kexport.parity import golden_inputs
from kexport.parity.conditioning import movement, widened
from kexport.parity.localised_bundle import ModelFault
from kexport.parity.tolerance import EPSILON, largest, limit_for, robust_floor
from kexport.runtimes.keras_model import to_array

_PERTURBATIONS = 2
_Run = Mapping[tuple[str, int], list[Array]]


class LayerTruths:
    """The layers of a model, traced once, and their truth on given inputs.

    Attributes:
        calls: the calls of layers in the model, in Keras' order.
        outputs: the tensor of the traced graph behind each output of the model.
        source: what the limits come from.
        model_faults: layers whose results differ between two calls of the model on the same inputs.

    Args:
        model: a `keras.Model`.
        signature: the signature of the bundle.
        feeds: inputs by name; they decide what a model takes that was never called.

    Raises:
        ModelError: the model does not take the inputs of the bundle.
    """

    def __init__(self, model: BuiltModel, signature: Signature, feeds: Mapping[str, Array]) -> None:
        with observing() as runs:
            self._program = trace(model, feeds)
        inputs = [spec.name for spec in self._program.signature.inputs]
        wanted = [spec.name for spec in signature.inputs]
        if len(inputs) != len(wanted):
            raise ModelError(
                "the .keras artifact takes other inputs than the bundle", got=", ".join(inputs), expected=wanted
            )
        # A file keeps no name that was not given explicitly: inputs are then those of the manifest in their order.
        self._inputs = inputs if set(inputs) == set(wanted) else wanted
        self._given = layer_graph.input_tensors(self._program, self._inputs)
        self._oracle, self._asked = Oracle(self._program), Oracle(self._program)
        self.calls = layer_graph.traced_calls(self._program, _traced_run(self._program, runs))
        pairs = zip(signature.outputs, layer_graph.output_tensors(self._program).values(), strict=False)
        self.outputs = {spec.name: tensor for spec, tensor in pairs}
        self.source = TWIN
        self.model_faults = self._unrepeatable(feeds)

    def _unrepeatable(self, feeds: Mapping[str, Array]) -> tuple[ModelFault, ...]:
        """The layers with which the model gives different results when it is called twice."""
        case = [feeds[name] for name in self._inputs]
        # What a model keeps between calls is reset before each, but for the state of a random generator: it decides
        # what is drawn next.
        kept = [variable for variable, _ in self._program.state if "seed_generator" not in variable.name]
        with _in_the_model(), observing() as runs:
            for cases in ([case], [case]) if kept else ([case, case],):
                self._oracle.outputs(cases)
            once, again = map(_arrays, runs)
        return repeatability.faults(runs[0], once, again, self.calls)

    def of(self, feeds: Mapping[str, Array]) -> list[LayerTruth]:
        """The truth of the layers on these inputs, in Keras' order.

        Raises:
            ModelError: the model fails on them.
        """
        case = [[feeds[name] for name in self._inputs]]
        rng = np.random.default_rng(golden_inputs.SEED)
        with _in_the_model(), observing() as runs:
            self._oracle.outputs(case)
            for _ in range(_PERTURBATIONS):
                self._oracle.nudged_outputs(case, rng, weights=self._oracle.light)
            self._oracle.noisy_outputs(case, rng, 0)
            self._oracle.reordered_outputs(case)
            keras_runs = [_arrays(run) for run in runs]
        with observing() as runs:
            twin = self._oracle.twin_outputs(case)
            truths = keras_runs[0] if twin is None else _arrays(runs[-1])
        self.source = PERTURBATION if twin is None else TWIN
        given = {tensor: feeds[name] for tensor, name in self._given.items()}
        layers = [LayerTruth(call, tuple(self._outputs(call, keras_runs, truths, given))) for call in self.calls]
        return eager_identities.marked(layers)

    def intervened(
        self, feeds: Mapping[str, Array], layer: str, index: int, value: Array, seen: str
    ) -> list[Array] | None:
        """What the layer `seen` gives in the twin if one output of another had this value; None where no twin runs."""
        sites = {call.name: call.site for call in self.calls}
        with observing({sites[layer].key: {index: value}}) as runs:
            if self._asked.truth([[feeds[name] for name in self._inputs]]) is None:
                self._asked = Oracle(self._program)  # the value was at fault, not the twin
                return None
            results = _arrays(runs[-1])
        return results.get(sites[seen].key, [])

    def _outputs(
        self, call: TracedCall, keras_runs: Sequence[_Run], truths: _Run, given: Mapping[str, Array]
    ) -> list[LayerOutput]:
        key = call.site.key
        computed, true = keras_runs[0].get(key, []), truths.get(key, [])
        if not len(computed) == len(true) == len(call.tensors):
            return []
        outputs = []
        for index, tensor in enumerate(call.tensors):
            moved = [run[key][index] for run in keras_runs[1:] if len(run.get(key, [])) == len(computed)]
            if (output := _output(tensor, computed[index], true[index], moved, self.source)) is not None:
                outputs.append(replace(output, recurrent=call.site.recurrent, given=given.get(tensor)))
        return outputs


@contextlib.contextmanager
def _in_the_model() -> Iterator[None]:
    """Within the block, whatever the model raises is an error of the model."""
    try:
        yield
    except Exception as error:  # the model's own code may raise anything
        raise ModelError("the .keras artifact fails on inputs of the bundle", got=located(error)) from error


def _traced_run(program: Program, runs: Sequence[list[Call]]) -> list[Call]:
    """The run in which the program was traced; in others the model was called to find out what it takes."""
    graph = program.core.graph
    for run in reversed(runs):
        if any(getattr(each, "graph", None) is graph for call in run for each in call.outputs):
            return run
    return []


def _arrays(run: Sequence[Call]) -> dict[tuple[str, int], list[Array]]:
    return {call.site.key: [to_array(each) for each in call.outputs] for call in run}


def _output(tensor: str, computed: Array, true: Array, moved: Sequence[Array], source: str) -> LayerOutput | None:
    """The output with its limit; None where the twin's has another shape, or it is text."""
    if computed.shape != true.shape or computed.dtype.kind not in "fiub":
        return None
    spec = TensorSpec(tensor, computed.dtype.name, computed.shape)
    truth = widened(true) if spec.is_float else true.astype(computed.dtype)
    moves = movement(spec, computed, truth, moved)
    if not spec.is_float:
        return LayerOutput(tensor, spec, limit_for(spec, 1.0, 0.0, source), truth, computed, moves)
    scale = largest(truth[np.isfinite(computed)]) or 1.0
    # One golden says little about the noise, as it may be right by chance; how far one ulp moves it says more.
    noise = robust_floor([np.where(np.isfinite(moves), moves, 0.0)], scale, EPSILON.get(spec.dtype, EPSILON["float32"]))
    limit = limit_for(spec, scale, noise * scale, source)
    return LayerOutput(tensor, spec, limit, truth, computed, moves)
