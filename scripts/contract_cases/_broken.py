"""What a planted break is: a function that does not keep what its layer promises."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Shape = tuple[int | None, ...]
#: Makes what a statement about the function speaks of: the feeds of one or several samples of the model, in order.
Example = Callable[[np.random.Generator], Sequence[np.ndarray]]


@dataclass(frozen=True)
class Broken:
    """A layer that promises something and does not keep it.

    Attributes:
        kind: the kind of the contract that it breaks.
        title: how, in words.
        function: what the layer computes, of Keras tensors: its inputs, then its weights.
        promises: what it promises: contracts, or what a healthy layer promises.
        shapes: of each input, without the batch.
        domain: the domain of every input.
        example: inputs on which the break shows, where it is too rare to be met at random.
        weights: of the layer, by name.
        hint: that the measure of the effect needs, such as the frequency at which to look.
    """

    kind: str
    title: str
    function: Callable[..., Any]
    promises: Callable[[], Sequence[Any]]
    shapes: tuple[Shape, ...]
    domain: str
    example: Example | None = None
    weights: Mapping[str, Any] = field(default_factory=dict)
    hint: Any = None

    @property
    def name(self) -> str:
        """Kind and title."""
        return f"{self.kind}/{self.title}"

    def contract(self) -> Any:
        """The one that is broken."""
        return next(each for each in map(_bare, self.promises()) if each.kind == self.kind)

    def spoken_of(self) -> list[str]:
        """The inputs that the contract speaks of."""
        promise = next(each for each in self.promises() if _bare(each).kind == self.kind)
        return [getattr(promise, "argument", "")] if promise is not _bare(promise) else list(self.domains())

    def model(self) -> Any:
        """A Keras model of the layer alone."""
        import keras

        from contract_cases._planted import Planted

        names = ("x", "reference")
        inputs = [keras.Input(shape, name=name) for shape, name in zip(self.shapes, names, strict=False)]
        return keras.Model(inputs, Planted(self.name, name="planted")(*inputs), name="broken")

    def domains(self) -> dict[str, str]:
        """Of each input."""
        return dict.fromkeys(("x", "reference")[: len(self.shapes)], self.domain)


def _bare(promise: Any) -> Any:
    return getattr(promise, "contract", promise)


class Cases:
    """The breaks of one kind of contract, in the order of their file.

    Args:
        kind: the kind of contract, and the name of the file.
        shape: the shape of the input, without the batch, where a case does not give its own.
        domain: likewise.
    """

    def __init__(self, kind: str, shape: Shape = (4,), domain: str = "uniform(-2, 2)") -> None:
        self.kind, self.shape, self.domain = kind, shape, domain
        self.broken: list[Broken] = []

    def plant(self, title: str, *promises: Any, **options: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Decorator: the function computes what the layer does.

        Args:
            title: how the promise is broken.
            *promises: contracts; or a function that makes a healthy layer, whose promises are taken.
            **options: `shape` or `shapes`, and fields of `Broken`.
        """
        shapes = options.pop("shapes", None) or (options.pop("shape", self.shape),)
        domain = options.pop("domain", self.domain)

        def register(function: Callable[..., Any]) -> Callable[..., Any]:
            def made() -> Sequence[Any]:
                if promises and callable(promises[0]):
                    return promised_by(promises[0](), shapes)
                return promises

            self.broken.append(Broken(self.kind, title, function, made, shapes, domain, **options))
            return function

        return register


def promised_by(layer: Any, shapes: Sequence[Shape]) -> Sequence[Any]:
    """What a layer promises about inputs of these shapes."""
    if not layer.built:
        layer.build(*((None, *shape) for shape in shapes))
    return list(layer.contracts())
