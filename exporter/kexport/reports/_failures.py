"""The checks that did not pass, in words: where there are many, first what failed and why, in groups."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from kexport.bundle.report import Check
from kexport.reports._phrases import fact_lines, short_contract, verdict

_FEW = 3  # failures that a reader takes in at a glance
_NAMED = 3  # places of a group
_VARYING = re.compile(r"\[[^\]]*\]|[-+]?\d[\d.,]*(?:e[-+]?\d+)?|'[^']*'")


def failure_summary(checks: Sequence[Check]) -> Iterator[str]:
    """What failed and why, one line a group of like failures; nothing where there are few."""
    failed = [check for check in checks if not check.passed]
    if len(failed) <= _FEW:
        return
    yield f"{len(failed)} of {len(checks)} checks did not pass:"
    groups: dict[tuple[str, ...], list[Check]] = {}
    for check in failed:
        groups.setdefault((verdict(check), check.kind, _VARYING.sub("#", _first(check))), []).append(check)
    for (said, kind, _), members in groups.items():
        places = list(dict.fromkeys(filter(None, map(_place, members))))
        more = f" and {len(places) - _NAMED} more" if len(places) > _NAMED else ""
        where = f" ({', '.join(places[:_NAMED])}{more})" if places else ""
        why = f": {_first(members[0])}" if _first(members[0]) else ""
        times = f" x {len(members)}" if len(members) > 1 else ""
        yield f"  {said} {kind}{times}{where}{why}"


def failure_heading(check: Check) -> str:
    """What a failed check is about, after its verdict."""
    contract = short_contract(check.contract) if check.contract else None
    parts = (check.kind, contract, check.artifact, check.runtime, check.output)
    return " ".join(str(part) for part in parts if part)


def _first(check: Check) -> str:
    return next(fact_lines(check), "")


def _place(check: Check) -> str:
    return " ".join(filter(None, (check.output or check.artifact, check.runtime and f"in {check.runtime}")))
