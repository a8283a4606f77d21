"""The inputs on which a converter measures the range of each tensor: never those that check the result."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from kexport.bundle.domain import Domain
from kexport.bundle.goldens import Golden
from kexport.bundle.signature import Array, Signature
from kexport.parity import golden_inputs

#: Another one than that of the goldens: of what is drawn, nothing is both calibrated and checked on.
SEED = golden_inputs.SEED + 1
Feeds = Mapping[str, Array]


def calibration_inputs(
    signature: Signature, domains: Mapping[str, Domain], goldens: Sequence[Golden]
) -> Iterator[Feeds]:
    """Inputs from all over the domains: random ones, corners, and the recorded samples set aside for this.

    Args:
        signature: of the model.
        domains: of its inputs.
        goldens: those that check it; the sizes of dynamic axes are theirs.
    """
    known = {_sizes(golden.inputs) for golden in goldens}

    def refusal(feeds: Feeds) -> str | None:
        return None if _sizes(feeds) in known else "no golden has these sizes"

    for _, feeds in golden_inputs.plan(signature, domains, refusal, SEED, calibrating=True):
        yield feeds


def _sizes(feeds: Feeds) -> tuple[tuple[int, ...], ...]:
    return tuple(value.shape[1:] for value in feeds.values())
