"""What a network is: numbers and names alone, from which the model and its source are made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

#: These are called with a list; those of `SPREAD` with several arguments.
OF_LISTS = (
    "Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate", "Dot", "Attention",
    "AdditiveAttention",
)  # fmt: skip
SPREAD = ("MultiHeadAttention", "GroupQueryAttention")


@dataclass(frozen=True)
class Layer:
    """A layer of Keras, by name.

    Attributes:
        name: of its class in `keras.layers`.
        options: of its constructor; a layer among them is that of a wrapper.
    """

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)

    def make(self) -> Any:
        """The layer itself."""
        from keras import layers

        options = {key: value.make() if isinstance(value, Layer) else value for key, value in self.options.items()}
        return getattr(layers, self.name)(**options)

    def text(self) -> str:
        """What makes it, as source."""
        options = (
            f"{key}={value.text() if isinstance(value, Layer) else repr(value)}" for key, value in self.options.items()
        )
        return f"L.{self.name}({', '.join(options)})"

    def to_json(self) -> dict[str, Any]:
        options = {
            key: {"layer": each.to_json()} if isinstance(each, Layer) else each for key, each in self.options.items()
        }
        return {"name": self.name, "options": options}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Layer:
        options = {
            key: cls.from_json(value["layer"]) if isinstance(value, dict) else _tuples(value)
            for key, value in data["options"].items()
        }
        return cls(data["name"], options)


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


@dataclass(frozen=True)
class Step:
    """One tensor of a network.

    Attributes:
        layer: what computes it.
        inputs: the numbers of the tensors that it takes; none for an input of the network.
        call: named arguments of the call.
    """

    layer: Layer
    inputs: tuple[int, ...] = ()
    call: Mapping[str, Any] = field(default_factory=dict)

    def apply(self, taken: Sequence[Any]) -> Any:
        """Call the layer."""
        made = self.layer.make()
        if not taken:
            return made
        if self.layer.name in OF_LISTS:
            return made(list(taken), **self.call)
        return made(*taken, **self.call)

    def text(self) -> str:
        """The call, as source."""
        if not self.inputs:
            return self.layer.text().replace("L.Input", "keras.Input")
        names = ", ".join(f"t{number}" for number in self.inputs)
        taken = f"[{names}]" if self.layer.name in OF_LISTS else names
        return f"{self.layer.text()}({', '.join([taken, *(f'{key}={value!r}' for key, value in self.call.items())])})"

    def to_json(self) -> dict[str, Any]:
        return {"layer": self.layer.to_json(), "inputs": list(self.inputs), "call": dict(self.call)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Step:
        return cls(Layer.from_json(data["layer"]), tuple(data["inputs"]), data["call"])


@dataclass(frozen=True)
class Network:
    """A network with random weights.

    Attributes:
        seed: of the weights.
        steps: in the order of computation.
        outputs: the numbers of the tensors that it gives.
    """

    seed: int
    steps: tuple[Step, ...]
    outputs: tuple[int, ...]

    def tensors(self) -> list[Any]:
        """The symbolic tensors of all steps."""
        made: list[Any] = []
        for step in self.steps:
            made.append(step.apply([made[number] for number in step.inputs]))
        return made

    def model(self) -> Any:
        """The model with its weights."""
        import keras

        keras.utils.set_random_seed(self.seed)
        made = self.tensors()
        inputs = [tensor for tensor, step in zip(made, self.steps, strict=True) if not step.inputs]
        outputs = [made[number] for number in self.outputs]
        model = keras.Model(inputs if len(inputs) > 1 else inputs[0], outputs if len(outputs) > 1 else outputs[0])
        settle(model, self.seed)
        return model

    def source(self) -> str:
        """A file whose `make()` gives the model."""
        lines = [f"    t{number} = {step.text()}" for number, step in enumerate(self.steps)]
        inputs = ", ".join(f"t{number}" for number, step in enumerate(self.steps) if not step.inputs)
        outputs = ", ".join(f"t{number}" for number in self.outputs)
        return _FILE.format(seed=self.seed, lines="\n".join(lines), inputs=inputs, outputs=outputs)

    def without(self, number: int) -> Network | None:
        """The network without a step, whose first input takes its place; None for one without inputs."""
        step = self.steps[number]
        if not step.inputs:
            return None
        place = [n if n < number else n - 1 for n in range(len(self.steps))]
        place[number] = step.inputs[0]
        steps = [
            replace(other, inputs=tuple(place[n] for n in other.inputs))
            for n, other in enumerate(self.steps)
            if n != number
        ]
        outputs = tuple(dict.fromkeys(place[n] for n in self.outputs))
        return replace(self, steps=tuple(steps), outputs=outputs).pruned()

    def pruned(self) -> Network:
        """Without the steps that no output depends on."""
        used: set[int] = set(self.outputs)
        for number in reversed(range(len(self.steps))):
            if number in used:
                used.update(self.steps[number].inputs)
        kept = sorted(used)
        place = {number: index for index, number in enumerate(kept)}
        steps = tuple(
            replace(self.steps[number], inputs=tuple(place[n] for n in self.steps[number].inputs)) for number in kept
        )
        return replace(self, steps=steps, outputs=tuple(place[number] for number in self.outputs))

    def to_json(self) -> dict[str, Any]:
        return {
            "seed": self.seed,
            "steps": [step.to_json() for step in self.steps],
            "outputs": list(self.outputs),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Network:
        return cls(data["seed"], tuple(map(Step.from_json, data["steps"])), tuple(data["outputs"]))


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


_FILE = """import keras
import numpy as np
from keras import layers as L


def make():
    keras.utils.set_random_seed({seed})
{lines}
    model = keras.Model([{inputs}], [{outputs}])
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
