"""What the goldens can see of the model, which the build measured, as checks of a report."""

from __future__ import annotations

from collections.abc import Iterator

from kexport.bundle.adequacy_entry import AdequacyEntry, Standing, Unseen
from kexport.bundle.report import Check, CheckKind, Measurement, Subject

UNIT = "of the weights"
_OUTPUT = "output "
_WAY_OUT = (
    "give inputs that see it with --domain or --samples, or say why it need not be seen with --unseen '{name}: reason'"
)


def check_adequacy(entry: AdequacyEntry) -> Check:
    """One check: not made if something that an input could see is seen by no golden, else passed, with the share."""
    unchecked = entry.standing(Standing.OPEN)
    facts = list(entry.lines(Standing.OPEN))
    if unchecked:
        facts.append(_WAY_OUT.format(name=_name(unchecked[0])))
    facts += [
        *entry.lines(Standing.DECLARED),
        *_without_need(entry),
        *entry.lines(Standing.DEAD),
        *entry.lines(Standing.PARTIAL),
    ]
    return Check(
        CheckKind.ADEQUACY,
        not unchecked,
        Subject(),
        Measurement(entry.share, None, UNIT if entry.share is not None else None),
        (*facts, *entry.notes),
        not unchecked,
        {"weights": entry.weights, "seen": entry.seen, "unseen": len(entry.unseen)},
    )


def _without_need(entry: AdequacyEntry) -> Iterator[str]:
    """What was declared unseen and is seen."""
    given = {each.why for each in entry.standing(Standing.DECLARED)}
    for name, why in entry.declared.items():
        if f"declared: {why}" not in given:
            yield f"{name} is declared unseen ({why}), and is seen"


def _name(unseen: Unseen) -> str:
    return unseen.subject.removeprefix(_OUTPUT)
