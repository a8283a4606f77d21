"""Saying which layer of the model a format cannot carry."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from kexport.errors import ExportError

_ANOTHER = {"onnx": "tflite", "tflite": "onnx"}
_TEXT = re.compile(r"String|Regex|Unicode|Table|Text|FarmHash|Fingerprint|AsString|Ragged|SparseCross")


def refusal(
    format_name: str, why: str, operations: Iterable[tuple[str, str]], scopes: Mapping[str, str]
) -> ExportError:
    """The error for operations that a format lacks.

    Args:
        format_name: of the format.
        why: in a few words.
        operations: type and name in the graph of each.
        scopes: of each scope in the graph, the layer or operation that opened it, in words.
    """
    by_layer: dict[str, set[str]] = {}
    for kind, name in operations:
        by_layer.setdefault(layer_of(name, scopes), set()).add(kind)
    kinds = set().union(*by_layer.values())
    if any(_TEXT.search(kind) for kind in kinds):
        hint = f"{format_name} carries no such work on strings: leave that layer to preprocessing outside of the model"
    else:
        others = f"another format (--formats saved_model,keras{',' + _ANOTHER[format_name]})"
        hint = f"another setting of that layer, {others}, or that layer left to preprocessing"
    return ExportError(
        f"the model cannot be written as {format_name}: {why}",
        got="; ".join(f"{', '.join(sorted(found))} in {layer}" for layer, found in by_layer.items()),
        expected="operations that the format has",
        hint=hint,
    )


def stateful(format_name: str, assigning: Iterable[str], scopes: Mapping[str, str]) -> ExportError:
    """The error for a model that keeps state between calls; gets the names of the operations that change it."""
    layers = dict.fromkeys(layer_of(name, scopes) for name in assigning)
    return ExportError(
        f"the model cannot be written as {format_name}: its state would freeze at what it is now",
        got=f"state kept between calls in {', '.join(layers)}",
        expected="a model that computes the same at every call",
        hint="stateful=False, with the state as input (initial_state) and output (return_state=True); or a format that "
        "keeps state (--formats saved_model,keras,tflite)",
    )


def layer_of(name: str, scopes: Mapping[str, str]) -> str:
    """The layer, or the operation of a functional model, that a name in the graph comes from, in words.

    It is the innermost that opened a scope around the name. A converter may have put its own scopes before the
    graph's, as a function that is called puts its own: then it is the one whose scope ends with the same names.
    """
    parts = re.split(r"[/;]", name)
    for end in range(len(parts), 0, -1):
        for start in range(end):
            if (found := scopes.get("/".join(parts[start:end]))) is not None:
                return found
    return "the model itself"
