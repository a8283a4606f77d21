"""The inputs that two models are compared on before any search."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from kexport.bundle.signature import Array, Signature
from kexport.errors import InputError, ModelError
from kexport.field.comparison.operands import Operand
from kexport.field.comparison.shared_interface import SharedInterface
from kexport.field.remote import NameMap, RemoteSession, RuntimeFailedError
from kexport.parity import golden_inputs

Case = tuple[str, dict[str, Array]]


def comparison_inputs(
    operands: tuple[Operand, Operand], shared: SharedInterface, sessions: Sequence[RemoteSession]
) -> Iterator[Case]:
    """The goldens of the bundles, each input once; where there are none, what a build would take for goldens.

    Args:
        operands: A and B.
        shared: their interface.
        sessions: sessions of both; the inputs of a build must suit both.

    Raises:
        ModelError: every length of the dynamic axes is refused.
    """
    seen: set[str] = set()
    for operand, names in zip(operands, (shared.a, shared.b), strict=True):
        for label, feeds in _goldens_of(operand, names, shared.signature):
            digest = _digest(feeds)
            if digest not in seen:
                seen.add(digest)
                yield label, feeds
    if not seen:

        def refusal(feeds: Mapping[str, Array]) -> str | None:
            for session in sessions:
                try:
                    session.run([feeds])
                except RuntimeFailedError as error:
                    return f"{session.label}: {error}"
            return None

        yield from _planned(shared, refusal)


def _planned(shared: SharedInterface, refusal: Callable[[Mapping[str, Array]], str | None]) -> Iterator[Case]:
    """What a build would take, and longer ones: a model of sound may look no farther than at its first frame else."""
    try:
        yield from golden_inputs.plan(shared.signature, shared.domains, refusal)
    except ModelError:  # the lengths of a build are too short
        long = list(golden_inputs.longer(shared.signature, shared.domains, refusal))
        if not long:
            raise
        yield from long
    else:
        yield from golden_inputs.longer(shared.signature, shared.domains, refusal)


def _goldens_of(operand: Operand, names: NameMap, signature: Signature) -> Iterator[Case]:
    """The goldens of a bundle that fit the signature, under other names."""
    if operand.bundle is None:
        return
    for golden in operand.bundle.goldens():
        feeds = {names.inputs[name]: names.shared(name, value) for name, value in golden.inputs.items()}
        try:
            signature.check(feeds)
        except InputError:
            continue  # of a size that the other model does not take
        yield golden.label, feeds


def _digest(feeds: Mapping[str, Array]) -> str:
    sha256 = hashlib.sha256()
    for name in sorted(feeds):
        sha256.update(f"{name} {feeds[name].shape}".encode() + np.ascontiguousarray(feeds[name]).tobytes())
    return sha256.hexdigest()
