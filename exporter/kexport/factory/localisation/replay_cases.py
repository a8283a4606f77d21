"""The inputs on which an artifact of a bundle is replayed: the goldens, then the witnesses that searches left."""

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
class ReplayCase:
    """One input with its truth.

    Attributes:
        golden: input and truth.
        limits: one per output.
        before: inputs of the calls that a session makes first.
    """

    golden: Golden
    limits: tuple[OutputLimit, ...]
    before: Sequence[Mapping[str, Array]] = ()

    @property
    def calls(self) -> list[Mapping[str, Array]]:
        """The inputs of every call; the results of the last one are compared."""
        return [*self.before, self.golden.inputs]

    def sample(self, row: int) -> ReplayCase:
        """The case with one of its samples."""

        def one(arrays: Mapping[str, Array]) -> dict[str, Array]:
            return {name: array[row : row + 1] for name, array in arrays.items()}

        golden = self.golden
        parts = [one(part) for part in (golden.inputs, golden.truth, golden.keras_output, golden.ulp_sensitivity)]
        sample = Golden(f"{golden.label}, sample {row}", *parts)
        return ReplayCase(sample, self.limits, [one(call) for call in self.before])


def replay_cases(bundle: Bundle, accumulation_factor: float, own: Sequence[OutputLimit] = ()) -> Iterator[ReplayCase]:
    """The cases of a bundle in order, one in memory at a time.

    Args:
        bundle: the bundle.
        accumulation_factor: the accumulation factor of the runtime.
        own: the limits of an artifact in a small precision; by default those of the model hold.

    Raises:
        ArtifactError: the goldens are not those that were built.
        BundleError: a witness is damaged.
    """
    stated = [limit.of_one_case() for limit in own] or bundle.manifest.limits
    limits = tuple(for_kernels(limit, accumulation_factor) for limit in stated)
    for golden in bundle.goldens():
        yield ReplayCase(golden, limits)
    for path, witness in witnesses.stream(bundle.path, bundle.signature, bundle.max_bytes):
        widened = tuple(limit.widened_by(witness) for limit in limits)
        yield ReplayCase(replace(witness.golden, label=f"{path} ({witness.golden.label})"), widened, witness.before)
