"""Errors that name the layers, and the user's lines, of a model that a format cannot represent, and the ways out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from kexport.errors import ExportError
from kexport.factory import formats
from kexport.factory.emit.culprit import Culprit
from kexport.factory.emit.ways_out import DRAWN, PYTHON, redrawn, ways_out

#: How a hint ends that is of use without --keep-going alone.
KEEPING_GOING = ", or write what can be written (--keep-going)"


def refusal(format_name: str, why: str, culprits: Sequence[Culprit], layers: bool = True) -> ExportError:
    """The error for operations that a format lacks.

    Args:
        format_name: the name of the format.
        why: the reason, in a few words.
        culprits: the operations.
        layers: whether the model has layers.
    """
    kinds: dict[str, set[str]] = {}
    for culprit in culprits:
        kinds.setdefault(culprit.place, set()).add(culprit.kind)
    ways = ways_out(culprits, format_name)
    # A SavedModel lacks Python code, and a table that nothing but the trace holds.
    python = any(PYTHON.search(culprit.kind) or culprit.kind == "Placeholder" for culprit in culprits)
    # What draws anew at every call passes its checks in no format.
    out = [] if redrawn(culprits) else [leaving_out(format_name, python=python, layers=layers)]
    return ExportError(
        f"the model cannot be written as {format_name}: {why}",
        got="; ".join(f"{', '.join(sorted(names))} in {place}" for place, names in kinds.items()),
        expected=formats.get(format_name).expected,
        hint="; or ".join(["; ".join(ways)] * bool(ways) + out),
    )


def stateful(format_name: str, assigning: Iterable[Culprit], seeds: bool, layers: bool = True) -> ExportError:
    """The error for a model that keeps state between calls.

    Args:
        format_name: the name of the format.
        assigning: the operations that change the state.
        seeds: whether all that it keeps are the states of generators of random numbers.
        layers: whether the model has layers.
    """
    culprits = list(assigning)
    keeping = ",".join(form.name for form in formats.every() if form.keeps_state and (layers or not form.needs_layers))
    got = ", ".join(dict.fromkeys(culprit.place for culprit in culprits))
    if seeds:
        return ExportError(
            f"the model cannot be written as {format_name}: it draws other random numbers at every call",
            got=f"a generator of random numbers in {got}",
            expected="a model that computes the same at every call",
            hint=DRAWN.words,
        )
    strips = dict.fromkeys(culprit.strip for culprit in culprits)
    if len(strips) == 1 and (strip := next(iter(strips))) is not None:
        return ExportError(
            f"the model cannot be written as {format_name}: it still has layers that it was pruned or clustered with",
            got="they assign to weights at every call",
            expected="the model without them, which computes the same and keeps no state",
            hint=f"save what {strip}(model) returns, where the model was made, and build that",
        )
    if all(culprit.recurrent for culprit in culprits):
        way = "stateful=False, with the state as input (initial_state) and output (return_state=True)"
    else:
        way = "let the model take the state as an input, and give the new one as an output, instead of assigning it"
    return ExportError(
        f"the model cannot be written as {format_name}: its state would freeze at its current value",
        got=f"state kept between calls in {got}",
        expected="a model that computes the same at every call",
        hint=f"{way}; or a format that keeps state (--formats {keeping})",
    )


def leaving_out(format_name: str, *, python: bool = False, layers: bool = True) -> str:
    """How to build without a format: with those that hold whatever TensorFlow runs, or with all that can be written.

    Args:
        format_name: the name of the format.
        python: whether the model needs what only a format that holds layers keeps, such as Python code.
        layers: whether the model has layers; a function of a SavedModel has none.
    """
    certain = [form for form in formats.every() if form.writer is not None and form.name != format_name]
    able = [form.name for form in certain if (layers if form.needs_layers else not python)]
    naming = f" (--formats {','.join(able)})" if able else ""
    return f"leave {format_name} out{naming}{KEEPING_GOING}"
