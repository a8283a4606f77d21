"""Pairs the functions of two files, each of which may hold several signatures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kexport.errors import UsageError
from kexport.field.inspection import DeclaredFunction

_DEFAULT = "serving_default"
_HINT = "--signature NAME compares that alone"


@dataclass(frozen=True)
class SharedFunctions:
    """The functions that are compared.

    Attributes:
        pairs: a function of A, and that of B.
        missing: functions of A that B lacks, in words.
        notes: functions of B that A lacks, in words.
        several: whether reports must tell the functions apart.
    """

    pairs: Sequence[tuple[DeclaredFunction, DeclaredFunction]]
    missing: Sequence[str] = ()
    notes: Sequence[str] = ()
    several: bool = False

    @classmethod
    def of(
        cls, a: Sequence[DeclaredFunction], b: Sequence[DeclaredFunction], wanted: str | None = None
    ) -> SharedFunctions:
        """Pairs of the same name; the only functions of two files whatever their names.

        Args:
            a: the functions of A.
            b: those of B.
            wanted: the only one to compare, where a file holds several.

        Raises:
            UsageError: no file has the one that is wanted, or none of A has the name of one in B.
        """
        if wanted is not None:
            if all(each.signature.name != wanted for each in (*a, *b)):
                raise UsageError(f"neither A nor B has a signature {wanted!r}", got=_both(a, b))
            a, b = (_narrowed(side, wanted) for side in (a, b))
        if len(a) == len(b) == 1:
            return cls([(a[0], b[0])])
        theirs = {each.signature.name: each for each in b}
        pairs = [(each, theirs[each.signature.name]) for each in a if each.signature.name in theirs] or _by_default(
            a, b
        )
        if not pairs:
            raise UsageError("no signature of A has the name of one of B", got=_both(a, b), hint=_HINT)
        ours, paired = {each.signature.name for each, _ in pairs}, {each.signature.name for _, each in pairs}
        missing = [
            f"B lacks the signature {each.signature.name!r} of A: {_HINT}"
            for each in a
            if each.signature.name not in ours
        ]
        notes = [f"A lacks the signature {each.signature.name!r} of B, which was not compared" for each in b
                 if each.signature.name not in paired]  # fmt: skip
        return cls(pairs, missing, notes, len(pairs) > 1)


def _narrowed(side: Sequence[DeclaredFunction], wanted: str) -> Sequence[DeclaredFunction]:
    """The one that is wanted; the only one of a file, whatever its name."""
    chosen = [each for each in side if each.signature.name == wanted]
    if not chosen and len(side) > 1:
        raise UsageError(f"one of the models has no signature {wanted!r}", got=_names(side))
    return chosen or side


def _by_default(
    a: Sequence[DeclaredFunction], b: Sequence[DeclaredFunction]
) -> list[tuple[DeclaredFunction, DeclaredFunction]]:
    """The only function of one file with the default one of the other."""
    one, other = ([each for each in side if len(side) == 1 or each.signature.name == _DEFAULT] for side in (a, b))
    return [(one[0], other[0])] if one and other else []


def _both(a: Sequence[DeclaredFunction], b: Sequence[DeclaredFunction]) -> str:
    return f"{_names(a)} in A; {_names(b)} in B"


def _names(side: Sequence[DeclaredFunction]) -> str:
    return ", ".join(each.signature.name or "one without a name" for each in side)
