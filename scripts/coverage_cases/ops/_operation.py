"""Cases of operations: a model of one layer that calls the function."""

from __future__ import annotations

from typing import Any

import keras

from coverage_cases._case import Cases, Function


@keras.saving.register_keras_serializable("coverage")
class Operation(keras.layers.Layer):
    """Calls a function; it cannot be loaded from a file, which has no functions in it."""

    def __init__(self, function: Function | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.function = function

    def call(self, inputs: Any) -> Any:
        return self.function(inputs)

    def compute_output_spec(self, inputs: Any) -> Any:
        return keras.src.backend.compute_output_spec(self.function, inputs)


class Operations(Cases):
    """Cases of `keras.ops`; the `.keras` file is not among their formats."""

    def __init__(self) -> None:
        super().__init__("ops")

    def of(self, name: str, draws: Any, function: Function, **options: Any) -> None:
        """Add a case of a function of one value, or of a list of them."""
        super().of(name, draws, lambda inputs: Operation(function)(inputs), **options)
