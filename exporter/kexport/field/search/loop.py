"""Searching a bundle for the inputs on which its runtimes are furthest from right.

At build the float64 twin says what is right. On a device there are only numbers and runtimes: each runtime is compared
with every other that can read an artifact of the bundle.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from kexport.bundle import witnesses
from kexport.bundle.folder import Bundle
from kexport.bundle.limits import OutputLimit
from kexport.bundle.report import Check
from kexport.bundle.signature import Array
from kexport.bundle.witnesses import Witness
from kexport.errors import UncheckedError
from kexport.field.remote import Outputs, RemoteSession, RuntimeFailedError
from kexport.field.search.blame import blamed, blamed_of, trust
from kexport.field.search.checks import check, unmade
from kexport.field.search.target import Contest
from kexport.field.search.verdicts import Truth
from kexport.parity.budget import Budget, Clock
from kexport.parity.sampler import Search, Trial
from kexport.parity.space import Space, space_of

_MOST_REFUSALS = 50  # inputs in a row that the model itself does not take
_LARGEST_BATCH = 1 << 30


def search(
    bundle: Bundle,
    remotes: Sequence[RemoteSession],
    under_test: Sequence[str],
    limits: tuple[OutputLimit, ...],
    budget: Budget,
    truth: Truth | None,
    record: Callable[[Check], None],
) -> None:
    """Search within the budget, store what was found wrong as witnesses, and record a check of each runtime.

    Args:
        bundle: that is searched; its folder takes the witnesses.
        remotes: every runtime that can read an artifact of it.
        under_test: names of those that are to be judged; the others are partners.
        limits: of the outputs.
        budget: how long.
        truth: what is right on any input; None where only runtimes are.
        record: takes each check.
    """
    tested = [remote for remote in remotes if remote.runtime.name in under_test]
    if bundle.manifest.stateful:
        why = "the model keeps state between calls: single inputs say nothing of it"
        for remote in tested:
            record(unmade(remote, why))
        return
    try:
        space = space_of(bundle)
    except UncheckedError as error:
        for remote in tested:
            record(unmade(remote, str(error)))
        return
    pairs: list[tuple[RemoteSession, Truth | RemoteSession]] = [
        (remote, truth) for remote in tested if truth is not None
    ]
    if truth is None:
        both = itertools.combinations(remotes, 2)
        pairs = [(one, other) for one, other in both if one in tested or other in tested]
    contests = [
        Contest(*pair, space, bundle.signature, limits, bundle.manifest.ulp, budget.seed + index)
        for index, pair in enumerate(pairs)
    ]
    if contests:
        opening = _warm_up(bundle, remotes)
        for contest in contests:
            contest.opening = opening
    clock = Clock(budget)
    if contests:
        run(space, contests, truth, budget, clock, tested)
        if any(contest.settled for contest in contests):
            _keep_failures(bundle, contests)
        elif truth is not None:
            _keep_nearest(bundle, contests)
    for remote in tested:
        own = [contest for contest in contests if remote in (contest.remote, contest.partner)]
        record(check(remote, own, blamed(remote, contests), clock, budget))


def _warm_up(bundle: Bundle, remotes: Sequence[RemoteSession]) -> dict[str, Array] | None:
    """Let every runtime load what it needs: the budget is for searching. Where one fails, the search will say so.

    Returns the inputs of that call, the first one of every session.
    """
    golden = next(iter(bundle.goldens(checked=True)), None)
    if golden is None:
        return None
    for remote in remotes:
        remote.start([dict(golden.inputs)])
    for remote in remotes:
        with contextlib.suppress(RuntimeFailedError):
            remote.finish()
    return dict(golden.inputs)


def run(
    space: Space,
    contests: Sequence[Contest],
    truth: Truth | None,
    budget: Budget,
    clock: Clock,
    tested: Sequence[RemoteSession] = (),
) -> None:
    """Ask, evaluate and score until the budget is used up, every contest is settled, or all of `tested` are wrong."""
    order = Search(space, [contest.name for contest in contests], budget.seed)
    before: Mapping[str, Array] | None = None
    refusals = 0
    while not clock.over and not all(contest.settled for contest in contests):
        trial = order.ask(clock.left(_LARGEST_BATCH) if space.batched else 1)
        active = [contest for contest in contests if not contest.settled]
        outputs, right = _evaluated(space, trial, active, truth)
        if outputs is None:
            refusals += 1
            if refusals == _MOST_REFUSALS:
                return
            continue
        refusals = 0
        clock.evaluations += trial.count
        for contest in active:
            scores = _scored(contest, trial, outputs, right, before)
            if contest.settled:
                order.settled(contest.name)
            elif scores is not None:
                order.tell(trial, {contest.name: scores})
        if tested and all(blamed(remote, contests) for remote in tested):
            return
        before = trial.feeds(space.batched)


def _evaluated(
    space: Space, trial: Trial, active: Sequence[Contest], truth: Truth | None
) -> tuple[dict[int, Outputs | str] | None, Outputs | None]:
    """What each runtime gives for a trial, or why it gives nothing, by identity; and the truth.

    The runtimes work while the truth is computed. None when the model itself does not take such inputs.
    """
    feeds = trial.feeds(space.batched)
    remotes = list({id(r): r for c in active for r in (c.remote, c.partner) if r is not None}.values())
    for remote in remotes:
        remote.start([feeds])
    refused, right = False, None
    try:
        right = truth.outputs(feeds) if truth is not None else None
    except ValueError:
        refused = True
    outputs: dict[int, Outputs | str] = {}
    for remote in remotes:
        try:
            outputs[id(remote)] = remote.finish()[0]
        except RuntimeFailedError as error:
            outputs[id(remote)] = str(error)
    # Without a truth, inputs that no runtime takes are the model's own business.
    if truth is None and all(isinstance(each, str) for each in outputs.values()):
        refused = True
    return (None if refused else outputs), right


def _scored(
    contest: Contest,
    trial: Trial,
    outputs: Mapping[int, Outputs | str],
    right: Outputs | None,
    before: Mapping[str, Array] | None,
) -> Array | None:
    value = outputs[id(contest.remote)]
    reference = right if contest.partner is None else outputs[id(contest.partner)]
    sides = ((contest.remote, value), (contest.partner, reference))
    fallen = [(remote, found) for remote, found in sides if remote is not None and isinstance(found, str)]
    if fallen:
        why = "; ".join(f"{remote.label} fails on {trial.origin}: {found}" for remote, found in fallen)
        contest.fail(why, fallen[0][0] if len(fallen) == 1 else None, trial, before)
        return None
    assert not isinstance(value, str)
    assert reference is not None
    assert not isinstance(reference, str)
    try:
        return contest.score(trial, value, reference, before)
    except RuntimeFailedError as error:
        name = error.remote.label if error.remote is not None else "a runtime"
        contest.fail(f"{name} fails on {trial.origin}: {error}", error.remote, trial, before)
        return None


def _keep_failures(bundle: Bundle, contests: Sequence[Contest]) -> None:
    """A witness of each artifact, or pair of artifacts, that was found wrong; against the most trusted reference."""
    kept: dict[frozenset[str], Contest] = {}
    failed = [contest for contest in contests if contest.settled]
    for contest in failed:
        if blamed_of(contest, contests) == [contest.partner]:
            contest.turn()
    for contest in sorted(failed, key=lambda contest: -trust(contest, contests)):
        about = frozenset(remote.artifact for remote in blamed_of(contest, contests))
        if about not in kept:
            _store(bundle, contest, contest.witness())
            kept[about] = contest
        contest.witness_path, contest.unkept = kept[about].witness_path, kept[about].unkept


def _keep_nearest(bundle: Bundle, contests: Sequence[Contest]) -> None:
    """Where nothing was found wrong, the input that came nearest to it is a witness all the same."""
    worst = max(contests, key=lambda contest: contest.standing.worst)
    try:
        _store(bundle, worst, worst.nearest())
    except RuntimeFailedError as error:
        worst.fail(f"{worst.remote.runtime.name} fails on an input that it took before: {error}", worst.remote)


def _store(bundle: Bundle, contest: Contest, witness: Witness | None) -> None:
    """Write a witness into the bundle; where it cannot be written, the check says so."""
    if witness is None:
        return
    if contest.partner is not None:
        digests = {artifact.path: artifact.sha256 for artifact in bundle.manifest.artifacts}
        witness = replace(witness, digest=digests[contest.partner.artifact])
    try:
        contest.witness_path = witnesses.store(bundle.path, witness)
    except OSError as error:
        contest.unkept = f"the input could not be kept in the bundle: {error.strerror or error}"
