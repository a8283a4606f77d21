"""The result of a search as one check for each runtime, in words and figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from kexport.bundle.report import Check, CheckKind, Measurement, Subject
from kexport.field.remote import RemoteSession
from kexport.field.search.target import SearchTarget
from kexport.parity.budget import Clock

UNIT = "limits"
_NONE_TAKEN = "the model accepted none of the inputs tried"


def check(
    session: RemoteSession, targets: Sequence[SearchTarget], blamed: Sequence[SearchTarget], clock: Clock
) -> Check:
    """The check of a runtime.

    Args:
        session: the session of the runtime.
        targets: its comparisons.
        blamed: the failed ones in which it is blamed.
        clock: the clock of the search.
    """
    if not targets:
        why = "there is nothing to compare it with: no other runtime that reads an artifact can run here"
        return not_run(session, why)
    sound = [target for target in targets if not target.failed]
    worst = max(blamed or sound or targets, key=lambda target: target.state.worst)
    metrics = _metrics(targets, worst, session, clock)
    if not blamed and not all(target.state.evaluations for target in sound or targets):
        at_fault = [target.state.at_fault for target in targets]
        others = ", ".join(each.label for each in at_fault if each is not None)
        why = f"there was nothing to compare it with: {others} failed" if others else _NONE_TAKEN
        return replace(not_run(session, why), metrics=metrics)
    if not blamed and any(map(_mostly_excluded, targets)):
        why = "most inputs are set apart, because the model is ill-conditioned there: nothing can be concluded"
        return replace(not_run(session, why), metrics=metrics)
    facts = _facts(blamed[0] if blamed else worst, session, len(blamed))
    for target in targets:
        if target.failed and target not in blamed:
            facts.append(f"{_opponent(target, session)} differs, and is the one at fault")
    figure = worst.state.worst if np.isfinite(worst.state.worst) else None
    subject, measured = Subject(session.artifact, session.runtime.name), Measurement(figure, 1.0, UNIT)
    return Check(CheckKind.SEARCH, not blamed, subject, measured, tuple(facts), metrics=metrics)


def _mostly_excluded(target: SearchTarget) -> bool:
    state = target.state
    share = state.excluded / state.judged if state.judged else 0.0
    return share * state.suspects * 2 > state.evaluations


def _opponent(target: SearchTarget, session: RemoteSession) -> str:
    """The runtime at the other side, empty where that is the truth."""
    other = target.opponent(session)
    return other.label if other is not None else ""


def _facts(target: SearchTarget, session: RemoteSession, failures: int) -> list[str]:
    """What a person needs to know of a comparison, and how many more have failed like it."""
    state = target.state
    other = _opponent(target, session)
    against = f" against {other}" * bool(other) + f" and {failures - 1} more" * (failures > 1)
    if not state.failure:
        text = f"the worst of {state.evaluations} inputs{against} reaches {state.worst:.2g} of the limit"
        text += f" ({state.worst_label})" * bool(state.worst_label)
        ties = f"{state.inconclusive} differ, too few to rule out ties: no input can be perturbed"
        excluded = f"{state.suspects} are set apart: the model is ill-conditioned there"
        return [text, *[ties] * bool(state.inconclusive), *[excluded] * bool(state.excluded)]
    first, *others = state.failure
    text = f"after {state.evaluations} inputs{against}, {first}"
    kept = f"the input is kept in {target.kept.path}" if target.kept.path else ""
    return [fact for fact in (text, *others, kept, target.kept.remark) if fact]


def _metrics(
    targets: Sequence[SearchTarget], worst: SearchTarget, session: RemoteSession, clock: Clock
) -> Mapping[str, object]:
    opponents = [target.opponent(session) for target in targets]
    return {
        "budget": str(clock.budget),
        "seed": clock.budget.seed,
        "evaluations": worst.state.evaluations,
        "seconds": None if clock.budget.seconds is None else round(clock.seconds, 3),
        "suspects": sum(target.state.suspects for target in targets),
        "unsure": sum(target.state.inconclusive for target in targets),
        "set_apart": sum(target.state.excluded for target in targets),
        "partners": sorted({other.runtime.name for other in opponents if other is not None}),
        "witness": worst.kept.path,
    }


def not_run(session: RemoteSession, why: str) -> Check:
    """The check of a search that could not be run."""
    return Check.not_run(CheckKind.SEARCH, Subject(session.artifact, session.runtime.name), why)
