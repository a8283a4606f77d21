"""The model of the case that this process is about, as kexport gets it: a callable of a module."""

from __future__ import annotations

from typing import Any

from coverage_cases._case import Case

case: Case | None = None
made: Any = None


def model() -> Any:
    """Make the model with settled weights, and keep it for the comparison."""
    global made
    import keras

    assert case is not None
    keras.utils.set_random_seed(0)
    made = case.make()
    _settle(made)
    return made


def _settle(model: Any) -> None:
    """Give weights that begin as zeros or ones other values: a forgotten bias would go unseen."""
    import keras
    import numpy as np

    rng = np.random.default_rng(1)
    for variable in model.weights:
        if not keras.backend.standardize_dtype(variable.dtype).startswith(("float", "bfloat")):
            continue
        value = keras.ops.convert_to_numpy(keras.ops.cast(variable, "float32"))
        kind = getattr(variable, "path", variable.name).rpartition("/")[2].partition(":")[0]  # of Keras 2: its name
        if kind == "moving_variance" or kind in ("gamma", "scale"):
            variable.assign(rng.uniform(0.5, 1.5, value.shape))
        elif kind == "moving_mean" or (variable.trainable and value.size and np.ptp(value) == 0):
            variable.assign(rng.normal(0, 0.2, value.shape))
