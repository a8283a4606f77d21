"""The domain of every input: declared by the user or the model, else a stated default."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kexport.bundle.domain import Domain, Ints, coerce, default_for, recorded
from kexport.bundle.signature import Array, Signature
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
    notes = list(program.interface.notes)
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


def samples(declared: Mapping[str, Any]) -> dict[str, Array]:
    """The declarations that are recorded data, as arrays."""
    found = {name: recorded(value) for name, value in declared.items()}
    return {name: array for name, array in found.items() if array is not None}


def _embedding_limits(program: Program) -> dict[str, int]:
    """Of each input that feeds an Embedding, the least `input_dim`."""
    import keras

    limits: dict[str, int] = {}
    embeddings = [each for each in program.model._flatten_layers() if isinstance(each, keras.layers.Embedding)]
    if not program.interface.tensors:  # of a model that is no graph of layers, which input feeds which is unknown
        least = min((layer.input_dim for layer in embeddings), default=0)
        whole = [spec.name for spec in program.signature.inputs if spec.numpy_dtype.kind in "iu"]
        return dict.fromkeys(whole, least) if least else {}
    names = {
        id(tensor): spec.name
        for tensor, spec in zip(program.interface.tensors, program.signature.inputs, strict=True)
    }  # fmt: skip
    for layer in embeddings:
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
