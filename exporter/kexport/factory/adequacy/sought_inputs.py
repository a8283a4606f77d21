"""Inputs that may see what the goldens do not: within the domains first, then beyond those that were guessed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from kexport.bundle.domain import Samples
from kexport.bundle.signature import Array, Signature, TensorSpec
from kexport.factory.adequacy.allowance import Allowance
from kexport.factory.adequacy.occurrences import Occurrences, filled
from kexport.factory.inputs import InputDomains
from kexport.parity.golden_inputs import Feeds
from kexport.parity.sampler import Sampler
from kexport.parity.space import Form, Space

#: How the labels of inputs begin that leave a guessed domain.
BEYOND = "beyond the guessed domain"
_ELEMENTS = 1 << 18  # of one sought input, at most, where a sample is smaller
_TARGET = "adequacy"


@dataclass(frozen=True)
class SoughtSpace:
    """Where inputs are sought.

    Attributes:
        space: the domains, and the shapes that the model takes.
        guessed: the inputs whose domain nobody declared.
        allowance: how many samples an input has, and how far it may leave its domain.
    """

    space: Space
    guessed: frozenset[str]
    allowance: Allowance

    @classmethod
    def of(
        cls,
        signature: Signature,
        inputs: InputDomains,
        shapes: Sequence[Mapping[str, tuple[int, ...]]],
        allowance: Allowance,
    ) -> SoughtSpace:
        """The space around goldens of these shapes."""
        return cls(Space(signature, inputs.domains, shapes), frozenset(inputs.undeclared), allowance)

    @property
    def recorded(self) -> bool:
        """Whether an input is recorded data."""
        return self.space.recorded

    @property
    def steady(self) -> list[str]:
        """The recorded inputs that are the same in all samples."""
        recorded = [(name, domain.values) for name, domain in self.space.domains.items() if isinstance(domain, Samples)]
        return [name for name, values in recorded if len(values) and bool((values == values[:1]).all())]

    def within(self, seed: int, count: int) -> Iterator[tuple[str, Feeds]]:
        """Inputs within the domains: patterns and random ones; of recorded data, anything within its range."""
        sampler = Sampler(self.space, [_TARGET], seed, largest=self.allowance.rows)
        rng = np.random.default_rng([seed, 1])
        for index in range(count):
            if self.recorded and index % 2:
                yield "in the recorded range", self._ranged(rng)
                continue
            trial = sampler.ask(self._rows(self.space.forms[0]))
            yield trial.origin, trial.feeds(self.space.batched)

    def suggested(self, occurrences: Occurrences, names: frozenset[str]) -> Iterator[tuple[str, Feeds]]:
        """Inputs that hold the keys, and values at the edges, that have not occurred, where inputs may have them."""
        rng = np.random.default_rng(0)
        specs = [spec for spec in self.space.inputs if spec.name in names]
        for subject, name, values in occurrences.suggestions(specs):
            form = self._form(rng)
            leading = (1,) if self.space.batched else ()
            array = filled((*leading, *form[name]), values)
            drawn = self.space.random(rng, len(array) if self.space.batched else 1, form)
            feeds = self._feeds(drawn)
            yield f"values that {subject} knows", {**feeds, name: array}

    def beyond(self, seed: int, names: frozenset[str]) -> Iterator[tuple[str, Feeds]]:
        """Inputs of which those of these names leave their domains, ever further.

        Their samples are of all sizes up to the largest: what saturates at both ends is seen in between.
        """
        rng = np.random.default_rng([seed, 2])
        for magnitude in self.allowance.magnitudes:
            for index in range(self.allowance.each):
                form = self._form(rng)
                drawn = self.space.random(rng, self._rows(form), form)
                for spec in self.space.inputs:
                    if spec.name in names and spec.numpy_dtype.kind in "fciu":
                        width = max(1.0, self.space.widths(spec.name))
                        sign = (None, 1.0)[index] if magnitude < 100 else (None, -1.0)[index]
                        drawn[spec.name] = _far(spec, rng, drawn[spec.name].shape, magnitude * width, sign)
                yield f"{BEYOND}, up to {magnitude:g} of its width", self._feeds(drawn)

    def _ranged(self, rng: np.random.Generator) -> Feeds:
        """Numbers drawn evenly between the least and the largest that a recording, or a domain, holds."""
        form = self._form(rng)
        drawn = self.space.random(rng, self._rows(form), form)
        for spec in self.space.inputs:
            domain, values = self.space.domains[spec.name], drawn[spec.name]
            if isinstance(domain, Samples) and spec.numpy_dtype.kind in "fiu":
                far = np.full(values.shape, np.finfo(np.float32).max)
                low, high = domain.project(-far), domain.project(far)
                drawn[spec.name] = low + (high - low) * rng.random(values.shape)
        return self._feeds(self.space.project(drawn))

    def _form(self, rng: np.random.Generator) -> Form:
        return self.space.forms[int(rng.integers(len(self.space.forms)))]

    def _rows(self, form: Form) -> int:
        return max(1, min(self.allowance.rows, _ELEMENTS // self.space.elements(form)))

    def _feeds(self, population: dict[str, Array]) -> Feeds:
        if self.space.batched:
            return population
        return {name: np.array(values[0]) for name, values in population.items()}


def _far(spec: TensorSpec, rng: np.random.Generator, shape: tuple[int, ...], size: float, sign: float | None) -> Array:
    """Numbers of up to about this size, of both signs or of one."""
    shares = np.linspace(0.0, 1.0, shape[0] + 1)[1:].reshape(-1, *[1] * (len(shape) - 1))
    values = rng.normal(0.0, 1.0, shape) * size * shares
    if sign is not None:
        values = sign * np.abs(values)
    if spec.numpy_dtype.kind in "iu":
        bounds = np.iinfo(spec.numpy_dtype)
        values = np.clip(np.rint(values), max(bounds.min, -(2.0**52)), min(bounds.max, 2.0**52))
    else:
        most = float(np.finfo(spec.numpy_dtype).max) / 4
        values = np.clip(values, -most, most)
    return np.asarray(values.astype(spec.numpy_dtype))
