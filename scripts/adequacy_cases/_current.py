"""The model that this process is about, as kexport gets it: a callable of a module."""

from __future__ import annotations

from typing import Any

name = ""
made: Any = None


def model() -> Any:
    """Make the model with settled weights, and keep it for the changes."""
    global made
    import keras

    from adequacy_cases._models import MODELS
    from fault_cases._family import settle

    keras.utils.set_random_seed(0)
    made = MODELS[name]()
    settle(made)
    return made
