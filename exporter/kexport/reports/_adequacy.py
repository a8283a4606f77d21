"""What the goldens see of a model, in words."""

from __future__ import annotations

from collections.abc import Iterator

from kexport.bundle.adequacy_entry import AdequacyEntry, Standing
from kexport.bundle.report import Check

_SAID = 3  # facts of a check in the terminal
_STANDINGS = {
    Standing.OPEN: "not seen",
    Standing.PARTIAL: "in part",
    Standing.DEAD: "dead",
    Standing.DECLARED: "declared",
}


def adequacy_lines(entry: AdequacyEntry) -> Iterator[tuple[str, str]]:
    """Everything that a manifest says of what its goldens see, each with a word for it."""
    if entry.weights:
        yield "seen", f"{entry.seen:,} of {entry.weights:,} weights ({percent(entry.seen / entry.weights)})"
    for standing, word in _STANDINGS.items():
        for line in entry.lines(standing):
            yield word, line
    for note in entry.notes:
        yield "note", note


def adequacy_summary(check: Check) -> str:
    """A passed check of adequacy in one line; empty where it says nothing."""
    parts = []
    weights = check.metrics.get("weights")
    if check.figure is not None and isinstance(weights, int):
        parts.append(f"goldens see {percent(check.figure)} of {weights:,} weights")
    facts = list(map(str, check.facts))
    if facts:
        more = f"; and {len(facts) - _SAID} more: kexport inspect" if len(facts) > _SAID else ""
        parts.append("not seen: " * bool(check.metrics.get("unseen")) + "; ".join(facts[:_SAID]) + more)
    return ", ".join(parts) if len(parts) < 2 else f"{parts[0]}; {parts[1]}"


def percent(share: float) -> str:
    """A share that is 100 % only if it is whole."""
    return "100 %" if share == 1 else f"{min(99.9, int(share * 1000) / 10):g} %"
