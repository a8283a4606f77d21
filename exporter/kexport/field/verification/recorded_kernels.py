"""The integers of an artifact against those that were recorded of its kernels at the build."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from kexport.bundle.archives import EXPANSION, Archive
from kexport.bundle.folder import Bundle, require_digest
from kexport.bundle.json_text import Json
from kexport.bundle.kernels_entry import KernelsEntry, array_name
from kexport.bundle.manifest import Artifact
from kexport.bundle.npz import NpzArrays
from kexport.bundle.report import Check
from kexport.bundle.signature import Array
from kexport.errors import ArtifactError, BundleError
from kexport.parity.kernel_steps import STEPS_METRIC, apart, steps_of


@dataclass
class _Distance:
    """Of one output: how many steps it is from what each class of kernels gave, at most, and where from its own."""

    largest: dict[str, int] = field(default_factory=dict)
    differing: int = 0
    elements: int = 0
    worst: str = ""
    lacking: int = 0


class RecordedKernels:
    """The comparison with what was recorded, golden after golden; none of them is kept in memory.

    Args:
        artifact: with a record.
        entry: that record.
        runtime: the name of the runtime that runs it here.
        stored: the integers.
    """

    def __init__(self, artifact: Artifact, entry: KernelsEntry, runtime: str, stored: NpzArrays) -> None:
        self._steps, self._entry, self._runtime, self._stored = artifact.steps, entry, runtime, stored
        self._distances = {name: _Distance() for name in self._steps}

    @classmethod
    def of(cls, bundle: Bundle, artifact: Artifact, runtime: str) -> RecordedKernels | None:
        """The comparison; None where nothing was recorded, or is as it was: a check of digests tells of that.

        Raises:
            BundleError: the record is damaged.
        """
        entry = artifact.kernels
        if entry is None:
            return None
        try:
            require_digest(bundle.path, entry.path, entry.sha256, bundle.most())
        except ArtifactError:
            return None
        try:
            stored = NpzArrays(Archive(bundle.path / entry.path, expansion=max(EXPANSION, bundle.max_bytes)))
        except (OSError, ValueError) as error:
            raise _damaged(entry.path, error) from None
        return cls(artifact, entry, runtime, stored)

    def add(self, golden: int, label: str, values: Mapping[str, Array]) -> None:
        """Compare the outputs of one golden.

        Args:
            golden: its index.
            label: its label.
            values: what the runtime computed, by output.

        Raises:
            BundleError: the record is damaged.
        """
        for output, distance in self._distances.items():
            integers = steps_of(values[output], self._steps[output])
            for kernels in self._entry.allowed:
                self._compare((kernels, golden, output), label, integers, distance)
        self._stored.release()

    def _compare(self, key: tuple[str, int, str], label: str, integers: Array | None, distance: _Distance) -> None:
        kernels, golden, output = key
        name = f"{kernels}/{array_name(golden, output)}"
        if name not in self._stored:  # it gave no number
            return
        try:
            recorded = self._stored[name]
        except ValueError as error:
            raise _damaged(self._entry.path, error) from None
        own = kernels == self._runtime
        if integers is None or recorded.shape != integers.shape or recorded.dtype.kind not in "iu":
            distance.lacking += own
            return
        steps = apart(integers, recorded)
        largest = int(steps.max(initial=0))
        if own:
            distance.differing += int(np.count_nonzero(steps))
            distance.elements += steps.size
            if largest > distance.largest.get(kernels, 0):
                where = np.unravel_index(int(steps.argmax()), steps.shape)
                place = ", ".join(str(int(each)) for each in where)
                distance.worst = f"{label}, element [{place}]: {integers[where]} instead of {recorded[where]}"
        distance.largest[kernels] = max(largest, distance.largest.get(kernels, 0))

    def judged(self, check: Check) -> Check:
        """A check of parity, with the steps that its output is away; it fails where these are too many."""
        distance = self._distances.get(check.output or "")
        if distance is None or not check.ran:
            return check
        allowed = self._entry.allowed.get(self._runtime, {}).get(check.output or "")
        own = distance.largest.get(self._runtime)
        others = {name: steps for name, steps in distance.largest.items() if name != self._runtime}
        metrics: dict[str, Json] = {"others": dict(others)}
        if own is not None and allowed is not None:
            metrics |= {"own": own, "allowed": allowed, "differing": distance.differing, "elements": distance.elements}
        check = replace(check, metrics={**check.metrics, STEPS_METRIC: metrics})
        problem = self._problem(distance, own, allowed)
        return replace(check, passed=False, facts=(problem, *check.facts)) if problem else check

    def _problem(self, distance: _Distance, own: int | None, allowed: int | None) -> str:
        if allowed is None:
            return ""
        if distance.lacking:
            return "the output is none of the integers that these kernels gave at the build"
        if own is None or own <= allowed:
            return ""
        most = "and must be the same" if not allowed else f"at most {allowed} are allowed"
        count = f"{distance.differing} of {distance.elements} integers differ"
        return f"{own} steps from what these kernels gave at the build, {most}: {count}; {distance.worst}"


def _damaged(path: str, error: Exception) -> BundleError:
    return BundleError(f"{path} is damaged", got=error, hint="build the bundle again")
