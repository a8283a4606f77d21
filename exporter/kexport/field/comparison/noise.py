"""The limits of a model without a manifest, measured from what nudged inputs do to its outputs."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from kexport.bundle.domain import Bins, Domain, Features
from kexport.bundle.limits import OutputLimit
from kexport.bundle.signature import Array
from kexport.field.comparison.shared_interface import SharedInterface
from kexport.field.remote import RemoteSession, RuntimeFailedError
from kexport.field.search.terms import Nudge
from kexport.parity.conditioning import distance, widened
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

_NUDGES = 4


class Noise:
    """How far one unit in the last place of the inputs moves what a model computes.

    Args:
        shared: the interface of the model; its discrete inputs stay as they are.
        ulp: one unit in the last place, relative to 1.

    Attributes:
        scales: the largest magnitude of each output.
        steady: whether the model returns the same outputs for the same inputs.
    """

    def __init__(self, shared: SharedInterface, ulp: float) -> None:
        self._signature = shared.signature
        discrete = frozenset(name for name, domain in shared.domains.items() if domain.is_discrete)
        self._nudge = Nudge(ulp, discrete, {})
        self._binned = {name: domain for name, domain in shared.domains.items() if _has_bins(domain)}
        self._rng = np.random.default_rng(0)
        self._moving = [spec for spec in shared.signature.inputs if spec.is_float and spec.name not in discrete]
        self._rows: dict[str, list[Array]] = {spec.name: [] for spec in shared.signature.outputs}
        self.scales = dict.fromkeys(self._rows, 0.0)
        self.steady = True

    def add(self, session: RemoteSession, feeds: Mapping[str, Array]) -> None:
        """Measure it on one case; a case that the model rejects is ignored."""
        nudged = [self._nudged(feeds) for _ in range(_NUDGES * bool(self._moving))]
        try:
            base, again, *others = session.run([feeds, feeds, *nudged])
        except RuntimeFailedError:
            return
        for spec in self._signature.outputs:
            value = base[spec.name]
            if not spec.is_float or value.dtype.kind not in "fc":
                continue
            repeated = again[spec.name]
            self.steady &= value.shape == repeated.shape and np.array_equal(value, repeated, equal_nan=True)
            wide = self._scaled(spec.name, value)
            same = [other[spec.name] for other in others if other[spec.name].shape == value.shape]
            self._rows[spec.name] += [by_row(distance(other, wide)) for other in same]

    def _nudged(self, feeds: Mapping[str, Array]) -> Mapping[str, Array]:
        """The inputs moved by one unit in the last place, but across no threshold: every runtime compares exactly."""
        moved = self._nudge(feeds, self._rng)
        return {name: _on_its_side(self._binned.get(name), feeds[name], value) for name, value in moved.items()}

    def add_scale(self, session: RemoteSession, feeds: Mapping[str, Array]) -> None:
        """Take one case into account with the magnitude of the outputs alone, in one call."""
        try:
            (base,) = session.run([feeds])
        except RuntimeFailedError:
            return
        for spec in self._signature.outputs:
            if spec.is_float and base[spec.name].dtype.kind in "fc":
                self._scaled(spec.name, base[spec.name])

    def _scaled(self, output: str, value: Array) -> Array:
        """The value in double precision, after it counted for the scale of the output."""
        wide = widened(value)
        self.scales[output] = max(self.scales[output], largest(np.abs(wide)))
        return wide

    def limits(self, scales: Mapping[str, float]) -> dict[str, OutputLimit]:
        """The limit of each output, relative to the scales.

        Differences between two outputs for the same inputs are not noise, and widen no limit.
        """
        limits = {}
        for spec in self._signature.outputs:
            scale = scales[spec.name] or 1.0
            rows = self._rows[spec.name] if self.steady else []
            floor = robust_floor(rows, scale, EPSILON.get(spec.dtype, EPSILON["float32"])) if spec.is_float else 0.0
            limit = limit_for(spec, scale, floor * scale, PERTURBED)
            still = len(self._moving) < len(self._signature.inputs) or bool(self._binned)
            if spec.is_float and floor == 0.0 and still:
                least = max(limit.limit, UNMEASURED_LIMIT)
                limit = OutputLimit(spec.name, limit.scale, 0.0, least, UNMEASURED)
            limits[spec.name] = limit
        return limits


def _has_bins(domain: Domain) -> bool:
    return isinstance(domain, Bins) or (isinstance(domain, Features) and any(map(_has_bins, domain.each)))


def _on_its_side(domain: Domain | None, value: Array, moved: Array) -> Array:
    """The moved numbers, and the unmoved one where it would cross a threshold or leave it."""
    if isinstance(domain, Bins):
        limits = np.asarray(domain.limits)
        left = np.searchsorted(limits, value, "left") == np.searchsorted(limits, moved, "left")
        right = np.searchsorted(limits, value, "right") == np.searchsorted(limits, moved, "right")
        return np.where(left & right, moved, value)
    if isinstance(domain, Features):
        columns = (_on_its_side(each, value[..., index], moved[..., index]) for index, each in enumerate(domain.each))
        return np.stack(list(columns), axis=-1)
    return moved
