"""Searching a bundle for the inputs on which its runtimes are furthest from their reference.

At build the float64 twin is the reference. On a device there are only numbers and runtimes: each runtime is compared
with every other that can read an artifact of the bundle.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

from kexport.bundle import witnesses
from kexport.bundle.folder import Bundle
from kexport.bundle.limits import OutputLimit
from kexport.bundle.report import Observer
from kexport.bundle.witnesses import Witness
from kexport.errors import UncheckedError
from kexport.field.remote import RemoteSession, RuntimeFailedError
from kexport.field.search import loop, witness
from kexport.field.search.blame import agreeing_formats, blamed, blamed_of
from kexport.field.search.checks import check, not_run
from kexport.field.search.reference import PeerReference, Reference
from kexport.field.search.target import KeptWitness, SearchTarget
from kexport.field.search.terms import Feeds, Terms, limits_for
from kexport.parity.budget import Budget, Clock
from kexport.parity.space import Space, space_of


@dataclass(frozen=True)
class Participants:
    """The runtimes of a search.

    Attributes:
        tested: those under test.
        partners: further runtimes that they are compared with.
        truth: the reference of all tested ones; None when they are compared with each other and the partners.
    """

    tested: Sequence[RemoteSession]
    partners: Sequence[RemoteSession] = ()
    truth: Reference | None = None

    @property
    def sessions(self) -> list[RemoteSession]:
        """All of them."""
        return [*self.tested, *self.partners]


@dataclass(frozen=True)
class BundleSearch:
    """A search of a bundle for the inputs on which its runtimes are furthest from their reference.

    Attributes:
        bundle: the bundle; its folder takes the witnesses.
        participants: the runtimes, and the truth where it is known.
        limits: the limits of the outputs.
        budget: how long to search.
    """

    bundle: Bundle
    participants: Participants
    limits: tuple[OutputLimit, ...]
    budget: Budget

    def run(self, record: Observer) -> list[str]:
        """Search, store inputs that reveal a fault as witnesses, and record a check of each tested runtime.

        Returns notes for the reader.
        """
        bundle, tested = self.bundle, self.participants.tested
        try:
            if bundle.manifest.stateful:
                raise UncheckedError("the model keeps state between calls, so inputs do not determine its outputs")
            space = space_of(bundle)
        except UncheckedError as error:
            for session in tested:
                record(not_run(session, str(error)))
            return []
        targets = _targets(bundle, self.participants, space, self.limits, self.budget.seed)
        clock = Clock(self.budget)
        if targets:
            loop.run(targets, clock, tested)
            if any(target.failed for target in targets):
                _keep_failures(bundle, targets)
            elif self.participants.truth is not None:
                _keep_nearest(bundle, targets)
        for session in tested:
            compared = [target for target in targets if session in target.sessions]
            record(check(session, compared, blamed(session, targets), clock))
        return clock.interruption


def _targets(
    bundle: Bundle, participants: Participants, space: Space, limits: tuple[OutputLimit, ...], seed: int
) -> list[SearchTarget]:
    """Each tested runtime against the truth, or every two runtimes of which one is tested; all of them warmed up.

    Artifacts in small precisions are compared with those in the precision of the model, where there are any.
    """
    own = {artifact.path: artifact.limits for artifact in bundle.manifest.artifacts if artifact.limits}

    def terms(*sessions: RemoteSession) -> Terms:
        sides = [(own.get(each.artifact, limits), each.runtime.accumulation_factor) for each in sessions]
        return Terms(bundle.signature, space, limits_for(*sides), bundle.manifest.ulp)

    pairs: list[tuple[RemoteSession, Reference, Terms]] = []
    if participants.truth is not None:
        pairs = [(session, participants.truth, terms(session)) for session in participants.tested]
    else:
        wide = any(each.artifact not in own for each in participants.sessions)
        for one, other in itertools.combinations(participants.sessions, 2):
            small = one.artifact in own and other.artifact in own
            if wide and small:
                continue  # each may err by its budget, and the one that errs by more would not be told
            if one in participants.tested or other in participants.tested:
                both = terms(one, other)
                pairs.append((one, PeerReference(other, both), both))
    opening = _warm_up(bundle, participants.sessions) if pairs else None
    return [SearchTarget(*pair, seed + index, opening) for index, pair in enumerate(pairs)]


def _warm_up(bundle: Bundle, sessions: Sequence[RemoteSession]) -> Feeds | None:
    """Let every runtime load what it needs: the budget is for searching. Where one fails, the search will say so.

    Returns the inputs of that call, the first one of every session.
    """
    golden = next(iter(bundle.goldens(checked=True)), None)
    if golden is None:
        return None
    for session in sessions:
        session.start([dict(golden.inputs)])
    for session in sessions:
        with contextlib.suppress(RuntimeFailedError):
            session.finish()
    return dict(golden.inputs)


def _keep_failures(bundle: Bundle, targets: Sequence[SearchTarget]) -> None:
    """Keep a witness of each artifact, or pair of artifacts, that failed; against the most trusted reference."""
    kept: dict[frozenset[str], KeptWitness] = {}
    failed = [target for target in targets if target.failed]
    for target in failed:
        if blamed_of(target, targets) == [target.peer]:
            target.swap_sides()
    for target in sorted(failed, key=lambda target: -agreeing_formats(target.peer, targets)):
        about = frozenset(session.artifact for session in blamed_of(target, targets))
        if about not in kept:
            kept[about] = _stored(bundle, target, witness.failing(target))
        target.keep(kept[about])


def _keep_nearest(bundle: Bundle, targets: Sequence[SearchTarget]) -> None:
    """Where nothing failed, keep the input that came nearest to failing."""
    worst = max(targets, key=lambda target: target.state.worst)
    try:
        worst.keep(_stored(bundle, worst, witness.nearest(worst)))
    except RuntimeFailedError as error:
        worst.fail([f"{worst.session.runtime.name} fails on an input that it accepted before: {error}"], worst.session)


def _stored(bundle: Bundle, target: SearchTarget, kept: Witness | None) -> KeptWitness:
    """Write a witness into the bundle; where it cannot be written, the check says so."""
    if kept is None:
        return KeptWitness()
    if target.peer is not None:
        digests = {artifact.path: artifact.sha256 for artifact in bundle.manifest.artifacts}
        kept = replace(kept, digest=digests[target.peer.artifact])
    try:
        return KeptWitness(witnesses.store(bundle.path, kept))
    except OSError as error:
        return KeptWitness(remark=f"the input could not be kept in the bundle: {error.strerror or error}")
