"""What every way to look into an artifact is, and the tensors that it tells of."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from kexport import registry
from kexport.bundle.signature import Array

FOLDER = "factory/localisation/exposing"


@dataclass(frozen=True)
class Tensor:
    """A tensor that an operator of the artifact makes.

    Attributes:
        key: by which it is asked for; unique in the artifact.
        names: of the tensors of the traced graph that it stands for; a converter joins those of what it fuses.
        operator: that makes it.
        inputs: keys of the tensors that the operator takes.
        constants: names of the constants that it takes.
        output: the name of the artifact's output that it is.
    """

    key: str
    names: tuple[str, ...]
    operator: str
    inputs: tuple[str, ...]
    constants: tuple[str, ...] = ()
    output: str = ""

    def to_json(self) -> dict[str, Any]:
        """For another process."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Tensor:
        """The inverse of `to_json`."""
        fields: dict[str, Any] = {k: tuple(value) if isinstance(value, list) else value for k, value in data.items()}
        return cls(**fields)


@dataclass(frozen=True)
class Exposure:
    """One format whose artifacts can be looked into.

    Attributes:
        format: its name, and that of its file.
        tensors: all that operators of the main graph make, in the order of the operators.
        expose: writes a copy of the artifact that gives the tensors of these keys, named by them: behind its own
            outputs, or, when asked to, alone.
        real: a tensor's value as real numbers, by key, where the artifact holds it quantised.
    """

    format: str
    tensors: Callable[[Path], Iterator[Tensor]]
    expose: Callable[[Path, Sequence[str], bool, Path], None]
    real: Callable[[Path], Callable[[str, Array], Array]] = lambda path: lambda key, value: value


def formats() -> list[str]:
    """Those whose artifacts can be looked into."""
    return registry.names(FOLDER)


def get(format_name: str) -> Exposure:
    """The one of that format.

    Raises:
        UsageError: there is none.
    """
    found: Exposure = registry.get(FOLDER, format_name, "EXPOSURE", "format to look into")
    return found
