"""The loop of a search: propose samples, run them, and score the outputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kexport import progress
from kexport.bundle.signature import Array
from kexport.field.remote import Outputs, RemoteSession, RuntimeFailedError
from kexport.field.search.blame import blamed
from kexport.field.search.target import SearchCall, SearchTarget
from kexport.parity.budget import Clock
from kexport.parity.sampler import Sampler, Trial

_MOST_REFUSALS = 50  # consecutive inputs that the model itself does not accept
_LARGEST_BATCH = 1 << 30


def run(targets: Sequence[SearchTarget], clock: Clock, tested: Sequence[RemoteSession] = ()) -> None:
    """Search until the budget is used up, every target has failed, or all of `tested` are blamed.

    Args:
        targets: comparisons in one space; those with the truth as their reference share it.
        clock: measures the budget.
        tested: the runtimes under test.
    """
    with clock.running():
        _run(targets, clock, tested)


def _run(targets: Sequence[SearchTarget], clock: Clock, tested: Sequence[RemoteSession]) -> None:
    space = targets[0].terms.space
    sampler = Sampler(space, [target.name for target in targets], clock.budget.seed)
    call: SearchCall | None = None
    refusals = 0
    while not clock.over and not all(target.failed for target in targets):
        trial = sampler.ask(clock.left(_LARGEST_BATCH) if space.batched else 1)
        active = [target for target in targets if not target.failed]
        evaluation = _evaluate(trial, active)
        if evaluation is None:
            refusals += 1
            if refusals == _MOST_REFUSALS:
                return
            continue
        refusals = 0
        clock.evaluations += trial.count
        call = SearchCall(trial, None if call is None else call.trial.feeds(space.batched))
        for target in active:
            scores = _score(target, call, evaluation)
            if target.failed:
                sampler.drop(target.name)
            elif scores is not None:
                sampler.tell(trial, {target.name: scores})
        worst = max(target.state.worst for target in targets)
        failed = sum(target.failed for target in targets)
        said = f", {failed} of {len(targets)} comparisons failed" if failed else ""
        progress.advance(clock.share, f"{clock.evaluations:,} inputs, worst {worst:.2g} of the limit{said}")
        if tested and all(blamed(session, targets) for session in tested):
            return


@dataclass(frozen=True)
class _Evaluation:
    """What each runtime computed for a trial, or why it failed; and the truth, where it is known."""

    outputs: dict[RemoteSession, Outputs | RuntimeFailedError]
    truth: Outputs | None

    def reference(self, target: SearchTarget) -> Outputs | RuntimeFailedError | None:
        return self.truth if target.peer is None else self.outputs[target.peer]


def _evaluate(trial: Trial, targets: Sequence[SearchTarget]) -> _Evaluation | None:
    """Run a trial in every runtime of the targets, and meanwhile compute the truth.

    None when the model itself does not accept such inputs; without a truth, when no runtime accepts them.
    """
    feeds = trial.feeds(targets[0].terms.batched)
    sessions = list(dict.fromkeys(session for target in targets for session in target.sessions))
    for session in sessions:
        session.start([feeds])
    reference = next((target.reference for target in targets if target.peer is None), None)
    refused, truth = False, None
    try:
        truth = reference.outputs(feeds) if reference is not None else None
    except ValueError:
        refused = True
    outputs: dict[RemoteSession, Outputs | RuntimeFailedError] = {}
    for session in sessions:
        try:
            outputs[session] = session.finish()[0]
        except RuntimeFailedError as error:
            outputs[session] = error
    if reference is None and all(isinstance(each, RuntimeFailedError) for each in outputs.values()):
        refused = True
    return None if refused else _Evaluation(outputs, truth)


def _score(target: SearchTarget, call: SearchCall, evaluation: _Evaluation) -> Array | None:
    """The scores of a trial; None when a runtime failed on it, which is a failure of the target."""
    origin = call.trial.origin
    values, references = evaluation.outputs[target.session], evaluation.reference(target)
    failures = [each for each in (values, references) if isinstance(each, RuntimeFailedError)]
    if failures:
        sessions = [each.remote for each in failures]
        labels = [each.label if each is not None else "a runtime" for each in sessions]
        why = [f"{label} fails on {origin}: {error}" for label, error in zip(labels, failures, strict=True)]
        target.fail(why, sessions[0] if len(sessions) == 1 else None, call)
        return None
    assert not isinstance(values, RuntimeFailedError)
    assert isinstance(references, dict)
    try:
        return target.score(call, values, references)
    except RuntimeFailedError as error:
        name = error.remote.label if error.remote is not None else "a runtime"
        target.fail([f"{name} fails on {origin}: {error}"], error.remote, call)
        return None
