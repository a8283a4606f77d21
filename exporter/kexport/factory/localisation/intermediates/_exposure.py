"""How the intermediate tensors of one format's artifacts are listed and exposed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from kexport import registry
from kexport.bundle.json_files import texts
from kexport.bundle.json_text import JsonObject
from kexport.bundle.signature import Array

FOLDER = "factory/localisation/intermediates"


@dataclass(frozen=True)
class ArtifactTensor:
    """A tensor that an operator of the artifact computes.

    Attributes:
        key: identifies it; unique in the artifact.
        names: the tensors of the traced graph that it stands for; a converter joins the names of what it fuses.
        operator: the type of the operator that computes it.
        inputs: keys of the tensors that the operator takes.
        constants: names of the constants that the operator takes.
        output: the name of the artifact's output that it is; empty when it is none.
    """

    key: str
    names: tuple[str, ...]
    operator: str
    inputs: tuple[str, ...]
    constants: tuple[str, ...] = ()
    output: str = ""

    def to_json(self) -> JsonObject:
        """What `from_json` reads, in another process."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: JsonObject) -> ArtifactTensor:
        """The inverse of `to_json`."""
        return cls(
            key=str(data["key"]),
            names=texts(data["names"]),
            operator=str(data["operator"]),
            inputs=texts(data["inputs"]),
            constants=texts(data["constants"]),
            output=str(data["output"]),
        )


@dataclass(frozen=True)
class Exposure:
    """The intermediate tensors of artifacts of one format.

    Attributes:
        format: its name, and that of its file.
        tensors: lists all that operators of the main graph compute, in the order of the operators.
        expose: writes a copy of an artifact whose outputs include the tensors of these keys, named by their keys:
            after its own outputs, or alone. The arguments: path, keys, whether alone, path of the copy.
        real: gives, for an artifact, a function from key and value of a tensor to its value as real numbers, which
            differ where the artifact is quantised.
        modules: must be importable; a worker imports them before its first task.
    """

    format: str
    tensors: Callable[[Path], Iterator[ArtifactTensor]]
    expose: Callable[[Path, Sequence[str], bool, Path], None]
    real: Callable[[Path], Callable[[str, Array], Array]] = lambda path: lambda key, value: value
    modules: tuple[str, ...] = ()


def formats() -> list[str]:
    """The formats whose intermediate tensors can be observed."""
    return registry.names(FOLDER)


def get(format_name: str) -> Exposure:
    """The exposure of a format.

    Raises:
        UsageError: the format has none.
    """
    return registry.get(FOLDER, format_name, Exposure, "EXPOSURE", "format with observable layers")
