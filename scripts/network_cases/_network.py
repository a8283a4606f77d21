"""What a network is: numbers and names alone, from which the model and its source are made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from network_cases._settled import FILE, settle

#: These are called with a list; those of `SPREAD` with several arguments.
OF_LISTS = (
    "Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate", "Dot", "Attention",
    "AdditiveAttention",
)  # fmt: skip
SPREAD = ("MultiHeadAttention", "GroupQueryAttention")
OPERATION = "ops."  # before the name of a function of keras.ops
SLICE = "slice"  # what stands for `x[...]`
MODEL = "Model"  # a network as a layer
_LISTED = ("ops.concatenate", "ops.stack")  # called with a list


@dataclass(frozen=True)
class Layer:
    """A layer of Keras, by name.

    Attributes:
        name: of its class in `keras.layers`; or `OPERATION` and the name of a function; or `SLICE`, or `MODEL`.
        options: of its constructor; a layer among them is that of a wrapper, a network is that of a `MODEL`.
    """

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)

    def make(self) -> Any:
        """The layer itself."""
        from keras import layers, ops

        if self.name.startswith(OPERATION):
            return getattr(ops, self.name.removeprefix(OPERATION))
        if self.name == MODEL:
            return self.options["network"].functional()
        options = {key: value.make() if isinstance(value, Layer) else value for key, value in self.options.items()}
        return getattr(layers, self.name)(**options)

    def text(self) -> str:
        """What makes it, as source."""
        if self.name.startswith(OPERATION):
            return f"keras.{self.name}"
        if self.name == MODEL:
            return f"{self.options['network'].name}()"
        options = (
            f"{key}={value.text() if isinstance(value, Layer) else repr(value)}" for key, value in self.options.items()
        )
        return f"L.{self.name}({', '.join(options)})"

    def to_json(self) -> dict[str, Any]:
        options = {
            key: {"layer": each.to_json()}
            if isinstance(each, Layer)
            else {"network": each.to_json()}
            if isinstance(each, Network)
            else each
            for key, each in self.options.items()
        }
        return {"name": self.name, "options": options}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Layer:
        options = {
            key: _given(value) if isinstance(value, dict) else _tuples(value) for key, value in data["options"].items()
        }
        return cls(data["name"], options)


def _given(value: Mapping[str, Any]) -> Layer | Network:
    """A layer or a network among options."""
    return Layer.from_json(value["layer"]) if "layer" in value else Network.from_json(value["network"])


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


@dataclass(frozen=True)
class Step:
    """One tensor of a network.

    Attributes:
        layer: what computes it.
        inputs: the numbers of the tensors that it takes; none for an input of the network.
        call: named arguments of the call; of a slice the slices, as lists.
        pick: which of several results it is.
        shares: the number of the step whose layer it calls again.
    """

    layer: Layer
    inputs: tuple[int, ...] = ()
    call: Mapping[str, Any] = field(default_factory=dict)
    pick: int | None = None
    shares: int | None = None

    def apply(self, taken: Sequence[Any], layer: Any = None) -> Any:
        """Call the layer, or the one that is given."""
        if self.layer.name == SLICE:
            return taken[0][tuple(slice(*each) for each in self.call["slices"])]
        made = self.layer.make() if layer is None else layer
        if not taken:
            return made
        subscripts = [self.call["subscripts"]] if "subscripts" in self.call else []
        call = {key: value for key, value in self.call.items() if key != "subscripts"}
        given = [list(taken)] if self._takes_a_list else [*subscripts, *taken]
        result = made(*given, **call)
        return result if self.pick is None else result[self.pick]

    @property
    def _takes_a_list(self) -> bool:
        return self.layer.name in OF_LISTS + _LISTED

    def text(self, layer: str = "") -> str:
        """The call, as source, of the layer that has this name if it has one."""
        if not self.inputs:
            return self.layer.text().replace("L.Input", "keras.Input")
        names = ", ".join(f"t{number}" for number in self.inputs)
        if self.layer.name == SLICE:
            return f"{names}[{', '.join(f'slice{tuple(each)}' for each in self.call['slices'])}]"
        taken = f"[{names}]" if self._takes_a_list else names
        call = [repr(value) if key == "subscripts" else f"{key}={value!r}" for key, value in self.call.items()]
        given = [*call, taken] if "subscripts" in self.call else [taken, *call]
        return f"{layer or self.layer.text()}({', '.join(given)})" + ("" if self.pick is None else f"[{self.pick}]")

    def to_json(self) -> dict[str, Any]:
        return {
            "layer": self.layer.to_json(), "inputs": list(self.inputs), "call": dict(self.call), "pick": self.pick,
            "shares": self.shares,
        }  # fmt: skip

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Step:
        layer = Layer.from_json(data["layer"])
        return cls(layer, tuple(data["inputs"]), data["call"], data.get("pick"), data.get("shares"))

    def moved(self, place: Mapping[int, int]) -> Step:
        """The step where others have new numbers; what it shares with one that has none is its own."""
        shares = None if self.shares is None else place.get(self.shares)
        return replace(self, inputs=tuple(place[number] for number in self.inputs), shares=shares)


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
        layers: list[Any] = []
        for step in self.steps:
            called = step.inputs and step.layer.name != SLICE
            layers.append((step.layer.make() if step.shares is None else layers[step.shares]) if called else None)
            made.append(step.apply([made[number] for number in step.inputs], layers[-1]))
        return made

    def model(self) -> Any:
        """The model with its weights."""
        import keras

        keras.utils.set_random_seed(self.seed)
        model = self.functional()
        settle(model, self.seed)
        return model

    def functional(self) -> Any:
        """The model with the weights that its layers begin with."""
        import keras

        made = self.tensors()
        inputs = [tensor for tensor, step in zip(made, self.steps, strict=True) if not step.inputs]
        outputs = [made[number] for number in self.outputs]
        return keras.Model(inputs if len(inputs) > 1 else inputs[0], outputs if len(outputs) > 1 else outputs[0])

    def source(self) -> str:
        """A file whose `make()` gives the model."""
        inner = "".join(f"{network.definition()}\n\n" for network in self.networks())
        return FILE.format(seed=self.seed, inner=inner, definition=self.definition("unsettled"))

    def networks(self) -> list[Network]:
        """Those that are layers of this one, or of one of these; each before what it is in."""
        found: dict[str, Network] = {}
        for step in self.steps:
            if step.layer.name == MODEL:
                network = step.layer.options["network"]
                found |= {each.name: each for each in (*network.networks(), network)}
        return list(found.values())

    @property
    def name(self) -> str:
        """Of the function that makes it, in source."""
        return f"network_{self.seed}"

    def definition(self, name: str = "") -> str:
        """A function that makes the model, as source."""
        shared = {step.shares for step in self.steps}
        lines = [f"def {name or self.name}():"]
        for number, step in enumerate(self.steps):
            if number in shared:
                lines.append(f"    l{number} = {step.layer.text()}")
            place = number if number in shared else step.shares
            lines.append(f"    t{number} = {step.text('' if place is None else f'l{place}')}")
        inputs = ", ".join(f"t{number}" for number, step in enumerate(self.steps) if not step.inputs)
        outputs = ", ".join(f"t{number}" for number in self.outputs)
        bare = ", " not in inputs + outputs
        model = f"{inputs}, {outputs}" if bare else f"[{inputs}], [{outputs}]"
        return "\n".join([*lines, f"    return keras.Model({model})", ""])

    def without(self, number: int) -> Network | None:
        """The network without a step, whose first input takes its place; None for one without inputs."""
        step = self.steps[number]
        if not step.inputs:
            return None
        place = {n: n if n < number else n - 1 for n in range(len(self.steps))}
        place[number] = step.inputs[0]
        steps = [
            (replace(other, shares=None) if other.shares == number else other).moved(place)
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
        steps = tuple(self.steps[number].moved(place) for number in kept)
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
