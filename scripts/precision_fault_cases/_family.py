"""What a family is: a model in small precisions, and the faults of these artifacts."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fault_cases._family import settle
from precision_fault_cases._integer_onnx import IntegerOnnx
from precision_fault_cases._integer_tflite import IntegerTflite

GRAPHS = {"tflite": IntegerTflite, "onnx": IntegerOnnx}
RUNTIMES = {"tflite": ("litert", "litert_reference"), "onnx": ("onnxruntime",)}


@dataclass(frozen=True)
class Fault:
    """One fault in one artifact.

    Attributes:
        family: whose artifact it is in.
        kind: what is wrong, in words that other families use too.
        artifact: its precision and format, such as `"int8.tflite"`.
        edit: changes the artifact.
        converted: whether the manifest lists the operators of the faulty file, as after a conversion that went wrong,
            and not those of the healthy one, as where another tool wrote the file.
        variant: tells faults of one kind apart.
    """

    family: str
    kind: str
    artifact: str
    edit: Callable[[Any], None]
    converted: bool = True
    variant: str = ""

    @property
    def name(self) -> str:
        """Family, kind and artifact, with a variant where there are several."""
        words = f"{self.kind} {self.variant}".strip()
        return f"{self.family}/{re.sub(r'[^a-z0-9.]+', '-', words.lower()).strip('-')}/{self.artifact}"

    @property
    def path(self) -> str:
        """The artifact in a bundle."""
        return f"model.{self.artifact}"

    @property
    def format(self) -> str:
        """Of the artifact."""
        return self.artifact.rpartition(".")[2]

    @property
    def runtimes(self) -> tuple[str, ...]:
        """The runtimes of a device that the fault must be found in."""
        return RUNTIMES[self.format]


@dataclass
class Family:
    """A healthy model, its precisions and their faults.

    Attributes:
        name: the name of the family, and of its file.
        title: what the model is, in a few words.
        domain: of each input.
        precisions: those that are built.
        io: of the artifacts of integers, as `kexport.build` takes it.
        make: makes the model.
        faults: in the order of the file.
    """

    name: str
    title: str
    domain: Mapping[str, str]
    precisions: tuple[str, ...] = ("float16", "dynamic", "int8", "int16x8")
    io: str | None = None
    make: Callable[[], Any] = lambda: None
    faults: list[Fault] = field(default_factory=list)

    def model(self, make: Callable[[], Any]) -> Callable[[], Any]:
        """Register the function that makes the model."""
        self.make = make
        return make

    def plant(self, kind: str, artifact: str, edit: Callable[[Any], None], **options: Any) -> None:
        """A fault made by changing a file."""
        self.faults.append(Fault(self.name, kind, artifact, edit, **options))

    def healthy(self, seed: int = 0) -> Any:
        """The model with weights that follow from the seed."""
        import keras

        keras.utils.clear_session(free_memory=False)
        keras.utils.set_random_seed(seed)
        model = self.make()
        settle(model)
        return model
