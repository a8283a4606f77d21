"""What a healthy configuration is: a model of layers that keep what they promise."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Shape = tuple[int | None, ...]
POLICIES = ("float32", "float32", "mixed_float16")
FORMATS = ("keras", "saved_model", "onnx", "tflite")


@dataclass(frozen=True)
class Configuration:
    """A model whose promises are checked.

    Attributes:
        layers: the classes in it, by the names of their files.
        words: its parameters, for readers.
        make: of Keras tensors by name, the output; weights are random afterwards.
        shapes: of each input by name, without the batch.
        domain: the domain of every input.
        policy: of the layers.
        seed: the seed of the weights.
        spread: deviation of the weights; None leaves them as they are initialised.
        promises: what is promised besides what the layers do.
    """

    layers: tuple[str, ...]
    words: str
    make: Callable[..., Any]
    shapes: dict[str, Shape]
    domain: str
    policy: str = "float32"
    seed: int = 0
    spread: float | None = None
    promises: tuple[Any, ...] = ()

    @property
    def name(self) -> str:
        """Layers and parameters."""
        return f"{' + '.join(self.layers)}/{self.words}, {self.policy}"

    def model(self) -> Any:
        """The Keras model."""
        import keras

        keras.utils.set_random_seed(self.seed)
        keras.config.set_dtype_policy(self.policy)
        inputs = {name: keras.Input(shape, name=name, dtype="float32") for name, shape in self.shapes.items()}
        model = keras.Model(list(inputs.values()), self.make(**inputs), name="healthy")
        keras.config.set_dtype_policy("float32")
        if self.spread is not None:
            rng = np.random.default_rng(self.seed)
            for variable in model.trainable_variables:
                variable.assign(rng.normal(0, self.spread, variable.shape))
        return model

    def domains(self) -> dict[str, str]:
        """Of each input."""
        return dict.fromkeys(self.shapes, self.domain)


class Draw:
    """Draws parameters of configurations, the same whenever it is made.

    Args:
        seed: the seed of a layer.
    """

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)

    def one(self, choices: Sequence[Any]) -> Any:
        """One of several."""
        return choices[int(self.rng.integers(len(choices)))]

    def real(self, low: float, high: float) -> float:
        """A number of three digits."""
        return float(f"{self.rng.uniform(low, high):.3g}")

    def whole(self, low: int, high: int) -> int:
        """A whole number; both ends are drawn."""
        return int(self.rng.integers(low, high + 1))

    def policy(self) -> str:
        """Of the layers."""
        return str(self.one(POLICIES))

    def domain(self) -> str:
        """A range of some width, around 0 or not."""
        width, centre = self.one((1.0, 3.0, 10.0, 50.0)), self.one((0.0, 0.0, 0.5, -2.0))
        return f"uniform({centre - width:g}, {centre + width:g})"

    def inner(self) -> tuple[int, ...]:
        """Axes between the batch and the features."""
        return tuple(self.one(((), (), (), (), (3,), (2, 2))))


def numbered(made: Iterator[Configuration]) -> list[Configuration]:
    """All, the names told apart."""
    found: dict[str, Configuration] = {}
    for each in made:
        found.setdefault(each.name, each)
    return list(found.values())
