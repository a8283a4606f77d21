"""The layer of a planted break. It is found by its name, so that a `.keras` file can be loaded in any process."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

import contract_cases


@keras.saving.register_keras_serializable(package="contract_cases")
class Planted(keras.layers.Layer):
    """Computes what a break does, and promises what it should have done."""

    def __init__(self, case: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.case = case
        self._broken = contract_cases.get(case)

    def build(self, inputs_shape: Any, reference_shape: Any = None) -> None:
        """Make the weights of the break."""
        self.own = [
            self.add_weight(shape=value.shape, initializer=keras.initializers.Constant(value), name=name)
            for name, value in self._broken.weights.items()
        ]
        super().build(inputs_shape)

    def call(self, inputs: Any, reference: Any = None) -> Any:
        """Compute it."""
        given = [inputs] if reference is None else [inputs, reference]
        return self._broken.function(*given, *self.own)

    def contracts(self) -> Sequence[Any]:
        """What is promised."""
        return self._broken.promises()

    def get_config(self) -> dict[str, Any]:
        """The name of the break."""
        return {**super().get_config(), "case": self.case}
