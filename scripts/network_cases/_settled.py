"""Weights of a network, none of which keeps the zeros or ones that it begins with; and the same as source."""

from __future__ import annotations

from typing import Any

FILE = """import keras
import numpy as np
from keras import layers as L


{inner}{definition}

def make():
    keras.utils.set_random_seed({seed})
    model = unsettled()
    rng = np.random.default_rng({seed})
    for variable in model.weights:
        if not keras.backend.standardize_dtype(variable.dtype).startswith("float"):
            continue
        value, kind = np.asarray(variable), variable.path.rpartition("/")[2]
        if kind in ("gamma", "scale", "moving_variance"):
            variable.assign(rng.uniform(0.5, 1.5, value.shape))
        elif kind in ("beta", "bias", "moving_mean", "alpha") or (value.size and np.ptp(value) == 0):
            variable.assign(rng.normal(0, 0.2, value.shape))
    return model
"""


def settle(model: Any, seed: int) -> None:
    """Give all weights random values: one that begins as zeros or ones would hide what is done with it."""
    import keras
    import numpy as np

    rng = np.random.default_rng(seed)
    for variable in model.weights:
        if not keras.backend.standardize_dtype(variable.dtype).startswith("float"):
            continue
        value = np.asarray(variable)
        kind = variable.path.rpartition("/")[2]
        if kind in ("gamma", "scale", "moving_variance"):
            variable.assign(rng.uniform(0.5, 1.5, value.shape))
        elif kind in ("beta", "bias", "moving_mean", "alpha") or (value.size and np.ptp(value) == 0):
            variable.assign(rng.normal(0, 0.2, value.shape))
