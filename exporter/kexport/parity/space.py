"""The inputs that a search draws from: samples of accepted shapes, within the domains of the inputs."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from kexport.bundle.domain import Domain, Samples, placed
from kexport.bundle.folder import Bundle
from kexport.bundle.signature import Array, Signature

#: For each input, an array whose first axis counts the samples.
Population = dict[str, Array]
#: For each input, the shape of one sample.
Form = Mapping[str, tuple[int, ...]]


def other(name: str) -> str:
    """The name of a second value of an input; no input can have it."""
    return f"{name}'"


_Draw = Callable[[np.random.Generator, int, tuple[int, ...], float, float], Array]


class Space:
    """All inputs of a model: their domains, and the shapes that the model accepts.

    Args:
        signature: the signature of the model.
        domains: one per input.
        shapes: the shapes of whole inputs that the model accepts.

    Attributes:
        batched: whether samples may be stacked along the first axis; if not, a sample is one whole call.
        forms: the distinct shapes of one sample.
    """

    def __init__(
        self, signature: Signature, domains: Mapping[str, Domain], shapes: Sequence[Mapping[str, tuple[int, ...]]]
    ) -> None:
        self.inputs = signature.inputs
        self.domains = domains
        self.batched = all(spec.shape[:1] == (None,) for spec in (*signature.inputs, *signature.outputs))
        skip = 1 if self.batched else 0
        forms = {tuple((name, shape[skip:]) for name, shape in each.items()): None for each in shapes}
        self.forms: list[Form] = [dict(form) for form in forms]
        self.recorded = any(isinstance(domain, Samples) for domain in domains.values())
        self.names = [spec.name for spec in signature.inputs]
        self._others: frozenset[str] = frozenset()

    def twice(self, names: Sequence[str]) -> Space:
        """The same space with a second value of some inputs in every sample, named `other(NAME)`."""
        double = copy.copy(self)
        double._others = frozenset(other(name) for name in names)
        double.inputs = (*self.inputs, *(replace(s, name=other(s.name)) for s in self.inputs if s.name in names))
        double.domains = {**self.domains, **{other(name): self.domains[name] for name in names}}
        double.forms = [{**form, **{other(name): form[name] for name in names}} for form in self.forms]
        double.names = [spec.name for spec in double.inputs]
        return double

    def elements(self, form: Form) -> int:
        """The number of elements of one sample, over all inputs."""
        return max(1, sum(int(np.prod(shape)) for shape in form.values()))

    def random(self, rng: np.random.Generator, count: int, form: Form) -> Population:
        """Samples drawn from the domains; recorded inputs take the same rows."""
        seed = int(rng.integers(1 << 32))
        return {name: self._cast(name, self._drawn(name, seed, count, form[name])) for name in form}

    def _drawn(self, name: str, seed: int, count: int, shape: tuple[int, ...]) -> Array:
        domain = self.domains[name]
        if not isinstance(domain, Samples):
            return domain.sample(np.random.default_rng([seed, self.names.index(name)]), (count, *shape))
        # The same rows of every recorded input, but other rows for a second value.
        rng = np.random.default_rng([seed, int(name in self._others)])
        if self.batched:
            return domain.sample(rng, (count, *shape))
        return np.stack([domain.sample(rng, shape) for _ in range(count)])

    def structured(self, kind: int, rng: np.random.Generator, count: int, form: Form) -> tuple[str, Population]:
        """The label of the `kind`th pattern, modulo their number, and samples of it."""
        label, draw = _PATTERNS[kind % len(_PATTERNS)]
        drawn = self.random(rng, count, form)
        for name, shape in form.items():
            corners = self.domains[name].corners()
            if corners:
                values = draw(rng, count, shape, min(corners), max(corners))
                drawn[name] = self._project(name, placed(self.domains[name], values))
        return label, drawn

    def project(self, population: Population) -> Population:
        """The nearest samples within the domains."""
        return {name: self._project(name, values) for name, values in population.items()}

    def _project(self, name: str, values: Array) -> Array:
        return self._cast(name, self.domains[name].project(values))

    def _cast(self, name: str, values: Array) -> Array:
        dtype = next(spec.numpy_dtype for spec in self.inputs if spec.name == name)
        return np.ascontiguousarray(np.asarray(values).astype(dtype))

    def widths(self, name: str) -> float:
        """A typical step in the input's domain; 0 where there is none."""
        return self.domains[name].spread()


def _constants(rng: np.random.Generator, count: int, shape: tuple[int, ...], low: float, high: float) -> Array:
    """One value in each sample, spread evenly over the range."""
    levels = low + (high - low) * (np.arange(count) + rng.random(count)) / count
    return np.array(np.broadcast_to(levels.reshape(count, *[1] * len(shape)), (count, *shape)))


def _ends(rng: np.random.Generator, count: int, shape: tuple[int, ...], low: float, high: float) -> Array:
    """Each element at one of the ends; in some samples most of them at the same end."""
    share = rng.choice([0.5, 0.5, 0.1, 0.9], (count, *[1] * len(shape)))
    return np.asarray(np.where(rng.random((count, *shape)) < share, low, high))


def _impulses(rng: np.random.Generator, count: int, shape: tuple[int, ...], low: float, high: float) -> Array:
    """One level, except for one element, or a few, at another level."""
    size = int(np.prod(shape))
    levels = np.array([low, high, (low + high) / 2, min(max(0.0, low), high)])
    flat = np.repeat(rng.choice(levels, (count, 1)), size, axis=1)
    for _ in range(int(rng.integers(1, 4))):
        places = rng.integers(0, max(1, size), count)
        flat[np.arange(count), places] = rng.choice([*levels, *rng.uniform(low, high, 4)], count)
    return np.asarray(flat.reshape(count, *shape))


def _magnitudes(rng: np.random.Generator, count: int, shape: tuple[int, ...], low: float, high: float) -> Array:
    """Numbers of all magnitudes, down to 1e-9 of the range."""
    sizes = max(abs(low), abs(high)) * 10.0 ** rng.uniform(-9, 0, (count, *shape))
    return np.asarray(sizes * rng.choice([-1.0, 1.0], (count, *shape)))


def _grid(rng: np.random.Generator, count: int, shape: tuple[int, ...], low: float, high: float) -> Array:
    """Whole numbers, halves and tenths: the edges of rounding and comparisons."""
    step = rng.choice([1.0, 0.5, 0.1], (count, *[1] * len(shape)))
    return np.asarray(np.round(rng.uniform(low, high, (count, *shape)) / step) * step)


def _waves(rng: np.random.Generator, count: int, shape: tuple[int, ...], low: float, high: float) -> Array:
    """Sines of all frequencies along the flattened sample, over the whole range."""
    size = int(np.prod(shape))
    angle = rng.uniform(0, np.pi, (count, 1)) * np.arange(size) + rng.uniform(0, 2 * np.pi, (count, 1))
    return np.asarray(((low + high) / 2 + (high - low) / 2 * np.sin(angle)).reshape(count, *shape))


def _near_ends(rng: np.random.Generator, count: int, shape: tuple[int, ...], low: float, high: float) -> Array:
    """Elements within a hundredth of an end."""
    inward = (high - low) * 10.0 ** rng.uniform(-6, -2, (count, *shape))
    return np.where(rng.random((count, *shape)) < 0.5, low + inward, high - inward)


_PATTERNS: tuple[tuple[str, _Draw], ...] = (
    ("one value throughout", _constants),
    ("elements at the ends", _ends),
    ("impulses", _impulses),
    ("round numbers", _grid),
    ("all magnitudes", _magnitudes),
    ("near the ends", _near_ends),
    ("waves", _waves),
)
PATTERNS = len(_PATTERNS)


def space_of(bundle: Bundle) -> Space:
    """The space of a bundle's inputs: its domains and the shapes of its goldens, whose digest has been checked."""
    shapes = [{name: value.shape for name, value in golden.inputs.items()} for golden in bundle.goldens(checked=True)]
    return Space(bundle.signature, bundle.domains(), shapes)
