"""The declaration of a format. Nothing outside this folder refers to a format by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from kexport import registry
from kexport.errors import UsageError, unknown
from kexport.factory.trace.program import Program

FOLDER = "factory/formats"


@dataclass(frozen=True)
class Option:
    """A setting of a converter that a person can choose.

    Attributes:
        name: the name under which the converter takes it.
        values: the values that the converter supports.
        read: the value that an artifact has, given its details in the manifest; it goes into the provenance.
    """

    name: str
    values: Sequence[int]
    read: Callable[[Mapping[str, Any]], object]


@dataclass(frozen=True)
class Format:
    """One way to write a model; it has either a `writer`, or a `converter` that reads a handover.

    Attributes:
        name: as users type it, and the name of its file.
        path: the path in the bundle of what it writes.
        summary: what it is, in one line.
        rank: its place in lists and manifests; no two formats share one.
        default: whether a build that names no formats writes it.
        modules: what must be importable for it, besides TensorFlow and Keras.
        writer: writes the program to a path in this process, and returns details for the manifest.
        converter: `"module:function"`, run in a worker process because it may crash or take long. It takes the
            paths `handover` and `target` as text and the `options` of the build, and yields the details once.
        options: the options of the converter.
        needs_layers: whether it writes the layers of the model; a SavedModel that was loaded has none.
        keeps_state: whether its artifacts keep what a model remembers between calls.
        expected: what a model must consist of; refusals quote it.
        precisions: the small precisions in which it can be written too.
        narrower: `"module:function"`, run in a worker process once the format is written: it writes a small precision.
            It takes the paths `handover`, `wide` (what was written), `target` and `calibration` as text, the
            `precision`, as `io` whether the model takes and returns `"float"` or `"int"`, and the names of layers to
            `keep` in float; it yields the details once, of integers with `INTEGER_LAYERS`.
    """

    name: str
    path: str
    summary: str
    rank: int
    default: bool = True
    modules: tuple[str, ...] = ()
    writer: Callable[[Program, Path], dict[str, object]] | None = None
    converter: str | None = None
    options: tuple[Option, ...] = ()
    needs_layers: bool = False
    keeps_state: bool = False
    expected: str = "operations that the format supports"
    precisions: tuple[str, ...] = ()
    narrower: str | None = None

    def narrowed(self, narrower: str, *precisions: str) -> Format:
        """The format, which this function writes in small precisions too."""
        return replace(self, narrower=narrower, precisions=precisions)

    def path_in(self, precision: str) -> str:
        """The path in the bundle of what it writes in a small precision: `model.int8.tflite`."""
        stem, dot, suffix = self.path.rpartition(".")
        return f"{stem}.{precision}{dot}{suffix}"


def names() -> list[str]:
    """The names of all formats, in alphabetical order."""
    return registry.names(FOLDER)


def get(name: str) -> Format:
    """The format of that name.

    Raises:
        UsageError: there is none.
    """
    if name not in names():
        raise unknown("format", name, names())
    return registry.get(FOLDER, name, Format, "FORMAT")


def path_of(label: str) -> str:
    """The path in the bundle of a format, or of one in a small precision: `"tflite int8"`."""
    name, _, precision = label.partition(" ")
    return get(name).path_in(precision) if precision else get(name).path


def every() -> list[Format]:
    """All formats, by rank."""
    return sorted(map(get, names()), key=lambda form: form.rank)


def defaults() -> list[str]:
    """The names of the formats that a build writes by default, by rank."""
    return [form.name for form in every() if form.default]


def require_supported(options: Mapping[str, int | None]) -> None:
    """Refuse a setting that no converter supports.

    Args:
        options: the options of the converters, by name; None leaves the choice to them.

    Raises:
        UsageError: a format has this option, and cannot be written with the value.
    """
    for form in every():
        for option in form.options:
            value = options.get(option.name)
            if value is not None and value not in option.values:
                raise UsageError(
                    f"the {form.name} converter does not support this {option.name}",
                    got=value,
                    expected=f"{option.values[0]} to {option.values[-1]}",
                )
