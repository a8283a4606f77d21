"""What a search came to, as a check of each runtime, in words and figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from kexport.bundle.report import Check, CheckKind, Measurement, Subject
from kexport.field.remote import RemoteSession
from kexport.field.search.target import Contest
from kexport.parity.budget import Budget, Clock

UNIT = "limits"
_NONE_TAKEN = "the model took none of the inputs that were tried"


def check(
    remote: RemoteSession, contests: Sequence[Contest], failed: Sequence[Contest], clock: Clock, budget: Budget
) -> Check:
    """What the comparisons of a runtime came to, and which of them speak against it."""
    if not contests:
        why = "there is nothing to compare it with: no other runtime is installed that reads an artifact"
        return unmade(remote, why)
    sound = [contest for contest in contests if not contest.settled]
    told = failed or sound[:1] or contests
    worst = max(failed or sound or contests, key=lambda contest: contest.standing.worst)
    metrics = _metrics(contests, worst, remote, clock, budget)
    if not failed and not all(contest.standing.evaluations for contest in sound or contests):
        others = ", ".join(c.standing.at_fault.label for c in contests if c.standing.at_fault is not None)
        why = f"there was nothing to compare it with: {others} failed" if others else _NONE_TAKEN
        return replace(unmade(remote, why), metrics=metrics)
    if not failed and any(map(_mostly_apart, contests)):
        why = "most inputs are set apart, because the model is ill-conditioned there: nothing can be concluded"
        return replace(unmade(remote, why), metrics=metrics)
    standing = worst.standing
    facts = _told(told[0] if failed else worst, remote, len(failed))
    facts += [f"{_other(contest, remote)} differs, and is the one that is wrong" for contest in contests
                if contest.settled and contest not in failed]  # fmt: skip
    figure = standing.worst if np.isfinite(standing.worst) else None
    subject, measured = Subject(remote.artifact, remote.runtime.name), Measurement(figure, 1.0, UNIT)
    return Check(CheckKind.SEARCH, not failed, subject, measured, tuple(facts), metrics=metrics)


def _mostly_apart(contest: Contest) -> bool:
    standing = contest.standing
    share = standing.apart / standing.looked_at if standing.looked_at else 0.0
    return share * standing.suspects * 2 > standing.evaluations


def _other(contest: Contest, remote: RemoteSession) -> str:
    """The runtime at the other side, empty where that is the truth."""
    other = contest.remote if contest.partner is remote else contest.partner
    return other.label if other is not None else ""


def _told(contest: Contest, remote: RemoteSession, failures: int) -> list[str]:
    """What a person needs to know of a comparison, and how many more are like it."""
    standing = contest.standing
    other = _other(contest, remote)
    against = f" against {other}" * bool(other) + f" and {failures - 1} more" * (failures > 1)
    if not standing.failure:
        text = f"the worst of {standing.evaluations} inputs{against} lies at {standing.worst:.2g} of the limit"
        text += f" ({standing.worst_label})" * bool(standing.worst_label)
        ties = f"{standing.unsure} differ, too few to tell from ties: nothing in the inputs can be nudged"
        apart = f"{standing.suspects} are set apart: the model is ill-conditioned there"
        return [text, *[ties] * bool(standing.unsure), *[apart] * bool(standing.apart)]
    text = f"after {standing.evaluations} inputs{against}, {standing.failure}"
    kept = f"the input is kept in {contest.witness_path}" if contest.witness_path else ""
    return [fact for fact in (text, kept, contest.unkept) if fact]


def _metrics(
    contests: Sequence[Contest], worst: Contest, remote: RemoteSession, clock: Clock, budget: Budget
) -> dict[str, Any]:
    partners = [contest.partner if contest.remote is remote else contest.remote for contest in contests]
    return {
        "budget": str(budget),
        "seed": budget.seed,
        "evaluations": worst.standing.evaluations,
        "seconds": round(clock.seconds, 3),
        "suspects": sum(contest.standing.suspects for contest in contests),
        "unsure": sum(contest.standing.unsure for contest in contests),
        "set_apart": sum(contest.standing.apart for contest in contests),
        "partners": sorted({partner.runtime.name for partner in partners if partner is not None}),
        "witness": worst.witness_path,
    }


def unmade(remote: RemoteSession, why: str) -> Check:
    """The check of a search that could not be made."""
    return Check.not_run(CheckKind.SEARCH, Subject(remote.artifact, remote.runtime.name), why)
