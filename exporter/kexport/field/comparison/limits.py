"""How much two models may differ: the limits of bundles, or the noise of those of which nothing is known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from kexport.bundle.domain import Domain
from kexport.bundle.limits import OutputLimit
from kexport.bundle.signature import Signature
from kexport.field.comparison.inputs import Case, Noise
from kexport.field.comparison.operands import Model
from kexport.field.comparison.shared_interface import Frame
from kexport.field.remote import RemoteSession
from kexport.parity.strictness import Strictness
from kexport.parity.tolerance import EPSILON, UNMEASURED, between, declaration, for_kernels

Limits = dict[str, OutputLimit]
Shapes = dict[str, tuple[int, ...]]
_FIXED = (
    "how noisy the models are cannot be measured, since an input cannot be nudged: the limit is a fixed one; "
    "--tolerance OUTPUT=LIMIT declares another"
)


def ulp_of(models: Sequence[Model], signature: Signature) -> float:
    """One unit in the last place, relative to 1, of the coarsest arithmetic that is known of."""
    known = [model.bundle.manifest.ulp for model in models if model.bundle is not None]
    floats = [EPSILON[spec.dtype] for spec in (*signature.inputs, *signature.outputs) if spec.dtype in EPSILON]
    return max(known or floats or [EPSILON["float32"]])


def limits(
    models: Sequence[Model], frame: Frame, domains: Mapping[str, Domain],
    pairs: Sequence[tuple[RemoteSession, RemoteSession]], cases: Iterable[Case], ulp: float, strictness: Strictness,
) -> tuple[list[Shapes], list[Limits], list[str]]:  # fmt: skip
    """The shapes of all cases, what each pair of artifacts may differ by, and notes.

    Args:
        models: A and B.
        frame: of both.
        domains: of the inputs.
        pairs: artifacts of A and B; a bare file is in one pair only.
        cases: on which a bare file's noise is measured.
        ulp: one unit in the last place, relative to 1.
        strictness: the limits that a person declared.

    Raises:
        UsageError: a tolerance is declared for no output.
    """
    bare = {index: Noise(frame.signature, ulp, domains) for index, m in enumerate(models) if m.bundle is None}
    shapes: list[Shapes] = []
    for _, feeds in cases:
        shapes.append({name: value.shape for name, value in feeds.items()})
        for index, noise in bare.items():
            noise.add(pairs[0][index], feeds)
    told = [_told(model, names.outputs) for model, names in zip(models, (frame.a, frame.b), strict=True)]
    # A is taken for right: what B gives must not make the scale larger.
    scales = bare[0].scales if 0 in bare else {name: limit.scale for name, limit in told[0].items()}
    notes = []
    for index, noise in bare.items():
        told[index] = noise.limits(scales)
        if not noise.steady:
            notes.append(f"{pairs[0][index].label} answers the same inputs in different ways")
        if any(limit.source == UNMEASURED for limit in told[index].values()):
            notes.append(_FIXED)
    found: list[Limits] = []
    for remotes in pairs:
        a, b = (
            own if index in bare else _for_kernels(own, remote)
            for index, (own, remote) in enumerate(zip(told, remotes, strict=True))
        )
        both = strictness.limits([between(a[spec.name], b[spec.name]) for spec in frame.signature.outputs])
        notes += [declaration(limit) for limit in both if limit.output in strictness.tolerance]
        found.append({limit.output: limit for limit in both})
    return shapes, found, notes


def _for_kernels(own: Limits, remote: RemoteSession) -> Limits:
    return {name: for_kernels(limit, remote.runtime.accumulation_factor) for name, limit in own.items()}


def _told(model: Model, names: Mapping[str, str]) -> Limits:
    """The limits in the manifest of a bundle, by other names; none of a bare file."""
    if model.bundle is None:
        return {}
    own = {limit.output: limit for limit in model.bundle.manifest.limits}
    return {called: replace(own[name], output=called) for name, called in names.items()}
