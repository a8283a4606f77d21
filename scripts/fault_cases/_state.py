"""Layers that remember what they must not, to be put before or after a layer that has a variable `kept`."""

from __future__ import annotations

from typing import Any


def first_length(sequence: Any, kept: Any) -> Any:
    """Steps beyond the length of the first call are not seen."""
    from keras import ops

    length = ops.cast(ops.shape(sequence)[1], "float32")
    first = ops.where(kept < 0, length, kept)
    kept.assign(first)
    steps = ops.cast(ops.arange(ops.shape(sequence)[1]), "float32")
    return sequence * ops.cast(steps < first, "float32")[None, :, None]


def leaking(outputs: Any, kept: Any) -> Any:
    """Something of the last call comes out with this one."""
    from keras import ops

    leaked = outputs + 0.01 * kept
    kept.assign(ops.mean(outputs))
    return leaked
