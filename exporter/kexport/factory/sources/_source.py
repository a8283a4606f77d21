"""Sources of models: a name, a function that loads the model later, and domains of its inputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kexport import registry
from kexport.errors import UsageError

if TYPE_CHECKING:
    from kexport.field.trust import Trust

FOLDER = "factory/sources"
#: The kinds of text that name a model, in words.
KINDS = "a registered name, file.py:callable, package.module:callable, a .keras or .h5 file, or a SavedModel folder"


@dataclass(frozen=True)
class Source:
    """A model that exists and can be loaded.

    Attributes:
        name: the name of the bundle that is built from it.
        load: returns the Keras model, or a function that stands for one; Keras is imported only here.
        domains: the domain of some or all inputs, as text or as a `Domain`, by the input's name.
        live: whether the model is created in this process; its classes may then exist nowhere else.
        content: returns what the model is made of, such as the digest of its file; None where only running code tells.
        signed: the same source with another of its functions as the model, by name; None where it has only one.
        rehearse: calls it once in a process within limits, and raises `ModelError` if it leaves them; None for what
            somebody's code makes.
    """

    name: str
    load: Callable[[], Any]
    domains: Mapping[str, object] = field(default_factory=dict)
    live: bool = False
    content: Callable[[], str] | None = None
    signed: Callable[[str], Source] | None = None
    rehearse: Callable[[Trust], None] | None = None

    def with_signature(self, name: str | None) -> Source:
        """The source with this function as the model; raises `UsageError` where it has no functions by name."""
        if name is None:
            return self
        if self.signed is None:
            raise UsageError("only a SavedModel has signatures", got=f"--signature {name}")
        return self.signed(name)


@dataclass(frozen=True)
class SourceKind:
    """One kind of source.

    Attributes:
        rank: kinds are asked in this order.
        claims: whether a value of `--model` is of this kind.
        find: returns the source that such a value means, and checks the settings, without importing Keras.
    """

    rank: int
    claims: Callable[[object], bool]
    find: Callable[[Any, Mapping[str, str]], Source]


def find(model: object, settings: Mapping[str, str]) -> Source:
    """The source that a value of `--model` means.

    Args:
        model: a `keras.Model`, a path, or a text as `KINDS` lists.
        settings: keyword arguments of the function that creates the model, as text.

    Raises:
        ModelError: there is no such model.
        UsageError: the value is not a model, or the settings do not fit it.
    """
    kinds = [registry.get(FOLDER, name, SourceKind, "KIND") for name in registry.names(FOLDER)]
    for kind in sorted(kinds, key=lambda each: each.rank):
        if kind.claims(model):
            return kind.find(model, settings)
    raise UsageError("this is not a model", got=type(model).__name__, expected=f"a keras.Model, {KINDS}")


def refuse_settings(subject: str, settings: Mapping[str, str]) -> None:
    """Raise `UsageError` when there are settings: only a function has parameters."""
    if settings:
        raise UsageError(f"{subject} takes no --set", got=", ".join(settings), expected="no settings")
