"""Errors that name the layers of a model that a format cannot represent."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from kexport.errors import ExportError
from kexport.factory import formats

_TEXT = re.compile(r"String|Regex|Unicode|Table|Text|FarmHash|Fingerprint|AsString|Ragged|SparseCross")


def refusal(
    format_name: str, why: str, operations: Iterable[tuple[str, str]], scopes: Mapping[str, str]
) -> ExportError:
    """The error for operations that a format lacks.

    Args:
        format_name: the name of the format.
        why: the reason, in a few words.
        operations: type and name in the graph of each.
        scopes: for each scope in the graph, the layer or operation that opened it, in words.
    """
    by_layer: dict[str, set[str]] = {}
    for kind, name in operations:
        by_layer.setdefault(layer_of(name, scopes), set()).add(kind)
    kinds = set().union(*by_layer.values())
    if any(_TEXT.search(kind) for kind in kinds):
        hint = f"{format_name} does not have these string operations: move that layer into preprocessing"
    else:
        others = ",".join(form.name for form in formats.every() if form.name != format_name)
        hint = (
            f"change the layer's settings, choose another format (--formats {others}), or move the layer out of the "
            "model, into preprocessing"
        )
    return ExportError(
        f"the model cannot be written as {format_name}: {why}",
        got="; ".join(f"{', '.join(sorted(kinds))} in {layer}" for layer, kinds in by_layer.items()),
        expected=formats.get(format_name).expected,
        hint=hint,
    )


def stateful(format_name: str, assigning: Iterable[str], scopes: Mapping[str, str]) -> ExportError:
    """The error for a model that keeps state between calls; gets the names of the operations that change it."""
    layers = dict.fromkeys(layer_of(name, scopes) for name in assigning)
    others = ",".join(form.name for form in formats.every() if form.keeps_state)
    return ExportError(
        f"the model cannot be written as {format_name}: its state would freeze at its current value",
        got=f"state kept between calls in {', '.join(layers)}",
        expected="a model that computes the same at every call",
        hint="stateful=False, with the state as input (initial_state) and output (return_state=True); or a format that "
        f"keeps state (--formats {others})",
    )


def layer_of(name: str, scopes: Mapping[str, str]) -> str:
    """The layer, or the operation of a functional model, that a name in the graph comes from, in words.

    It is the innermost that opened a scope around the name. A converter may have put its own scopes before the
    graph's, and a called function puts its caller's there: then it is the one whose scope ends with the same names.
    """
    parts = re.split(r"[/;]", name)
    for end in range(len(parts), 0, -1):
        for start in range(end):
            if (layer := scopes.get("/".join(parts[start:end]))) is not None:
                return layer
    return "the model itself"
