"""What an artifact of a bundle is replayed on: the goldens, then the witnesses that a search has left."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from kexport.bundle import witnesses
from kexport.bundle.folder import Bundle
from kexport.bundle.goldens import Golden
from kexport.bundle.limits import OutputLimit
from kexport.bundle.signature import Array
from kexport.parity.tolerance import for_kernels


@dataclass(frozen=True)
class Case:
    """One input, and what is true of it.

    Attributes:
        golden: both.
        limits: one an output.
        before: inputs of the calls that a session makes before it.
    """

    golden: Golden
    limits: tuple[OutputLimit, ...]
    before: Sequence[Mapping[str, Array]] = ()

    @property
    def calls(self) -> list[Mapping[str, Array]]:
        """The inputs of every call; the last one counts."""
        return [*self.before, self.golden.inputs]

    def sample(self, row: int) -> Case:
        """One sample of it alone."""

        def one(arrays: Mapping[str, Array]) -> dict[str, Array]:
            return {name: array[row : row + 1] for name, array in arrays.items()}

        golden = self.golden
        parts = [one(part) for part in (golden.inputs, golden.truth, golden.keras_output, golden.ulp_sensitivity)]
        return Case(Golden(f"{golden.label}, sample {row}", *parts), self.limits, [one(call) for call in self.before])


def cases(bundle: Bundle, accumulation_factor: float) -> Iterator[Case]:
    """The cases of a bundle in order, one in memory at a time.

    Args:
        bundle: the bundle.
        accumulation_factor: of the runtime.

    Raises:
        ArtifactError: the goldens are not those that were built.
        BundleError: a witness is damaged.
    """
    limits = tuple(for_kernels(limit, accumulation_factor) for limit in bundle.manifest.limits)
    for golden in bundle.goldens():
        yield Case(golden, limits)
    for path, witness in witnesses.stream(bundle.path, bundle.signature):
        widened = tuple(limit.widened_by(witness) for limit in limits)
        yield Case(replace(witness.golden, label=f"{path} ({witness.golden.label})"), widened, witness.before)
