"""What every kind of source gives: a model that is loaded later, its name, and the domain of its inputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from kexport import registry
from kexport.errors import UsageError

FOLDER = "factory/sources"
#: What a text that names a model may be, in words.
KINDS = "a registered name, file.py:callable, package.module:callable, a .keras file or a SavedModel folder"


@dataclass(frozen=True)
class Source:
    """A model that was found, and can be loaded.

    Attributes:
        name: of the bundle that is built from it.
        load: gives the Keras model; this is where Keras is imported.
        domains: text or value of the domain of some or all of its inputs.
        live: whether the model was made in this process; its classes may then exist nowhere else.
        keeps_layers: whether the model has its layers; a function that TensorFlow loaded has none.
    """

    name: str
    load: Callable[[], Any]
    domains: Mapping[str, Any] = field(default_factory=dict)
    live: bool = False
    keeps_layers: bool = True


@dataclass(frozen=True)
class Kind:
    """One kind of source.

    Attributes:
        rank: kinds are asked in this order.
        claims: whether a value of `--model` is of this kind.
        find: finds the model and checks the settings, without importing Keras.
    """

    rank: int
    claims: Callable[[object], bool]
    find: Callable[[Any, Mapping[str, str]], Source]


def find(model: object, settings: Mapping[str, str]) -> Source:
    """The source that a value of `--model` means."""
    kinds = sorted((registry.get(FOLDER, name, Kind, "KIND") for name in registry.names(FOLDER)), key=lambda k: k.rank)
    for kind in kinds:
        if kind.claims(model):
            source: Source = kind.find(model, settings)
            return source
    raise UsageError("this is not a model", got=type(model).__name__, expected=f"a keras.Model, {KINDS}")


def refuse_settings(what: str, settings: Mapping[str, str]) -> None:
    """Raise `UsageError` when there are settings: only a function has parameters."""
    if settings:
        raise UsageError(f"{what} takes no --set", got=", ".join(settings), expected="no settings")
