"""What to verify, and how strictly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kexport import runtimes as known_runtimes
from kexport.bundle.folder import Bundle
from kexport.bundle.limits import OutputLimit
from kexport.field.trust import NO_TRUST, Trust
from kexport.field.workers import Maker
from kexport.parity.strictness import DERIVED, Strictness
from kexport.process import Worker
from kexport.runtimes import Runtime

if TYPE_CHECKING:
    from kexport.field.evaluation import Evaluation
    from kexport.field.search import Reference


@dataclass(frozen=True)
class Processes:
    """Where to run the runtimes that must not run in a fresh worker process, and how others are made.

    Attributes:
        started: worker processes that run already, by group of runtimes; those that are used are ended.
        in_process: names of the runtimes to run in this process, because the classes of a live model exist only here.
        makers: by group, what makes its processes, in place of starting new ones that import everything.
    """

    started: Mapping[str, Worker] = field(default_factory=dict)
    in_process: frozenset[str] = frozenset()
    makers: Mapping[str, Maker] = field(default_factory=dict)


@dataclass(frozen=True)
class Verification:
    """What to verify, and how strictly.

    Attributes:
        bundle: the bundle.
        runtimes: the requested runtimes; None for every one that is installed and can read an artifact of the bundle.
        trust: the user code that may run while an artifact is loaded.
        strictness: the search, and the declared limits.
        truth: the right outputs for any input, with which the search compares; None to compare the runtimes with each
            other.
        processes: where some runtimes run.
        evaluation: a metric of labelled samples, which is computed for every artifact and for the truth.
        budgets: whether every recorded budget of small precisions is checked, those of times too.
    """

    bundle: Bundle
    runtimes: tuple[Runtime, ...] | None = None
    trust: Trust = NO_TRUST
    strictness: Strictness = DERIVED
    truth: Reference | None = None
    processes: Processes = Processes()
    evaluation: Evaluation | None = None
    budgets: bool = False

    @property
    def limits(self) -> tuple[OutputLimit, ...]:
        """The limits of the manifest, with the declared ones in their place."""
        return self.strictness.limits(self.bundle.manifest.limits)

    def readers(self) -> list[Runtime]:
        """The runtimes, installed or not, that can read an artifact of the bundle, best first."""
        formats = {artifact.format for artifact in self.bundle.manifest.artifacts}
        return [runtime for runtime in known_runtimes.every() if runtime.reads in formats]
