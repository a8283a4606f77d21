"""Domains of inputs that meet the keys of a table, or the thresholds of a tree, in bare files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from kexport.bundle.declared_domain import default_for
from kexport.bundle.domain import Bins, Choice, Domain, Features, Ints
from kexport.bundle.signature import TensorSpec
from kexport.field.comparison.operands import Operand
from kexport.parity import listed_values
from kexport.parity.table_rows import MOST_TRIED, TableKeys
from kexport.runtimes.files.keys import ANY, Keys

_MOST_DRAWN = 16 * MOST_TRIED  # keys; of more, some are left out
_LARGEST_EDGE = 1e6  # farther away lie guards against infinity
_WIDE = 4  # bytes of an integer that is rather a key than a pixel
_BEYOND = 0.25  # of the range of thresholds, on either side


def known_keys(
    operands: Sequence[Operand], names: Sequence[Mapping[str, str]], specs: Sequence[TensorSpec]
) -> dict[str, Domain]:
    """The domains of the inputs that meet a key or a threshold in one of the files.

    Args:
        operands: A and B; only bare files are read.
        names: of either, the shared names of its inputs by its own.
        specs: the inputs of which nothing is known.
    """
    met: dict[str, Keys] = {}
    for operand, called in zip(operands, names, strict=True):
        for name, keys in _of(operand).items():
            discrete = [spec.name for spec in specs if spec.numpy_dtype.kind in "iuU"]
            for ours in discrete if name == ANY else [called.get(name, "")]:
                met.setdefault(ours, Keys()).include(keys)
    domains = {spec.name: _domain(spec, met[spec.name]) for spec in specs if spec.name in met}
    return {name: domain for name, domain in domains.items() if domain is not None}


def _of(operand: Operand) -> Mapping[str, Keys]:
    return operand.file.keys(operand.path) if operand.bundle is None else {}


def _domain(spec: TensorSpec, keys: Keys) -> Domain | None:
    """The domain of one input; None where nothing fits its dtype."""
    kind = spec.numpy_dtype.kind
    room = listed_values.room_for(spec)
    if kind == "U":
        default = default_for(spec)
        others = default.values if isinstance(default, Choice) else ()
        return TableKeys.of([*list(keys.texts)[:_MOST_DRAWN], *others], room) if keys.texts else None
    if kind == "f" and not keys.numbers:
        edges = sorted(each for each in keys.edges if abs(each) <= _LARGEST_EDGE)
        if keys.thresholds or not edges:
            return _between(spec, keys.thresholds)
        return _sides(spec, edges)
    if kind not in "iuf" or spec.numpy_dtype.itemsize < _WIDE:
        return None  # all values of a narrow one are drawn
    if keys.thresholds:
        return _between(spec, keys.thresholds)
    return _of_numbers(spec, {*keys.numbers, *keys.edges}, room)


def _of_numbers(spec: TensorSpec, keys: set[float], room: int) -> Domain | None:
    """The keys that the dtype can hold, and one number that is none."""
    limits = np.finfo(spec.numpy_dtype) if spec.is_float else np.iinfo(spec.numpy_dtype)
    numbers = sorted(each if spec.is_float else int(each) for each in keys
                     if limits.min <= each <= limits.max and (spec.is_float or each == int(each)))  # fmt: skip
    if not numbers:
        return None
    numbers, listed = numbers[:_MOST_DRAWN], set(numbers)
    absent = next(each for each in (numbers[-1] + 1, numbers[0] - 1, *range(len(numbers) + 1))
                  if limits.min <= each <= limits.max and each not in listed)  # fmt: skip
    return TableKeys.of([*numbers, absent, 0, 1], room)


def _between(spec: TensorSpec, thresholds: Mapping[int, set[float]]) -> Domain | None:
    """Numbers on both sides of every threshold of each feature."""
    count = spec.shape[-1] if spec.shape else 1
    if not thresholds:
        return None
    if count is None or max(thresholds) >= count or count == 1:
        return _sides(spec, sorted({edge for edges in thresholds.values() for edge in edges}))
    return Features(*(_sides(spec, sorted(thresholds[index])) if index in thresholds else default_for(spec)
                      for index in range(count)))  # fmt: skip


def _sides(spec: TensorSpec, edges: Sequence[float]) -> Domain:
    beyond = max(_BEYOND * (edges[-1] - edges[0]), 1.0)
    if spec.is_float:
        return Bins(min(-1.0, edges[0] - beyond), *edges, max(1.0, edges[-1] + beyond))
    limits = np.iinfo(spec.numpy_dtype)
    low, high = max(limits.min, int(edges[0] - beyond) - 1), min(limits.max, int(edges[-1] + beyond) + 1)
    return Ints(int(low), int(high) + 1) if low < high else default_for(spec)
