"""Inputs that together are one ragged or sparse tensor, as a SavedModel takes it apart."""

from __future__ import annotations

import re
from collections.abc import Sequence

from kexport.bundle.signature import TensorSpec

#: What a user can do about them.
WAY_OUT = (
    "numbers drawn one by one are no such tensor: save a signature of dense tensors that makes it inside, as by"
    " tf.RaggedTensor.from_tensor or tf.sparse.from_dense"
)
_NUMBERED = re.compile(r"_(?:component_)?\d+$")
_SPARSE = ("_indices", "_values", "_dense_shape")  # as TensorFlow 1 names them


def composite_parts(inputs: Sequence[TensorSpec]) -> str:
    """In words, which inputs look like the parts of one tensor that is not dense; empty where none do.

    TensorFlow writes the values and row splits of a ragged tensor `x` as `x` and `x_1`, and the indices, values and
    shape of a sparse one as `x`, `x_1` and `x_2`: splits, indices and shapes are of int64.
    """
    groups: dict[str, list[TensorSpec]] = {}
    for spec in inputs:
        name = next((spec.name.removesuffix(end) for end in _SPARSE if spec.name.endswith(end)), spec.name)
        groups.setdefault(_NUMBERED.sub("", name), []).append(spec)
    found = []
    for parts in (sorted(each, key=lambda spec: spec.name) for each in groups.values()):
        listed = ", ".join(spec.name for spec in parts)
        if _is_sparse(parts):
            found.append(f"inputs {listed} look like the indices, values and shape of a sparse tensor")
        elif _is_ragged(parts):
            found.append(f"inputs {listed} look like the values and row splits of a ragged tensor")
    return "; ".join(found)


def _is_sparse(parts: Sequence[TensorSpec]) -> bool:
    """Whether there are indices, one row for each value, and as many sizes as an index has."""
    whole = [spec for spec in parts if spec.dtype == "int64"]
    indices = [spec for spec in whole if len(spec.shape) == 2 and spec.shape[1] is not None]
    return len(parts) == 3 and any(spec.shape == each.shape[1:] for spec in whole for each in indices)


def _is_ragged(parts: Sequence[TensorSpec]) -> bool:
    """Whether all but the values are open rows of whole numbers."""
    splits = [spec for spec in parts if spec.dtype in ("int64", "int32") and spec.shape == (None,)]
    return len(parts) > 1 and len(splits) >= len(parts) - 1
