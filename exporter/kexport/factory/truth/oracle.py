"""The model and its float64 twin, run eagerly on any input.

The twin has the weights of the model, and float64 in place of every float policy: it is rebuilt from the configuration
of the model, or it is the model itself, changed in place for the time of a call.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import cached_property, partial
from typing import Any

import numpy as np

from kexport.bundle.domain import Domain
from kexport.bundle.signature import Array
from kexport.factory.trace.program import Program
from kexport.factory.trace.protocols import BuiltModel
from kexport.factory.trace.served import Served
from kexport.factory.truth import float64_twin, graph_twin, operation_noise
from kexport.factory.truth.compiled_loops import compiled_loops
from kexport.factory.truth.eager_graph import EagerFunction
from kexport.parity.conditioning import nudged, widened
from kexport.parity.tolerance import EPSILON

_MANY_WEIGHTS = 1_000_000


class Oracle:
    """A model and its twin.

    Args:
        program: the traced model.
        domains: of inputs, whose bounds nudged inputs keep; an input of single values (`choice`) is not nudged.
    """

    def __init__(self, program: Program, domains: Mapping[str, Domain] | None = None) -> None:
        self._program = program
        self._domains = dict(domains or {})
        self._twin: BuiltModel | None = None
        self._in_place = False
        self._graphs: dict[object, Any] = {}
        self._graph_twin: graph_twin.FlatFunction | None = None
        self._no_graph = False  # whether the graph in float64 fails, or is another function
        self._narrow: tuple[str, ...] | None = None  # layers that compute in float32 in the twin, once it is known
        self._weights = [] if program.served else program.model.get_weights()

    @property
    def served(self) -> bool:
        """Whether the model is a function that TensorFlow loaded."""
        return bool(self._program.served)

    @property
    def light(self) -> bool:
        """Whether the model is small enough to be nudged many times."""
        return sum(int(weight.size) for weight in self._weights) <= _MANY_WEIGHTS

    @property
    def can_nudge_inputs(self) -> bool:
        """Whether any input holds real numbers between which others lie."""
        domains = {spec.name: self._domains.get(spec.name) for spec in self._program.signature.inputs if spec.is_float}
        return any(domain is None or not domain.is_discrete for domain in domains.values())

    @property
    def can_nudge_weights(self) -> bool:
        """Whether weights can be moved, as those of a function that TensorFlow loaded cannot be."""
        return bool(self._weights)

    def outputs(self, cases: Sequence[list[Array]]) -> list[list[Array]]:
        """The outputs of the model itself on each case of flat inputs; may raise anything."""
        self._program.reset()
        with compiled_loops(self._graphs):
            return [self._program.interface.run(self._program.model, case) for case in cases]

    def truth(self, cases: Sequence[list[Array]]) -> list[list[Array]] | None:
        """The true outputs, real ones in float64: those of the twin; None when no twin runs.

        Where layers of the twin compute in float32 all the same, the graph of the model is the twin, if it can be; and
        so it is of a function that TensorFlow loaded, which has no layers.
        """
        if self._graph_twin is not None:
            return self._graph_outputs(self._graph_twin, cases)
        if self._program.served:
            return self._graph_truth(cases)
        if self._narrow is not None:
            return self.twin_outputs(cases)
        with graph_twin.narrow_layers() as narrow:
            truth = self.twin_outputs(cases)
        self._narrow = tuple(narrow)
        if truth is None or not narrow:
            return truth
        by_graph = self._graph_truth(cases)
        return truth if by_graph is None else by_graph

    def _graph_truth(self, cases: Sequence[list[Array]]) -> list[list[Array]] | None:
        """The outputs of the model's graph in float64, which is the twin from now on; None where it cannot be."""
        if self._no_graph or self._program.state:  # state would become constants
            return None
        for twin in (graph_twin.graph_twin, partial(EagerFunction, double=True)):
            try:
                self._graph_twin = twin(self._program.core)
                outputs = self._graph_outputs(self._graph_twin, cases)
            except Exception:  # noqa: BLE001  a kernel, or the graph itself, exists in single precision alone
                continue
            single = isinstance(self._graph_twin, EagerFunction) and self._graph_twin.single
            if self._program.served or not single:  # the twin of a model has layers, which a note can name
                return outputs
        self.without_graph()
        return None

    def without_graph(self) -> bool:
        """From now on the graph of the model is no twin, because it is another function; whether it was one."""
        was, self._graph_twin, self._no_graph = self._graph_twin is not None, None, True
        return was

    @property
    def notes(self) -> list[str]:
        """What a report says of the twin."""
        if isinstance(self._graph_twin, EagerFunction) and self._graph_twin.single:
            single = ", ".join(self._graph_twin.single)
            return [f"{single}: computed in float32 in the truth too, which knows nothing of its rounding there"]
        if not self._narrow or self._graph_twin is not None:
            return []
        note = (
            f"{', '.join(self._narrow)} computes in float32 whatever its dtype is, and so does the truth there, which "
            "knows nothing of its rounding: compute in the dtype of the input, or in self.compute_dtype"
        )
        return [note]

    def _graph_outputs(self, twin: graph_twin.FlatFunction, cases: Sequence[list[Array]]) -> list[list[Array]]:
        return [self._typed(twin([widened(array) for array in case])) for case in cases]

    def twin_outputs(self, cases: Sequence[list[Array]]) -> list[list[Array]] | None:
        """The outputs of the twin, run eagerly; None when no twin runs.

        The first way of making one that works is kept for later calls.
        """
        model = self._program.model
        assert not isinstance(model, Served), "its twin is its graph"
        with float64_twin.everywhere():
            if self._program.interface.tensors and not self._in_place:
                try:
                    self._twin = self._twin or float64_twin.twin(model)
                    return self._doubled(self._twin, cases)
                except Exception:  # noqa: BLE001  the model's own code may raise anything; it is then changed in place
                    self._twin = None
            self._in_place = True
            try:
                with float64_twin.in_place(model):
                    return self._doubled(model, cases)
            except Exception:  # noqa: BLE001  likewise; there is then no twin
                return None

    def _doubled(self, twin: BuiltModel, cases: Sequence[list[Array]]) -> list[list[Array]]:
        interface = self._program.interface.with_dtype(
            lambda dtype: "float64" if float64_twin.is_float(dtype) else dtype
        )
        self._program.reset()
        with compiled_loops({} if self._in_place else self._graphs):  # the twin in place has other variables
            return [self._typed(interface.run(twin, [widened(array) for array in case])) for case in cases]

    def _typed(self, outputs: Sequence[Array]) -> list[Array]:
        pairs = zip(self._program.signature.outputs, outputs, strict=True)
        return [widened(v) if s.is_float else v.astype(s.numpy_dtype, copy=False) for s, v in pairs]

    @cached_property
    def epsilon(self) -> float:
        """One unit in the last place, relative to 1, of the coarsest dtype that the model computes in."""
        layers = self._program.model._flatten_layers()
        dtypes = {spec.dtype for spec in (*self._program.signature.inputs, *self._program.signature.outputs)}
        dtypes |= {str(layer.dtype_policy.compute_dtype) for layer in layers}
        return max((EPSILON[dtype] for dtype in dtypes if dtype in EPSILON), default=EPSILON["float32"])

    def nudged_inputs(self, case: list[Array], rng: np.random.Generator) -> list[Array]:
        """Flat inputs, with every number that may be nudged moved by one unit in the last place."""
        pairs = zip(self._program.signature.inputs, case, strict=True)
        return [nudged(array, rng, self.epsilon, self._domains.get(spec.name)) for spec, array in pairs]

    def nudged_outputs(
        self, cases: Sequence[list[Array]], rng: np.random.Generator, *, weights: bool = True
    ) -> list[list[Array]]:
        """The outputs of the model when its inputs, and its weights, move by one unit in the last place."""
        moved = [self.nudged_inputs(case, rng) for case in cases]
        with self._nudged_weights(rng) if weights else contextlib.nullcontext():
            return self.outputs(moved)

    def noisy_outputs(self, cases: Sequence[list[Array]], rng: np.random.Generator, draw: int) -> list[list[Array]]:
        """The outputs when inputs, and the result of every operation inside, move by one unit in the last place.

        Args:
            cases: flat inputs of each.
            rng: draws the directions.
            draw: the number of the draw; sums are computed in another order in each.
        """
        moved = [self.nudged_inputs(case, rng) for case in cases]
        return self._outputs_within(operation_noise.in_every_operation(rng, draw), moved)

    def reordered_outputs(self, cases: Sequence[list[Array]]) -> list[list[Array]] | None:
        """The outputs when nothing moves but the order of sums; None of a model that has none."""
        if not operation_noise.adds(self._program.core.graph):
            return None
        return self._outputs_within(operation_noise.in_the_order_of_sums(), cases)

    def exactly_summed_outputs(self, cases: Sequence[list[Array]]) -> list[list[Array]] | None:
        """The outputs when sums inside are as exact as their dtype allows; None of a model that has none."""
        if not operation_noise.adds(self._program.core.graph):
            return None
        return self._outputs_within(operation_noise.in_exact_sums(), cases)

    def _outputs_within(self, noise: AbstractContextManager[None], cases: Sequence[list[Array]]) -> list[list[Array]]:
        try:
            with noise:
                return self._eager_outputs(cases) if self._program.served else self.outputs(cases)
        except Exception:  # noqa: BLE001  the model's own code may refuse what noise has made of a number
            return self.outputs(cases)

    def _eager_outputs(self, cases: Sequence[list[Array]]) -> list[list[Array]]:
        """The outputs of a function that TensorFlow loaded, whose operations run one by one."""
        self._program.reset()
        return [self._eager(case) for case in cases]

    @cached_property
    def _eager(self) -> graph_twin.FlatFunction:
        return EagerFunction(self._program.core)

    @contextlib.contextmanager
    def _nudged_weights(self, rng: np.random.Generator) -> Iterator[None]:
        if self._program.served:
            yield
            return
        model = self._program.model
        try:
            model.set_weights([nudged(weight, rng, self.epsilon) for weight in self._weights])
            yield
        finally:
            model.set_weights(self._weights)
            self._program.reset()
