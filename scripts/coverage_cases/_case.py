"""What a case is, and the lists that they are gathered in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from coverage_cases._draw import Draw

Function = Callable[..., Any]
FORMATS = ("onnx", "tflite", "saved_model", "keras")


@dataclass(frozen=True)
class Case:
    """One model to export.

    Attributes:
        group: of the page, as `coverage_cases.GROUPS` lists them.
        name: what it is of, a slash, and the variant.
        make: gives the model.
        inputs: by the model's own names, in its order.
        call: calls the model on tensors in that order; None for one value, or a list of them.
        batch: the only one the model takes; None for any.
        noise: whether the limit is the model's noise floor instead of 1e-5 an element.
        timeout: seconds for all of its formats.
        package: the distribution that it needs besides kexport's own; empty for none.
    """

    group: str
    name: str
    make: Callable[[], Any]
    inputs: Mapping[str, Draw]
    call: Callable[..., Any] | None = None
    batch: int | None = None
    noise: bool = False
    timeout: float = 120.0
    package: str = ""

    @property
    def formats(self) -> tuple[str, ...]:
        """The formats it is built in: a `.keras` file cannot hold the functions that operations are called by."""
        return FORMATS[:-1] if self.group == "ops" else FORMATS

    @property
    def subject(self) -> str:
        """The layer, operation or family."""
        return self.name.partition("/")[0]


class Cases(list[Case]):
    """Cases of one group, each name once."""

    def __init__(self, group: str) -> None:
        super().__init__()
        self.group = group

    def add(self, name: str, make: Callable[..., Any], inputs: Mapping[str, Draw], **options: Any) -> None:
        """Add a case of a model that a function makes."""
        assert all(case.name != name for case in self), name
        self.append(Case(self.group, name, make, inputs, **options))

    def of(self, name: str, draws: Draw | Sequence[Draw], function: Function, **options: Any) -> None:
        """Add a case of a functional model: what the function makes of its input, or of the list of them."""
        several = not isinstance(draws, Draw)
        named = {"x": draws} if isinstance(draws, Draw) else {f"x{i}": draw for i, draw in enumerate(draws)}
        batch = options.get("batch")

        def make() -> Any:
            import keras

            inputs = [keras.Input(draw.shape, batch, draw.dtype, name=name) for name, draw in named.items()]
            inputs = inputs if several else inputs[0]
            return keras.Model(inputs, function(inputs), name="model")

        self.add(name, make, named, **options)
