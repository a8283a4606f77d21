"""Limits for comparing two models: from manifests, or measured from input noise."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from kexport.bundle.limits import OutputLimit
from kexport.bundle.signature import Signature
from kexport.field.comparison.inputs import Case
from kexport.field.comparison.noise import Noise
from kexport.field.comparison.operands import Operand
from kexport.field.comparison.shared_interface import SharedInterface
from kexport.field.remote import RemoteSession
from kexport.parity.strictness import Strictness
from kexport.parity.tolerance import EPSILON, UNMEASURED, between, declaration, for_kernels

Limits = dict[str, OutputLimit]
Shapes = dict[str, tuple[int, ...]]
_SECONDS = 60.0  # of measuring noise, in six calls a case; one that takes a second would need ten minutes
_FEWEST = 4  # cases that it is measured on, however long that takes
_FIXED = (
    "the models' noise cannot be measured, because no input can be perturbed: the limit is a fixed one; "
    "--tolerance OUTPUT=LIMIT declares another"
)


@dataclass(frozen=True)
class DerivedLimits:
    """How far pairs of artifacts may be from each other.

    Attributes:
        pairs: for each pair, the limits by output.
        shapes: the shapes of the inputs of every case.
        notes: notes for the reader about the limits.
    """

    pairs: Sequence[Limits]
    shapes: Sequence[Shapes]
    notes: Sequence[str]


def ulp_of(operands: Sequence[Operand], signature: Signature) -> float:
    """One unit in the last place, relative to 1, of the coarsest arithmetic in either model, as far as is known."""
    stated = [operand.bundle.manifest.ulp for operand in operands if operand.bundle is not None]
    floats = [EPSILON[spec.dtype] for spec in (*signature.inputs, *signature.outputs) if spec.dtype in EPSILON]
    return max(stated or floats or [EPSILON["float32"]])


def derive_limits(
    operands: tuple[Operand, Operand],
    shared: SharedInterface,
    pairs: Sequence[tuple[RemoteSession, RemoteSession]],
    cases: Iterable[Case],
    strictness: Strictness,
) -> DerivedLimits:
    """The largest allowed difference for each pair of artifacts.

    Args:
        operands: A and B.
        shared: their interface.
        pairs: sessions of A and B; a bare artifact is in one pair only.
        cases: the inputs that a bare artifact's noise is measured on.
        strictness: the limits that a person declared.

    Raises:
        UsageError: a tolerance is declared for no output.
    """
    ulp = ulp_of(operands, shared.signature)
    bare = {index: Noise(shared, ulp) for index, operand in enumerate(operands) if operand.bundle is None}
    shapes, notes = _measured(bare, pairs[0], cases)
    limits = [_of_manifest(each, names.outputs) for each, names in zip(operands, (shared.a, shared.b), strict=True)]
    # A is the reference: what B computes must not make the scale larger.
    scales = bare[0].scales if 0 in bare else {name: limit.scale for name, limit in limits[0].items()}
    for index, noise in bare.items():
        limits[index] = noise.limits(scales)
        if not noise.steady:
            notes.append(f"{pairs[0][index].label} returns different outputs for the same inputs")
        if any(limit.source == UNMEASURED for limit in limits[index].values()):
            notes.append(_FIXED)
    derived: list[Limits] = []
    for sessions in pairs:
        a, b = (
            each if index in bare else _for_kernels({**each, **_of_artifact(operand, session, names.outputs)}, session)
            for index, (each, operand, session, names) in enumerate(
                zip(limits, operands, sessions, (shared.a, shared.b), strict=True)
            )
        )
        both = strictness.limits([between(a[spec.name], b[spec.name]) for spec in shared.signature.outputs])
        notes += [declaration(limit) for limit in both if limit.output in strictness.tolerance]
        derived.append({limit.output: limit for limit in both})
    return DerivedLimits(derived, shapes, notes)


def _measured(
    bare: Mapping[int, Noise], pair: tuple[RemoteSession, RemoteSession], cases: Iterable[Case]
) -> tuple[list[Shapes], list[str]]:
    """Measure noise on cases, and only how large the outputs of A are once that takes long; their shapes, and notes."""
    until = time.monotonic() + _SECONDS
    shapes: list[Shapes] = []
    measured = 0
    for _, feeds in cases:
        shapes.append({name: value.shape for name, value in feeds.items()})
        whole = measured < _FEWEST or time.monotonic() < until
        measured += whole
        for index, noise in bare.items():
            if whole:
                noise.add(pair[index], feeds)
            elif index == 0:  # only the scale of A counts
                noise.add_scale(pair[index], feeds)
    short = bool(bare) and measured < len(shapes)
    return shapes, [f"noise is measured on {measured} of {len(shapes)} cases: a call takes long"] if short else []


def _for_kernels(limits: Limits, session: RemoteSession) -> Limits:
    return {name: for_kernels(limit, session.runtime.accumulation_factor) for name, limit in limits.items()}


def _of_manifest(operand: Operand, names: Mapping[str, str]) -> Limits:
    """The limits in the manifest of a bundle, by other names; none of a bare artifact."""
    if operand.bundle is None:
        return {}
    return _renamed(operand.bundle.manifest.limits, names)


def _of_artifact(operand: Operand, session: RemoteSession, names: Mapping[str, str]) -> Limits:
    """The limits that an artifact in a bundle has of its own, likewise."""
    artifacts = operand.bundle.manifest.artifacts if operand.bundle is not None else ()
    own = [artifact.limits for artifact in artifacts if artifact.path == session.artifact]
    return _renamed(own[0], names) if own and own[0] else {}


def _renamed(limits: Iterable[OutputLimit], names: Mapping[str, str]) -> Limits:
    stated = {limit.output: limit for limit in limits}
    return {called: replace(stated[name], output=called) for name, called in names.items()}
