"""The domain of every input: declared by the user or the model, else a stated default."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kexport.bundle.domain import Domain, Ints, coerce, default_for
from kexport.bundle.signature import Signature
from kexport.errors import UsageError, nearest
from kexport.factory.trace import Program


def settle(program: Program, declared: Mapping[str, Any]) -> tuple[dict[str, Domain], list[str]]:
    """A domain for every input, and a note on each that nobody declared.

    Raises:
        UsageError: a domain is declared for an input that the model does not have, or cannot be read.
    """
    signature: Signature = program.signature
    names = [spec.name for spec in signature.inputs]
    for name in declared:
        if name not in names:
            raise UsageError(
                f"a domain is given for {name!r}, which is no input of the model",
                expected="one of " + ", ".join(names),
                hint=nearest(name, names),
            )
    limits = _embedding_limits(program)
    domains: dict[str, Domain] = {}
    notes = []
    for spec in signature.inputs:
        if spec.name in declared:
            domains[spec.name] = coerce(spec.name, declared[spec.name], spec)
            continue
        if spec.name in limits:
            domains[spec.name] = Ints(0, limits[spec.name])
            reason = "the input_dim of the Embedding that it feeds"
        else:
            domains[spec.name] = default_for(spec)
            reason = "the default"
        notes.append(f"input {spec.name} was given no domain: {domains[spec.name]} is {reason}")
    return domains, notes


def _embedding_limits(program: Program) -> dict[str, int]:
    """Of each input that feeds an Embedding, the least `input_dim`."""
    import keras

    functional = getattr(program.model, "_functional", None) or program.model
    names = {
        id(tensor): spec.name
        for tensor, spec in zip(
            keras.tree.flatten(program.interface.input_structure), program.signature.inputs, strict=True
        )
    }
    limits: dict[str, int] = {}
    for layer in functional.layers:
        if isinstance(layer, keras.layers.Embedding):
            for node in layer._inbound_nodes:
                for tensor in _ancestors(node.input_tensors):
                    name = names.get(id(tensor))
                    if name is not None:
                        limits[name] = min(limits.get(name, layer.input_dim), layer.input_dim)
    return limits


def _ancestors(tensors: list[Any]) -> Iterator[Any]:
    pending, seen = list(tensors), set()
    while pending:
        tensor = pending.pop()
        if id(tensor) in seen:
            continue
        seen.add(id(tensor))
        yield tensor
        history = getattr(tensor, "_keras_history", None)
        if history is not None and history.operation._inbound_nodes:
            pending += history.operation._inbound_nodes[history.node_index].input_tensors
