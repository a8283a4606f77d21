"""How the intermediate tensors of one format's artifacts are listed and exposed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from kexport import registry
from kexport.bundle.signature import Array

FOLDER = "factory/localisation/intermediates"


@dataclass(frozen=True)
class ArtifactTensor:
    """A tensor that an operator of the artifact computes.

    Attributes:
        key: identifies it; unique in the artifact.
        names: of the tensors of the traced graph that it stands for; a converter joins the names of what it fuses.
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

    def to_json(self) -> dict[str, Any]:
        """What `from_json` reads, in another process."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> ArtifactTensor:
        """The inverse of `to_json`."""
        fields: dict[str, Any] = {k: tuple(value) if isinstance(value, list) else value for k, value in data.items()}
        return cls(**fields)


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
