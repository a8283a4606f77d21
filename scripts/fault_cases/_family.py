"""What a family is: a model, and the faults of its artifacts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fault_cases._onnx_graph import OnnxGraph
from fault_cases._rebuilt import Changed
from fault_cases._tflite_graph import TfliteGraph

Edit = Callable[[Any], None]
PATHS = {"onnx": "model.onnx", "tflite": "model.tflite", "saved_model": "saved_model", "keras": "model.keras"}
#: The runtime that a faulty artifact is run in.
RUNTIMES = {"onnx": "onnxruntime", "tflite": "litert", "saved_model": "saved_model", "keras": "keras"}


@dataclass(frozen=True)
class Fault:
    """One fault in one artifact.

    Attributes:
        family: whose artifact it is in.
        kind: what is wrong, in words that other families use too.
        format: of the artifact.
        layer: the Keras layer (or operation) that is computed wrongly; empty when the fault lies in none.
        edit: changes the artifact itself; None when it is converted from a changed model.
        changed: how the model is changed that the artifact is converted from.
        variant: tells faults of one kind apart.
        example: an input of each name on which it shows, where it is too rare to be met at random.
        known_digest: whether the manifest has the digest of the faulty artifact, as after a faulty conversion.
    """

    family: str
    kind: str
    format: str
    layer: str
    edit: Edit | None = None
    changed: Changed | None = None
    variant: str = ""
    example: Mapping[str, Any] = field(default_factory=dict)
    known_digest: bool = True

    @property
    def name(self) -> str:
        """Family, kind and format, with a variant where there are several."""
        words = f"{self.kind} {self.variant}".strip()
        return f"{self.family}/{re.sub(r'[^a-z0-9.]+', '-', words.lower()).strip('-')}/{self.format}"

    @property
    def runtime(self) -> str:
        """The runtime that the fault must be found in."""
        return RUNTIMES[self.format]


@dataclass
class Family:
    """A healthy model and its faults.

    Attributes:
        name: the name of the family, and of its file.
        title: what the model is, in a few words.
        domain: of each input.
        make: makes the model; keyword arguments make variants of it for faults.
        faults: in the order of the file.
    """

    name: str
    title: str
    domain: Mapping[str, str]
    make: Callable[..., Any] = lambda: None
    faults: list[Fault] = field(default_factory=list)

    def model(self, make: Callable[..., Any]) -> Callable[..., Any]:
        """Register the function that makes the model."""
        self.make = make
        return make

    def onnx(self, kind: str, layer: str, edit: Callable[[OnnxGraph], None], **options: Any) -> None:
        """A fault made by changing the ONNX graph."""
        self.faults.append(Fault(self.name, kind, "onnx", layer, edit=edit, **options))

    def tflite(self, kind: str, layer: str, edit: Callable[[TfliteGraph], None], **options: Any) -> None:
        """A fault made by changing the TFLite file."""
        self.faults.append(Fault(self.name, kind, "tflite", layer, edit=edit, **options))

    def rebuilt(
        self, kind: str, layer: str, changed: Changed, formats: Iterable[str] = ("onnx", "tflite"), **options: Any
    ) -> None:
        """A fault in each of some formats: the artifact is converted from a changed model."""
        for name in formats:
            self.faults.append(Fault(self.name, kind, name, layer, changed=changed, **options))

    def healthy(self, **arguments: Any) -> Any:
        """The model with weights that are the same whenever it is made."""
        import keras

        keras.utils.clear_session(free_memory=False)  # operations get the same names whenever it is made
        keras.utils.set_random_seed(0)
        model = self.make(**arguments)
        settle(model)
        return model


def settle(model: Any) -> None:
    """Give weights that begin as zeros or ones other values: a forgotten bias would have no effect."""
    import numpy as np

    rng = np.random.default_rng(1)
    for variable in model.weights:
        value = np.asarray(variable)
        kind = variable.path.rpartition("/")[2]
        if kind in ("gamma", "moving_variance"):
            variable.assign(rng.uniform(0.5, 1.5, value.shape))
        elif value.dtype.kind == "f" and value.size > 1 and np.ptp(value) == 0:
            variable.assign(rng.normal(0, 0.2, value.shape))
