"""The inputs that two models are compared on before any search, and how noisy a model of which nothing is known is."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping

import numpy as np

from kexport.bundle.domain import Domain
from kexport.bundle.limits import OutputLimit
from kexport.bundle.signature import Array, Signature
from kexport.errors import InputError
from kexport.field.comparison.operands import Model
from kexport.field.remote import NameMap, RemoteSession, RuntimeFailedError
from kexport.parity import golden_inputs
from kexport.parity.conditioning import distance, nudged, widened
from kexport.parity.tolerance import (
    EPSILON,
    PERTURBED,
    UNMEASURED,
    UNMEASURED_LIMIT,
    by_row,
    largest,
    limit_for,
    robust_floor,
)

Case = tuple[str, dict[str, Array]]
_NUDGES = 4


def goldens_of(model: Model, names: NameMap, signature: Signature) -> Iterator[Case]:
    """The goldens of a bundle that fit the signature, under other names."""
    if model.bundle is None:
        return
    for golden in model.bundle.goldens():
        feeds = {names.inputs[name]: value for name, value in golden.inputs.items()}
        try:
            signature.check(feeds)
        except InputError:
            continue  # of a size that the other model does not take
        yield golden.label, feeds


def rehearsal(
    models: list[tuple[Model, NameMap]],
    signature: Signature,
    domains: Mapping[str, Domain],
    accepts: Callable[[Mapping[str, Array]], str | None],
) -> Iterator[Case]:
    """The goldens of the bundles, each input once; where there are none, what a build would take for goldens.

    Raises:
        ModelError: every length of the dynamic axes is refused.
    """
    seen: set[str] = set()
    for model, names in models:
        for label, feeds in goldens_of(model, names, signature):
            digest = _digest(feeds)
            if digest not in seen:
                seen.add(digest)
                yield label, feeds
    if not seen:
        yield from golden_inputs.plan(signature, domains, accepts)


def _digest(feeds: Mapping[str, Array]) -> str:
    found = hashlib.sha256()
    for name in sorted(feeds):
        found.update(f"{name} {feeds[name].shape}".encode() + np.ascontiguousarray(feeds[name]).tobytes())
    return found.hexdigest()


class Noise:
    """How far one unit in the last place of the inputs moves what a model computes: its limits, without a truth.

    Args:
        signature: of the model.
        ulp: one unit in the last place, relative to 1.
        domains: inputs that take single values only stay as they are.
    """

    def __init__(self, signature: Signature, ulp: float, domains: Mapping[str, Domain]) -> None:
        self._signature, self._ulp = signature, ulp
        self._rng = np.random.default_rng(0)
        self._moving = {spec.name for spec in signature.inputs if spec.is_float and not domains[spec.name].is_discrete}
        self._rows: dict[str, list[Array]] = {spec.name: [] for spec in signature.outputs}
        self.scales = dict.fromkeys(self._rows, 0.0)
        self.steady = True

    def add(self, remote: RemoteSession, feeds: Mapping[str, Array]) -> None:
        """Measure it on one case; a case that the model refuses counts for nothing."""
        moved = [
            {n: nudged(v, self._rng, self._ulp) if n in self._moving else v for n, v in feeds.items()}
            for _ in range(_NUDGES * bool(self._moving))
        ]
        try:
            base, again, *others = remote.run([feeds, feeds, *moved])
        except RuntimeFailedError:
            return
        for spec in self._signature.outputs:
            own = base[spec.name]
            if not spec.is_float or own.dtype.kind not in "fc":
                continue
            self.steady &= own.shape == again[spec.name].shape and np.array_equal(own, again[spec.name], equal_nan=True)
            wide = widened(own)
            self.scales[spec.name] = max(self.scales[spec.name], largest(np.abs(wide)))
            same = [other[spec.name] for other in others if other[spec.name].shape == own.shape]
            self._rows[spec.name] += [by_row(distance(other, wide)) for other in same]

    def limits(self, scales: Mapping[str, float]) -> dict[str, OutputLimit]:
        """The limit of each output, relative to the scales.

        What a model that answers the same inputs in two ways does is no noise, and makes no limit larger.
        """
        found = {}
        for spec in self._signature.outputs:
            scale = scales[spec.name] or 1.0
            rows = self._rows[spec.name] if self.steady else []
            floor = robust_floor(rows, scale, EPSILON.get(spec.dtype, EPSILON["float32"])) if spec.is_float else 0.0
            limit = limit_for(spec, scale, floor * scale, PERTURBED)
            if spec.is_float and floor == 0.0 and len(self._moving) < len(self._signature.inputs):
                least = max(limit.limit, UNMEASURED_LIMIT)
                limit = OutputLimit(spec.name, limit.scale, 0.0, least, UNMEASURED)
            found[spec.name] = limit
        return found
