"""What differs inside two bare files of one graph, where nothing that they compute does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from kexport.bundle.report import Check
from kexport.field.comparison.operands import Operand
from kexport.field.remote import RemoteSession
from kexport.runtimes.files.stored_graph import differing_parts as differing

_SHOWN = 3


def differing_parts(
    operands: tuple[Operand, Operand], sessions: tuple[RemoteSession, RemoteSession], names: Mapping[str, str]
) -> dict[str, Sequence[str]]:
    """The parts of A, in words, that are others in B, by the outputs that depend on them.

    Empty where the files are of two formats, where they connect their operators in other ways, and where they cannot
    be read.

    Args:
        operands: A and B, both bare.
        sessions: of the function that is compared.
        names: the shared names of outputs by those of A.
    """
    a, b = operands
    if a.file.format != b.file.format:
        return {}
    ours, theirs = (each.file.graph(each.path, session.signature.name)
                    for each, session in zip(operands, sessions, strict=True))  # fmt: skip
    if ours is None or theirs is None:
        return {}
    found = differing(ours, theirs)
    everywhere = list(dict.fromkeys(part for parts in found.values() for part in parts))
    return {called: found.get(name, [] if name in ours.outputs else everywhere) for name, called in names.items()}


def without_unseen(checks: Iterable[Check], parts: Mapping[str, Sequence[str]], farther: int) -> list[Check]:
    """The checks, where an output that depends on a part that differs is not checked instead of identical.

    Args:
        checks: of outputs that were the same for every input.
        parts: by output, what differs.
        farther: how many further inputs were tried.
    """
    return [
        Check.not_run(check.kind, check.subject, _words(parts[check.output], farther))
        if check.passed and check.output is not None and parts.get(check.output)
        else check
        for check in checks
    ]


def _words(parts: Sequence[str], farther: int) -> str:
    more = f" and {len(parts) - _SHOWN} more" if len(parts) > _SHOWN else ""
    return (
        f"the files differ in {', '.join(parts[:_SHOWN])}{more}, on which this output depends, and no input shows it,"
        f" of the cases and {farther} further ones: give inputs that it answers to, by --samples or --domain"
    )
