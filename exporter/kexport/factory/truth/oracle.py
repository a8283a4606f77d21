"""What is true of the model on any input: it, and its twin in float64, run eagerly.

The twin is the model with every float policy replaced by float64 and the same weights: made from its configuration,
or the model itself changed in place for a while.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from kexport.bundle.domain import Domain
from kexport.bundle.signature import Array
from kexport.factory.trace.program import Program
from kexport.factory.truth import float64_twin
from kexport.parity.conditioning import nudged, widened
from kexport.parity.tolerance import EPSILON

_MANY_WEIGHTS = 1_000_000


class Oracle:
    """A model and its twin.

    Args:
        program: the traced model.
        domains: of inputs, which are not left when they are nudged; single values, between which nothing lies, stay.
    """

    def __init__(self, program: Program, domains: Mapping[str, Domain] | None = None) -> None:
        self._program = program
        self._domains = dict(domains or {})
        self._twin: Any = None
        self._in_place = False
        self._weights = [] if program.served else program.model.get_weights()

    @property
    def light(self) -> bool:
        """Whether the model is so small that it can be nudged often."""
        return sum(int(weight.size) for weight in self._weights) <= _MANY_WEIGHTS

    def own(self, cases: Sequence[list[Array]]) -> list[list[Array]]:
        """What the model itself computes, of each case of flat inputs; may raise anything."""
        self._program.reset()
        return [self._program.interface.run(self._program.model, case) for case in cases]

    def truth(self, cases: Sequence[list[Array]]) -> list[list[Array]] | None:
        """What the twin computes, None when there is none that runs; real outputs are float64.

        The first way that works is kept for later calls.
        """
        if self._program.served:
            return None
        with float64_twin.everywhere():
            if self._program.interface.tensors and not self._in_place:
                try:
                    self._twin = self._twin or float64_twin.twin(self._program.model)
                    return self._doubled(self._twin, cases)
                except Exception:  # noqa: BLE001  the model's own code may raise anything; it is then changed in place
                    self._twin = None
            self._in_place = True
            try:
                with float64_twin.in_place(self._program.model) as model:
                    return self._doubled(model, cases)
            except Exception:  # noqa: BLE001  likewise; the truth is then sought without a twin
                return None

    def _doubled(self, twin: Any, cases: Sequence[list[Array]]) -> list[list[Array]]:
        interface = self._program.interface.with_dtype(
            lambda dtype: "float64" if float64_twin.is_float(dtype) else dtype
        )
        specs = self._program.signature.outputs
        self._program.reset()
        found = []
        for case in cases:
            outputs = interface.run(twin, [widened(array) for array in case])
            pairs = zip(specs, outputs, strict=True)
            found.append([widened(v) if s.is_float else v.astype(s.numpy_dtype, copy=False) for s, v in pairs])
        return found

    @cached_property
    def epsilon(self) -> float:
        """The coarsest unit in the last place, relative to 1, of what the model computes in."""
        layers = self._program.model._flatten_layers()
        dtypes = {spec.dtype for spec in (*self._program.signature.inputs, *self._program.signature.outputs)}
        dtypes |= {str(layer.dtype_policy.compute_dtype) for layer in layers}
        return max((EPSILON[dtype] for dtype in dtypes if dtype in EPSILON), default=EPSILON["float32"])

    def nudged_inputs(self, case: list[Array], rng: np.random.Generator) -> list[Array]:
        """Flat inputs, each number that may moved by one unit in the last place."""
        pairs = zip(self._program.signature.inputs, case, strict=True)
        return [nudged(array, rng, self.epsilon, self._domains.get(spec.name)) for spec, array in pairs]

    def nudged(
        self, cases: Sequence[list[Array]], rng: np.random.Generator, *, weights: bool = True
    ) -> list[list[Array]]:
        """What the model computes when its inputs, and its weights, move by one unit in the last place."""
        epsilon = self.epsilon
        moved = [self.nudged_inputs(case, rng) for case in cases]
        if not weights or self._program.served:
            return self.own(moved)
        model = self._program.model
        try:
            model.set_weights([nudged(weight, rng, epsilon) for weight in self._weights])
            return self.own(moved)
        finally:
            model.set_weights(self._weights)
            self._program.reset()
