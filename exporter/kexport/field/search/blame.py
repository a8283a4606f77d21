"""Which side of a failed comparison is wrong, where no truth is at hand: that which fewer formats agree with."""

from __future__ import annotations

from collections.abc import Sequence

from kexport.field.remote import RemoteSession
from kexport.field.search.target import Contest


def blamed(remote: RemoteSession, contests: Sequence[Contest]) -> list[Contest]:
    """The failed comparisons that speak against a runtime."""
    return [contest for contest in contests if contest.settled and remote in blamed_of(contest, contests)]


def blamed_of(contest: Contest, contests: Sequence[Contest]) -> list[RemoteSession]:
    """Which side of a failed comparison is wrong: that which fewer formats agree with; both, where these are equal.

    A runtime that failed on the goldens is not to be trusted, whoever agrees with it.
    """
    if contest.partner is None:
        return [contest.remote]
    if contest.standing.at_fault is not None:
        return [contest.standing.at_fault]
    sides = (contest.remote, contest.partner)
    support = [_agreeing(side, contests) for side in sides]
    return [side for side, own in zip(sides, support, strict=True) if own == min(support)]


def _agreeing(remote: RemoteSession, contests: Sequence[Contest]) -> int:
    """How many other formats have a runtime that agreed with this one on every input; -1 if it has failed."""
    if remote.has_failed:
        return -1
    others = [
        contest.partner if contest.remote is remote else contest.remote
        for contest in contests
        if not contest.settled and contest.standing.evaluations and remote in (contest.remote, contest.partner)
    ]
    formats = {other.runtime.reads for other in others if other is not None}
    return len(formats - {remote.runtime.reads})


def trust(contest: Contest, contests: Sequence[Contest]) -> int:
    """How many formats agree with the side that a witness takes for right."""
    return 0 if contest.partner is None else _agreeing(contest.partner, contests)
