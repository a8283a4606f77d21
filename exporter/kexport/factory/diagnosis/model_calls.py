"""Calls of a whole model: eager ones, with a record of the calls of its layers, and of the traced function."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kexport.bundle.domain import Domain
from kexport.bundle.signature import Array
from kexport.errors import ModelError, located
from kexport.factory.diagnosis import remarks
from kexport.factory.diagnosis.replays import seed_generators
from kexport.factory.localisation.layer_calls import Call, CallSite, observing
from kexport.factory.trace.explanation import explained
from kexport.factory.trace.program import Program
from kexport.runtimes.keras_model import to_array, to_tensor

#: Constants, such as zeros, are tried of every domain; of samples none but what was recorded.
_OTHER_INPUTS = "give inputs that it takes: a domain of each (--domain), or recorded samples (--samples)"


@dataclass(frozen=True)
class ModelRun:
    """One eager call of the model.

    Attributes:
        arrays: its inputs, flat.
        outputs: its outputs, flat.
        calls: the calls of its layers, and of itself at the end.
    """

    arrays: list[Array]
    outputs: list[Array]
    calls: list[Call]


class ModelCalls:
    """A model, called again and again from the state in which it was traced.

    Args:
        program: the traced model.
        domains: of its inputs.
    """

    def __init__(self, program: Program, domains: Mapping[str, Domain]) -> None:
        self._program = program
        self._model: Any = program.model
        self._domains = domains
        seeds = [seed.state.value.handle for seed in seed_generators(self._model)]
        self._kept = [(v, value) for v, value in program.state if not any(v.handle is each for each in seeds)]

    def reset(self) -> None:
        """Restore the state of the model, but that of generators of random numbers."""
        for variable, value in self._kept:
            variable.assign(value)

    def eager(self, arrays: Sequence[Array]) -> list[Array]:
        """The outputs of the model itself; may raise anything."""
        self.reset()
        return self._program.interface.run(self._model, arrays)

    def run(self, arrays: list[Array]) -> ModelRun:
        """Call the model, recording the calls of its layers.

        Raises:
            ModelError: it fails.
        """
        import keras

        interface = self._program.interface
        tensors = [to_tensor(spec.dtype, array) for spec, array in zip(interface.inputs, arrays, strict=True)]
        self.reset()
        with observing() as runs:
            try:
                results = keras.tree.flatten(interface.call(self._model, tensors))
            except Exception as error:  # the model's own code may raise anything
                raise self._failing(error, runs[-1] if runs else []) from error
        given, named = interface.pack(tensors)
        site = CallSite("", 1, type(self._model).__name__)
        itself = Call(site, "", results, self._model, (given, {**named, "training": False}))
        return ModelRun(arrays, [to_array(each) for each in results], [*runs[0], itself])

    def _failing(self, error: Exception, calls: Sequence[Call]) -> ModelError:
        wrong = remarks.wrong_shape(calls)
        explanation = explained(error, self._program.model)
        got, hint = explanation.facts(located(error), _OTHER_INPUTS)
        if wrong:
            got, hint = f"{wrong}\n            {got}", remarks.DECLARED
        return ModelError(
            f"model {self._model.name!r} fails on inputs drawn from their domains",
            got=got,
            expected="; ".join(f"{name} in {domain}" for name, domain in self._domains.items()),
            hint=hint,
        )

    def core(self, arrays: Sequence[Array]) -> list[Array]:
        """The outputs of the traced function; may raise anything."""
        specs = self._program.signature.inputs
        self._program.reset()
        results = self._program.core(*(to_tensor(s.dtype, a) for s, a in zip(specs, arrays, strict=True)))
        self._program.reset()
        return [to_array(each) for each in results]
