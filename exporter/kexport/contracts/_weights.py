"""Which weights of a layer a contract is about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kexport.bundle.signature import Array
from kexport.errors import UsageError, require_known


def named(weights: str | Sequence[str] | None) -> tuple[str, ...] | None:
    """Names as a tuple.

    Raises:
        UsageError: the sequence is empty.
    """
    if weights is None or isinstance(weights, str):
        return None if weights is None else (weights,)
    if not weights:
        raise UsageError("a contract names no weights", got=weights, expected="names, or None for all matrices")
    return tuple(weights)


def chosen(weights: Mapping[str, Array], names: str | Sequence[str] | None, kind: str) -> dict[str, Array]:
    """The weights of these names; without names all matrices, or all weights where there is no matrix.

    Raises:
        UsageError: the layer has no weight of a name, or no weights at all.
    """
    if not weights:
        raise UsageError(f"contract {kind!r} is about a layer without weights", expected="a layer with weights")
    wanted = named(names)
    if wanted is None:
        matrices = {name: values for name, values in weights.items() if values.ndim >= 2}
        return matrices or dict(weights)
    for name in wanted:
        require_known(name, weights, f"contract {kind!r} is about a weight that the layer does not have", name)
    return {name: weights[name] for name in wanted}
