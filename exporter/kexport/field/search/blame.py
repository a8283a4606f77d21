"""Blames the side of a failed comparison that fewer formats agree with, where no truth is known."""

from __future__ import annotations

from collections.abc import Sequence

from kexport.field.remote import RemoteSession
from kexport.field.search.target import SearchTarget


def blamed(session: RemoteSession, targets: Sequence[SearchTarget]) -> list[SearchTarget]:
    """The failed comparisons in which a runtime is blamed."""
    return [target for target in targets if target.failed and session in blamed_of(target, targets)]


def blamed_of(target: SearchTarget, targets: Sequence[SearchTarget]) -> list[RemoteSession]:
    """The side of a failed comparison that fewer formats agree with; both sides, where these are equal.

    So is a side from which more formats differ than agree with it: that the others agree with each other was perhaps
    not looked at. A runtime that failed on the goldens is not to be trusted, whoever agrees with it.
    """
    if target.peer is None:
        return [target.session]
    if target.state.at_fault is not None:
        return [target.state.at_fault]
    support = [agreeing_formats(side, targets) for side in target.sessions]
    pairs = zip(target.sessions, support, strict=True)
    return [side for side, count in pairs if count == min(support) or _differing_formats(side, targets) > count]


def agreeing_formats(session: RemoteSession | None, targets: Sequence[SearchTarget]) -> int:
    """How many other formats have a runtime that agreed with this one on every input; -1 where it has failed itself.

    None stands for the truth, which needs no support: 0.
    """
    if session is None:
        return 0
    if session.has_failed:
        return -1
    agreeing = [
        target.opponent(session)
        for target in targets
        if not target.failed and target.state.evaluations and session in target.sessions
    ]
    return _formats(session, agreeing)


def _differing_formats(session: RemoteSession, targets: Sequence[SearchTarget]) -> int:
    """How many other formats have a runtime that differed from this one, and that failed in no other way."""
    return _formats(
        session,
        [
            target.opponent(session)
            for target in targets
            if target.failed and target.state.at_fault is None and session in target.sessions
        ],
    )


def _formats(session: RemoteSession, others: Sequence[RemoteSession | None]) -> int:
    formats = {other.runtime.reads for other in others if other is not None and not other.has_failed}
    return len(formats - {session.runtime.reads})
